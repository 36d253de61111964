// What `run` has computed so far, in a file beside the output: a line that says of which run it is, then a record a
// sequence. It only ever grows, so whatever kills the process, all but the last record are whole, and a run that goes on
// cuts that one off. The final output is made of the records alone: interrupted or not, it has the same bytes.

import { closeSync, fstatSync, ftruncateSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import type { FloatArray } from "../../binding.js";

/** The run that a store belongs to; every field must be the same to go on. */
export interface RunIdentity {
  readonly model: string;
  readonly input: string;
  readonly options: string;
  readonly last: boolean;
  readonly width: number;
  readonly states: number;
  readonly real: number;
  readonly hiddenSize: number;
  readonly bytes: 4 | 8;
}

/** One sequence's record: its length, then output, hn and cn. */
export interface StoredRecord {
  readonly length: number;
  readonly output: Buffer;
  readonly hn: Buffer;
  readonly cn: Buffer;
}

const flushBytes = 2 ** 20;

export class Store {
  /** Of each sequence whose record is in it, how long it is. */
  readonly lengths: number[] = [];
  readonly #path: string;
  readonly #fd: number;
  readonly #identity: RunIdentity;
  readonly #start: number;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;

  /**
   * @param resume go on after the records that are there; else begin anew
   * @throws Error when what is there is of another run
   */
  constructor(path: string, identity: RunIdentity, resume: boolean) {
    this.#path = path;
    this.#identity = identity;
    const line = Buffer.from(`${JSON.stringify(identity)}\n`);
    this.#start = line.length;
    this.#fd = openSync(path, resume ? "a+" : "w+");
    const { size } = fstatSync(this.#fd);
    const head = Buffer.alloc(line.length);
    readSync(this.#fd, head, 0, line.length, 0);
    if (size < line.length) {
      ftruncateSync(this.#fd, 0);
      writeSync(this.#fd, line);
    } else if (!head.equals(line)) {
      throw new Error(`${path} is of another run (model, input or options differ); remove it, or leave out --resume`);
    }
    const end = this.#scan(size);
    if (end < size) ftruncateSync(this.#fd, end);
  }

  /** How many sequences have their records in it. */
  get done(): number {
    return this.lengths.length;
  }

  #recordBytes(length: number): number {
    const { last, width, states, real, hiddenSize, bytes } = this.#identity;
    return 4 + bytes * ((last ? 1 : length) * width + states * (real + hiddenSize));
  }

  /** Finds the lengths of the records that are whole, and where they end. */
  #scan(size: number): number {
    const head = Buffer.alloc(4);
    let at = this.#start;
    while (at + 4 <= size) {
      readSync(this.#fd, head, 0, 4, at);
      const length = head.readUInt32LE();
      const next = at + this.#recordBytes(length);
      if (next > size) break;
      this.lengths.push(length);
      at = next;
    }
    return at;
  }

  append(length: number, parts: readonly FloatArray[]): void {
    const head = Buffer.alloc(4);
    head.writeUInt32LE(length);
    this.#waiting.push(head);
    for (const { buffer, byteOffset, byteLength } of parts)
      this.#waiting.push(Buffer.from(buffer, byteOffset, byteLength));
    this.#waitingBytes += this.#recordBytes(length);
    this.lengths.push(length);
    if (this.#waitingBytes >= flushBytes) this.flush();
  }

  flush(): void {
    const all = Buffer.concat(this.#waiting);
    for (let at = 0; at < all.length; ) at += writeSync(this.#fd, all, at);
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  /** Bytes that all records take. */
  get bytes(): number {
    return this.lengths.reduce((sum, length) => sum + this.#recordBytes(length), 0);
  }

  /** Every record, in order, read one after another. */
  *records(): Generator<StoredRecord> {
    const { last, width, states, real, bytes } = this.#identity;
    let at = this.#start;
    for (const length of this.lengths) {
      const total = this.#recordBytes(length);
      const record = Buffer.alloc(total - 4);
      readSync(this.#fd, record, 0, record.length, at + 4);
      at += total;
      const hnAt = (last ? 1 : length) * width * bytes;
      const cnAt = hnAt + states * real * bytes;
      yield { length, output: record.subarray(0, hnAt), hn: record.subarray(hnAt, cnAt), cn: record.subarray(cnAt) };
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  remove(): void {
    this.close();
    rmSync(this.#path);
  }
}
