// The records of a store as Parquet: a row a sequence, its kept columns first. A row group holds as many rows as fit in
// some megabytes, for it is in memory while it is written.

import type { SchemaElement } from "hyparquet";
import { type KeptType, keptValue } from "./run-keep.js";
import { floatsOf, type Results, recordsOf, stateNames } from "./run-results.js";

const groupRows = 1000;
const groupNumbers = 2 ** 21;

const stored: Readonly<Record<KeptType, Omit<SchemaElement, "name">>> = {
  bool: { type: "BOOLEAN" },
  string: { type: "BYTE_ARRAY", converted_type: "UTF8" },
  json: { type: "BYTE_ARRAY", converted_type: "UTF8" },
  float32: { type: "FLOAT" },
  float64: { type: "DOUBLE" },
  int8: { type: "INT32", converted_type: "INT_8" },
  int16: { type: "INT32", converted_type: "INT_16" },
  int32: { type: "INT32" },
  int64: { type: "INT64" },
  uint8: { type: "INT32", converted_type: "UINT_8" },
  uint16: { type: "INT32", converted_type: "UINT_16" },
  uint32: { type: "INT32", converted_type: "UINT_32" },
  uint64: { type: "INT64", converted_type: "UINT_64" },
};

/** Writes the file, which the caller then puts on disk. */
export async function writeParquet(path: string, results: Results): Promise<void> {
  const { store, identity, keep } = results;
  const { fileWriter, parquetWriteRows } = await import("hyparquet-writer");
  const lists = ["output", ...stateNames(identity)] as const;
  async function* rows(): AsyncGenerator<Record<string, unknown>> {
    let index = 0;
    for await (const record of recordsOf(results)) {
      const values = keep.map(({ name, type }, i) => [name, keptValue(type, record.kept[i] as string)] as const);
      const numbers = lists.map((name) => [name, Array.from(floatsOf(record[name], identity))] as const);
      yield { ...Object.fromEntries(values), index: index++, length: record.length, ...Object.fromEntries(numbers) };
    }
  }
  const type = identity.bytes === 4 ? "FLOAT" : "DOUBLE";
  const list = (name: string): SchemaElement[] => [
    { name, repetition_type: "REQUIRED", converted_type: "LIST", num_children: 1 },
    { name: "list", repetition_type: "REPEATED", num_children: 1 },
    { name: "element", type, repetition_type: "REQUIRED" },
  ];
  const longest = store.lengths.reduce((a, b) => Math.max(a, b), 1);
  const rowNumbers = (identity.last ? 1 : longest) * identity.width;
  const names = [...keep.map(({ name }) => name), "index", "length", ...lists];
  await parquetWriteRows({
    writer: fileWriter(path),
    rows: rows(),
    columns: names.map((name) => ({ name })),
    schema: [
      { name: "root", num_children: names.length },
      ...keep.map(({ name, type: kept }) => ({ name, repetition_type: "OPTIONAL" as const, ...stored[kept] })),
      { name: "index", type: "INT32", repetition_type: "REQUIRED" },
      { name: "length", type: "INT32", repetition_type: "REQUIRED" },
      ...lists.flatMap(list),
    ],
    rowGroupSize: Math.min(groupRows, Math.max(1, Math.floor(groupNumbers / rowNumbers))),
  });
}
