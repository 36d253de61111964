// What a pickle's values are here: plain data. Numbers, strings and bytes are JavaScript's own; of Python's objects there
// are lists and dicts, and for everything else its name and what was handed to it, which nobody ever calls.

/** Tuples, lists and sets; which of them it was matters to messages only. */
export class PySequence<H> {
  readonly kind: "tuple" | "list" | "set";
  readonly items: PyValue<H>[];
  constructor(kind: "tuple" | "list" | "set", items: PyValue<H>[]) {
    this.kind = kind;
    this.items = items;
  }
}

/** A dict or OrderedDict. */
export class PyDict<H> {
  readonly entries = new Map<PyValue<H>, PyValue<H>>();
}

/** A function or class, by the name under which a pickle imports it. It is looked up nowhere. */
export class PyGlobal {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** What calling something, or making an instance of it, would have given. It is opaque: its parts, unused. */
export class PyObject<H> {
  /** The function or class. */
  readonly of: string;
  readonly args: readonly PyValue<H>[];
  /** What `__setstate__` would have been given; most often the attributes, a dict. */
  state: PyValue<H> | undefined = undefined;
  /** What was set in it, if it is a kind of dict. */
  readonly entries = new Map<PyValue<H>, PyValue<H>>();
  /** What was appended to it, if it is a kind of list or set. */
  readonly items: PyValue<H>[] = [];
  constructor(of: string, args: readonly PyValue<H>[]) {
    this.of = of;
    this.args = args;
  }
}

/** A value read from a pickle; H is what the host makes of calls and persistent ids. */
export type PyValue<H> =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array<ArrayBuffer>
  | PySequence<H>
  | PyDict<H>
  | PyGlobal
  | PyObject<H>
  | H;
