// loadTorch against files that no tool would write, in the formats besides the zip archive, and against small files that
// ask for much: each is read or refused by its own error, soon, and in memory that the file's size bounds.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { loadTorch } from "../lib/index.js";
import { type FileKind, kindOf } from "../lib/weights/formats.js";
import { openSource } from "../lib/weights/source.js";
import { dict, global, pickle, tensor, text, torchArchive, tuple, zip } from "./support/archive.js";
import { expectCoded } from "./support/expect-coded.js";
import { weightFile } from "./support/weight-fixtures.js";

const storage = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
const bytesOf = (folder: string, file: string): Buffer => readFileSync(weightFile(folder, file));

/** The processor's milliseconds since an earlier moment, which other processes do not add to. */
function cpuSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

/** Runs a call that may throw its own error, and holds it to two seconds of processor time and to 64 MiB of new memory. */
function expectFrugal(call: () => unknown): void {
  const before = process.memoryUsage();
  const start = process.cpuUsage();
  try {
    call();
  } catch (error) {
    expect(error).toMatchObject({ code: "ERR_FILE" });
  }
  expect(cpuSince(start)).toBeLessThan(2000);
  const after = process.memoryUsage();
  expect(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(2 ** 26);
}

describe("what a few bytes of a pickle ask for over and over", () => {
  const put = (value: Buffer): Buffer => Buffer.concat([value, Buffer.from("q\0")]);
  const get = Buffer.from("h\0");
  const repeat = (piece: Buffer, times: number): Buffer =>
    Buffer.concat([Buffer.from("(")].concat(new Array(times).fill(piece), [Buffer.from("t")]));
  const read = (value: Buffer) => () =>
    loadTorch(torchArchive(pickle(tuple(value, dict(["w", tensor({})]))), { 0: storage }), { key: "1" });
  const call = (module: string, name: string, ...args: Buffer[]): Buffer =>
    Buffer.concat([global(module, name), tuple(...args), Buffer.from("R")]);
  const long = text("x".repeat(2 ** 20));
  const list = Buffer.concat([Buffer.from("]("), Buffer.from("N".repeat(200_000)), Buffer.from("e")]);
  const pairs = Buffer.concat([
    Buffer.from("]("),
    ...Array.from({ length: 20_000 }, (_, i) => tuple(text(`${i}`), "N")),
    Buffer.from("e"),
  ]);
  const entries = Buffer.concat([
    Buffer.from("}("),
    ...Array.from({ length: 20_000 }, (_, i) => Buffer.concat([text(`${i}`), Buffer.from("N")])),
    Buffer.from("u"),
  ]);

  it.each<[what: string, value: Buffer]>([
    ["text as bytes", tuple(put(long), repeat(call("_codecs", "encode", get, text("latin1")), 5000))],
    ["a list of a list", tuple(put(list), repeat(call("builtins", "list", get), 5000))],
    ["an OrderedDict of pairs", tuple(put(pairs), repeat(call("collections", "OrderedDict", get), 5000))],
    [
      "an instance on a dict",
      tuple(
        put(entries),
        repeat(call("copyreg", "_reconstructor", global("a", "B"), global("builtins", "dict"), get), 5000),
      ),
    ],
    ["digits", Buffer.from(`L${"9".repeat(2 ** 20)}L\n`)],
    ["an integer of a megabyte", Buffer.concat([Buffer.from("\x8b\0\0\x10\0", "latin1"), Buffer.alloc(2 ** 20, 0x7f)])],
    ["lines without an end", Buffer.from(`S'${"a".repeat(2 ** 20)}'\n`)],
  ])("%s", (_, value) => {
    expectFrugal(read(value));
    expect(read(value)().w?.toArray()).toEqual([1, 2, 3, 4]);
  });

  it("modules that hold each other", () => {
    const module = (parameters: Buffer, modules: Buffer): Buffer => {
      const state = dict(["_parameters", parameters], ["_buffers", Buffer.from("}")], ["_modules", modules]);
      return Buffer.concat([global("a", "Net"), Buffer.from(")\x81", "latin1"), state, Buffer.from("b")]);
    };
    const levels = [put(module(dict(["w", tensor({})]), Buffer.from("}")))];
    for (let level = 1; level < 40; level++) {
      const below = Array.from({ length: 10 }, (_, k) => [`${k}`, Buffer.from([0x68, level - 1])] as const);
      levels.push(Buffer.concat([module(Buffer.from("}"), dict(...below)), Buffer.from([0x71, level])]));
    }
    const tower = torchArchive(pickle(tuple(...levels)), { 0: storage });
    expect(Object.keys(loadTorch(tower, { key: "2" }))).toHaveLength(100);
    expectCoded(() => loadTorch(tower, { key: "39" }), RangeError, "ERR_FILE", "parameters and modules, but got more");
    expectFrugal(() => loadTorch(tower));
    const self = Buffer.concat([
      global("a", "Net"),
      Buffer.from(")\x81q\0}(", "latin1"),
      text("_parameters"),
      Buffer.from("}"),
      text("_buffers"),
      Buffer.from("}"),
      text("_modules"),
      dict(["me", get]),
      Buffer.from("ub"),
    ]);
    expectCoded(() => loadTorch(torchArchive(pickle(self))), RangeError, "ERR_FILE", "they hold each other");
  });

  it("windows on one storage", () => {
    const wide = new Uint8Array(2 ** 20);
    const column = (k: number) => tensor({ count: 2 ** 18, offset: k, shape: [512], strides: [512] });
    const columns = dict(...Array.from({ length: 512 }, (_, k) => [`c${k}`, column(k)] as const));
    expect(Object.keys(loadTorch(torchArchive(pickle(columns), { 0: wide })))).toHaveLength(512);
    // Of half a megabyte: the 64 times a file's size that its tensors may take are then half of what a call may.
    const whole = tensor({ count: 2 ** 17, shape: [2 ** 17] });
    const many = dict(...Array.from({ length: 2000 }, (_, k) => [`w${k}`, whole] as const));
    expectFrugal(() => loadTorch(torchArchive(pickle(many), { 0: wide.subarray(2 ** 19) })));
  });
});

describe("a key", () => {
  const nested = torchArchive(pickle(dict(["a", tuple(dict(["b.c", dict(["w", tensor({})])]))])), { 0: storage });

  it("leads into lists and through names with dots", () => {
    expect(loadTorch(nested, { key: "a.0.b.c" }).w?.toArray()).toEqual([1, 2, 3, 4]);
    expectCoded(() => loadTorch(nested), RangeError, "ERR_FILE", 'state dicts lie under { key: "a.0.b.c" }');
    for (const key of ["a.1", "a.-1", "a.0x0", "a.00", "a.0.b", "a..0", "a.length", "constructor", "a.0.b.c.w.x"]) {
      expectCoded(() => loadTorch(nested, { key }), RangeError, "ERR_FILE", "nothing under that key");
    }
  });

  it("of any length has an answer, soon", () => {
    const start = process.cpuUsage();
    const inside = torchArchive(pickle(Buffer.concat([Buffer.from("}q\0"), text(""), Buffer.from("h\0s")])));
    for (const file of [nested, inside]) {
      for (const key of [".".repeat(200_000), "a.".repeat(100_000), "0.".repeat(2000), ".".repeat(4000)]) {
        expectCoded(() => loadTorch(file, { key }), RangeError, "ERR_FILE", "a state dict of tensors by name, but got");
      }
    }
    expect(cpuSince(start)).toBeLessThan(2000);
  });
});

describe("a prefix", () => {
  const file = weightFile("torch-2.15", "tagger.pt");

  it("is of whole names, and those that start with it are all that is read", () => {
    const all = loadTorch(file);
    const part = loadTorch(file, { prefix: "encoder.rnn." });
    expect(Object.keys(part)).toEqual(Object.keys(all).filter((name) => name.startsWith("encoder.rnn.")));
    for (const [name, value] of Object.entries(part)) expect(value).toEqual(all[name]);
    expectCoded(
      () => loadTorch(file, { prefix: "encodr.rnn." }),
      RangeError,
      "ERR_FILE",
      'did you mean "encoder.rnn."?',
    );
    expectCoded(() => loadTorch(file, { prefix: 3 } as never), TypeError, "ERR_ARG_TYPE", "prefix: expected a string");
  });

  it("leaves the damage of others alone, and names that of its own", () => {
    const bytes = torchArchive(pickle(dict(["a.w", tensor({})], ["b.w", tensor({ key: "1" })])), {
      0: storage,
      1: storage,
    });
    const at = bytes.lastIndexOf(Buffer.from(storage));
    bytes[at] = 0x55;
    expect(loadTorch(bytes, { prefix: "a." })["a.w"]?.toArray()).toEqual([1, 2, 3, 4]);
    expectCoded(() => loadTorch(bytes, { prefix: "b." }), RangeError, "ERR_FILE", "the file is damaged");
    expectCoded(() => loadTorch(bytes), RangeError, "ERR_FILE", "the file is damaged");
  });

  it("that names only what no Tensor holds says what that is", () => {
    const complex = weightFile("kinds-2.15", "tensor-complex64.pt");
    expectCoded(() => loadTorch(complex, { prefix: "it" }), RangeError, "ERR_FILE", "a complex64 tensor");
  });

  it("reads a small module out of a large file in no time and no memory", () => {
    const folder = mkdtempSync(join(tmpdir(), "torch-prefix-"));
    try {
      const path = join(folder, "large.pt");
      const large = new Uint8Array(2 ** 27);
      const names = dict(["big", tensor({ count: 2 ** 25, shape: [2 ** 25] })], ["small.w", tensor({ key: "1" })]);
      writeFileSync(path, torchArchive(pickle(names), { 0: large, 1: storage }));
      const before = process.memoryUsage().arrayBuffers;
      const start = process.cpuUsage();
      const part = loadTorch(path, { prefix: "small." });
      expect(cpuSince(start)).toBeLessThan(300);
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 21);
      expect(part["small.w"]?.toArray()).toEqual([1, 2, 3, 4]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("the legacy format", () => {
  const legacy = bytesOf("kinds-2.15", "legacy.pt");
  const patch = (find: string, put: string): Buffer => {
    const at = legacy.indexOf(find, 0, "latin1");
    return Buffer.concat([legacy.subarray(0, at), Buffer.from(put, "latin1"), legacy.subarray(at + put.length)]);
  };

  it.each<[what: string, bytes: Buffer, piece: string]>([
    ["of another version", patch("M\xe9\x03", "M\xea\x03"), "protocol 1001 of torch.save, but got another"],
    ["of big-endian numbers", patch("little_endianq\x02\x88", "little_endianq\x02\x89"), "little-endian numbers"],
    ["cut in its storages", legacy.subarray(0, -4), "more bytes"],
    ["cut before its storages", legacy.subarray(0, legacy.length / 4), "at byte"],
  ])("%s is refused", (_, bytes, piece) => {
    expectCoded(() => loadTorch(bytes), RangeError, "ERR_FILE", piece);
  });

  it("cut anywhere is refused", () => {
    const small = bytesOf("kinds-2.15", "legacy-beside.pt");
    for (let length = 0; length < small.length; length++) {
      expectCoded(() => loadTorch(small.subarray(0, length)), RangeError, "ERR_FILE");
    }
  });
});

describe("a file of another kind", () => {
  const source = (bytes: Uint8Array) => openSource("model", bytes);
  const tar = Buffer.alloc(2048);
  tar.write("storages\0", 0);
  tar.write("00000000000\0", 124);
  tar.write("ustar", 257);
  tar.write("a/tensors\0", 512);
  tar.write("00000000000\0", 512 + 124);
  tar.write("pickle\0", 1024);
  tar.write("00000000000\0", 1024 + 124);
  const entry = (name: string) => zip([{ name, data: Buffer.from("{}") }]);

  it.each<[kind: FileKind, bytes: Uint8Array, piece: string]>([
    ["empty", Buffer.alloc(0), "an empty file"],
    ["safetensors", bytesOf("../", "official.safetensors"), "a safetensors file: loadSafetensors reads it"],
    ["safetensors-index", Buffer.from('{"metadata": {}, "weight_map": {}}'), "loadSafetensors reads it by its path"],
    ["onnx", bytesOf("onnx", "forward.onnx"), "an ONNX model: loadOnnx reads it"],
    ["hdf5", Buffer.from("\x89HDF\r\n\x1a\n\0\0", "latin1"), "loadKeras reads it"],
    ["keras-zip", entry("model.weights.h5"), "a .keras archive: loadKeras reads it"],
    ["tfjs", Buffer.from('\ufeff {"format": "layers-model", "modelTopology": {}}'), "loadKeras reads it by its path"],
    ["json", Buffer.from('{"a": 1}'), "JSON"],
    ["gzip", gzipSync("abc"), "a gzip file: gunzip it first"],
    ["bzip2", Buffer.from("BZh91AY"), "a bzip2 file"],
    ["xz", Buffer.from("\xfd7zXZ\0\0", "latin1"), "an xz file"],
    ["zstd", Buffer.from("\x28\xb5\x2f\xfd\0", "latin1"), "a zstd file"],
    ["7z", Buffer.from("7z\xbc\xaf\x27\x1c", "latin1"), "a 7-Zip archive"],
    ["zip", entry("model.pt"), "a zip archive that is no model itself: unpack it"],
    ["torch-package", entry("p/.data/extern_modules"), "an archive of torch.package"],
    ["torch-tar", tar, "as torch.save wrote before version 0.1.10"],
    ["tar", tar.subarray(0, 1024), "a tar archive: unpack it"],
    ["npy", Buffer.from("\x93NUMPY\x01\0", "latin1"), "one NumPy array (.npy) without a name"],
    [
      "lfs-pointer",
      Buffer.from("version https://git-lfs.github.com/spec/v1\n"),
      "git lfs pull fetches the file itself",
    ],
    ["html", Buffer.from("\n<html><title>404</title>"), "an HTML page"],
    ["xml", Buffer.from("<?xml version='1.0'?><Error/>"), "an XML document"],
    ["saved-model", Buffer.from("\x08\x01\x12\x10", "latin1"), "a TensorFlow SavedModel"],
    ["tflite", Buffer.from("\x1c\0\0\0TFL3", "latin1"), "a TensorFlow Lite model"],
    ["gguf", Buffer.from("GGUF\x03\0\0\0", "latin1"), "a GGUF file"],
    ["unknown", Buffer.from("P"), "another format"],
  ])("%s is named, with the step that helps", (kind, bytes, piece) => {
    expect(kindOf(source(bytes))).toBe(kind);
    expectCoded(() => loadTorch(bytes), RangeError, "ERR_FILE", piece);
  });

  it.each<[kind: FileKind, folder: string, file: string]>([
    ["torch-zip", "torch-1.13", "lstm.pt"],
    ["torch-legacy", "kinds-1.13", "legacy-protocol4.pt"],
    ["torchscript", "kinds-1.13", "trace.pt"],
    ["pt2", "kinds-2.15", "program.pt2"],
    ["npz", "kinds-2.15", "arrays.npz"],
    ...[0, 1, 2, 3, 4, 5].map((protocol): [FileKind, string, string] => [
      "pickle",
      "kinds-1.13",
      `arrays-${protocol}.pkl`,
    ]),
  ])("%s is told from %s/%s", (kind, folder, file) => expect(kindOf(source(bytesOf(folder, file)))).toBe(kind));
});

it("a state dict that was pickled with pickle.dump, and an older torch.export's, are the files in them", () => {
  const state = bytesOf("torch-2.15", "lstm.pt");
  const program = zip([
    { name: "serialized_exported_program.json", data: Buffer.from("{}") },
    { name: "serialized_state_dict.pt", data: state },
  ]);
  expect(loadTorch(program)).toEqual(loadTorch(state));
});
