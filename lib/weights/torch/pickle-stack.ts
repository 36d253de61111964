// What a pickle's opcodes work on: a stack with marks, and a memory of values by number. Every step is judged, since a
// pickle may ask for anything in any order.

import { describe } from "../../check.js";
import type { Cursor } from "./cursor.js";
import { PyDict, PyObject, PySequence, type PyValue } from "./values.js";

export class PickleStack<H extends object> {
  readonly #in: Cursor;
  readonly #stack: PyValue<H>[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PyValue<H>>();

  /** @param cursor says where an error is */
  constructor(cursor: Cursor) {
    this.#in = cursor;
  }

  push(value: PyValue<H>): true {
    this.#stack.push(value);
    return true;
  }

  pop(): PyValue<H> {
    const value = this.#stack.length > (this.#marks.at(-1) ?? 0) ? this.#stack.pop() : undefined;
    if (value === undefined) throw this.#in.fail("a value on the stack", "none");
    return value;
  }

  peek(): PyValue<H> {
    const value = this.pop();
    this.#stack.push(value);
    return value;
  }

  mark(): true {
    this.#marks.push(this.#stack.length);
    return true;
  }

  /** POP: a value, or the mark on top of it, as one of Python's picklers wants. */
  drop(): true {
    if (this.#marks.at(-1) === this.#stack.length) this.#marks.pop();
    else this.pop();
    return true;
  }

  /** The one value that is left. */
  last(): PyValue<H> {
    const value = this.pop();
    if (this.#stack.length > 0 || this.#marks.length > 0) throw this.#in.fail("one value", "more at the end");
    return value;
  }

  popToMark(): PyValue<H>[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw this.#in.fail("a mark on the stack", "none");
    return this.#stack.splice(mark);
  }

  popMany(count: number): PyValue<H>[] {
    const items: PyValue<H>[] = [];
    for (let i = 0; i < count; i++) items.unshift(this.pop());
    return items;
  }

  extend(kind: "list" | "set", items: PyValue<H>[]): true {
    const sequence = this.peek();
    if (!(sequence instanceof PyObject) && !(sequence instanceof PySequence && sequence.kind === kind)) {
      throw this.#in.fail(`a ${kind} to add to`, "another value");
    }
    for (const item of items) sequence.items.push(item);
    return true;
  }

  setItems(items: PyValue<H>[]): true {
    const dict = this.peek();
    if (!(dict instanceof PyDict || dict instanceof PyObject)) throw this.#in.fail("a dict to add to", "another value");
    for (let i = 0; i < items.length; i += 2) {
      const [key, value] = items.slice(i, i + 2);
      if (key === undefined || value === undefined) throw this.#in.fail("a value for every key", "a key without one");
      if (dict.entries.has(key)) throw this.#in.fail("keys that differ", `the key ${describe(key)} twice`);
      dict.entries.set(key, value);
    }
    return true;
  }

  recall(id: number): PyValue<H> {
    const value = this.#memo.get(id);
    if (value === undefined) throw this.#in.fail("a value remembered earlier", `none under ${id}`);
    return value;
  }

  /** Keeps the value on top under a number, or under the next one. */
  remember(id = this.#memo.size): true {
    this.#memo.set(id, this.peek());
    return true;
  }
}
