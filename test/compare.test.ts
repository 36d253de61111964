// The comparator, held against what it must refuse: a comparator that lets things through makes every other test blind.

import { describe, expect, it } from "vitest";
import { tensor } from "../lib/tensor/make.js";
import { Tensor } from "../lib/tensor/tensor.js";
import { expectClose, expectSameBits } from "./support/compare.js";

const f32 = (...values: number[]): Tensor => tensor(values);
const f64 = (...values: number[]): Tensor => tensor(values, "float64");
const strict = { atol: 1e-6, rtol: 0, label: "x" };
const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

describe("expectClose", () => {
  it.each<[string, Tensor, Tensor, RegExp]>([
    ["a difference just beyond atol", f64(1, 2), f64(1, 2 + 1.01e-6), /x: \[1\] is 2, expected .*1 of 2 differ/],
    ["a difference in the first element", f64(0, 5, 5), f64(1, 5, 5), /\[0\] is 0, expected 1/],
    ["a difference in the last element", f64(5, 5, 0), f64(5, 5, 1), /\[2\] is 0/],
    ["a negative difference", f64(-1), f64(1), /differ, by 2/],
    ["NaN in actual", f64(1, nan), f64(1, 2), /actual value at \[1\] is NaN/],
    ["NaN in expected", f64(1, 2), f64(1, nan), /expected value at \[1\] is NaN/],
    ["NaN in both", f64(nan), f64(nan), /is NaN/],
    ["infinity in both", f64(inf), f64(inf), /is Infinity/],
    ["infinity in actual", f64(-inf), f64(0), /is -Infinity/],
    ["a longer shape", f64(1, 2), f64(1, 2, 3), /shape \(2\), expected \(3\)/],
    ["a swapped shape", tensor([[1, 1]]), tensor([[1], [1]]), /shape \(1, 2\), expected \(2, 1\)/],
    ["another rank", f32(1), tensor(1), /shape \(1\), expected \(\)/],
    ["another dtype", f32(1), f64(1), /dtype float32, expected float64/],
    ["nothing to compare", f32(), f32(), /nothing to compare/],
  ])("refuses %s", (_, actual, expected, message) => {
    expect(() => expectClose(actual, expected, strict)).toThrow(message);
  });

  it("takes what lies within, and says how far off it was", () => {
    expect(expectClose(f64(1, 2), f64(1, 2), strict)).toBe(0);
    expect(expectClose(f64(1, 2), f64(1 + 5e-7, 2 - 9e-7), strict)).toBeCloseTo(9e-7, 12);
    expect(expectClose(tensor(1), tensor(1), strict)).toBe(0);
  });

  it("measures rtol by what is expected", () => {
    expect(() => expectClose(f64(100), f64(101), { atol: 0, rtol: 1 / 101 + 1e-9 })).not.toThrow();
    expect(() => expectClose(f64(101), f64(100), { atol: 0, rtol: 1 / 101 + 1e-9 })).toThrow(/differ/);
  });

  it("measures atol by what is expected where that is beyond 1, if scaled", () => {
    const scaled = { atol: 1e-3, rtol: 0, scaled: true };
    for (const [expected, allowed] of [
      [0.1, 1e-3],
      [1, 1e-3],
      [-50, 0.05],
    ] as const) {
      expect(() => expectClose(f64(expected + 0.99 * allowed), f64(expected), scaled)).not.toThrow();
      expect(() => expectClose(f64(expected + 1.01 * allowed), f64(expected), scaled)).toThrow(/differ/);
    }
  });

  it("names the place in every dim", () => {
    const ones = tensor([
      [
        [1, 1],
        [1, 1],
        [1, 1],
      ],
    ]);
    const other = tensor([
      [
        [1, 1],
        [1, 1],
        [1, 2],
      ],
    ]);
    expect(() => expectClose(ones, other, strict)).toThrow("[0, 2, 1] is 1, expected 2");
  });

  it.each([nan, -1, inf, 1])("refuses a tolerance of %s", (limit) => {
    expect(() => expectClose(f64(1), f64(1), { atol: limit, rtol: 0 })).toThrow(/proves nothing/);
    expect(() => expectClose(f64(1), f64(1), { atol: 0, rtol: limit })).toThrow(/proves nothing/);
  });

  it("with nonFinite wants NaN and infinities in the same places", () => {
    const loose = { ...strict, nonFinite: true };
    expect(expectClose(f64(nan, inf, -inf, 1), f64(nan, inf, -inf, 1), loose)).toBe(0);
    for (const [a, e] of [
      [nan, 1],
      [1, nan],
      [inf, -inf],
      [inf, 1],
      [1, inf],
      [nan, inf],
    ]) {
      expect(() => expectClose(f64(a!), f64(e!), loose), `${a} for ${e}`).toThrow(/1 of 1 differ/);
    }
    const wide = { atol: 0, rtol: 0.5, nonFinite: true };
    expect(() => expectClose(f64(1), f64(inf), wide), "an allowance of infinity").toThrow(/differ/);
  });
});

describe("expectSameBits", () => {
  const next = (x: number): Tensor => {
    const data = Float32Array.of(x);
    new Int32Array(data.buffer)[0]! += 1;
    return new Tensor(data, [1]);
  };
  it.each<[string, Tensor, Tensor, RegExp]>([
    ["one unit in the last place", f32(1), next(1), /1 of 1 differ in their bits/],
    ["-0 for 0", f32(1, -0), f32(1, 0), /\[1\] is -0, expected 0/],
    ["0 for -0 in float64", f64(0), f64(-0), /is 0, expected -0/],
    ["a float64 that is off in its low word", f64(1), f64(1 + Number.EPSILON), /differ/],
    ["NaN in both", f32(nan), f32(nan), /is NaN/],
    ["infinity in both", f32(inf), f32(inf), /is Infinity/],
    ["another dtype", f32(1), f64(1), /dtype/],
    ["another shape", f32(1, 2), tensor([[1, 2]]), /shape/],
    ["nothing to compare", f32(), f32(), /nothing/],
    ["another integer", tensor([1], "int32"), tensor([2], "int32"), /differ/],
  ])("refuses %s", (_, actual, expected, message) => {
    expect(() => expectSameBits(actual, expected, "x")).toThrow(message);
  });

  it("takes the same bits, wherever they lie", () => {
    expect(() => expectSameBits(f32(0.1, -0), f32(0.1, -0))).not.toThrow();
    expect(() => expectSameBits(f64(0.1), f64(0.1))).not.toThrow();
    const middle = new Tensor(Float64Array.of(7, 0.1, 7).subarray(1, 2), [1]);
    expect(() => expectSameBits(middle, f64(0.1))).not.toThrow();
  });

  it("with nonFinite takes the same NaN only", () => {
    const payload = new Float32Array(Int32Array.of(0x7fc00001).buffer);
    expect(() => expectSameBits(f32(nan, inf), f32(nan, inf), "x", { nonFinite: true })).not.toThrow();
    expect(() => expectSameBits(f32(nan), new Tensor(payload, [1]), "x", { nonFinite: true })).toThrow(/differ/);
    expect(() => expectSameBits(f32(nan), f32(1), "x", { nonFinite: true })).toThrow(/differ/);
  });
});
