// What `run` has computed so far, in a file beside the output: a line that says of which run it is, then a record a
// sequence. It only ever grows, and every record carries a checksum over its number and its bytes. Whatever kills the
// process or the machine, a run that goes on takes the records up to the first that does not check, cuts off the rest and
// computes that again. The final output is made of the records alone: interrupted or not, it has the same bytes.

import {
  closeSync,
  copyFileSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { crc32 } from "node:zlib";
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
  /** What c is wide; 0 where there is none. */
  readonly hiddenSize: number;
  readonly bytes: 4 | 8;
}

/** One sequence's record: its length, then output, hn and, of an LSTM, cn, then what was kept of its columns. */
export interface StoredRecord {
  readonly length: number;
  readonly output: Buffer;
  readonly hn: Buffer;
  /** Empty where there is no c. */
  readonly cn: Buffer;
  /** A JSON text a column. */
  readonly kept: readonly string[];
}

/** Who may write into a store, and says so while it does. */
export interface Owner {
  /** @throws Error when it is another's by now */
  check(): void;
  /** Called for every record that is read, for reading may take long. */
  beat(): void;
}

const nobody: Owner = { check: () => undefined, beat: () => undefined };

/** How a store is opened. */
export interface StoreOptions {
  /** Go on after the records that are there; else begin anew. */
  readonly resume: boolean;
  /** Who had it before may still have it open: go on in a copy. */
  readonly copy?: boolean;
  /** Whose it is. */
  readonly owner?: Owner;
  /** Told what was found to be damaged. */
  readonly warn?: (what: string) => void;
}

const flushBytes = 2 ** 20;
const title = "packed-lstm run 2 ";
const headBytes = 12; // the sequence's length, how many bytes are kept of its columns, the checksum

/** Of every record that a store holds. */
interface Place {
  readonly length: number;
  readonly keptBytes: number;
}

export class Store {
  /** Of each sequence whose record is in it, how long it is. */
  readonly lengths: number[] = [];
  readonly #keptBytes: number[] = [];
  readonly #path: string;
  readonly #fd: number;
  readonly #identity: RunIdentity;
  readonly #start: number;
  readonly #owner: Owner;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #at: number;

  /** @throws Error when what is there is of another run, or was written by a version that kept no checksums */
  constructor(path: string, identity: RunIdentity, options: StoreOptions) {
    const { resume, copy = false, owner = nobody, warn = () => undefined } = options;
    this.#path = path;
    this.#identity = identity;
    this.#owner = owner;
    const line = headLine(JSON.stringify(identity));
    this.#start = line.length;
    if (resume && copy) moveToCopy(path);
    this.#fd = openSync(path, resume ? "a+" : "w+");
    const { size } = fstatSync(this.#fd);
    const found = this.#judgeHead(line, size);
    if (found !== "ours") {
      if (size > 0) warn(`${path} is damaged from its first line on; all is computed again`);
      ftruncateSync(this.#fd, 0);
      this.#write(line);
    }
    this.#at = found === "ours" ? this.#scan(size) : line.length;
    if (found === "ours" && this.#at < size) {
      warn(`${path}: ${size - this.#at} bytes after sequence ${this.done} do not check; they are computed again`);
      ftruncateSync(this.#fd, this.#at);
    }
  }

  /** How many sequences have their records in it. */
  get done(): number {
    return this.lengths.length;
  }

  /** @throws Error for a whole head of another run, and for the form without checksums */
  #judgeHead(line: Buffer, size: number): "ours" | "damaged" {
    const head = Buffer.alloc(Math.min(size, 2 ** 16));
    readSync(this.#fd, head, 0, head.length, 0);
    if (head.subarray(0, line.length).equals(line)) return "ours";
    if (head.toString("latin1").startsWith('{"model":')) {
      throw new Error(
        `${this.#path} was left by a packed-lstm that wrote no checksums, and cannot be gone on with; remove it`,
      );
    }
    const end = head.indexOf(10);
    const text = end < 0 ? "" : head.toString("utf8", title.length + 9, end);
    if (!head.subarray(0, end + 1).equals(headLine(text))) return "damaged";
    throw new Error(
      `${this.#path} is of another run (model, input or options differ); remove it, or leave out --resume`,
    );
  }

  #bodyBytes({ length, keptBytes }: Place): number {
    const { last, width, states, real, hiddenSize, bytes } = this.#identity;
    return bytes * ((last ? 1 : length) * width + states * (real + hiddenSize)) + keptBytes;
  }

  /** Finds the records that check, up to the first that does not, and where they end. */
  #scan(size: number): number {
    const head = Buffer.alloc(headBytes);
    let body = Buffer.alloc(0);
    let at = this.#start;
    while (at + headBytes <= size) {
      this.#owner.beat();
      readSync(this.#fd, head, 0, headBytes, at);
      const place = { length: head.readUInt32LE(0), keptBytes: head.readUInt32LE(4) };
      const bytes = this.#bodyBytes(place);
      if (place.length === 0 || at + headBytes + bytes > size) break;
      if (bytes > body.length) body = Buffer.alloc(2 * bytes);
      const piece = body.subarray(0, bytes);
      this.#read(piece, at + headBytes);
      if (head.readUInt32LE(8) !== checksum(this.done, place, [piece])) break;
      this.lengths.push(place.length);
      this.#keptBytes.push(place.keptBytes);
      at += headBytes + bytes;
    }
    return at;
  }

  #read(into: Uint8Array, from: number): void {
    for (let done = 0; done < into.length; ) {
      const got = readSync(this.#fd, into, done, Math.min(into.length - done, 2 ** 30), from + done);
      if (got === 0) throw new Error(`${this.#path} became shorter while it was read`);
      done += got;
    }
  }

  append(length: number, parts: readonly FloatArray[], kept: readonly string[] = []): void {
    const texts = Buffer.from(kept.join("\n"));
    const pieces = parts.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength));
    pieces.push(texts);
    const place = { length, keptBytes: texts.length };
    const head = Buffer.alloc(headBytes);
    head.writeUInt32LE(length, 0);
    head.writeUInt32LE(texts.length, 4);
    head.writeUInt32LE(checksum(this.done, place, pieces), 8);
    this.#waiting.push(head, ...pieces);
    this.#waitingBytes += headBytes + this.#bodyBytes(place);
    this.lengths.push(length);
    this.#keptBytes.push(texts.length);
    if (this.#waitingBytes >= flushBytes) this.flush();
  }

  flush(): void {
    if (this.#waitingBytes === 0) return;
    this.#owner.check();
    const all = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#write(all);
    this.#at += all.length;
  }

  #write(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#fd, bytes, done);
  }

  /** Puts on disk what was written; after a stop that lasts, the machine may go too. */
  sync(): void {
    this.flush();
    fsyncSync(this.#fd);
  }

  /** Bytes that all records take. */
  get bytes(): number {
    return this.#at - this.#start + this.#waitingBytes;
  }

  /** Every record, in order, read one after another. */
  *records(): Generator<StoredRecord> {
    this.flush();
    const { last, width, states, real, bytes } = this.#identity;
    let at = this.#start;
    for (const [i, length] of this.lengths.entries()) {
      this.#owner.beat();
      const place = { length, keptBytes: this.#keptBytes[i] as number };
      const record = Buffer.alloc(this.#bodyBytes(place));
      this.#read(record, at + headBytes);
      at += headBytes + record.length;
      const hnAt = (last ? 1 : length) * width * bytes;
      const cnAt = hnAt + states * real * bytes;
      const keptAt = record.length - place.keptBytes;
      yield {
        length,
        output: record.subarray(0, hnAt),
        hn: record.subarray(hnAt, cnAt),
        cn: record.subarray(cnAt, keptAt),
        kept: place.keptBytes === 0 ? [] : record.toString("utf8", keptAt).split("\n"),
      };
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

/** Over the record's number too, so that a record that got to another place does not check. */
function checksum(number: number, { length, keptBytes }: Place, pieces: readonly Uint8Array[]): number {
  let value = crc32(new Uint8Array(Uint32Array.of(number, length, keptBytes).buffer));
  for (const piece of pieces) value = crc32(piece, value);
  return value;
}

/** The first line: what wrote it, the checksum of the rest, and the run. */
function headLine(text: string): Buffer {
  const sum = crc32(text).toString(16).padStart(8, "0");
  return Buffer.from(`${title}${sum} ${text}\n`);
}

/** Another file of the same name and bytes, so that nothing which has the old one open can write into it. */
function moveToCopy(path: string): void {
  const copy = `${path}.copy`;
  try {
    copyFileSync(path, copy);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  renameSync(copy, path);
}
