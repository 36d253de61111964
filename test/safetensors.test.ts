// Reading and writing safetensors: held against files of the official library, and against hostile ones.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { Tensor } from "../lib/tensor/tensor.js";
import { loadSafetensors } from "../lib/weights/safetensors/load.js";
import { saveSafetensors } from "../lib/weights/safetensors/save.js";
import { expectCoded } from "./support/expect-coded.js";

const fixtures = new URL("./fixtures/", import.meta.url);
const folder = mkdtempSync(join(tmpdir(), "packed-lstm-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A file with this header, an object or raw text, and this many bytes of data. */
function file(header: object | string, dataSize = 0, claimed?: bigint): Uint8Array {
  const text = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = Buffer.alloc(8 + text.length + dataSize);
  bytes.writeBigUInt64LE(claimed ?? BigInt(text.length));
  text.copy(bytes, 8);
  return bytes;
}

const entry = (dtype: unknown, shape: unknown, begin: unknown, end: unknown): object => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

const officialDict = (): Record<string, Tensor> => ({
  b: new Tensor(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]),
  a: new Tensor(Float32Array.of(0.1, -0, Number.POSITIVE_INFINITY, Number.NaN), [4]),
  "0": new Tensor(Float64Array.of(1 / 3), [1]),
  n: new Tensor(Int32Array.of(-(2 ** 31), 7, 2 ** 31 - 1), [3]),
  scalar: new Tensor(Float64Array.of(2.5), []),
  empty: new Tensor(new Float32Array(0), [0, 3]),
  'quote " \\ \n é 😀': new Tensor(Float32Array.of(9), [1]),
});

describe("loadSafetensors", () => {
  it("reads what the official library wrote, from a path, a URL, bytes and a buffer", () => {
    const url = new URL("official.safetensors", fixtures);
    const bytes = new Uint8Array(readFileSync(url));
    for (const source of [url, url.pathname, bytes, bytes.buffer]) {
      expect(loadSafetensors(source)).toEqual(officialDict());
    }
  });

  it("widens float16 and bfloat16 as torch does, and takes int64 that fits", () => {
    const dict = loadSafetensors(new URL("official-half.safetensors", fixtures));
    expect(Object.keys(dict).sort()).toEqual(["brain", "brain32", "half", "half32", "long"]);
    // toEqual tells -0 from 0; torch's NaN has bits of its own, which say nothing.
    expect(dict.half).toEqual(dict.half32);
    expect(dict.brain).toEqual(dict.brain32);
    expect((dict.half as Tensor).data[8]).toBe(-1023 * 2 ** -24);
    expect(dict.long).toEqual(new Tensor(Int32Array.of(-(2 ** 31), 2 ** 31 - 1), [2, 1]));
  });

  it("gives tensors that own their memory", () => {
    const bytes = file({ a: entry("F32", [1], 0, 4), b: entry("F32", [1], 4, 8) }, 8);
    const { a, b } = loadSafetensors(bytes);
    bytes.fill(0xff);
    (a as Tensor).data[0] = 5;
    expect(a?.toArray()).toEqual([5]);
    expect(b?.toArray()).toEqual([0]);
  });

  it("reads from memory at odd addresses, views and shared memory", () => {
    const bytes = file({ a: entry("F64", [1], 1, 9), b: entry("BF16", [0], 1, 1) }, 9);
    expectCoded(() => loadSafetensors(bytes), RangeError, "ERR_FILE", "gap");
    const good = file({ h: entry("F16", [1], 0, 2), d: entry("F64", [1], 2, 10) }, 10);
    const shifted = new Uint8Array(good.length + 3);
    shifted.set(good, 3);
    const shared = new Uint8Array(new SharedArrayBuffer(good.length));
    shared.set(good);
    for (const view of [good, shifted.subarray(3), shared]) {
      expect(loadSafetensors(view).d?.toArray()).toEqual([0]);
    }
  });

  it("takes names that would reach a prototype for names", () => {
    const names = ["__proto__", "constructor", "toString", "hasOwnProperty"];
    const header = `{${names.map((name, i) => `"${name}":${JSON.stringify(entry("I32", [1], 4 * i, 4 * i + 4))}`)}}`;
    const dict = loadSafetensors(file(header, 16));
    expect(Object.keys(dict)).toEqual(names);
    expect(Object.getPrototypeOf(dict)).toBe(Object.prototype);
    expect(Object.getOwnPropertyDescriptor(dict, "__proto__")?.value).toBeInstanceOf(Tensor);
  });

  it("keeps the order of the header, skips metadata and unknown fields, allows padding", () => {
    const header = { __metadata__: { format: "pt" }, z: { ...entry("F32", [], 0, 4), more: [1, { x: null }] } };
    expect(Object.keys(loadSafetensors(file(`${JSON.stringify(header)}   `, 4)))).toEqual(["z"]);
    expect(loadSafetensors(file("{}"))).toEqual({});
  });
});

const one = { a: entry("F32", [1], 0, 4) };

/** Hostile or broken bytes, and a piece of what the error says. */
const hostile: [what: string, bytes: Uint8Array | ArrayBuffer, piece: string][] = [
  ["nothing at all", new Uint8Array(), "at least 8 bytes"],
  ["a detached buffer", detached(), "at least 8 bytes"],
  ["fewer bytes than the length takes", new Uint8Array(7), "at least 8 bytes"],
  ["a header longer than the file", file(one, 4, 10_000n), "header"],
  ["a header of 2^53 bytes", file(one, 4, 2n ** 53n), "9007199254740992"],
  ["a header of 2^64 - 1 bytes", file(one, 4, 2n ** 64n - 1n), "18446744073709551615"],
  ["an empty header", file(""), "header"],
  ["a header cut short", file('{"a":{"dtype":"F3', 0), "malformed string"],
  ["a header that is an array", file("[]"), "starts with"],
  ["a header behind spaces", file(" {}"), "starts with"],
  ["a byte order mark", file("\ufeff{}"), "starts with"],
  ["bytes that are not UTF-8", file('{"a":0}').map((byte) => (byte === 0x61 ? 0xff : byte)), "UTF-8"],
  ["text after the header's end", file("{} x"), "after the end"],
  ["a trailing comma", file('{"a":1,}'), "position"],
  ["a bad escape", file(String.raw`{"\x":1}`), "malformed string"],
  ["a number like no other", file('{"a":01}'), "malformed"],
  ["nesting without end", file(`{"a":${"[".repeat(100_000)}`), "nesting too deep"],
  ["a string without end", file(`{"${"\\".repeat(100_000)}`), "malformed string"],
  ["a duplicate tensor", file(`{"a":${JSON.stringify(one.a)},"a":${JSON.stringify(one.a)}}`, 4), 'duplicate key "a"'],
  [
    "a duplicate in disguise",
    file(`{"a":${JSON.stringify(one.a)},"\\u0061":${JSON.stringify(one.a)}}`, 4),
    'duplicate key "a"',
  ],
  [
    "a duplicate field",
    file('{"a":{"dtype":"F32","dtype":"F64","shape":[1],"data_offsets":[0,4]}}', 4),
    'duplicate key "dtype"',
  ],
  ["a duplicate __proto__", file('{"__proto__":{},"__proto__":{}}'), 'duplicate key "__proto__"'],
  ["metadata that is no object", file({ __metadata__: [] }), "__metadata__"],
  ["metadata that is no string", file({ __metadata__: { epoch: 3 } }), '__metadata__ "epoch"'],
  ["an entry that is no object", file({ a: 3 }), 'tensor "a"'],
  ["no dtype", file({ a: { shape: [1], data_offsets: [0, 4] } }, 4), "dtype undefined"],
  ["a dtype that no one has", file({ a: entry("F33", [1], 0, 4) }, 4), 'dtype "F33"'],
  ["bits that fill no byte", file({ a: entry("F4", [3], 0, 1) }, 1), "1.5 bytes for F4"],
  ["a dtype of bits that lies", file({ a: entry("F6_E2M3", [4], 0, 4) }, 4), "3 bytes for F6_E2M3"],
  ["a dtype from a prototype", file({ a: entry("toString", [1], 0, 4) }, 4), 'dtype "toString"'],
  ["a dtype that is no string", file({ a: entry(["F32"], [1], 0, 4) }, 4), "dtype"],
  ["a dtype that lies", file({ a: entry("F64", [1], 0, 4) }, 4), "8 bytes for F64"],
  ["no shape", file({ a: { dtype: "F32", data_offsets: [0, 4] } }, 4), "shape"],
  ["a shape that is no list", file({ a: entry("F32", 1, 0, 4) }, 4), "shape"],
  ["a negative dim", file({ a: entry("F32", [-1], 0, 4) }, 4), "shape"],
  ["a fractional dim", file({ a: entry("F32", [0.5], 0, 2) }, 2), "shape"],
  ["a dim as text", file({ a: entry("F32", ["1"], 0, 4) }, 4), "shape"],
  ["a dim of 2^53", file({ a: entry("F32", [2 ** 53], 0, 4) }, 4), "2^53"],
  ["dims whose product is past counting", file({ a: entry("F32", [2 ** 40, 2 ** 40], 0, 4) }, 4), "addressed"],
  ["dims past counting behind a zero", file({ a: entry("F32", [2 ** 40, 2 ** 40, 0], 0, 0) }), "addressed"],
  ["a size beyond the file", file({ a: entry("F32", [2 ** 40], 0, 2 ** 42) }, 4), "within the 4 bytes"],
  ["more dims than a tensor has", file({ a: entry("F32", new Array(65).fill(1), 0, 4) }, 4), "at most 64"],
  ["no offsets", file({ a: { dtype: "F32", shape: [1] } }, 4), "data_offsets"],
  ["one offset", file({ a: { dtype: "F32", shape: [1], data_offsets: [0] } }, 4), "data_offsets"],
  ["three offsets", file({ a: { dtype: "F32", shape: [1], data_offsets: [0, 4, 4] } }, 4), "data_offsets"],
  ["a negative offset", file({ a: entry("F32", [1], -4, 0) }, 4), "data_offsets"],
  ["a fractional offset", file({ a: entry("F32", [1], 0.5, 4.5) }, 8), "data_offsets"],
  ["an offset of 2^53", file({ a: entry("F32", [1], 2 ** 53, 2 ** 53 + 4) }, 4), "data_offsets"],
  ["an offset of 1e999", file('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,1e999]}}', 4), "data_offsets"],
  ["offsets the wrong way round", file({ a: entry("F32", [1], 4, 0) }, 4), "within"],
  ["an end outside the file", file({ a: entry("F32", [2], 0, 8) }, 4), "within the 4 bytes"],
  ["more bytes than the shape has", file({ a: entry("F32", [1], 0, 8) }, 8), "4 bytes for F32"],
  ["tensors that overlap", file({ a: entry("F32", [2], 0, 8), b: entry("F32", [1], 4, 8) }, 8), "overlaps"],
  ["two tensors in one place", file({ a: entry("F32", [1], 0, 4), b: entry("F32", [1], 0, 4) }, 4), "overlaps"],
  ["a gap before the first", file({ a: entry("F32", [1], 4, 8) }, 8), "gap"],
  ["a gap between", file({ a: entry("F32", [1], 0, 4), b: entry("F32", [1], 8, 12) }, 12), "gap"],
  ["bytes that no tensor covers", file(one, 5), "data of 4 bytes"],
  ["data cut short", file(one, 3), "within the 3 bytes"],
];

function detached(): ArrayBuffer {
  const buffer = new ArrayBuffer(100);
  structuredClone(buffer, { transfer: [buffer] });
  return buffer;
}

describe("hostile safetensors", () => {
  it.each(hostile)("%s: ERR_FILE", (what, bytes, piece) => {
    const error = expectCoded(() => loadSafetensors(bytes), RangeError, "ERR_FILE", piece);
    expect(error.message).toContain("safetensors bytes");
    expect(error.message.length).toBeLessThan(500);
    // The same bytes from a file: the same error, naming the file.
    if (bytes instanceof ArrayBuffer) return;
    const name = `${what.replaceAll(/\W/g, "-")}.safetensors`;
    writeFileSync(join(folder, name), bytes);
    expectCoded(() => loadSafetensors(join(folder, name)), RangeError, "ERR_FILE", name);
  });

  it("survives every truncation and every flipped byte of a good file", () => {
    const good = new Uint8Array(readFileSync(new URL("official.safetensors", fixtures)));
    for (let length = 0; length < good.length; length++) {
      expectCoded(() => loadSafetensors(good.subarray(0, length)), RangeError, "ERR_FILE");
    }
    for (let at = 0; at < good.length; at++) {
      for (const mask of [0x01, 0x80, 0xff]) {
        const bad = good.slice();
        bad[at] = (bad[at] as number) ^ mask;
        try {
          loadSafetensors(bad);
        } catch (error) {
          expect(error).toMatchObject({ code: "ERR_FILE" });
        }
      }
    }
  });

  it("leaves the file system's own errors as they are", () => {
    expect(() => loadSafetensors(join(folder, "absent"))).toThrow(expect.objectContaining({ code: "ENOENT" }));
    expect(() => loadSafetensors(folder)).toThrow();
  });

  it.each([undefined, null, 3, {}, [1, 2], new Float32Array(4), new URL("https://example.org/a"), "a\0b"])(
    "refuses %s as a source",
    (source) => {
      expectCoded(() => loadSafetensors(source as string), TypeError, "ERR_ARG_TYPE", "source");
    },
  );
});

describe("saveSafetensors", () => {
  const path = join(folder, "saved.safetensors");

  it("writes byte for byte what the official library writes", () => {
    saveSafetensors(path, officialDict(), { metadata: { format: "pt" } });
    expect(readFileSync(path)).toEqual(readFileSync(new URL("official.safetensors", fixtures)));
  });

  it("replaces a file, takes a URL and foreign tensors, and leaves nothing else behind", () => {
    const data = Float32Array.of(1, 2, 3, 4, 5, 6);
    saveSafetensors(pathToFileURL(path), { t: { data, shape: [3, 2], stride: [1, 3] }, o: { data, dims: [6] } });
    expect(loadSafetensors(path)).toEqual({
      o: new Tensor(data, [6]),
      t: new Tensor(Float32Array.of(1, 4, 2, 5, 3, 6), [3, 2]),
    });
    expect(readdirSync(folder).filter((name) => name.includes(".tmp"))).toEqual([]);
    saveSafetensors(path, {});
    expect(loadSafetensors(path)).toEqual({});
  });

  it("keeps the old file when it fails", () => {
    saveSafetensors(path, officialDict());
    const before = readFileSync(path);
    const bad = { a: new Tensor(Float32Array.of(1), [1]), "\ud800": new Tensor(Float32Array.of(1), [1]) };
    expectCoded(() => saveSafetensors(path, bad), RangeError, "ERR_FILE", "UTF-8");
    expect(readFileSync(path)).toEqual(before);
    // A folder cannot be replaced by a file: the write succeeds, the rename does not.
    const taken = join(folder, "taken");
    mkdirSync(join(taken, "inside"), { recursive: true });
    expect(() => saveSafetensors(taken, officialDict())).toThrow(expect.objectContaining({ syscall: "rename" }));
    expect(() => saveSafetensors(join(folder, "no", "where"), {})).toThrow(expect.objectContaining({ code: "ENOENT" }));
    expect(readdirSync(folder).filter((name) => name.includes(".tmp"))).toEqual([]);
  });

  it.each<[string, () => void, typeof TypeError, string, string]>([
    [
      "a name that is the format's",
      () => saveSafetensors(path, { __metadata__: new Tensor(new Float32Array(1), [1]) }),
      RangeError,
      "ERR_FILE",
      "__metadata__",
    ],
    [
      "a value that is no tensor",
      () => saveSafetensors(path, { a: 3 as never }),
      TypeError,
      "ERR_ARG_TYPE",
      'dict["a"]',
    ],
    ["no dict", () => saveSafetensors(path, null as never), TypeError, "ERR_ARG_TYPE", "dict"],
    ["a path that is none", () => saveSafetensors(3 as never, {}), TypeError, "ERR_ARG_TYPE", "path"],
    [
      "metadata that is no string",
      () => saveSafetensors(path, {}, { metadata: { a: 1 } as never }),
      TypeError,
      "ERR_ARG_TYPE",
      "metadata",
    ],
    [
      "a misspelt option",
      () => saveSafetensors(path, {}, { metdata: {} } as never),
      TypeError,
      "ERR_OPTION",
      '"metadata"',
    ],
  ])("refuses %s", (_, call, kind, code, piece) => {
    expectCoded(call, kind, code, piece);
  });
});
