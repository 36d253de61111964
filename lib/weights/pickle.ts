// Reads pickles, protocols 2 to 5, without running anything: the opcodes that torch.save uses for dicts of tensors build
// plain values here, and every other opcode is refused by name. What a global means, what calling it gives and what a
// persistent id stands for, the host decides; this room has no list of its own and knows no tensors.
// The format: https://github.com/python/cpython/blob/main/Lib/pickletools.py

import { describe, rangeError } from "../check.js";
import * as op from "./pickle-opcodes.js";

/** Tuples, lists and sets; which of them it was matters to messages only. */
export class PySequence<H> {
  readonly kind: "tuple" | "list" | "set";
  readonly items: PickleValue<H>[];
  constructor(kind: "tuple" | "list" | "set", items: PickleValue<H>[]) {
    this.kind = kind;
    this.items = items;
  }
}

/** A dict or OrderedDict. */
export class PyDict<H> {
  readonly entries = new Map<PickleValue<H>, PickleValue<H>>();
}

/** A value read from a pickle; H is what the host makes of globals, calls and persistent ids. */
export type PickleValue<H> = null | boolean | number | bigint | string | Uint8Array | PySequence<H> | PyDict<H> | H;

/** Gives meaning to what a pickle names. Each throws for what it does not allow. */
export interface PickleHost<H> {
  /** `module.name`, as a pickle imports it. */
  global(name: string): H;
  call(callee: PickleValue<H>, args: readonly PickleValue<H>[]): PickleValue<H>;
  persistent(id: PickleValue<H>): H;
}

/**
 * Reads one pickle.
 * @param label what it is, for messages
 * @throws RangeError ERR_FILE for anything malformed or not in the list above, and whatever the host throws
 */
export function readPickle<H extends object>(label: string, bytes: Uint8Array, host: PickleHost<H>): PickleValue<H> {
  return new PickleReader(label, bytes, host).run();
}

class PickleReader<H extends object> {
  readonly #label: string;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #host: PickleHost<H>;
  readonly #stack: PickleValue<H>[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue<H>>();
  readonly #text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  #at = 0;

  constructor(label: string, bytes: Uint8Array, host: PickleHost<H>) {
    this.#label = label;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#host = host;
  }

  run(): PickleValue<H> {
    if (this.#byte() !== op.PROTO) throw this.#fail("a pickle of protocol 2 to 5", "none, or an older one");
    const protocol = this.#byte();
    if (protocol < 2 || protocol > 5) throw this.#fail("a pickle of protocol 2 to 5", `protocol ${protocol}`);
    for (let opcode = this.#byte(); opcode !== op.STOP; opcode = this.#byte()) {
      const known = this.#readScalar(opcode) || this.#readCollection(opcode) || this.#readReference(opcode);
      if (!known) throw this.#refused(opcode);
    }
    const value = this.#pop();
    if (this.#stack.length > 0 || this.#marks.length > 0) throw this.#fail("one value", "more at the end");
    return value;
  }

  #refused(opcode: number): RangeError {
    const name = op.refusedNames[String.fromCharCode(opcode)] ?? `0x${opcode.toString(16).padStart(2, "0")}`;
    return this.#fail("the pickle opcodes of a state dict", `opcode ${name}, which is not run`);
  }

  #fail(expected: string, received: string): RangeError {
    return rangeError("ERR_FILE", `${this.#label} at byte ${this.#at}`, expected, received);
  }

  /** Steps over `length` bytes and returns where they start. */
  #skip(length: number): number {
    const start = this.#at;
    if (length > this.#bytes.length - start) throw this.#fail(`${length} more bytes`, `${this.#bytes.length - start}`);
    this.#at += length;
    return start;
  }

  #byte(): number {
    return this.#view.getUint8(this.#skip(1));
  }

  #uint32(): number {
    return this.#view.getUint32(this.#skip(4), true);
  }

  #slice(length: number): Uint8Array {
    const start = this.#skip(length);
    return this.#bytes.subarray(start, start + length);
  }

  #string(bytes: Uint8Array): string {
    try {
      return this.#text.decode(bytes);
    } catch {
      throw this.#fail("text in UTF-8", "other bytes");
    }
  }

  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) throw this.#fail("a line", "the end");
    const bytes = this.#slice(end - this.#at);
    this.#at++;
    return this.#string(bytes);
  }

  /** A two's complement integer of up to 255 bytes; a bigint only where a number would round. */
  #long(): number | bigint {
    let value = 0n;
    const bytes = this.#slice(this.#byte());
    for (const byte of bytes.toReversed()) value = (value << 8n) | BigInt(byte);
    const signed = BigInt.asIntN(bytes.length * 8, value);
    const number = Number(signed);
    return Number.isSafeInteger(number) ? number : signed;
  }

  #pop(): PickleValue<H> {
    const value = this.#stack.length > (this.#marks.at(-1) ?? 0) ? this.#stack.pop() : undefined;
    if (value === undefined) throw this.#fail("a value on the stack", "none");
    return value;
  }

  #peek(): PickleValue<H> {
    const value = this.#pop();
    this.#stack.push(value);
    return value;
  }

  #popToMark(): PickleValue<H>[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw this.#fail("a mark on the stack", "none");
    return this.#stack.splice(mark);
  }

  #popMany(count: number): PickleValue<H>[] {
    const items: PickleValue<H>[] = [];
    for (let i = 0; i < count; i++) items.unshift(this.#pop());
    return items;
  }

  #readScalar(opcode: number): boolean {
    switch (opcode) {
      case op.FRAME:
        this.#skip(8); // how much to buffer: of no use to a reader that has it all
        return true;
      case op.NONE:
        return this.#push(null);
      case op.NEWTRUE:
        return this.#push(true);
      case op.NEWFALSE:
        return this.#push(false);
      case op.BININT:
        return this.#push(this.#view.getInt32(this.#skip(4), true));
      case op.BININT1:
        return this.#push(this.#byte());
      case op.BININT2:
        return this.#push(this.#view.getUint16(this.#skip(2), true));
      case op.LONG1:
        return this.#push(this.#long());
      case op.BINFLOAT:
        return this.#push(this.#view.getFloat64(this.#skip(8), false));
      case op.BINUNICODE:
        return this.#push(this.#string(this.#slice(this.#uint32())));
      case op.SHORT_BINUNICODE:
        return this.#push(this.#string(this.#slice(this.#byte())));
      case op.BINBYTES:
        return this.#push(this.#slice(this.#uint32()));
      case op.SHORT_BINBYTES:
        return this.#push(this.#slice(this.#byte()));
      default:
        return false;
    }
  }

  #readCollection(opcode: number): boolean {
    switch (opcode) {
      case op.MARK:
        return this.#marks.push(this.#stack.length) > 0;
      case op.EMPTY_TUPLE:
        return this.#push(new PySequence<H>("tuple", []));
      case op.TUPLE1:
      case op.TUPLE2:
      case op.TUPLE3:
        return this.#push(new PySequence("tuple", this.#popMany(opcode - op.TUPLE1 + 1)));
      case op.TUPLE:
        return this.#push(new PySequence("tuple", this.#popToMark()));
      case op.FROZENSET:
        return this.#push(new PySequence("set", this.#popToMark()));
      case op.EMPTY_LIST:
        return this.#push(new PySequence<H>("list", []));
      case op.EMPTY_SET:
        return this.#push(new PySequence<H>("set", []));
      case op.APPEND:
        return this.#extend("list", [this.#pop()]);
      case op.APPENDS:
        return this.#extend("list", this.#popToMark());
      case op.ADDITEMS:
        return this.#extend("set", this.#popToMark());
      case op.EMPTY_DICT:
        return this.#push(new PyDict<H>());
      case op.SETITEM:
        return this.#setItems(this.#popMany(2));
      case op.SETITEMS:
        return this.#setItems(this.#popToMark());
      default:
        return false;
    }
  }

  #readReference(opcode: number): boolean {
    switch (opcode) {
      case op.BINGET:
        return this.#push(this.#recall(this.#byte()));
      case op.LONG_BINGET:
        return this.#push(this.#recall(this.#uint32()));
      case op.BINPUT:
        return this.#remember(this.#byte());
      case op.LONG_BINPUT:
        return this.#remember(this.#uint32());
      case op.MEMOIZE:
        return this.#remember(this.#memo.size);
      case op.GLOBAL:
        return this.#push(this.#host.global(`${this.#line()}.${this.#line()}`));
      case op.STACK_GLOBAL:
        return this.#stackGlobal();
      case op.REDUCE:
        return this.#reduce();
      case op.BUILD:
        return this.#build();
      case op.BINPERSID:
        return this.#push(this.#host.persistent(this.#pop()));
      default:
        return false;
    }
  }

  #push(value: PickleValue<H>): true {
    this.#stack.push(value);
    return true;
  }

  #extend(kind: "list" | "set", items: PickleValue<H>[]): true {
    const sequence = this.#peek();
    if (!(sequence instanceof PySequence) || sequence.kind !== kind)
      throw this.#fail(`a ${kind} to add to`, "another value");
    for (const item of items) sequence.items.push(item);
    return true;
  }

  #setItems(items: PickleValue<H>[]): true {
    const dict = this.#peek();
    if (!(dict instanceof PyDict)) throw this.#fail("a dict to add to", "another value");
    for (let i = 0; i < items.length; i += 2) {
      const [key, value] = items.slice(i, i + 2);
      if (key === undefined || value === undefined) throw this.#fail("a value for every key", "a key without one");
      if (dict.entries.has(key)) throw this.#fail("keys that differ", `the key ${describe(key)} twice`);
      dict.entries.set(key, value);
    }
    return true;
  }

  #recall(id: number): PickleValue<H> {
    const value = this.#memo.get(id);
    if (value === undefined) throw this.#fail("a value remembered earlier", `none under ${id}`);
    return value;
  }

  #remember(id: number): true {
    this.#memo.set(id, this.#peek());
    return true;
  }

  #stackGlobal(): true {
    const [module, name] = this.#popMany(2);
    if (typeof module !== "string" || typeof name !== "string") throw this.#fail("a module and a name", "other values");
    return this.#push(this.#host.global(`${module}.${name}`));
  }

  #reduce(): true {
    const [callee, args] = this.#popMany(2);
    if (callee === undefined || !(args instanceof PySequence)) throw this.#fail("a call with a tuple", "another value");
    return this.#push(this.#host.call(callee, args.items));
  }

  /** Attributes set on an object. torch sets `_metadata` on the OrderedDict, which nothing here needs. */
  #build(): true {
    this.#pop();
    if (!(this.#peek() instanceof PyDict)) throw this.#fail("attributes of a dict", "attributes of another object");
    return true;
  }
}
