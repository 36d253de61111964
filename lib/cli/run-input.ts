// What `run` reads: sequences by number, from .npy, .npz, JSON lines or Parquet. Only one block of a file is in memory at
// a time, but for a time-major array, whose sequences lie scattered, and the arrays of an .npz.

import { createReadStream, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { extname } from "node:path";
import { createInterface } from "node:readline";
import { rangeError } from "../check.js";
import { type FloatDType, Tensor, tensor } from "../index.js";
import { product } from "../strided.js";
import type { Source } from "../weights/source.js";
import { openZip } from "../weights/zip.js";
import { UsageError } from "./command.js";
import { type NpyArray, openNpy } from "./npy.js";

/** How the file is to be read. */
export interface InputOptions {
  readonly dtype: FloatDType;
  readonly inputSize: number;
  readonly batchFirst: boolean;
  /** An array of an .npz, a key of JSON objects, a column of Parquet. */
  readonly column: string;
  /** Where the lengths are: a file, or an array, key or column beside the sequences. */
  readonly lengths: string | undefined;
}

/** Numbered sequences. */
export interface Input {
  readonly count: number;
  sequences(from: number, to: number): Iterable<Tensor> | AsyncIterable<Tensor>;
}

/** The formats that `run` reads and writes, by the end of a file's name. */
export const formats = [".npy", ".npz", ".jsonl", ".parquet"] as const;

/** @throws UsageError when the name tells no format; RangeError ERR_FILE when the file does not hold what it should */
export function formatOf(path: string): (typeof formats)[number] {
  const end = extname(path).toLowerCase();
  const format = formats.find((name) => name === end);
  if (format === undefined) throw new UsageError(`run: ${path}: expected a name that ends in ${formats.join(", ")}`);
  return format;
}

export async function openInput(path: string, options: InputOptions): Promise<Input> {
  switch (formatOf(path)) {
    case ".npy":
      return arrayInput(openNpy(openFile(path)), readLengths(options.lengths), options);
    case ".npz":
      return npzInput(path, options);
    case ".jsonl":
      return jsonlInput(path, options);
    case ".parquet":
      return await parquetInput(path, options);
  }
}

/** A file that stays open until the process ends. */
function openFile(path: string): Source {
  const fd = openSync(path, "r");
  const { size } = fstatSync(fd);
  return {
    name: path,
    size,
    read(into, at) {
      for (let done = 0; done < into.length; ) {
        const got = readSync(fd, into, done, Math.min(into.length - done, 2 ** 30), at + done);
        if (got === 0) throw rangeError("ERR_FILE", path, `at least ${at + into.length} bytes`, `${size}`);
        done += got;
      }
    },
  };
}

function memory(name: string, bytes: Uint8Array): Source {
  return { name, size: bytes.length, read: (into, at) => into.set(bytes.subarray(at, at + into.length)) };
}

function npzInput(path: string, options: InputOptions): Input {
  const zip = openZip(openFile(path));
  const array = (name: string): NpyArray => openNpy(memory(`${path}: ${name}`, zip.read(`${name}.npy`)));
  const name = zip.names.has(`${options.column}.npy`)
    ? options.column
    : onlyArray(path, [...zip.names], options.column);
  const beside = options.lengths ?? "lengths";
  const lengths = zip.names.has(`${beside}.npy`) ? integers(array(beside)) : readLengths(options.lengths);
  return arrayInput(array(name), lengths, options);
}

function onlyArray(path: string, names: readonly string[], wanted: string): string {
  if (names.length === 1) return (names[0] as string).replace(/\.npy$/, "");
  throw rangeError("ERR_FILE", path, `an array ${JSON.stringify(wanted)} (or --column)`, names.join(", ") || "none");
}

function integers(array: NpyArray): Int32Array {
  if (!/^[iu]/.test(array.kind)) throw rangeError("ERR_FILE", array.name, "whole numbers", `dtype ${array.kind}`);
  return Int32Array.from(array.read(0, product(array.shape)) as ArrayLike<number | bigint>, Number);
}

/** Lengths from a file of their own: an integer .npy, or text with one number a line. */
function readLengths(path: string | undefined): Int32Array | undefined {
  if (path === undefined) return undefined;
  if (path.endsWith(".npy")) return integers(openNpy(openFile(path)));
  const lines = readFileSync(path, "utf8")
    .split(/\s+/)
    .filter((line) => line !== "");
  const bad = lines.find((line) => !/^\d+$/.test(line));
  if (bad !== undefined) throw rangeError("ERR_FILE", path, "one length a line", JSON.stringify(bad));
  return Int32Array.from(lines, Number);
}

const blockElements = 2 ** 20;

function arrayInput(array: NpyArray, lengths: Int32Array | undefined, options: InputOptions): Input {
  const { inputSize, dtype } = options;
  const { name, shape, kind } = array;
  const layouts = "(T, I), (rows, I) with lengths, (T, B, I), or (B, T, I) with --batch-first";
  const shown = `(${shape.join(", ")})`;
  if (shape.length < 2 || shape.length > 3) throw rangeError("ERR_FILE", name, `shape ${layouts}`, shown);
  if (shape.at(-1) !== inputSize) throw rangeError("ERR_FILE", name, `I = ${inputSize}, the model's, last`, shown);
  const widened = dtype === "float64" && kind === "f4";
  if (!widened && kind !== (dtype === "float32" ? "f4" : "f8")) {
    throw rangeError("ERR_FILE", name, `${dtype}, as the model is (numpy: .astype("${dtype}"))`, `dtype ${kind}`);
  }
  const take = (first: number, count: number): Tensor["data"] => {
    const elements = array.read(first * inputSize, count * inputSize) as Float32Array;
    return widened ? Float64Array.from(elements) : elements;
  };
  const [first = 0, second = 0] = shape;
  const joined = shape.length === 2;
  const batch = joined ? (lengths?.length ?? 1) : options.batchFirst ? first : second;
  const steps = joined ? first : options.batchFirst ? second : first;
  const each = lengths ?? new Int32Array(batch).fill(steps);
  if (each.length !== batch) throw rangeError("ERR_FILE", name, `${batch} lengths`, `${each.length}`);
  const bad = each.findIndex((length) => length < 1 || length > steps);
  if (bad >= 0) throw rangeError("ERR_FILE", name, `lengths from 1 to ${steps}`, `${each[bad]} for sequence ${bad}`);

  if (!joined && !options.batchFirst) {
    const all = new Tensor(take(0, first * second), shape);
    return {
      count: batch,
      *sequences(from, to) {
        for (let b = from; b < to; b++) yield all.select(1, b).slice(0, 0, each[b]);
      },
    };
  }
  const origins = new Float64Array(batch + 1);
  each.forEach((length, b) => {
    origins[b + 1] = (origins[b] as number) + (joined ? length : steps);
  });
  if (origins[batch] !== (joined ? first : batch * steps)) {
    throw rangeError("ERR_FILE", name, `${first} rows, the sum of the lengths`, `${origins[batch]}`);
  }
  return {
    count: batch,
    *sequences(from, to) {
      let block = take(0, 0);
      let blockAt = 0;
      for (let b = from; b < to; b++) {
        const at = origins[b] as number;
        const length = each[b] as number;
        if (at < blockAt || (at + length - blockAt) * inputSize > block.length) {
          blockAt = at;
          const most = (origins[to] as number) - at;
          block = take(at, Math.min(most, Math.max(length, Math.ceil(blockElements / inputSize))));
        }
        const start = (at - blockAt) * inputSize;
        yield new Tensor(block.subarray(start, start + length * inputSize), [length, inputSize]);
      }
    },
  };
}

/** A sequence from JSON or Parquet: rows of numbers, or all their numbers in one list. */
function toSequence(where: string, value: unknown, length: unknown, { dtype, inputSize }: InputOptions): Tensor {
  const list = value as number[] | number[][];
  const plain = Array.isArray(list) || ArrayBuffer.isView(list);
  if (!plain) throw rangeError("ERR_FILE", where, `rows of ${inputSize} numbers`, typeof value);
  const made = tensor(Array.isArray(list) ? list : Array.from(list as ArrayLike<number>), dtype);
  const rows = made.shape.length === 1 ? made.reshape([-1, inputSize]) : made;
  return length === undefined || length === null ? rows : rows.slice(0, 0, Number(length));
}

function* none(): Generator<Tensor> {}

async function* lines(path: string): AsyncGenerator<string> {
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.trim() !== "") yield line;
  }
}

async function jsonlInput(path: string, options: InputOptions): Promise<Input> {
  let count = 0;
  for await (const _ of lines(path)) count++;
  return {
    count,
    async *sequences(from, to) {
      let number = 0;
      for await (const line of lines(path)) {
        if (number >= to) return;
        if (number++ < from) continue;
        const where = `${path}: sequence ${number - 1}`;
        let value: unknown;
        try {
          value = JSON.parse(line);
        } catch (error) {
          throw rangeError("ERR_FILE", where, "a line of JSON", (error as Error).message);
        }
        const bare = Array.isArray(value);
        const record = value as Record<string, unknown>;
        const length = bare || options.lengths === undefined ? undefined : record[options.lengths];
        yield toSequence(where, bare ? value : record?.[options.column], length, options);
      }
    },
  };
}

async function parquetInput(path: string, options: InputOptions): Promise<Input> {
  const { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } = await import("hyparquet");
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file);
  const count = Number(metadata.num_rows);
  const columns = [options.column, ...(options.lengths === undefined ? [] : [options.lengths])];
  const rowsAtOnce = 1024;
  if (count === 0) return { count, sequences: none };
  return {
    count,
    async *sequences(from, to) {
      for (let row = from; row < to; row += rowsAtOnce) {
        const rowEnd = Math.min(row + rowsAtOnce, to);
        const records = await parquetReadObjects({ file, metadata, columns, rowStart: row, rowEnd });
        for (const [i, record] of records.entries()) {
          const length = options.lengths === undefined ? undefined : record[options.lengths];
          yield toSequence(`${path}: sequence ${row + i}`, record[options.column], length, options);
        }
      }
    },
  };
}
