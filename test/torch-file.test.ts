// loadTorch against files that PyTorch itself wrote, 1.13 and 2.15: every tensor to the bit, and every file that is to
// be refused, with the sentence that says why. Files that no torch would write are in zip-hostile and
// pickle-hostile.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadTorch } from "../lib/weights/torch/load.js";
import { expectSameBits } from "./support/compare.js";
import { expectCoded } from "./support/expect-coded.js";
import { tensorOf } from "./support/stored.js";
import { readTorchExpected, torchFolders, weightFile } from "./support/weight-fixtures.js";

/** What the error for a file of torch.save's that holds no tensor by name, or none that a Tensor holds, must say. */
const refused: readonly (readonly [file: string, piece: string | RegExp])[] = [
  ["evil.pt", 'a dict with the Python object "posix.system", which is not run under "weight"'],
  ["tensor.pt", "a state dict of tensors by name, but got a tensor"],
  ["list.pt", "a state dict of tensors by name, but got a list"],
  ["numbered.pt", "but got a dict with the key 0"],
  ["sparse.pt", 'a sparse tensor, which is not read: to_dense() it first under "weight"'],
  ["quantized.pt", "a quantised tensor, which is not read"],
  ["complex.pt", "a complex64 tensor, and no Tensor holds complex numbers"],
  ["large.pt", 'refused-large.pt tensor "count": expected a tensor that can be read, but got int64 values that int32'],
  ["storage.pt", 'a dict with a storage without a tensor under "weight"'],
];

describe.each(torchFolders)("loadTorch, files of %s", (folder) => {
  const { torch, files } = readTorchExpected(folder);

  it("are what the folder says", () => {
    expect(folder).toBe(`torch-${torch.split(".").slice(0, 2).join(".")}`);
    expect(Object.keys(files).length).toBeGreaterThan(15);
  });

  const dicts = Object.entries(files).filter(([file]) => /\.pth?$/.test(file));
  it.each(dicts)("%s: names in order, shapes, dtypes and bits", (file, { key, tensors }) => {
    const dict = loadTorch(weightFile(folder, file), key === undefined ? {} : { key });
    expect(Object.keys(dict)).toEqual(Object.keys(tensors));
    for (const [name, stored] of Object.entries(tensors)) {
      const expected = tensorOf(stored);
      const actual = Object.getOwnPropertyDescriptor(dict, name)?.value;
      if (expected.size === 0) expect(actual).toEqual(expected);
      else expectSameBits(actual, expected, name, { nonFinite: true });
    }
  });

  it.each(refused)("%s is refused", (file, piece) => {
    const name = `refused-${file}`;
    const error = expectCoded(() => loadTorch(weightFile(folder, name)), RangeError, "ERR_FILE", piece);
    expect(error.message).toContain(name);
  });

  it("names the keys of a checkpoint that hold state dicts", () => {
    const checkpoint = weightFile(folder, "checkpoint.pt");
    const held = 'a dict with 3 under "epoch"; state dicts lie under { key: "model_state_dict" }';
    expectCoded(() => loadTorch(checkpoint), RangeError, "ERR_FILE", held);
    expectCoded(
      () => loadTorch(checkpoint, { key: "model" }),
      RangeError,
      "ERR_FILE",
      "nothing under that key; state dicts",
    );
    expectCoded(
      () => loadTorch(checkpoint, { key: "optimizer" }),
      RangeError,
      "ERR_FILE",
      'a dict with a dict under "state"',
    );
    expectCoded(() => loadTorch(checkpoint, { key: "rng" }), RangeError, "ERR_FILE", "but got a tensor");
    const nested = weightFile(folder, "nested.pt");
    expectCoded(() => loadTorch(nested), RangeError, "ERR_FILE", '{ key: "state.model" }');
    expectCoded(() => loadTorch(nested, { key: "state" }), RangeError, "ERR_FILE", '{ key: "state.model" }');
  });
});

describe("loadTorch, its source", () => {
  const url = weightFile("torch-2.15", "lstm.pt");
  const bytes = new Uint8Array(readFileSync(url));

  it("may be a path, a URL, bytes anywhere in a buffer, a buffer, or shared memory", () => {
    const expected = loadTorch(url);
    const shifted = new Uint8Array(bytes.length + 9).subarray(3, 3 + bytes.length);
    shifted.set(bytes);
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
    shared.set(bytes);
    for (const source of [url.pathname, bytes, bytes.buffer, shifted, shared, Buffer.from(bytes)]) {
      expect(loadTorch(source)).toEqual(expected);
    }
  });

  it("is not kept: the tensors own their memory", () => {
    const dict = loadTorch(bytes.slice());
    const { data } = dict.weight_ih_l0!;
    expect(data.byteLength).toBe(data.buffer.byteLength);
    const views = loadTorch(weightFile("torch-2.15", "views.pt"));
    const [base, again] = [views.base!, views.again!];
    base.data.fill(0);
    expect(again.data[1]).toBe(1);
  });

  it.each([
    ["a number", 7],
    ["null", null],
    ["a plain array", [1, 2]],
    ["a Float32Array", new Float32Array(4)],
    ["a path with a NUL", "a\0b"],
  ])("may not be %s", (_, source) => {
    expectCoded(() => loadTorch(source as never), TypeError, "ERR_ARG_TYPE");
  });

  it("that is not there gives the file system's own error", () => {
    expect(() => loadTorch("no such file.pt")).toThrow(expect.objectContaining({ code: "ENOENT" }));
  });

  it("takes options as every call does", () => {
    expectCoded(() => loadTorch(url, { kye: "a" } as never), TypeError, "ERR_OPTION", 'did you mean "key"?');
    expectCoded(() => loadTorch(url, { key: 3 } as never), TypeError, "ERR_ARG_TYPE", "key: expected a string");
    expectCoded(() => loadTorch(url, { key: "" }), RangeError, "ERR_FILE", "nothing under that key");
  });

  it.each([
    ["nothing", Buffer.alloc(0), "an empty file"],
    ["one byte", Buffer.from("P"), "another format"],
    [
      "a Git LFS pointer",
      Buffer.from("version https://git-lfs.github.com/spec/v1\noid sha256:1\n"),
      "a Git LFS pointer",
    ],
    ["a page of an error", Buffer.from("<!DOCTYPE html><title>404</title>"), "an HTML page: what was downloaded"],
  ])("of %s is told apart", (_, source, piece) => {
    expectCoded(() => loadTorch(source), RangeError, "ERR_FILE", piece);
  });
});
