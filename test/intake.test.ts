// The intake: what is taken as a tensor and as a list of whole numbers, and what is refused. Hostile strides above all.

import { createContext, runInContext } from "node:vm";
import { describe, expect, it } from "vitest";
import type { ForeignTensor } from "../lib/tensor/foreign.js";
import { toInts } from "../lib/tensor/ints.js";
import { tensor } from "../lib/tensor/make.js";
import { Tensor, toTensor } from "../lib/tensor/tensor.js";
import { detached, resizable } from "./support/buffers.js";
import { expectCoded } from "./support/expect-coded.js";

type Kind = typeof TypeError | typeof RangeError;
const { NaN: nan } = Number;
const never = (value: unknown): never => value as never;

describe("toTensor", () => {
  const six = Float32Array.of(0, 1, 2, 3, 4, 5);

  it("gives a Tensor back as it is, and knows a false one", () => {
    const t = tensor([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    expect(toTensor("x", t)).toBe(t);
    const forged = Object.create(Tensor.prototype, {
      data: { value: "abc" },
      size: { value: 3 },
      shape: { value: [3] },
    });
    expect(Tensor.isTensor(forged)).toBe(false);
    expectCoded(() => toTensor("x", never(forged)), TypeError, "ERR_ARG_TYPE");
  });

  it.each<[string, unknown, unknown]>([
    [
      "onnxruntime",
      { type: "float32", data: six, dims: [2, 3], size: 6 },
      [
        [0, 1, 2],
        [3, 4, 5],
      ],
    ],
    [
      "npyjs",
      { dtype: "float32", data: six, shape: [2, 3], fortranOrder: false },
      [
        [0, 1, 2],
        [3, 4, 5],
      ],
    ],
    [
      "npyjs, column-major",
      { data: six, shape: [2, 3], fortranOrder: true },
      [
        [0, 2, 4],
        [1, 3, 5],
      ],
    ],
    [
      "an ndarray",
      { data: six, shape: [2, 3], stride: [3, 1], offset: 0 },
      [
        [0, 1, 2],
        [3, 4, 5],
      ],
    ],
    [
      "transposed",
      { data: six, shape: [3, 2], stride: [1, 3], offset: 0 },
      [
        [0, 3],
        [1, 4],
        [2, 5],
      ],
    ],
    ["reversed", { data: six, shape: [6], stride: [-1], offset: 5 }, [5, 4, 3, 2, 1, 0]],
    [
      "every second, backwards",
      { data: six, shape: [2, 2], stride: [1, -2], offset: 2 },
      [
        [2, 0],
        [3, 1],
      ],
    ],
    [
      "a window",
      { data: six, shape: [2, 2], stride: [3, 1], offset: 1 },
      [
        [1, 2],
        [4, 5],
      ],
    ],
    ["a dense tail", { data: six, shape: [2], stride: [1], offset: 4 }, [4, 5]],
    [
      "repeated by a stride of 0",
      { data: six, shape: [2, 2], stride: [0, 1], offset: 3 },
      [
        [3, 4],
        [3, 4],
      ],
    ],
    [
      "overlapping",
      { data: six, shape: [3, 2], stride: [1, 1] },
      [
        [0, 1],
        [1, 2],
        [2, 3],
      ],
    ],
    ["a dim of 1 with a stride that leads nowhere", { data: six, shape: [1, 2], stride: [1e9, 1] }, [[0, 1]]],
    ["empty, with strides", { data: six, shape: [0, 3], stride: [99, 99], offset: 0 }, []],
    ["() at an offset", { data: six, shape: [], stride: [], offset: 5 }, 5],
    ["a shape in a typed array", { data: six, dims: Int32Array.of(6) }, [0, 1, 2, 3, 4, 5]],
  ])("takes %s", (_, value, nested) => {
    expect(toTensor("x", never(value)).toArray()).toEqual(nested);
  });

  it("copies only what has strides", () => {
    expect(toTensor("x", { data: six, dims: [6] }).data).toBe(six);
    expect(toTensor("x", { data: six, shape: [2, 3], stride: [3, 1], offset: 0 }).data).toBe(six);
    expect(toTensor("x", { data: six, shape: [3], stride: [1], offset: 2 }).data.buffer).toBe(six.buffer);
    expect(toTensor("x", { data: six, shape: [1, 6], stride: [99, 1] }).data).toBe(six);
    expect(toTensor("x", { data: six, shape: [3], stride: [2], offset: 0 }).data.buffer).not.toBe(six.buffer);
  });

  it("takes arrays of another realm and of shared or resizable memory", () => {
    const foreign = runInContext("new Float64Array([1, 2])", createContext({}));
    expect(toTensor("x", never({ data: foreign, shape: [2] })).dtype).toBe("float64");
    const shared = new Float32Array(new SharedArrayBuffer(24));
    expect(toTensor("x", { data: shared, shape: [6] }).size).toBe(6);
    expect(toTensor("x", { data: resizable().data, shape: [6] }).size).toBe(6);
  });

  const hostile = {
    get data(): never {
      throw new RangeError("from a getter");
    },
  };
  it.each<[string, unknown, Kind, string, string]>([
    ["null", null, TypeError, "ERR_ARG_TYPE", "x: expected a tensor"],
    ["nothing", undefined, TypeError, "ERR_ARG_TYPE", "undefined"],
    ["nested arrays", [[1, 2]], TypeError, "ERR_ARG_TYPE", "an array of length 1"],
    ["a bare typed array", six, TypeError, "ERR_ARG_TYPE", "a Float32Array of length 6"],
    ["data that is an array", { data: [1, 2], shape: [2] }, TypeError, "ERR_ARG_TYPE", "data that is an array"],
    ["data that is a function", { data: () => six, shape: [6] }, TypeError, "ERR_ARG_TYPE", "a function"],
    ["no shape", { data: six }, TypeError, "ERR_ARG_TYPE", "no shape"],
    ["a size instead of a shape", { data: six, shape: 6 }, TypeError, "ERR_ARG_TYPE", "x.shape"],
    ["int64", { data: new BigInt64Array(2), dims: [2] }, TypeError, "ERR_DTYPE", "BigInt64Array"],
    ["float16 bits", { type: "float16", data: new Uint16Array(2), dims: [2] }, TypeError, "ERR_DTYPE", "Uint16Array"],
    ["too few elements", { data: six, shape: [7] }, RangeError, "ERR_SHAPE", "7 elements"],
    ["too many elements", { data: six, shape: [5] }, RangeError, "ERR_SHAPE", "length 6"],
    ["a stride beyond", { data: six, shape: [4], stride: [2], offset: 0 }, RangeError, "ERR_SHAPE", "0 to 6"],
    ["a stride before", { data: six, shape: [3], stride: [-2], offset: 3 }, RangeError, "ERR_SHAPE", "-1 to 3"],
    ["a stride far beyond", { data: six, shape: [2], stride: [2 ** 53 - 1] }, RangeError, "ERR_SHAPE", "inside"],
    [
      "a stride past all counting",
      { data: six, shape: [2 ** 30], stride: [2 ** 52] },
      RangeError,
      "ERR_SHAPE",
      "inside",
    ],
    ["an offset beyond", { data: six, shape: [], offset: 6 }, RangeError, "ERR_SHAPE", "6 to 6"],
    ["a negative offset", { data: six, shape: [1], offset: -1 }, RangeError, "ERR_ARG_VALUE", "x.offset"],
    ["a fractional stride", { data: six, shape: [2], stride: [0.5] }, RangeError, "ERR_ARG_VALUE", "x.stride"],
    ["a NaN stride", { data: six, shape: [2], stride: [nan] }, RangeError, "ERR_ARG_VALUE", "x.stride"],
    ["too few strides", { data: six, shape: [2, 3], stride: [3] }, RangeError, "ERR_SHAPE", "2 strides"],
    ["strides that are a number", { data: six, shape: [6], stride: 1 }, TypeError, "ERR_ARG_TYPE", "x.stride"],
    ["more than memory holds", { data: six, shape: [2 ** 50], stride: [0] }, RangeError, "ERR_ARG_VALUE", "memory"],
    ["fortranOrder 1", { data: six, shape: [6], fortranOrder: 1 }, TypeError, "ERR_ARG_TYPE", "x.fortranOrder"],
    ["a detached buffer", { data: detached(), dims: [2, 3] }, RangeError, "ERR_SHAPE", "detached"],
    ["a detached buffer, strided", { data: detached(), shape: [6], stride: [1] }, RangeError, "ERR_SHAPE", "detached"],
  ])("refuses %s", (_, value, kind, code, message) => {
    expectCoded(() => toTensor("x", never(value)), kind, code, message);
  });

  it("lets a getter's own error through, and holds to a dtype", () => {
    expect(() => toTensor("x", never(hostile))).toThrow("from a getter");
    expectCoded(
      () => toTensor("x", tensor([0, 1]), "float64"),
      TypeError,
      "ERR_DTYPE",
      "a float64 tensor, but got a float32",
    );
  });
});

describe("toInts", () => {
  it.each<[string, unknown]>([
    ["an array", [3, -1, 2]],
    ["an Int32Array", Int32Array.of(3, -1, 2)],
    ["bigints", BigInt64Array.of(3n, -1n, 2n)],
    ["an int32 tensor", tensor([3, -1, 2], "int32")],
    ["a float tensor of whole numbers", tensor([3, -1, 2])],
    ["an onnxruntime int64 tensor", { type: "int64", data: BigInt64Array.of(3n, -1n, 2n), dims: [3] }],
    ["a strided ndarray", { data: Int32Array.of(2, 0, -1, 0, 3), shape: [3], stride: [-2], offset: 4 }],
  ])("takes %s", (_, value) => {
    const ints = toInts("n", never(value));
    expect(ints).toEqual(Int32Array.of(3, -1, 2));
    expect(ints).not.toBe(value);
  });

  it.each<[string, unknown, Kind, string]>([
    ["a fraction", [1.5], RangeError, "ERR_LENGTHS"],
    ["NaN", [nan], RangeError, "ERR_LENGTHS"],
    ["infinity", [Number.POSITIVE_INFINITY], RangeError, "ERR_LENGTHS"],
    ["2^31", [2 ** 31], RangeError, "ERR_LENGTHS"],
    ["a bigint of 2^63 - 1", BigInt64Array.of(2n ** 63n - 1n), RangeError, "ERR_LENGTHS"],
    ["a hole", new Array(2), TypeError, "ERR_ARG_TYPE"],
    ["strings", ["1"], TypeError, "ERR_ARG_TYPE"],
    ["a string", "123", TypeError, "ERR_ARG_TYPE"],
    ["null", null, TypeError, "ERR_ARG_TYPE"],
    ["an object", {}, TypeError, "ERR_ARG_TYPE"],
    ["a 2-D tensor", tensor([[1]]), RangeError, "ERR_SHAPE"],
    ["a 0-D tensor", tensor(1), RangeError, "ERR_SHAPE"],
    ["strides that lead outside", { data: Int32Array.of(1), shape: [2], stride: [1] }, RangeError, "ERR_SHAPE"],
  ])("refuses %s", (_, value, kind, code) => {
    expectCoded(() => toInts("lengths", value as ForeignTensor, "ERR_LENGTHS"), kind, code, "lengths");
  });
});
