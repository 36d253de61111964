// loadOnnx against graphs made by the onnx package and by both of torch's exporters: every weight to the bit, every
// node by name and in order; and what is to be refused, with the sentence that says why.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadOnnx } from "../lib/weights/onnx/onnx.js";
import { loadTorch } from "../lib/weights/torch/load.js";
import { expectSameBits } from "./support/compare.js";
import { expectCoded } from "./support/expect-coded.js";
import { tensorOf } from "./support/stored.js";
import { readOnnxExpected, readTorchExpected, torchFolders, weightFile } from "./support/weight-fixtures.js";

const { files, onnx } = readOnnxExpected();

describe(`loadOnnx, graphs of onnx ${onnx}`, () => {
  it("are all here", () => expect(Object.keys(files).length).toBeGreaterThan(12));

  it.each(Object.entries(files))("%s: nodes in order, names, shapes, dtypes and bits", (file, expected) => {
    const found = loadOnnx(weightFile("onnx", file));
    expect(found.map(({ name }) => name)).toEqual(expected.map(({ name }) => name));
    for (const [k, { tensors }] of expected.entries()) {
      const dict = found[k]!.stateDict;
      expect(Object.keys(dict)).toEqual(Object.keys(tensors));
      for (const [name, stored] of Object.entries(tensors)) expectSameBits(dict[name]!, tensorOf(stored), name);
    }
  });

  it.each<[file: string, piece: string | RegExp]>([
    [
      "peepholes",
      'LSTM node "n": expected no peepholes, which torch.nn.LSTM has not, but got input P "P" that is not all zero',
    ],
    ["activations", 'the activations Sigmoid, Tanh, Tanh, but got activations "Sigmoid", "Relu", "Tanh"'],
    ["clip", "no clip, which torch.nn.LSTM has not, but got clip 3"],
    ["input-forget", "gates of their own for input and forget, but got input_forget"],
    ["hidden", 'LSTM node "n" input W: expected shape (1, 20, 3), but got (1, 16, 3)'],
    ["directions", 'LSTM node "n" input W: expected shape (2, 16, 3), but got (1, 16, 3)'],
    ["input", 'LSTM node "n" input W: expected a constant, but got input "W" of the graph'],
    ["computed", 'LSTM node "n" input W: expected a constant, but got the output of Tanh node "squashed"'],
    ["quantised", 'DynamicQuantizeLSTM node "q" input W: expected int8 or uint8, but got float32'],
    ["integers", 'LSTM node "n" input W: expected floats of one width'],
    ["mixed", 'LSTM node "n" input R: expected floats of one width'],
  ])("refused-%s.onnx is refused", (file, piece) => {
    const name = `refused-${file}.onnx`;
    const error = expectCoded(() => loadOnnx(weightFile("onnx", name)), RangeError, "ERR_FILE", piece);
    expect(error.message).toContain(name);
  });
});

describe.each(torchFolders)("loadOnnx, exports of %s", (folder) => {
  const exported = Object.entries(readTorchExpected(folder).files).filter(([file]) => file.endsWith(".onnx"));

  it("are all here", () => expect(exported.length).toBe(folder === "torch-1.13" ? 2 : 3));

  it.each(exported)("%s: one node a layer, the module's own parameters to the bit", (file, { tensors }) => {
    const found = loadOnnx(weightFile(folder, file));
    const actual = found.flatMap(({ stateDict }, layer) =>
      Object.entries(stateDict).map(([name, value]) => [name.replace("_l0", `_l${layer}`), value] as const),
    );
    expect(actual.map(([name]) => name)).toEqual(Object.keys(tensors));
    for (const [name, value] of actual) expectSameBits(value, tensorOf(tensors[name]!), name);
  });
});

describe("loadOnnx", () => {
  it("refuses weights whose second file is not there, by its name", () => {
    const piece = /initializer ".*": expected the file "refused-external\.onnx\.data", which holds its values, beside/;
    expectCoded(() => loadOnnx(weightFile("torch-2.15", "refused-external.onnx")), RangeError, "ERR_FILE", piece);
  });

  it("reads paths, URLs, bytes anywhere in a buffer and shared memory", () => {
    const url = weightFile("onnx", "bidirectional.onnx");
    const bytes = new Uint8Array(readFileSync(url));
    const shifted = new Uint8Array(bytes.length + 9).subarray(5, 5 + bytes.length);
    shifted.set(bytes);
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
    shared.set(bytes);
    for (const source of [url.pathname, bytes, bytes.buffer, shifted, shared, Buffer.from(bytes)]) {
      expect(loadOnnx(source)).toEqual(loadOnnx(url));
    }
  });

  it("gives tensors that own their memory, also where two nodes share weights", () => {
    const found = loadOnnx(weightFile("onnx", "subgraphs.onnx"));
    const [before, scan] = ["before", "rows/body/scan"].map(
      (name) => found.find((lstm) => lstm.name === name)!.stateDict,
    );
    expect(scan).toEqual(before);
    before!.weight_ih_l0!.data.fill(0);
    expect(scan).not.toEqual(before);
  });

  it("refuses what is neither path nor bytes, and files of other kinds", () => {
    expectCoded(() => loadOnnx(7 as never), TypeError, "ERR_ARG_TYPE");
    expectCoded(() => loadOnnx(Buffer.alloc(0)), RangeError, "ERR_FILE", "no bytes");
    expectCoded(() => loadOnnx(weightFile("torch-2.15", "lstm.pt")), RangeError, "ERR_FILE");
    expectCoded(() => loadTorch(weightFile("onnx", "forward.onnx")), RangeError, "ERR_FILE", "an ONNX model: loadOnnx");
    expect(() => loadOnnx("no such file.onnx")).toThrow(expect.objectContaining({ code: "ENOENT" }));
  });
});
