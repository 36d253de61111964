// How things look when printed. The elements of a tensor must be, character for character, what torch prints of the same
// numbers (fixtures/printing.json); what stands around them, and modules, sequences and streams, are written out here.

import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { type DType, Embedding, GRU, Linear, LSTM, packSequence, rand, Tensor, tensor, zeros } from "../lib/index.js";
import { product } from "../lib/tensor/strided.js";
import { detach, shrunk } from "./support/odd-buffers.js";

interface Case {
  name: string;
  dtype: DType;
  shape: number[];
  values?: (number | string)[];
  /** Instead of values: each element is its place times this. */
  times?: number;
  text: string;
}

const { cases } = JSON.parse(readFileSync(new URL("fixtures/printing.json", import.meta.url), "utf8")) as {
  cases: Case[];
};

function made({ dtype, shape, values, times = 1 }: Case): Tensor {
  const numbers = values?.map(Number) ?? Array.from({ length: product(shape) }, (_, i) => i * times);
  return new Tensor(tensor(numbers, dtype).data, shape);
}

describe("a tensor's elements", () => {
  it.each(cases.map((each): [string, Case] => [each.name, each]))("as torch prints them: %s", (_, each) => {
    const text = String(made(each));
    const shape = text.lastIndexOf("shape=");
    expect(text.slice(0, shape).trimEnd()).toBe(`tensor(${each.text},`);
  });
});

describe("a tensor's text", () => {
  it.each<[string, Tensor, string]>([
    ["short", tensor([1, 2]), "tensor([1., 2.], shape=(2,), dtype=float32)"],
    ["a scalar", tensor(0.5), "tensor(0.5000, shape=(), dtype=float32)"],
    ["float64", tensor([1, 2.5], "float64"), "tensor([1.0000, 2.5000], shape=(2,), dtype=float64)"],
    ["int32", tensor([[1], [20]], "int32"), "tensor([[ 1],\n        [20]], shape=(2, 1), dtype=int32)"],
    ["empty", zeros([0, 3]), "tensor([], shape=(0, 3), dtype=float32)"],
  ])("ends with shape and dtype: %s", (_, value, text) => {
    expect(String(value)).toBe(text);
    expect(`${value}`).toBe(text);
    expect(inspect(value)).toBe(text);
  });

  it("begins a new line where shape or dtype would not fit into 80 columns", () => {
    for (let n = 1; n <= 9; n++) {
      const text = String(tensor(Array.from({ length: n }, () => 0.5)));
      expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
      expect(text.split(/,\s+shape=\(\d,\),\s+dtype=float32\)/)).toHaveLength(2);
    }
    const wrapped = String(tensor(Array.from({ length: 8 }, () => 0.5)));
    expect(wrapped).toMatch(/\n {7}(shape|dtype)=/);
  });

  it("stands within objects, arrays and maps, and gives way to a short form deep inside", () => {
    const value = tensor([[1], [2]]);
    expect(inspect({ output: value })).toMatch(
      /output: tensor\(\[\[1\.\],\n\s+\[2\.\]\], shape=\(2, 1\), dtype=float32\)/,
    );
    expect(inspect([value, value]).match(/tensor\(/g)).toHaveLength(2);
    expect(inspect(new Map([["w", value]]))).toContain("'w' => tensor([[1.]");
    const short = "tensor(..., shape=(2, 1), dtype=float32)";
    expect(inspect({ a: { b: value } }, { depth: 0 })).toBe("{ a: [Object] }");
    expect(inspect({ a: value }, { depth: 0 })).toBe(`{ a: ${short} }`);
    expect(inspect([[value]], { depth: 1 })).toBe(`[ [ ${short} ] ]`);
  });

  it("says that the memory is gone", () => {
    const gone = rand([2, 3]);
    detach(gone.data);
    expect(String(gone)).toBe("tensor(<buffer is detached>, shape=(2, 3), dtype=float32)");
    expect(inspect(gone)).toBe(String(gone));
    const small = shrunk(6);
    expect(() => new Tensor(small, [6])).toThrow("resized");
  });

  it("of a large tensor takes no time that grows with it", () => {
    const started = performance.now();
    expect(String(zeros([2000, 3000])).length).toBeLessThan(600);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

describe("JSON", () => {
  it.each<[string, Tensor, string]>([
    ["a scalar", tensor(2.5), "2.5"],
    ["a vector", tensor([1, 2]), "[1,2]"],
    [
      "a matrix",
      tensor(
        [
          [1, 2],
          [3, 4],
        ],
        "int32",
      ),
      "[[1,2],[3,4]]",
    ],
    ["nothing", zeros([2, 0]), "[[],[]]"],
    ["what JSON has no word for", tensor([Number.NaN, Number.POSITIVE_INFINITY, 1]), "[null,null,1]"],
  ])("has nested numbers: %s", (_, value, text) => {
    expect(JSON.stringify(value)).toBe(text);
    expect(JSON.stringify({ value })).toBe(`{"value":${text}}`);
  });

  it("reads back as the same numbers", () => {
    const value = rand([3, 4]);
    expect(tensor(JSON.parse(JSON.stringify(value)))).toEqual(value);
  });
});

describe("modules, sequences and streams", () => {
  const full = { projSize: 2, numLayers: 2, bias: false, batchFirst: true, dropout: 0.5, bidirectional: true } as const;
  it.each<[object, string]>([
    [new LSTM(3, 64), "LSTM(3, 64)"],
    [new LSTM(3, 64, { numLayers: 2 }), "LSTM(3, 64, numLayers=2)"],
    [
      new LSTM(3, 4, full),
      "LSTM(3, 4, projSize=2, numLayers=2, bias=false, batchFirst=true, dropout=0.5, bidirectional=true)",
    ],
    [new LSTM(3, 4, { dtype: "float64" }), "LSTM(3, 4, dtype=float64)"],
    [new LSTM(3, 4, { weightDtype: "float16" }), "LSTM(3, 4, weightDtype=float16)"],
    [new GRU(3, 4, { weightDtype: "int8" }), "GRU(3, 4, weightDtype=int8)"],
    [new Linear(3, 4), "Linear(3, 4)"],
    [new Linear(3, 4, { weightDtype: "int8" }), "Linear(3, 4, weightDtype=int8)"],
    [new Linear(3, 4, { bias: false, dtype: "float64" }), "Linear(3, 4, bias=false, dtype=float64)"],
    [new Embedding(10, 3), "Embedding(10, 3)"],
    [new Embedding(10, 3, { paddingIdx: 0, maxNorm: 1 }), "Embedding(10, 3, paddingIdx=0, maxNorm=1)"],
    [new LSTM(3, 4).stream(), "LSTMStream(3, 4)"],
    [new LSTM(3, 4, { numLayers: 2 }).stream({ batchSize: 5 }), "LSTMStream(3, 4, numLayers=2, batchSize=5)"],
    [
      packSequence([rand([7, 5]), rand([6, 5]), rand([3, 5]), rand([2, 5])]),
      "PackedSequence(data=(18, 5) float32, sequences=4, longest=7, shortest=2)",
    ],
    [packSequence([rand([4])]), "PackedSequence(data=(4,) float32, sequences=1, longest=4, shortest=4)"],
  ])("in a line: %s", (value, text) => {
    expect(String(value)).toBe(text);
    expect(inspect(value)).toBe(text);
    expect(inspect({ value })).toContain(text);
  });

  it("are printed after dispose too", () => {
    const lstm = new LSTM(3, 4);
    const stream = lstm.stream();
    stream.dispose();
    lstm.dispose();
    expect([String(lstm), String(stream)]).toEqual(["LSTM(3, 4)", "LSTMStream(3, 4)"]);
  });
});
