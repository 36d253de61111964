// Makes the output file of the records of a store: under another name, which becomes its own when every byte is on disk.

import { closeSync, fsyncSync, openSync, renameSync, writeSync } from "node:fs";
import { npyHeader } from "./npy.js";
import { formatOf } from "./run-input.js";
import type { RunIdentity, Store, StoredRecord } from "./run-store.js";

/** @throws RangeError when an .npz would be larger than zip without zip64 holds */
export async function writeOutput(path: string, store: Store, identity: RunIdentity): Promise<void> {
  const temporary = `${path}.writing`;
  const format = formatOf(path);
  if (format === ".parquet") await writeParquet(temporary, store, identity);
  else {
    const fd = openSync(temporary, "w");
    const put = (bytes: Uint8Array): void => {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    };
    if (format === ".npy") writeArray(put, "output", store, identity);
    else if (format === ".npz") await writeNpz(put, store, identity);
    else writeLines(put, store, identity);
    fsyncSync(fd);
    closeSync(fd);
  }
  renameSync(temporary, path);
}

type Put = (bytes: Uint8Array) => void;

const arrays = ["output", "lengths", "hn", "cn"] as const;

function part(record: StoredRecord, name: (typeof arrays)[number]): Uint8Array {
  return name === "lengths" ? new Uint8Array(BigInt64Array.of(BigInt(record.length)).buffer) : record[name];
}

function shapeOf(name: (typeof arrays)[number], identity: RunIdentity, count: number, rows: number): number[] {
  const { last, width, states, real, hiddenSize } = identity;
  if (name === "output") return [last ? count : rows, width];
  return name === "lengths" ? [count] : [count, states, name === "hn" ? real : hiddenSize];
}

/** One array of all records, one behind the other, as a .npy; small pieces are joined before they are written. */
function writeArray(put: Put, name: (typeof arrays)[number], store: Store, identity: RunIdentity): void {
  const rows = store.lengths.reduce((a, b) => a + b, 0);
  const kind = name === "lengths" ? "i8" : identity.bytes === 4 ? "f4" : "f8";
  put(npyHeader(kind, shapeOf(name, identity, store.done, rows)));
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  for (const record of store.records()) {
    const piece = part(record, name);
    waiting.push(piece);
    bytes += piece.length;
    if (bytes < 2 ** 20) continue;
    put(Buffer.concat(waiting));
    waiting = [];
    bytes = 0;
  }
  put(Buffer.concat(waiting));
}

async function writeNpz(put: Put, store: Store, identity: RunIdentity): Promise<void> {
  const { Zip, ZipPassThrough } = await import("fflate");
  if (store.bytes > 0xf0000000)
    throw new RangeError("an .npz holds at most 4 GB; write .npy or .parquet, or in shards");
  const zip = new Zip((error, bytes) => {
    if (error) throw error;
    put(bytes);
  });
  for (const name of arrays) {
    const entry = new ZipPassThrough(`${name}.npy`);
    entry.mtime = new Date(1980, 0, 1); // the same bytes at any time
    zip.add(entry);
    writeArray((bytes) => entry.push(bytes), name, store, identity);
    entry.push(new Uint8Array(), true);
  }
  zip.end();
}

function floats(bytes: Buffer, identity: RunIdentity): number[] {
  const aligned = new Uint8Array(bytes).buffer;
  return Array.from(identity.bytes === 4 ? new Float32Array(aligned) : new Float64Array(aligned));
}

function writeLines(put: Put, store: Store, identity: RunIdentity): void {
  for (const { output } of store.records()) {
    const all = floats(output, identity);
    const rows = Array.from({ length: all.length / identity.width }, (_, t) => {
      return all.slice(t * identity.width, (t + 1) * identity.width);
    });
    put(Buffer.from(`${JSON.stringify({ output: identity.last ? all : rows })}\n`));
  }
}

async function writeParquet(path: string, store: Store, identity: RunIdentity): Promise<void> {
  const { fileWriter, parquetWriteRows } = await import("hyparquet-writer");
  function* rows(): Generator<Record<string, unknown>> {
    let index = 0;
    for (const { length, output, hn, cn } of store.records()) {
      yield {
        index: index++,
        length,
        output: floats(output, identity),
        hn: floats(hn, identity),
        cn: floats(cn, identity),
      };
    }
  }
  const type = identity.bytes === 4 ? "FLOAT" : "DOUBLE";
  const list = (name: string) => [
    { name, repetition_type: "REQUIRED", converted_type: "LIST", num_children: 1 } as const,
    { name: "list", repetition_type: "REPEATED", num_children: 1 } as const,
    { name: "element", type, repetition_type: "REQUIRED" } as const,
  ];
  await parquetWriteRows({
    writer: fileWriter(path),
    rows: rows(),
    columns: ["index", "length", "output", "hn", "cn"].map((name) => ({ name })),
    schema: [
      { name: "root", num_children: 5 },
      { name: "index", type: "INT32", repetition_type: "REQUIRED" },
      { name: "length", type: "INT32", repetition_type: "REQUIRED" },
      ...["output", "hn", "cn"].flatMap(list),
    ],
    rowGroupSize: 1000,
  });
}
