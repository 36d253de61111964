// The LSTM's public face: shapes of every structure, what may be left out, what is taken for a tensor, and the
// semantics that need no torch to be judged. Numbers are held against torch in parity.test.ts.

import { describe, expect, it } from "vitest";
import {
  getNumThreads,
  LSTM,
  type LSTMOptions,
  PackedSequence,
  packPaddedSequence,
  packSequence,
  rand,
  runtimeInfo,
  setNumThreads,
  Tensor,
  type TensorLike,
  zeros,
} from "../lib/index.js";

const shapes = ([output, [hn, cn]]: [Tensor, [Tensor, Tensor]]) => [output.shape, hn.shape, cn.shape];

describe("shapes", () => {
  const [T, B] = [5, 3];
  it.each<[LSTMOptions, D: number, L: number, R: number]>([
    [{}, 1, 1, 4],
    [{ numLayers: 2 }, 1, 2, 4],
    [{ bidirectional: true }, 2, 1, 4],
    [{ numLayers: 3, bidirectional: true }, 2, 3, 4],
    [{ projSize: 2 }, 1, 1, 2],
    [{ projSize: 3, numLayers: 2, bidirectional: true }, 2, 2, 3],
    [{ bias: false, dtype: "float64" }, 1, 1, 4],
  ])("%o", (options, D, L, R) => {
    const { dtype } = options;
    const timeMajor = new LSTM(2, 4, options);
    const batchFirst = new LSTM(2, 4, { ...options, batchFirst: true });
    const states = [
      [L * D, B, R],
      [L * D, B, 4],
    ];
    expect(shapes(timeMajor.forward(rand([T, B, 2], dtype)))).toEqual([[T, B, D * R], ...states]);
    expect(shapes(batchFirst.forward(rand([B, T, 2], dtype)))).toEqual([[B, T, D * R], ...states]);
    for (const lstm of [timeMajor, batchFirst]) {
      expect(shapes(lstm.forward(rand([T, 2], dtype)))).toEqual([
        [T, D * R],
        [L * D, R],
        [L * D, 4],
      ]);
      const packed = packPaddedSequence(rand([T, B, 2], dtype), [5, 4, 2]);
      const [output, [hn, cn]] = lstm.forward(packed);
      expect(output).toBeInstanceOf(PackedSequence);
      expect([output.data.shape, hn.shape, cn.shape]).toEqual([[11, D * R], ...states]);
      expect(output.batchSizes).toEqual(packed.batchSizes);
    }
  });

  it("gives the dtype it was made with, in arrays of its own", () => {
    for (const dtype of ["float32", "float64"] as const) {
      const lstm = new LSTM(2, 4, { dtype });
      const x = rand([3, 2], dtype);
      const [output, [hn, cn]] = lstm.forward(x);
      expect([output.dtype, hn.dtype, cn.dtype]).toEqual([dtype, dtype, dtype]);
      expect(new Set([x, output, hn, cn].map(({ data }) => data.buffer)).size).toBe(4);
    }
  });
});

describe("properties", () => {
  it("shows what it was made with", () => {
    expect({ ...new LSTM(2, 4) }).toEqual({
      inputSize: 2,
      hiddenSize: 4,
      numLayers: 1,
      bias: true,
      batchFirst: false,
      dropout: 0,
      bidirectional: false,
      projSize: 0,
      dtype: "float32",
      weightDtype: "float32",
    });
    const options: LSTMOptions = {
      numLayers: 2,
      bias: false,
      batchFirst: true,
      dropout: 0.5,
      bidirectional: true,
      projSize: 3,
      dtype: "float64",
    };
    const expected = { inputSize: 2, hiddenSize: 4, ...options, weightDtype: "float64" };
    expect({ ...new LSTM(2, 4, options) }).toEqual(expected);
  });

  it("takes an option that is undefined for one left out", () => {
    const options: { [K in keyof LSTMOptions]?: undefined } = {
      numLayers: undefined,
      bias: undefined,
      dtype: undefined,
    };
    expect({ ...new LSTM(2, 4, options as object) }).toEqual({ ...new LSTM(2, 4) });
  });
});

describe("state", () => {
  it("starts at zeros when left out, null or undefined", () => {
    const lstm = new LSTM(2, 4, { projSize: 3 });
    const x = rand([5, 2, 2]);
    const wanted = lstm.forward(x, [zeros([1, 2, 3]), zeros([1, 2, 4])]);
    for (const result of [lstm.forward(x), lstm.forward(x, null), lstm.forward(x, undefined)]) {
      expect(result).toEqual(wanted);
    }
  });

  it("carried over, continues as if the sequence had not been split", () => {
    const lstm = new LSTM(2, 4, { numLayers: 2 });
    const x = rand([7, 3, 2]);
    const [whole, end] = lstm.forward(x);
    const [first, middle] = lstm.forward(x.slice(0, 0, 3));
    const [second, last] = lstm.forward(x.slice(0, 3), middle);
    expect(first).toEqual(whole.slice(0, 0, 3));
    expect(second).toEqual(whole.slice(0, 3));
    expect(last).toEqual(end);
  });

  it("of packed sequences is in the caller's order, in and out", () => {
    const lstm = new LSTM(2, 4, { bidirectional: true });
    const sequences = [rand([2, 2]), rand([5, 2]), rand([3, 2])];
    const [h0, c0] = [rand([2, 3, 4]), rand([2, 3, 4])];
    const [, [hn, cn]] = lstm.forward(packSequence(sequences, { enforceSorted: false }), [h0, c0]);
    for (const [i, sequence] of sequences.entries()) {
      const [, [h, c]] = lstm.forward(sequence, [h0.select(1, i), c0.select(1, i)]);
      expect(hn.select(1, i)).toEqual(h);
      expect(cn.select(1, i)).toEqual(c);
    }
  });
});

describe("what is taken for a tensor", () => {
  const lstm = new LSTM(2, 4);
  const x = rand([3, 1, 2]);
  const shared = new Float32Array(new SharedArrayBuffer(24));
  shared.set(x.data);
  const offset = new Float32Array(9);
  offset.set(x.data, 3);
  const columns = x.transpose(0, 2).data;

  it.each<[string, TensorLike]>([
    ["an onnxruntime tensor", { data: x.data, dims: [3, 1, 2] }],
    ["data and shape", { data: x.data, shape: [3, 1, 2] }],
    ["an ndarray with strides", { data: columns, shape: [3, 1, 2], stride: [1, 1, 3] }],
    ["an ndarray with an offset", { data: offset, shape: [3, 1, 2], stride: [2, 2, 1], offset: 3 }],
    ["a column-major npyjs array", { data: columns, shape: [3, 1, 2], fortranOrder: true }],
    ["a view at an offset in its buffer", { data: offset.subarray(3), shape: [3, 1, 2] }],
    ["shared memory", { data: shared, shape: [3, 1, 2] }],
  ])("%s", (_, input) => {
    expect(lstm.forward(input)).toEqual(lstm.forward(x));
  });

  it("does not write to its arguments", () => {
    const [h0, c0] = [rand([1, 1, 4]), rand([1, 1, 4])];
    const before = [x, h0, c0].map(({ data }) => data.slice());
    lstm.forward(x, [h0, c0]);
    expect([x, h0, c0].map(({ data }) => data)).toEqual(before);
  });

  it("the very same tensor as h0 and c0, and the output as the next input", () => {
    const square = new LSTM(4, 4);
    const same = rand([1, 1, 4]);
    const [output, [hn, cn]] = square.forward(same, [same, same]);
    expect(square.forward(same, [same, rand([1, 1, 4])])).not.toEqual([output, [hn, cn]]);
    expect(square.forward(output, [hn, cn])[0].shape).toEqual([1, 1, 4]);
  });
});

describe("numbers beyond the ordinary", () => {
  it("NaN stays in its own sequence", () => {
    const lstm = new LSTM(2, 4, { numLayers: 2, bidirectional: true });
    const x = rand([6, 5, 2]);
    const [clean] = lstm.forward(x);
    x.data[(2 * 5 + 3) * 2] = Number.NaN;
    const [output, [hn]] = lstm.forward(x);
    for (const b of [0, 1, 2, 4]) expect(output.select(1, b)).toEqual(clean.select(1, b));
    expect(output.select(1, 3).data.every(Number.isNaN)).toBe(true);
    expect(hn.select(1, 3).data.every(Number.isNaN)).toBe(true);
  });

  it("infinities and the largest floats saturate, and give no NaN", () => {
    const lstm = new LSTM(1, 4);
    for (const value of [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3e38, -3e38]) {
      const [output] = lstm.forward(new Tensor(Float32Array.of(value, value), [2, 1]));
      expect(output.data.every((h) => Math.abs(h) <= 1)).toBe(true);
    }
  });
});

describe("dispose", () => {
  it("may come twice, and by `using`", () => {
    const lstm = new LSTM(2, 4);
    lstm.dispose();
    lstm.dispose();
    const other = new LSTM(2, 4);
    other[Symbol.dispose]();
    expect(() => other.forward(rand([1, 2]))).toThrow(expect.objectContaining({ code: "ERR_DISPOSED" }));
  });
});

describe("the runtime", () => {
  it("says what it is", () => {
    const { isa, supportedIsas, threads, compiler, version } = runtimeInfo();
    expect(supportedIsas).toContain(isa);
    expect(threads).toBe(getNumThreads());
    expect(compiler).not.toBe("");
    expect(version).toMatch(/^\d+\.\d+\.\d+/);
  });

  it("computes on as many threads as it is told to", () => {
    const before = getNumThreads();
    const lstm = new LSTM(3, 20, { bidirectional: true });
    const x = rand([9, 17, 3]);
    const wanted = lstm.forward(x);
    for (const threads of [1, 3, 2]) {
      setNumThreads(threads);
      expect(getNumThreads()).toBe(threads);
      expect(runtimeInfo().threads).toBe(threads);
      expect(lstm.forward(x)).toEqual(wanted);
    }
    setNumThreads(before);
  });
});
