// Reads the pieces of an HDF5 file: little-endian numbers from a place on, and a purse that every piece is paid from, so
// that no file, however its parts point at each other, costs more than a small multiple of its size.
// It knows nothing of what the pieces mean.
// The format of the whole folder: https://docs.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html (File Format Specification 3.0)

import { rangeError } from "../../check.js";
import { readBytes, type Source } from "../source.js";

/** What a part that was never written has for an address. */
export const undefinedAddress = Number.POSITIVE_INFINITY;

/** Metadata read in all: as much as the file holds several times over, and never less than this. */
const purseBase = 2 ** 22;
const purseFactor = 4;
const callCost = 128; // bytes that reading any piece counts as, so that many small ones end as well

/** What values may take once they are unpacked. Weights hardly shrink, so a hundredfold is a bomb. */
const dataBase = 2 ** 24;
const dataFactor = 100;

const utf8 = new TextDecoder();

/** UTF-8 as text; what is none becomes replacement characters, as HDF5 does not say that a name must be. */
export function textOf(bytes: Uint8Array): string {
  return utf8.decode(bytes);
}

/** An opened file, from which every address counts. */
export class Hdf5Bytes {
  readonly source: Source;
  #metadataLeft: number;
  #dataLeft: number;

  constructor(source: Source) {
    this.source = source;
    this.#metadataLeft = purseBase + purseFactor * source.size;
    this.#dataLeft = dataBase + dataFactor * source.size;
  }

  /** @param label what is damaged, to follow the file's name */
  fail(label: string, expected: string, received: string): RangeError {
    return rangeError("ERR_FILE", `${this.source.name} ${label}`, expected, received);
  }

  /** `length` bytes from `address` on. @throws RangeError ERR_FILE when the file has them not */
  at(label: string, address: number, length: number): Cursor {
    this.#metadataLeft -= length + callCost;
    if (this.#metadataLeft < 0) throw this.fail(label, "parts that are read a few times", "parts without end");
    return new Cursor(this, label, this.raw(label, address, length));
  }

  /** The bytes of values, which {@link payData} counts once they are unpacked. */
  raw(label: string, address: number, length: number): Uint8Array<ArrayBuffer> {
    if (address === undefinedAddress) throw this.fail(label, "an address", "none");
    return readBytes(this.source, `${this.source.name} ${label}`, address, length);
  }

  /** Counts bytes that values take. @throws RangeError ERR_FILE when they are far more than the file has */
  payData(label: string, bytes: number): void {
    this.#dataLeft -= bytes;
    if (!(this.#dataLeft >= 0)) {
      throw this.fail(label, `values of at most ${dataFactor} times the file`, `${bytes} bytes of them`);
    }
  }
}

/** A piece of a file and a place in it. */
export class Cursor {
  readonly file: Hdf5Bytes;
  readonly label: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  place = 0;

  constructor(file: Hdf5Bytes, label: string, bytes: Uint8Array<ArrayBuffer>) {
    this.file = file;
    this.label = label;
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get left(): number {
    return this.bytes.length - this.place;
  }

  fail(expected: string, received: string): RangeError {
    return this.file.fail(this.label, expected, received);
  }

  #step(length: number): number {
    if (!(length <= this.left)) throw this.fail(`${length} more bytes`, `the end after ${this.left}`);
    this.place += length;
    return this.place - length;
  }

  u8(): number {
    return this.#view.getUint8(this.#step(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#step(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#step(4), true);
  }

  /** A size or offset; one past what a number counts fails the bounds check that it meets next. */
  u64(): number {
    return Number(this.#view.getBigUint64(this.#step(8), true));
  }

  /** An address, from the start of the file. */
  address(): number {
    const value = this.#view.getBigUint64(this.#step(8), true);
    return value === 0xffff_ffff_ffff_ffffn ? undefinedAddress : Number(value);
  }

  /** An unsigned number of as many bytes as the file says. */
  uint(width: number): number {
    let value = 0;
    for (let i = 0; i < width; i++) value += this.u8() * 2 ** (8 * i);
    return value;
  }

  skip(length: number): this {
    this.#step(length);
    return this;
  }

  take(length: number): Uint8Array<ArrayBuffer> {
    const from = this.#step(length);
    return this.bytes.subarray(from, from + length);
  }

  /** A part of the piece as a piece of its own. */
  piece(length: number): Cursor {
    return new Cursor(this.file, this.label, this.take(length));
  }

  /** UTF-8 up to the first zero byte, or as many bytes as given. */
  text(length: number): string {
    const bytes = this.take(length);
    const end = bytes.indexOf(0);
    return textOf(end < 0 ? bytes : bytes.subarray(0, end));
  }

  /** Holds four bytes against the mark of a structure. */
  mark(mark: string): this {
    const found = this.take(4);
    if (found.some((byte, i) => byte !== mark.charCodeAt(i))) throw this.fail(`the mark ${mark}`, "other bytes");
    return this;
  }
}
