// What is carried through beside the results: columns by --keep, in their types, from every format into every other.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openNpy } from "../lib/cli/npy.js";
import { KeptWatch, keptText, keptValue } from "../lib/cli/run-keep.js";
import { LSTM, manualSeed } from "../lib/index.js";
import { openZip } from "../lib/weights/zip.js";
import { buildPackage } from "./support/cli.js";
import { runFolder } from "./support/run-files.js";

manualSeed(4);
const lstm = new LSTM(3, 2);
const folder = runFolder(lstm);
const { at } = folder;
beforeAll(buildPackage);
afterAll(folder.remove);

const parquet = (name: string): string => fileURLToPath(new URL(`fixtures/parquet/${name}.parquet`, import.meta.url));
const names = ["id", "big", "huge", "small", "wide", "flag", "score", "half"];
const keeping = (...columns: string[]): string[] => columns.flatMap((name) => ["--keep", name]);

/** As test/fixtures/parquet.py writes them. */
const columns = {
  id: ["a", 'ü\n"quoted"', null, "", "e"],
  big: [2n ** 53n + 1n, -(2n ** 63n), 2n ** 63n - 1n, null, 0n],
  huge: [2n ** 64n - 1n, 0n, null, 1n, 2n ** 63n],
  small: [-128, 127, 0, null, 1],
  wide: [2 ** 32 - 1, 0, null, 1, 2 ** 31],
  flag: [true, false, null, true, false],
  score: [0.1, Number.NaN, Number.POSITIVE_INFINITY, null, -0],
  half: [0.5, 1.5, null, 2.5, -1],
};

function runWell(...args: string[]): void {
  expect(folder.run(...args)).toEqual({ status: 0, stdout: "", stderr: "" });
}

async function readParquet(path: string) {
  const bytes = new Uint8Array(readFileSync(path)).buffer;
  const rows = await parquetReadObjects({ file: bytes });
  const { schema } = parquetMetadata(bytes);
  return {
    rows,
    schema: Object.fromEntries(schema.map(({ name, type, converted_type }) => [name, [type, converted_type]])),
  };
}

const outputs = (path: string): unknown[] =>
  readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line).output);

describe("--keep", () => {
  it.each(["keep", "polars-keep"])("carries every type from Parquet to Parquet: %s", async (name) => {
    runWell("-i", parquet(name), "-o", at("out.parquet"), ...keeping(...names));
    const { rows, schema } = await readParquet(at("out.parquet"));
    for (const [column, values] of Object.entries(columns)) {
      expect(rows.map((row) => row[column])).toEqual(values);
    }
    expect(Object.keys(rows[0] as object)).toEqual([...names, "index", "length", "output", "hn", "cn"]);
    expect(schema).toMatchObject({
      id: ["BYTE_ARRAY", "UTF8"],
      big: ["INT64", undefined],
      huge: ["INT64", "UINT_64"],
      small: ["INT32", "INT_8"],
      wide: ["INT32", "UINT_32"],
      flag: ["BOOLEAN", undefined],
      score: ["DOUBLE", undefined],
      half: ["FLOAT", undefined],
    });
    // What was written is read again, and carried on.
    runWell("-i", parquet(name), "-o", at("again.jsonl"), ...keeping(...names));
    runWell("-i", parquet(name), "-o", at("plain.jsonl"));
    expect(outputs(at("again.jsonl"))).toEqual(outputs(at("plain.jsonl")));
  });

  it("writes int64 and null into JSON lines as they are, and null for what JSON has no number for", () => {
    runWell("-i", parquet("keep"), "-o", at("out.jsonl"), ...keeping("id", "big", "huge", "flag", "score"));
    const lines = readFileSync(at("out.jsonl"), "utf8")
      .split("\n")
      .map((line) => line.replace(/"output".*/, ""));
    expect(lines).toEqual([
      '{"id":"a","big":9007199254740993,"huge":18446744073709551615,"flag":true,"score":0.1,',
      '{"id":"ü\\n\\"quoted\\"","big":-9223372036854775808,"huge":0,"flag":false,"score":null,',
      '{"id":null,"big":9223372036854775807,"huge":null,"flag":null,"score":null,',
      '{"id":"","big":null,"huge":1,"flag":true,"score":null,',
      '{"id":"e","big":0,"huge":9223372036854775808,"flag":false,"score":-0,',
      "",
    ]);
  });

  const lines = [
    '{"id": 9007199254740993, "label": "x, \\"y\\": 1", "more": {"a": [1, {"b": "}"}]}, "input": [[1, 2, 3]]}',
    '{"input": [[4, 5, 6]], "more": [ ], "label": null, "id" : -1 }',
    '{"label":"é😀","id":1, "input":[[0.5,0,0],[1,1,1]], "more": false, "id": 2}',
  ];

  it("carries the very text from JSON lines to JSON lines", () => {
    writeFileSync(at("in.jsonl"), `${lines.join("\r\n")}\n`);
    runWell("-i", at("in.jsonl"), "-o", at("out.jsonl"), ...keeping("id", "label", "more"));
    const heads = readFileSync(at("out.jsonl"), "utf8")
      .split("\n")
      .map((line) => line.replace(/"output".*/, ""));
    expect(heads).toEqual([
      '{"id":9007199254740993,"label":"x, \\"y\\": 1","more":{"a": [1, {"b": "}"}]},',
      '{"id":-1,"label":null,"more":[ ],',
      '{"id":2,"label":"é😀","more":false,',
      "",
    ]);
  });

  it("finds the type of a key of JSON lines for Parquet and .npz", async () => {
    writeFileSync(at("in.jsonl"), lines.join("\n"));
    runWell("-i", at("in.jsonl"), "-o", at("out.parquet"), ...keeping("id", "label"));
    const { rows, schema } = await readParquet(at("out.parquet"));
    expect(rows.map(({ id, label }) => [id, label])).toEqual([
      [2n ** 53n + 1n, 'x, "y": 1'],
      [-1n, null],
      [2n, "é😀"],
    ]);
    expect(schema).toMatchObject({ id: ["INT64", undefined], label: ["BYTE_ARRAY", "UTF8"] });
    runWell("-i", at("in.jsonl"), "-o", at("out.npz"), ...keeping("id"));
    expect(npz("out.npz", "id")).toMatchObject({
      kind: "i8",
      shape: [3],
      elements: BigInt64Array.of(2n ** 53n + 1n, -1n, 2n),
    });
    for (const [column, output, what] of [
      ["label", "b.npz", "sequence 1: label: expected a value that an .npz holds, but got null"],
      ["more", "b.parquet", "sequence 0: more: expected a value that Parquet holds, but got a list or object"],
      ["absent", "b.jsonl", 'line 1: expected "absent", to be kept, but got none'],
    ] as const) {
      const { status, stderr } = folder.run("-i", at("in.jsonl"), "-o", at(output), ...keeping(column));
      expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining(what) });
    }
  });

  function npz(name: string, array: string) {
    const bytes = readFileSync(at(name));
    const zip = openZip({
      name,
      size: bytes.length,
      read: (into, from) => into.set(bytes.subarray(from, from + into.length)),
    });
    const file = zip.read(`${array}.npy`);
    const opened = openNpy({
      name,
      size: file.length,
      read: (into, from) => into.set(file.subarray(from, from + into.length)),
    });
    const { kind, shape, places } = opened;
    return { kind, shape, places, elements: opened.read(0, shape[0] as number) };
  }

  it("goes through .npz and back: numbers, booleans, strings", async () => {
    const records = [0, 1, 2].map((i) => ({
      input: [[i, 1, 2]],
      s: ["a", "lang 😀", ""][i],
      f: i + 0.5,
      b: i === 1,
      n: 2 ** 40 + i,
    }));
    writeFileSync(at("in.jsonl"), records.map((record) => JSON.stringify(record)).join("\n"));
    runWell("-i", at("in.jsonl"), "-o", at("one.npz"), ...keeping("s", "f", "b", "n"));
    expect(npz("one.npz", "s")).toMatchObject({ kind: "U", places: 6, shape: [3] });
    expect(npz("one.npz", "b").elements).toEqual(Uint8Array.of(0, 1, 0));
    // The outputs, 2 wide, are the next model's input.
    const next = runFolder(new LSTM(2, 2));
    const args = ["-i", at("one.npz"), "--column", "output", "-o", at("two.parquet"), ...keeping("s", "f", "b", "n")];
    expect(next.run(...args)).toEqual({ status: 0, stdout: "", stderr: "" });
    next.remove();
    const { rows } = await readParquet(at("two.parquet"));
    expect(rows.map(({ s, f, b, n }) => ({ s, f, b, n }))).toEqual(
      records.map(({ s, f, b, n }) => ({ s, f, b, n: BigInt(n) })),
    );
  });

  it.each([
    [["-o", "x.npy", "--keep", "id"], "a .npy is one array"],
    [["-o", "x.jsonl", "--keep", "output"], '"output" is the name of a result'],
    [["-o", "x.parquet", "--keep", "hn"], '"hn" is the name of a result'],
    [["-o", "x.npz", "--keep", "lengths"], '"lengths" is the name of a result'],
  ])("is refused at once with %j", (args, what) => {
    const { status, stderr } = folder.run("-i", parquet("keep"), ...args);
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining(what) });
  });

  it.each([
    ["when", "of type TIMESTAMP"],
    ["input", "of lists"],
    ["idd", 'did you mean "id"'],
  ])("refuses the Parquet column %s by name", (column, what) => {
    const { status, stderr } = folder.run("-i", parquet("keep"), "-o", at("x.parquet"), ...keeping(column));
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining(what) });
  });

  it("goes on after a kill with the columns it had", () => {
    const many = Array.from({ length: 500 }, (_, i) => JSON.stringify({ id: `n${i}`, input: [[i, 0, 0]] }));
    writeFileSync(at("many.jsonl"), many.with(400, "{").join("\n"));
    const args = ["-i", at("many.jsonl"), "-o", at("many.out.jsonl"), "--tokens", "10", ...keeping("id")];
    expect(folder.run(...args).status).toBe(1);
    const head = readFileSync(at("many.jsonl"));
    expect(folder.run(...args, "--resume").stderr).toContain("sequence 400: line 401: expected a line of JSON");
    writeFileSync(at("many.jsonl"), head);
    expect(folder.run(...args, "--resume").stderr).toContain("is of another run");
  });
});

describe("kept values", () => {
  it("have one type a column, which every value fits", () => {
    const typeOf = (...texts: string[]): string => {
      const watch = new KeptWatch({ name: "c", type: "json" }, ".parquet");
      for (const text of texts) watch.see("f", text);
      return watch.type;
    };
    expect(typeOf("1", "-3", "null")).toBe("int64");
    expect(typeOf("18446744073709551615", "0")).toBe("uint64");
    expect(typeOf("1", "2.5", "1e3")).toBe("float64");
    expect(typeOf("true", "null")).toBe("bool");
    expect(typeOf("null")).toBe("string");
    for (const texts of [
      ["1", '"a"'],
      ["true", "1"],
      ["18446744073709551615", "-1"],
      ["18446744073709551616"],
      ["[1]"],
    ]) {
      expect(() => typeOf(...texts)).toThrow("a value that Parquet holds");
    }
  });

  it("come back from their texts", () => {
    for (const value of [0.1, -0, 1e300, Number.NaN, Number.NEGATIVE_INFINITY, null]) {
      expect(keptValue("float64", keptText(value))).toBe(value);
    }
    for (const value of ["", 'a"b\n', "NaN", "null", null]) expect(keptValue("string", keptText(value))).toBe(value);
  });
});
