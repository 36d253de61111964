// Walks protobuf messages on the wire: fields by number, strings and nested messages as views into the file's bytes.
// Every length is judged before it is used. It knows no schema: the caller says what each field holds, and a field that
// holds something else is an error.
// The format: https://protobuf.dev/programming-guides/encoding/

import { rangeError } from "../../check.js";

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** One field of a message: its number and what came with it. */
export class Field {
  readonly number: number;
  readonly #label: string;
  readonly #wire: number;
  readonly #int: number;
  readonly #bytes: Uint8Array;

  constructor(label: string, number: number, wire: number, int: number, bytes: Uint8Array) {
    this.#label = label;
    this.number = number;
    this.#wire = wire;
    this.#int = int;
    this.#bytes = bytes;
  }

  #expect(wire: number, what: string): void {
    if (this.#wire === wire) return;
    throw rangeError("ERR_FILE", this.#label, `${what} in field ${this.number}`, `wire type ${this.#wire}`);
  }

  /** An int32, int64, enum or bool. A value beyond 2^53 comes rounded. */
  int(): number {
    this.#expect(VARINT, "an integer");
    return this.#int;
  }

  /** A string, a message or bytes, not copied. */
  bytes(): Uint8Array {
    this.#expect(BYTES, "bytes");
    return this.#bytes;
  }

  text(): string {
    const bytes = this.bytes();
    try {
      return utf8.decode(bytes);
    } catch {
      throw rangeError("ERR_FILE", this.#label, `text in UTF-8 in field ${this.number}`, "other bytes");
    }
  }

  /** One or, packed, many integers. */
  ints(): number[] {
    if (this.#wire === VARINT) return [this.#int];
    const cursor = new Cursor(this.#label, this.bytes());
    const values: number[] = [];
    while (!cursor.atEnd) values.push(cursor.varint());
    return values;
  }

  /** The bytes of one or, packed, many floats of 4 (or, with `width` 8, doubles of 8) bytes. */
  floatBytes(width: 4 | 8): Uint8Array {
    if (this.#wire !== (width === 4 ? FIXED32 : FIXED64)) this.#expect(BYTES, "floats");
    return this.#bytes;
  }

  float(): number {
    this.#expect(FIXED32, "a float");
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset, 4).getFloat32(0, true);
  }
}

/** Walks the fields of one message, in the order of the file. @throws RangeError ERR_FILE when it is malformed */
export function* readFields(label: string, bytes: Uint8Array): Generator<Field, void, undefined> {
  const cursor = new Cursor(label, bytes);
  while (!cursor.atEnd) {
    const tag = cursor.varint();
    const number = Math.floor(tag / 8);
    const wire = tag - number * 8;
    if (number < 1 || number >= 2 ** 29) throw cursor.malformed(`field ${number}`);
    if (wire === VARINT) yield new Field(label, number, wire, cursor.varint(), noBytes);
    else yield new Field(label, number, wire, 0, cursor.take(payloadLength(cursor, wire)));
  }
}

const noBytes = new Uint8Array();

function payloadLength(cursor: Cursor, wire: number): number {
  if (wire === BYTES) return cursor.varint();
  if (wire === FIXED32) return 4;
  if (wire === FIXED64) return 8;
  throw cursor.malformed(`wire type ${wire}`);
}

class Cursor {
  readonly #label: string;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(label: string, bytes: Uint8Array) {
    this.#label = label;
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  malformed(what: string): RangeError {
    return rangeError("ERR_FILE", this.#label, "a well-formed protobuf message", `${what} at byte ${this.#at}`);
  }

  take(length: number): Uint8Array {
    if (length < 0 || length > this.#bytes.length - this.#at) throw this.malformed(`${length} bytes past the end`);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** A signed 64-bit integer in groups of 7 bits, low first. */
  varint(): number {
    let low = 0; // bits 0 to 27
    let middle = 0; // bits 28 to 55
    let high = 0; // bits 56 to 63
    for (let i = 0; i < 10; i++) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw this.malformed("the end of an integer");
      this.#at++;
      const bits = byte & 0x7f;
      if (i < 4) low |= bits << (7 * i);
      else if (i < 8) middle |= bits << (7 * (i - 4));
      else high |= bits << (7 * (i - 8));
      if (byte < 0x80) {
        const top = high & 0xff;
        // Negative numbers are summed as their complement, so that small ones are exact.
        if (top < 0x80) return top * 2 ** 56 + middle * 2 ** 28 + low;
        return -((0xff - top) * 2 ** 56 + (0xfffffff - middle) * 2 ** 28 + (0xfffffff - low) + 1);
      }
    }
    throw this.malformed("an integer of more than 10 bytes");
  }
}
