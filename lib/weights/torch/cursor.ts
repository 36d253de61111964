// Walks through bytes from front to back, reading from the source a piece at a time: a pickle lies at the front of a file
// that may hold gigabytes behind it. What is handed out is never written to again. It knows no format.

import { rangeError } from "../../check.js";
import { readBytes, type Source } from "../source.js";

const piece = 2 ** 16;

export class Cursor {
  readonly label: string;
  readonly #source: Source;
  #window: Uint8Array<ArrayBuffer> = new Uint8Array();
  #view = new DataView(this.#window.buffer);
  #start: number; // of the window, in the source
  #at = 0; // in the window

  /** @param label what is read, for messages */
  constructor(source: Source, label: string, at = 0) {
    this.label = label;
    this.#source = source;
    this.#start = at;
  }

  /** Where in the source the next byte lies. */
  get position(): number {
    return this.#start + this.#at;
  }

  get left(): number {
    return this.#source.size - this.position;
  }

  fail(expected: string, received: string): RangeError {
    return rangeError("ERR_FILE", `${this.label} at byte ${this.position}`, expected, received);
  }

  /** Steps over `length` bytes without reading them. */
  skip(length: number): void {
    this.#check(length);
    if (length <= this.#window.length - this.#at) this.#at += length;
    else this.#load(this.position + length, 0);
  }

  byte(): number {
    const at = this.#take(1);
    return this.#window[at] as number;
  }

  uint16(): number {
    const at = this.#take(2);
    return this.#view.getUint16(at, true);
  }

  int32(): number {
    const at = this.#take(4);
    return this.#view.getInt32(at, true);
  }

  uint32(): number {
    const at = this.#take(4);
    return this.#view.getUint32(at, true);
  }

  /** One beyond what a number can count is returned rounded, and is past any end. */
  uint64(): number {
    const at = this.#take(8);
    return Number(this.#view.getBigUint64(at, true));
  }

  /** Big-endian, as pickles alone have it. */
  float64(): number {
    const at = this.#take(8);
    return this.#view.getFloat64(at, false);
  }

  bytes(length: number): Uint8Array<ArrayBuffer> {
    const at = this.#take(length);
    return this.#window.subarray(at, at + length);
  }

  /** The bytes before the next line feed, which is stepped over. */
  line(): Uint8Array<ArrayBuffer> {
    for (let length = 1; ; length *= 2) {
      const wanted = Math.min(length, this.left);
      const at = this.#take(wanted); // the window reaches further most often, and is searched to its end
      const end = this.#window.indexOf(0x0a, at);
      this.#at = end < 0 ? at : end + 1;
      if (end >= 0) return this.#window.subarray(at, end);
      if (wanted < length) throw this.fail("a line", "the end");
      length = Math.max(length, this.#window.length - at);
    }
  }

  /** Where in the window the next `length` bytes lie, which are stepped over. */
  #take(length: number): number {
    this.#check(length);
    if (length > this.#window.length - this.#at) this.#load(this.position, length);
    const at = this.#at;
    this.#at += length;
    return at;
  }

  #check(length: number): void {
    if (!(length <= this.left)) throw this.fail(`${length} more bytes`, `${this.left}`);
  }

  #load(position: number, length: number): void {
    const size = Math.min(Math.max(length, piece), this.#source.size - position);
    this.#window = length === 0 ? new Uint8Array() : readBytes(this.#source, this.label, position, size);
    this.#view = new DataView(this.#window.buffer);
    this.#start = position;
    this.#at = 0;
  }
}
