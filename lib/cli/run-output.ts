// Makes the output file of the records of a store: under another name, which becomes its own when every byte is on disk.
// Whatever goes wrong before leaves the file of that name as it was.

import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { type Kind, npyHeader } from "./npy.js";
import { formatOf } from "./run-files.js";
import { type KeptColumn, type KeptType, KeptWatch, keptValue } from "./run-keep.js";
import { writeParquet } from "./run-output-parquet.js";
import { floatsOf, lineOf, type Results, recordsOf, stateNames } from "./run-results.js";
import type { RunIdentity, StoredRecord } from "./run-store.js";

/**
 * @throws RangeError when a value cannot be kept in this format, or an .npz would be larger than zip without zip64 holds;
 *   the signal's reason
 */
export async function writeOutput(path: string, results: Results): Promise<void> {
  const temporary = `${path}.writing`;
  const format = formatOf(path);
  const settled = { ...results, keep: await settleTypes(path, format, results) };
  try {
    if (format === ".parquet") await writeParquet(temporary, settled);
    else await writePieces(temporary, format, settled);
    results.signal.throwIfAborted();
    syncFile(temporary, "r+");
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(dirname(path));
}

async function writePieces(path: string, format: ".npy" | ".npz" | ".jsonl", results: Results): Promise<void> {
  const fd = openSync(path, "w");
  try {
    const put = (bytes: Uint8Array): void => {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    };
    if (format === ".npy") await writeArray(put, "output", results);
    else if (format === ".npz") await writeNpz(put, results);
    else await writeLines(put, results);
  } finally {
    closeSync(fd);
  }
}

function syncFile(path: string, flags: "r" | "r+"): void {
  const fd = openSync(path, flags);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** The new name is on disk when its folder is. Windows knows no such thing. */
function syncFolder(path: string): void {
  if (process.platform === "win32") return;
  try {
    syncFile(path, "r");
  } catch (error) {
    // Some network file systems refuse it, and write names through.
    if (!["EINVAL", "ENOTSUP", "EBADF"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

/** The type of each kept column, by all its values. */
async function settleTypes(path: string, format: string, results: Results): Promise<KeptColumn[]> {
  const { keep } = results;
  if (keep.length === 0) return [];
  const watches = keep.map((column) => new KeptWatch(column, format));
  let number = 0;
  for await (const { kept } of recordsOf(results)) {
    for (const [i, watch] of watches.entries()) watch.see(`${path}: sequence ${number}`, kept[i] as string);
    number++;
  }
  return keep.map(({ name }, i) => ({ name, type: (watches[i] as KeptWatch).type }));
}

/** Writes all of the bytes. */
type Put = (bytes: Uint8Array) => void;

type ArrayName = "output" | "lengths" | "hn" | "cn";

function part(record: StoredRecord, name: ArrayName): Uint8Array {
  return name === "lengths" ? new Uint8Array(BigInt64Array.of(BigInt(record.length)).buffer) : record[name];
}

function shapeOf(name: ArrayName, identity: RunIdentity, count: number, rows: number): number[] {
  const { last, width, states, real, hiddenSize } = identity;
  if (name === "output") return [last ? count : rows, width];
  return name === "lengths" ? [count] : [count, states, name === "hn" ? real : hiddenSize];
}

/** Joins small pieces before they are written. */
function joined(put: Put): { add: Put; end: () => void } {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  const end = (): void => {
    put(Buffer.concat(waiting));
    waiting = [];
    bytes = 0;
  };
  const add = (piece: Uint8Array): void => {
    waiting.push(piece);
    bytes += piece.length;
    if (bytes >= 2 ** 20) end();
  };
  return { add, end };
}

/** One array of all records, one behind the other, as a .npy. */
async function writeArray(put: Put, name: ArrayName, results: Results): Promise<void> {
  const { store, identity } = results;
  const rows = store.lengths.reduce((a, b) => a + b, 0);
  const kind = name === "lengths" ? "i8" : identity.bytes === 4 ? "f4" : "f8";
  put(npyHeader(kind, shapeOf(name, identity, store.done, rows)));
  const { add, end } = joined(put);
  for await (const record of recordsOf(results)) add(part(record, name));
  end();
}

type Elements = { of(value: never): { readonly buffer: ArrayBuffer } };

const numpyKinds: Readonly<Record<Exclude<KeptType, "string" | "json">, readonly [kind: Kind, Elements: Elements]>> = {
  bool: ["b1", Uint8Array],
  int8: ["i1", Int8Array],
  uint8: ["u1", Uint8Array],
  int16: ["i2", Int16Array],
  uint16: ["u2", Uint16Array],
  int32: ["i4", Int32Array],
  uint32: ["u4", Uint32Array],
  int64: ["i8", BigInt64Array],
  uint64: ["u8", BigUint64Array],
  float32: ["f4", Float32Array],
  float64: ["f8", Float64Array],
};

/** A kept column as a .npy of one value a sequence. */
async function writeKept(put: Put, index: number, type: KeptType, results: Results): Promise<void> {
  const { store } = results;
  const values = async function* (): AsyncGenerator<unknown> {
    for await (const { kept } of recordsOf(results)) yield keptValue(type, kept[index] as string);
  };
  const { add, end } = joined(put);
  if (type === "string" || type === "json") {
    let places = 1;
    for await (const value of values()) places = Math.max(places, [...(value as string)].length);
    put(npyHeader(`U${places}`, [store.done]));
    for await (const value of values()) {
      const points = new Uint32Array(places);
      points.set(Array.from(value as string, (letter) => letter.codePointAt(0) as number));
      add(new Uint8Array(points.buffer));
    }
    end();
    return;
  }
  const [kind, Elements] = numpyKinds[type];
  put(npyHeader(kind, [store.done]));
  for await (const value of values()) add(new Uint8Array(Elements.of(value as never).buffer));
  end();
}

async function writeNpz(put: Put, results: Results): Promise<void> {
  const { Zip, ZipPassThrough } = await import("fflate");
  if (results.store.bytes > 0xf0000000) {
    throw new RangeError("an .npz holds at most 4 GB; write .npy or .parquet, or in shards");
  }
  const zip = new Zip((error, bytes) => {
    if (error) throw error;
    put(bytes);
  });
  const entry = async (name: string, write: (put: Put) => Promise<void>): Promise<void> => {
    const file = new ZipPassThrough(`${name}.npy`);
    file.mtime = new Date(1980, 0, 1); // the same bytes at any time
    zip.add(file);
    await write((bytes) => file.push(bytes));
    file.push(new Uint8Array(), true);
  };
  for (const name of ["output", "lengths", ...stateNames(results.identity)] as const)
    await entry(name, (into) => writeArray(into, name, results));
  for (const [i, { name, type }] of results.keep.entries()) {
    await entry(name, (into) => writeKept(into, i, type, results));
  }
  zip.end();
}

async function writeLines(put: Put, results: Results): Promise<void> {
  const { identity, keep } = results;
  const { add, end } = joined(put);
  for await (const { output, kept } of recordsOf(results)) {
    add(Buffer.from(lineOf(floatsOf(output, identity), kept, keep, identity)));
  }
  end();
}
