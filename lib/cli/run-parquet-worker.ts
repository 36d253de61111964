// Reads Parquet in a thread of its own, block by block as it is asked. However a damaged file misleads the libraries, the
// program's own thread stays free to count how long nothing comes, and to end this one; its heap has a limit of its own.
// The thread runs this very file: where it is loaded as such, it serves.

import { openSync } from "node:fs";
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { type FileMetaData, parquetMetadata } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import type { FloatDType } from "../tensor/strided.js";
import { type KeptType, keptText } from "./run-keep.js";
import { judgeLength } from "./run-lengths.js";
import { findLeaf, keptType, type Listed, ListReader, readRows } from "./run-parquet-columns.js";
import { damaged, type Leaf, type ParquetFile, readFully, readPages } from "./run-parquet-pages.js";

/** What the thread is to read. */
export interface ParquetJob {
  readonly path: string;
  readonly size: number;
  readonly column: string;
  readonly lengths: string | undefined;
  readonly keep: readonly string[];
  readonly inputSize: number;
  readonly dtype: FloatDType;
  /** Two counts that both threads see: steps of the work so far, and bytes that the step under way has to do with. */
  readonly progress: Int32Array;
}

/** What the thread says when it has opened the file. */
export interface ParquetOpened {
  readonly count: number;
  readonly kept: readonly KeptType[];
}

/** Asks for the next block: of the sequences `from` to `to`, first of all. */
export interface ParquetRequest {
  readonly from: number;
  readonly to: number;
}

/** Some sequences: their numbers one behind the other, where each begins and how many rows of it count. */
export interface ParquetBlock {
  readonly first: number;
  readonly data: Float32Array | Float64Array;
  readonly origins: Float64Array;
  readonly rows: Int32Array;
  readonly kept: readonly (readonly string[])[];
  /** What is wrong with the sequence after these. */
  readonly failure: string | undefined;
}

/** The file that a thread is to run. */
export const workerUrl = new URL(import.meta.url);

const blockNumbers = 2 ** 20;
const blockSequences = 2 ** 14;
const minTail = 12;

/** @throws Error when it is no Parquet, or its footer does not hold */
export function openParquet(job: ParquetJob, fd: number): { file: ParquetFile; metadata: FileMetaData } {
  const { size, progress } = job;
  const file: ParquetFile = {
    fd,
    size,
    compressors,
    tick(bytes) {
      Atomics.store(progress, 1, Math.min(bytes, 2 ** 31 - 1));
      Atomics.add(progress, 0, 1);
    },
  };
  if (size < minTail) throw damaged(`${size} bytes`);
  const tail = new Uint8Array(8);
  readFully(file.fd, tail, size - 8);
  if (String.fromCharCode(...tail.subarray(4)) !== "PAR1") throw damaged("other bytes");
  const length = new DataView(tail.buffer).getUint32(0, true);
  if (length > size - minTail) throw damaged(`a footer of ${length} bytes in a file of ${size}`);
  const footer = new Uint8Array(length + 8);
  readFully(file.fd, footer, size - footer.length);
  file.tick(footer.length);
  const metadata = parquetMetadata(footer, { geoparquet: false });
  const rows = metadata.row_groups.reduce((sum, group) => sum + group.num_rows, 0n);
  const bad = metadata.row_groups.some((group) => group.num_rows < 0n);
  if (bad || rows !== metadata.num_rows) throw damaged(`${metadata.num_rows} rows whose groups have ${rows}`);
  file.tick(0);
  return { file, metadata };
}

/** Every block of a job's sequences from the `from`-th on. */
export function* readBlocks(
  job: ParquetJob,
  file: ParquetFile,
  metadata: FileMetaData,
  from: number,
  to: number,
): Generator<ParquetBlock> {
  const leaves = {
    column: findLeaf(metadata, job.column),
    lengths: job.lengths === undefined ? undefined : findLeaf(metadata, job.lengths),
    keep: job.keep.map((name) => findLeaf(metadata, name)),
  };
  const lists = new ListReader<Float32Array | Float64Array>(
    leaves.column,
    job.inputSize,
    job.dtype === "float32" ? Float32Array : Float64Array,
  );
  let number = 0;
  for (const group of metadata.row_groups) {
    const rows = Number(group.num_rows);
    if (number + rows <= from) {
      number += rows;
      continue;
    }
    const pagesOf = (leaf: Leaf) => {
      const chunk = group.columns.find(
        ({ meta_data: meta }) => meta?.path_in_schema.join("\0") === leaf.path.join("\0"),
      );
      const meta = chunk?.meta_data;
      if (meta === undefined || chunk?.file_path || chunk?.crypto_metadata)
        throw damaged(`no column ${leaf.path.join(".")} that can be read`);
      if (meta.type !== leaf.element.type) throw damaged(`column ${leaf.path.join(".")} of two types`);
      return readPages(file, meta, leaf);
    };
    const beside = (leaf: Leaf): Iterator<unknown> => readRows(leaf, pagesOf(leaf));
    const lengths = leaves.lengths === undefined ? undefined : beside(leaves.lengths);
    const keep = leaves.keep.map(beside);
    let open = new Block(number);
    const end = number + rows;
    lists.take();
    for (const listed of lists.lists(pagesOf(leaves.column))) {
      const length = lengths === undefined ? undefined : nextValue(lengths);
      const kept = keep.map(nextValue);
      if (number >= end) throw damaged(`a row group of ${rows} rows that has more`);
      if (number >= to) return yield open.close(lists);
      if (number++ < from) {
        lists.take();
        open = new Block(number);
        continue;
      }
      const failure = open.add(job, listed, length, kept);
      if (failure !== undefined) return yield open.close(lists, failure);
      if (lists.size < blockNumbers && open.size < blockSequences) continue;
      yield open.close(lists);
      open = new Block(number);
    }
    if (number < end) throw damaged(`a row group of ${rows} rows that has ${rows - end + number}`);
    if (open.size > 0) yield open.close(lists);
    if (number >= to) return;
  }
}

function nextValue(column: Iterator<unknown>): unknown {
  const { done, value } = column.next();
  if (done) throw damaged("columns of unequal length");
  return value;
}

/** A block as it fills. */
class Block {
  readonly #first: number;
  readonly #origins: number[] = [];
  readonly #rows: number[] = [];
  readonly #kept: string[][] = [];

  constructor(first: number) {
    this.#first = first;
  }

  get size(): number {
    return this.#rows.length;
  }

  /** @returns what is wrong with the sequence, which is then not part of the block */
  add(job: ParquetJob, { from, count, fault }: Listed, length: unknown, kept: readonly unknown[]): string | undefined {
    const where = `${job.path}: sequence ${this.#first + this.size}`;
    const wrong = (what: string): string => `${where}: expected rows of ${job.inputSize} numbers, but got ${what}`;
    let rows = count / job.inputSize;
    try {
      if (count === 0) return wrong(fault?.what ?? "an empty list");
      if (!Number.isInteger(rows)) return wrong(fault?.what ?? `${count} numbers`);
      if (job.lengths !== undefined) rows = judgeLength(where, length, rows);
    } catch (error) {
      return (error as Error).message;
    }
    if (fault !== undefined && fault.at < rows * job.inputSize) return wrong(fault.what);
    this.#origins.push(from);
    this.#rows.push(rows);
    this.#kept.push(kept.map(keptText));
    return undefined;
  }

  close(lists: ListReader<Float32Array | Float64Array>, failure?: string): ParquetBlock {
    return {
      first: this.#first,
      data: lists.take(),
      origins: Float64Array.from(this.#origins),
      rows: Int32Array.from(this.#rows),
      kept: this.#kept,
      failure,
    };
  }
}

function serve(job: ParquetJob): void {
  const port = parentPort;
  if (port === null) return;
  const answer = (work: () => unknown): void => {
    try {
      const value = work();
      const data = (value as Partial<ParquetBlock> | undefined)?.data;
      port.postMessage({ value }, data === undefined ? [] : [data.buffer as ArrayBuffer]);
    } catch (error) {
      port.postMessage({ error: error instanceof Error ? error.message : String(error) });
    }
    job.progress.fill(0, 1);
  };
  let opened: ReturnType<typeof openParquet> | undefined;
  let blocks: Generator<ParquetBlock> | undefined;
  answer((): ParquetOpened => {
    opened = openParquet(job, openSync(job.path, "r"));
    const { metadata } = opened;
    const kept = job.keep.map((name) => keptType(findLeaf(metadata, name)));
    new ListReader(findLeaf(metadata, job.column), job.inputSize, Float32Array);
    return { count: Number(metadata.num_rows), kept };
  });
  port.on("message", ({ from, to }: ParquetRequest) => {
    answer(() => {
      if (opened === undefined) throw damaged("nothing");
      blocks ??= readBlocks(job, opened.file, opened.metadata, from, to);
      return blocks.next().value;
    });
  });
}

const data: unknown = workerData;
if (!isMainThread && typeof data === "object" && data !== null && "parquetJob" in data) {
  serve(data.parquetJob as ParquetJob);
}
