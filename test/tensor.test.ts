// The Tensor: what its constructor takes, what its methods give.

import { describe, expect, it } from "vitest";
import { toInts } from "../lib/tensor/ints.js";
import { tensor } from "../lib/tensor/make.js";
import { Tensor, toTensor } from "../lib/tensor/tensor.js";
import { detached, resizable } from "./support/buffers.js";
import { expectCoded } from "./support/expect-coded.js";

type Kind = typeof TypeError | typeof RangeError;
const { NaN: nan } = Number;
const never = (value: unknown): never => value as never;

/** 0, 1, 2, … in a shape. */
function counting(...shape: number[]): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return new Tensor(
    Float32Array.from({ length: size }, (_, i) => i),
    shape,
  );
}

describe("a Tensor", () => {
  it("keeps the array and tells what it is", () => {
    const data = Float64Array.of(1, 2, 3, 4, 5, 6);
    const t = new Tensor(data, [2, 3]);
    expect(t.data).toBe(data);
    expect([t.dtype, t.type, t.size, t.shape, t.dims]).toEqual(["float64", "float64", 6, [2, 3], [2, 3]]);
    expect(new Tensor(new Int32Array(0), [3, 0]).size).toBe(0);
    expect(new Tensor(Float32Array.of(7), []).toArray()).toBe(7);
  });

  it("is frozen, and does not share the caller's shape", () => {
    const shape = [2, 3];
    const t = new Tensor(new Float32Array(6), shape);
    shape[0] = 9;
    expect(t.shape).toEqual([2, 3]);
    expect(() => Object.assign(t, { data: null })).toThrow(TypeError);
    expect(() => Object.assign(t.shape, { 0: 5 })).toThrow(TypeError);
  });

  it.each<[string, unknown, unknown, Kind, string, string]>([
    ["too few elements", new Float32Array(5), [2, 3], RangeError, "ERR_SHAPE", "6 elements for shape (2, 3)"],
    ["too many elements", new Float32Array(7), [2, 3], RangeError, "ERR_SHAPE", "a Float32Array of length 7"],
    ["two elements for ()", new Float32Array(2), [], RangeError, "ERR_SHAPE", "shape ()"],
    ["a negative dim", new Float32Array(1), [-1, -1], RangeError, "ERR_SHAPE", "-1"],
    ["a fractional dim", new Float32Array(1), [0.5, 2], RangeError, "ERR_SHAPE", "0.5"],
    ["a NaN dim", new Float32Array(0), [nan], RangeError, "ERR_SHAPE", "NaN"],
    ["a dim that is a string", new Float32Array(2), ["2"], TypeError, "ERR_ARG_TYPE", '"2"'],
    ["no shape", new Float32Array(2), undefined, TypeError, "ERR_ARG_TYPE", "shape"],
    ["a number for a shape", new Float32Array(2), 2, TypeError, "ERR_ARG_TYPE", "got 2"],
    ["2^53 elements", new Float32Array(2), [2 ** 27, 2 ** 26], RangeError, "ERR_SHAPE", "countable"],
    ["2^53 elements but for a 0", new Float32Array(0), [0, 2 ** 27, 2 ** 26], RangeError, "ERR_SHAPE", "countable"],
    ["65 dims", new Float32Array(1), new Array(65).fill(1), RangeError, "ERR_SHAPE", "64 dims"],
    ["an array", [1, 2], [2], TypeError, "ERR_ARG_TYPE", "an array of length 2"],
    ["bytes", new Uint8Array(2), [2], TypeError, "ERR_DTYPE", "a Uint8Array of length 2"],
    ["bigints", new BigInt64Array(2), [2], TypeError, "ERR_DTYPE", "BigInt64Array"],
    ["a detached buffer", detached(), [2, 3], RangeError, "ERR_SHAPE", "detached"],
  ])("refuses %s", (_, data, shape, kind, code, message) => {
    expectCoded(() => new Tensor(never(data), never(shape)), kind, code, message);
  });

  it("at counts negative indices from the end", () => {
    const t = counting(2, 3, 4);
    expect([t.at(0, 0, 0), t.at(1, 2, 3), t.at(-1, -1, -1), t.at(-2, 1, -3)]).toEqual([0, 23, 23, 5]);
    expect(tensor(5).at()).toBe(5);
  });

  const grid = counting(2, 3);
  it.each<[string, () => unknown, Kind, string]>([
    ["at: an index beyond", () => grid.at(0, 3), RangeError, "ERR_ARG_VALUE"],
    ["at: an index before", () => grid.at(-3, 0), RangeError, "ERR_ARG_VALUE"],
    ["at: too few indices", () => grid.at(1), RangeError, "ERR_SHAPE"],
    ["at: too many indices", () => grid.at(0, 0, 0), RangeError, "ERR_SHAPE"],
    ["at: a fraction", () => grid.at(0, 0.5), RangeError, "ERR_ARG_VALUE"],
    ["at: a string", () => grid.at(0, never("1")), TypeError, "ERR_ARG_TYPE"],
    ["at: an empty dim", () => counting(0).at(0), RangeError, "ERR_ARG_VALUE"],
    ["select: a dim beyond", () => grid.select(2, 0), RangeError, "ERR_ARG_VALUE"],
    ["select: a dim before", () => grid.select(-3, 0), RangeError, "ERR_ARG_VALUE"],
    ["select: an index beyond", () => grid.select(0, 2), RangeError, "ERR_ARG_VALUE"],
    ["select: no dims", () => tensor(1).select(0, 0), RangeError, "ERR_SHAPE"],
    ["slice: a dim beyond", () => grid.slice(2), RangeError, "ERR_ARG_VALUE"],
    ["slice: a fraction", () => grid.slice(0, 0.5), RangeError, "ERR_ARG_VALUE"],
    ["slice: a null end", () => grid.slice(0, 0, never("2")), TypeError, "ERR_ARG_TYPE"],
    ["indexSelect: an index beyond", () => grid.indexSelect(0, [0, 2]), RangeError, "ERR_ARG_VALUE"],
    ["indexSelect: a fraction", () => grid.indexSelect(0, [0.5]), RangeError, "ERR_ARG_VALUE"],
    ["indexSelect: a number", () => grid.indexSelect(0, never(1)), TypeError, "ERR_ARG_TYPE"],
    ["reshape: another size", () => grid.reshape([4]), RangeError, "ERR_SHAPE"],
    ["reshape: two open dims", () => grid.reshape([-1, -1]), RangeError, "ERR_SHAPE"],
    ["reshape: an open dim that does not fit", () => grid.reshape([4, -1]), RangeError, "ERR_SHAPE"],
    ["reshape: an open dim that could be anything", () => counting(0).reshape([0, -1]), RangeError, "ERR_SHAPE"],
    ["reshape: a dim of -2", () => grid.reshape([-2, 3]), RangeError, "ERR_SHAPE"],
    ["reshape: a number", () => grid.reshape(never(6)), TypeError, "ERR_ARG_TYPE"],
    ["transpose: a dim beyond", () => grid.transpose(0, 2), RangeError, "ERR_ARG_VALUE"],
  ])("%s", (_, call, kind, code) => {
    expectCoded(call, kind, code);
  });

  it.each<[string, Tensor, number[], unknown]>([
    ["select 0", counting(2, 3).select(0, -1), [3], [3, 4, 5]],
    ["select the last dim", counting(2, 3).select(-1, 1), [2], [1, 4]],
    [
      "select in the middle",
      counting(2, 3, 2).select(1, 2),
      [2, 2],
      [
        [4, 5],
        [10, 11],
      ],
    ],
    ["select the only dim", counting(3).select(0, 1), [], 1],
    ["slice from", counting(4, 1).slice(0, 2), [2, 1], [[2], [3]]],
    ["slice to", counting(4).slice(0, 0, -1), [3], [0, 1, 2]],
    [
      "slice inner",
      counting(2, 4).slice(1, 1, 3),
      [2, 2],
      [
        [1, 2],
        [5, 6],
      ],
    ],
    ["slice beyond", counting(3).slice(0, -10, 10), [3], [0, 1, 2]],
    ["slice nothing", counting(3, 2).slice(0, 2, 1), [0, 2], []],
    [
      "indexSelect rows",
      counting(3, 2).indexSelect(0, [2, 0, -1]),
      [3, 2],
      [
        [4, 5],
        [0, 1],
        [4, 5],
      ],
    ],
    [
      "indexSelect columns",
      counting(2, 3).indexSelect(1, tensor([2, 1], "int32")),
      [2, 2],
      [
        [2, 1],
        [5, 4],
      ],
    ],
    ["indexSelect by bigints", counting(3).indexSelect(0, BigInt64Array.of(1n)), [1], [1]],
    ["indexSelect nothing", counting(3, 2).indexSelect(0, []), [0, 2], []],
    [
      "reshape",
      counting(2, 3).reshape([3, 2]),
      [3, 2],
      [
        [0, 1],
        [2, 3],
        [4, 5],
      ],
    ],
    ["reshape open", counting(2, 3, 2).reshape([-1, 6]).slice(1, 0, 1), [2, 1], [[0], [6]]],
    ["reshape to ()", counting(1).reshape([]), [], 0],
    ["reshape nothing", counting(0, 3).reshape([3, -1]), [3, 0], [[], [], []]],
    [
      "transpose",
      counting(2, 3).transpose(0, 1),
      [3, 2],
      [
        [0, 3],
        [1, 4],
        [2, 5],
      ],
    ],
    ["transpose outer of three", counting(2, 1, 2).transpose(0, -1), [2, 1, 2], [[[0, 2]], [[1, 3]]]],
    [
      "transpose a dim with itself",
      counting(2, 2).transpose(1, 1),
      [2, 2],
      [
        [0, 1],
        [2, 3],
      ],
    ],
    ["transpose ()", tensor(3).transpose(0, -1), [], 3],
  ])("%s", (_, result, shape, nested) => {
    expect(result.shape).toEqual(shape);
    expect(result.toArray()).toEqual(nested);
  });

  it("copies long rows as it copies short ones", () => {
    const t = counting(3, 100, 2);
    expect(t.transpose(0, 1).at(77, 2, 1)).toBe(t.at(2, 77, 1));
    expect(t.select(0, 1).data).toEqual(t.data.slice(200, 400));
    expect(t.indexSelect(0, [2, 1]).select(0, 0).data).toEqual(t.data.slice(400));
    expect(counting(2, 100).slice(1, 10, 90).select(0, 1).data).toEqual(counting(200).data.slice(110, 190));
  });

  it("gives copies, of its own dtype", () => {
    const t = new Tensor(Int32Array.of(1, 2, 3), [3]);
    for (const copy of [t.slice(0), t.reshape([3]), t.transpose(0, 0), t.indexSelect(0, [0, 1, 2])]) {
      expect(copy.dtype).toBe("int32");
      copy.data[0] = 9;
      expect(t.at(0)).toBe(1);
    }
  });

  it("says so when its buffer goes away or shrinks under it", () => {
    const data = new Float32Array(6);
    const gone = new Tensor(data, [6]);
    structuredClone(data.buffer, { transfer: [data.buffer] });
    const { buffer, data: view } = resizable();
    const shrunk = new Tensor(view, [6]);
    buffer.resize(8);
    for (const [t, why] of [
      [gone, "detached"],
      [shrunk, "resized"],
    ] as const) {
      for (const use of [
        () => t.at(0),
        () => t.toArray(),
        () => t.slice(0),
        () => t.indexSelect(0, [5]),
        () => toTensor("input", t),
        () => toInts("lengths", t),
      ]) {
        expectCoded(use, RangeError, "ERR_SHAPE", why);
      }
    }
  });
});
