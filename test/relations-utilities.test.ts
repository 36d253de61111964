// sort, stack, cat, allclose, the packing family and the parameters' names, each against what torch gave for the same
// arguments (test/fixtures/utilities.json).

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  allclose,
  cat,
  LSTM,
  packPaddedSequence,
  packSequence,
  padPackedSequence,
  padSequence,
  sort,
  stack,
  type Tensor,
  tensor,
} from "../lib/index.js";

/** Nested numbers; NaN and the infinities are written as words. */
type Plain = number | "nan" | "inf" | "-inf" | Plain[];
type Numbers = number | Numbers[];

interface Utilities {
  sorts: { name: string; input: Plain; options: { dim: number; descending: boolean }; values: Plain; indices: Plain }[];
  joins: { name: "stack" | "cat"; inputs: Plain[]; dim: number; result: Plain }[];
  closes: { a: Plain; b: Plain; options: { rtol?: number; atol?: number; equalNan?: boolean }; result: boolean }[];
  packings: {
    input: Plain;
    lengths: number[];
    batchFirst: boolean;
    data: Plain;
    batchSizes: number[];
    sortedIndices: number[];
    unsortedIndices: number[];
    totalLength: number;
    padded: Plain;
    paddedLengths: number[];
  }[];
  paddings: {
    sequences: Plain[];
    batchFirst: boolean;
    paddingValue: number;
    result: Plain;
    data: Plain;
    batchSizes: number[];
    sortedIndices: number[];
  }[];
  parameters: {
    inputSize: number;
    hiddenSize: number;
    options: { numLayers: number; bidirectional: boolean; projSize: number; bias: boolean };
    parameters: [name: string, shape: number[]][];
  }[];
}

const utilities: Utilities = JSON.parse(readFileSync(new URL("./fixtures/utilities.json", import.meta.url), "utf8"));

const words = { nan: Number.NaN, inf: Number.POSITIVE_INFINITY, "-inf": Number.NEGATIVE_INFINITY };

function numbers(value: Plain): Numbers {
  return Array.isArray(value) ? value.map(numbers) : typeof value === "string" ? words[value] : value;
}

const read = (value: Plain, dtype: "float32" | "float64" = "float32"): Tensor => tensor(numbers(value), dtype);

describe("sort", () => {
  it.each(utilities.sorts.map((s) => [s.name, s.options, s] as const))("%s, %o", (_, options, s) => {
    const { values, indices } = sort(read(s.input), { ...options, stable: true });
    expect(values.toArray()).toEqual(numbers(s.values));
    expect(indices.toArray()).toEqual(s.indices);
  });
});

describe("stack and cat", () => {
  it.each(utilities.joins.map((j) => [j.name, j.dim, j] as const))("%s, dim %i", (name, dim, { inputs, result }) => {
    const tensors = inputs.map((input) => read(input));
    expect((name === "stack" ? stack : cat)(tensors, dim).toArray()).toEqual(result);
  });
});

describe("allclose", () => {
  it.each(utilities.closes.map((c) => [c.a, c.b, c.options, c.result] as const))(
    "%j, %j, %o: %s",
    (a, b, options, result) => {
      expect(allclose(read(a, "float64"), read(b, "float64"), options)).toBe(result);
    },
  );

  it("has both answers in its table", () => {
    expect(new Set(utilities.closes.map(({ result }) => result)).size).toBe(2);
  });
});

describe("packPaddedSequence and padPackedSequence", () => {
  it.each(utilities.packings.map((p) => [p.lengths, p.batchFirst, p] as const))(
    "lengths %j, batchFirst %s",
    (_, batchFirst, p) => {
      const packed = packPaddedSequence(read(p.input), p.lengths, { batchFirst, enforceSorted: false });
      expect(packed.data.toArray()).toEqual(p.data);
      expect(Array.from(packed.batchSizes)).toEqual(p.batchSizes);
      expect(Array.from(packed.sortedIndices!)).toEqual(p.sortedIndices);
      expect(Array.from(packed.unsortedIndices!)).toEqual(p.unsortedIndices);
      const { totalLength } = p;
      const [padded, lengths] = padPackedSequence(packed, { batchFirst, paddingValue: -1, totalLength });
      expect(padded.toArray()).toEqual(p.padded);
      expect(Array.from(lengths)).toEqual(p.paddedLengths);
    },
  );
});

describe("padSequence and packSequence", () => {
  it.each(utilities.paddings.map((p) => [p.sequences.length, p.batchFirst, p.paddingValue, p] as const))(
    "%i sequences, batchFirst %s, padding %d",
    (_, batchFirst, paddingValue, p) => {
      const sequences = p.sequences.map((s) => read(s));
      expect(padSequence(sequences, { batchFirst, paddingValue }).toArray()).toEqual(p.result);
      const packed = packSequence(sequences, { enforceSorted: false });
      expect(packed.data.toArray()).toEqual(p.data);
      expect(Array.from(packed.batchSizes)).toEqual(p.batchSizes);
      expect(Array.from(packed.sortedIndices!)).toEqual(p.sortedIndices);
    },
  );
});

describe("parameters", () => {
  it.each(utilities.parameters.map((p) => [p.options, p] as const))(
    "%o",
    (options, { inputSize, hiddenSize, parameters }) => {
      const dict = new LSTM(inputSize, hiddenSize, options).stateDict();
      expect(Object.entries(dict).map(([name, { shape }]) => [name, [...shape]])).toEqual(parameters);
    },
  );
});
