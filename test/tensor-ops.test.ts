// What test/relations-utilities does not hold against torch: making tensors, dtypes, and everything these functions refuse.

import { describe, expect, it } from "vitest";
import { full, ones, tensor, zeros } from "../lib/tensor/make.js";
import { allclose, cat, sort, stack } from "../lib/tensor/ops.js";
import { expectCoded } from "./support/expect-coded.js";

type Kind = typeof TypeError | typeof RangeError;
const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const never = (value: unknown): never => value as never;

describe("tensor", () => {
  it.each<[string, unknown, number[]]>([
    ["a number", 3, []],
    ["a list", [1, 2], [2]],
    [
      "a grid",
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      [2, 3],
    ],
    ["typed rows", [Float64Array.of(1, 2), Int32Array.of(3, 4)], [2, 2]],
    ["a typed array", Float32Array.of(1, 2, 3), [3]],
    ["nothing", [], [0]],
    ["rows of nothing", [[], []], [2, 0]],
    ["deep", [[[[[5]]]]], [1, 1, 1, 1, 1]],
  ])("takes %s", (_, nested, shape) => {
    const made = tensor(never(nested), "float64");
    expect(made.shape).toEqual(shape);
    const plain = JSON.stringify(nested, (__, value) => (ArrayBuffer.isView(value) ? Array.from(never(value)) : value));
    expect(JSON.stringify(made.toArray())).toBe(plain);
  });

  it("rounds to its dtype, float32 unless asked otherwise", () => {
    expect(tensor(0.1).toArray()).toBe(Math.fround(0.1));
    expect(tensor(0.1, "float64").toArray()).toBe(0.1);
    expect(tensor([-7, 2 ** 31 - 1], "int32").toArray()).toEqual([-7, 2 ** 31 - 1]);
    expect(tensor([nan, -inf]).toArray()).toEqual([nan, -inf]);
  });

  it("copies", () => {
    const source = Float32Array.of(1, 2);
    const made = tensor(source);
    source[0] = 9;
    expect(made.toArray()).toEqual([1, 2]);
  });

  const cyclic: unknown[] = [];
  cyclic.push(cyclic);
  it.each<[string, unknown, unknown, Kind, string]>([
    ["a short row", [[1, 2], [3]], "float32", RangeError, "ERR_SHAPE"],
    ["a long row", [[1], [2, 3]], "float32", RangeError, "ERR_SHAPE"],
    ["a number among rows", [[1], 2], "float32", RangeError, "ERR_SHAPE"],
    ["a row among numbers", [1, [2]], "float32", RangeError, "ERR_SHAPE"],
    ["a cycle", cyclic, "float32", RangeError, "ERR_SHAPE"],
    ["a hole", new Array(2), "float32", TypeError, "ERR_ARG_TYPE"],
    ["a string", "12", "float32", TypeError, "ERR_ARG_TYPE"],
    ["strings", ["1"], "float32", TypeError, "ERR_ARG_TYPE"],
    ["booleans", [true], "float32", TypeError, "ERR_ARG_TYPE"],
    ["bigints", [1n], "int32", TypeError, "ERR_ARG_TYPE"],
    ["null", null, "float32", TypeError, "ERR_ARG_TYPE"],
    ["a fraction in int32", [1.5], "int32", RangeError, "ERR_ARG_VALUE"],
    ["NaN in int32", [nan], "int32", RangeError, "ERR_ARG_VALUE"],
    ["2^31 in int32", [2 ** 31], "int32", RangeError, "ERR_ARG_VALUE"],
    ["torch's int64", [1], "int64", TypeError, "ERR_DTYPE"],
    ["a dtype that is a constructor", [1], Float32Array, TypeError, "ERR_ARG_TYPE"],
  ])("refuses %s", (_, nested, dtype, kind, code) => {
    expectCoded(() => tensor(never(nested), never(dtype)), kind, code);
  });
});

describe("zeros, ones, full", () => {
  it("fill a shape", () => {
    expect(zeros([2, 2]).toArray()).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(ones([2], "int32").data).toEqual(Int32Array.of(1, 1));
    expect(full([1, 2], -0.5, "float64").data).toEqual(Float64Array.of(-0.5, -0.5));
    expect(full([], -0).toArray()).toBe(-0);
    expect(full([2], nan).toArray()).toEqual([nan, nan]);
    expect(zeros([0, 5]).shape).toEqual([0, 5]);
  });

  it.each<[string, () => unknown, Kind, string]>([
    ["a size instead of a shape", () => zeros(never(3)), TypeError, "ERR_ARG_TYPE"],
    ["a negative dim", () => ones([-1]), RangeError, "ERR_SHAPE"],
    ["a dtype of bool", () => zeros([1], never("bool")), TypeError, "ERR_DTYPE"],
    ["no value", () => full([1], never(undefined)), TypeError, "ERR_ARG_TYPE"],
    ["a fraction in int32", () => full([1], 0.5, "int32"), RangeError, "ERR_ARG_VALUE"],
    ["more than memory holds", () => zeros([2 ** 40, 2 ** 10]), RangeError, "ERR_ARG_VALUE"],
  ])("refuse %s", (_, call, kind, code) => {
    expectCoded(call, kind, code);
  });
});

describe("stack and cat", () => {
  const [a, b] = [
    tensor([
      [1, 2],
      [3, 4],
    ]),
    tensor([[5, 6]]),
  ];

  it("keep the dtype and take foreign tensors", () => {
    expect(stack([ones([2], "int32"), zeros([2], "int32")], -1).data).toEqual(Int32Array.of(1, 0, 1, 0));
    expect(cat([a, { data: Float32Array.of(6, 5), shape: [1, 2], stride: [1, -1], offset: 1 }]).at(2, 0)).toBe(5);
  });

  it("pass over empty lists, as torch does", () => {
    expect(cat([tensor([]), a, tensor([])], 1).toArray()).toEqual(a.toArray());
    expect(cat([tensor([]), tensor([])]).shape).toEqual([0]);
    expect(cat([zeros([0, 2]), b]).toArray()).toEqual([[5, 6]]);
    expect(stack([tensor([]), tensor([])]).shape).toEqual([2, 0]);
  });

  it("give memory of its own", () => {
    const joined = cat([b]);
    joined.data[0] = 99;
    expect(b.at(0, 0)).toBe(5);
  });

  it.each<[string, () => unknown, Kind, string]>([
    ["stack: shapes that differ", () => stack([a, b]), RangeError, "ERR_SHAPE"],
    ["stack: ranks that differ", () => stack([a, tensor([1, 2])]), RangeError, "ERR_SHAPE"],
    ["stack: no tensors", () => stack([]), RangeError, "ERR_ARG_VALUE"],
    ["stack: a dim beyond", () => stack([a], 3), RangeError, "ERR_ARG_VALUE"],
    ["stack: dtypes that differ", () => stack([a, zeros([2, 2], "float64")]), TypeError, "ERR_DTYPE"],
    ["stack: a tensor", () => stack(never(a)), TypeError, "ERR_ARG_TYPE"],
    ["stack: a list of lists", () => stack(never([[1]])), TypeError, "ERR_ARG_TYPE"],
    ["cat: other dims that differ", () => cat([a, b], 1), RangeError, "ERR_SHAPE"],
    ["cat: ranks that differ", () => cat([a, tensor([1, 2])]), RangeError, "ERR_SHAPE"],
    ["cat: tensors of no dims", () => cat([tensor(1), tensor(2)]), RangeError, "ERR_SHAPE"],
    ["cat: no tensors", () => cat([]), RangeError, "ERR_ARG_VALUE"],
    ["cat: a dim beyond", () => cat([a], 2), RangeError, "ERR_ARG_VALUE"],
    ["cat: dtypes that differ", () => cat([a, zeros([2, 2], "int32")]), TypeError, "ERR_DTYPE"],
  ])("%s", (_, call, kind, code) => {
    expectCoded(call, kind, code);
  });
});

describe("sort", () => {
  it("keeps ties in order either way, along a dim of hundreds", () => {
    const keys = Float32Array.from({ length: 600 }, (_, i) => (i * 7919) % 5);
    for (const descending of [false, true]) {
      const { values, indices } = sort({ data: keys, shape: [300, 2] }, { dim: 0, descending });
      for (let i = 1; i < 300; i++) {
        for (let column = 0; column < 2; column++) {
          const [before, after] = [values.at(i - 1, column), values.at(i, column)];
          expect(descending ? before >= after : before <= after).toBe(true);
          if (before === after) expect(indices.at(i - 1, column)).toBeLessThan(indices.at(i, column));
          expect(keys[indices.at(i, column) * 2 + column]).toBe(after);
        }
      }
    }
  });

  it("puts NaN behind infinity, and takes -0 for 0", () => {
    const t = tensor([nan, inf, -0, 0, -inf, nan]);
    expect(sort(t).indices.toArray()).toEqual([4, 2, 3, 1, 0, 5]);
    expect(sort(t, { descending: true }).indices.toArray()).toEqual([0, 5, 1, 2, 3, 4]);
    expect(sort(t).values.toArray()).toEqual([-inf, -0, 0, inf, nan, nan]);
  });

  it("keeps the dtype, gives int32 indices, and takes () and empty tensors", () => {
    expect(sort(tensor([2, 1], "int32")).values.dtype).toBe("int32");
    expect(sort(tensor([2, 1], "float64")).indices.dtype).toBe("int32");
    expect(sort(tensor(5)).values.toArray()).toBe(5);
    expect(sort(tensor(5)).indices.toArray()).toBe(0);
    expect(sort(zeros([2, 0])).values.shape).toEqual([2, 0]);
    expect(sort(zeros([0, 2])).indices.shape).toEqual([0, 2]);
  });

  it.each<[string, () => unknown, Kind, string]>([
    ["a dim beyond", () => sort(zeros([2]), { dim: 1 }), RangeError, "ERR_ARG_VALUE"],
    ["a dim before", () => sort(zeros([2]), { dim: -2 }), RangeError, "ERR_ARG_VALUE"],
    ["descending 1", () => sort(zeros([2]), { descending: never(1) }), TypeError, "ERR_ARG_TYPE"],
    ["stable null", () => sort(zeros([2]), { stable: never(null) }), TypeError, "ERR_ARG_TYPE"],
    ["a dim for options", () => sort(zeros([2]), never(0)), TypeError, "ERR_ARG_TYPE"],
    ["an unknown option", () => sort(zeros([2]), never({ decending: true })), TypeError, "ERR_OPTION"],
    ["no tensor", () => sort(never([2, 1])), TypeError, "ERR_ARG_TYPE"],
  ])("refuses %s", (_, call, kind, code) => {
    expectCoded(call, kind, code);
  });
});

describe("allclose", () => {
  it("broadcasts", () => {
    expect(allclose(ones([3, 2]), tensor([1, 1]))).toBe(true);
    expect(allclose(ones([3, 2]), tensor([1, 2]))).toBe(false);
    expect(allclose(tensor(1), ones([4]))).toBe(true);
    expect(
      allclose(
        tensor([[1], [2]]),
        tensor([
          [1, 1],
          [2, 2],
        ]),
      ),
    ).toBe(true);
    expect(allclose(zeros([0]), ones([1]))).toBe(true);
  });

  it("measures rtol by the second, in the arithmetic of the dtype", () => {
    expect(allclose(tensor([10], "float64"), tensor([11], "float64"), { rtol: 1 / 11, atol: 0 })).toBe(true);
    expect(allclose(tensor([11], "float64"), tensor([10], "float64"), { rtol: 1 / 11, atol: 0 })).toBe(false);
    // 0.1 rounded to float32 is a little more than 0.1
    const tolerance = { rtol: 0, atol: 0.1 };
    expect(allclose(tensor([0.1]), tensor([0]), tolerance)).toBe(true);
    expect(allclose(tensor([Math.fround(0.1)], "float64"), tensor([0], "float64"), tolerance)).toBe(false);
  });

  it("takes integers, and infinities for themselves only", () => {
    expect(allclose(tensor([1000001], "int32"), tensor([1000000], "int32"))).toBe(true);
    expect(allclose(tensor([inf, -inf]), tensor([inf, -inf]))).toBe(true);
    expect(allclose(tensor([inf]), tensor([-inf]))).toBe(false);
    expect(allclose(tensor([1]), tensor([inf]))).toBe(false);
    expect(allclose(tensor([nan]), tensor([nan]))).toBe(false);
    expect(allclose(tensor([nan]), tensor([nan]), { equalNan: true })).toBe(true);
    expect(allclose(tensor([nan]), tensor([1]), { equalNan: true, atol: inf })).toBe(false);
  });

  it.each<[string, () => unknown, Kind, string]>([
    ["dtypes that differ", () => allclose(ones([1]), ones([1], "float64")), TypeError, "ERR_DTYPE"],
    ["shapes that do not broadcast", () => allclose(ones([2]), ones([3])), RangeError, "ERR_SHAPE"],
    ["a negative rtol", () => allclose(ones([1]), ones([1]), { rtol: -1 }), RangeError, "ERR_ARG_VALUE"],
    ["a NaN atol", () => allclose(ones([1]), ones([1]), { atol: nan }), RangeError, "ERR_ARG_VALUE"],
    ["equal_nan", () => allclose(ones([1]), ones([1]), never({ equal_nan: true })), TypeError, "ERR_OPTION"],
    ["numbers", () => allclose(never(1), never(1)), TypeError, "ERR_ARG_TYPE"],
  ])("refuses %s", (_, call, kind, code) => {
    expectCoded(call, kind, code);
  });
});
