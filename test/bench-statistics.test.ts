// The numbers that measurements are brought down to, on cases with known answers, and the comparison that lets no wrong
// result be timed.

import { describe, expect, it } from "vitest";
import { compare, elements } from "../bench/src/problem.js";
import { fitPowerLaw, geometricMean, medianOf, quantileOf } from "../bench/src/statistics.js";

describe("medianOf", () => {
  it.each([
    [[3], 3],
    [[5, 1, 3], 3],
    [[4, 1, 3, 2], 2.5],
    [[10, 9, 100], 10],
  ])("of %o is %d", (values, median) => expect(medianOf(values)).toBe(median));

  it("leaves its argument as it was, and of nothing is NaN", () => {
    const values = [2, 1];
    medianOf(values);
    expect(values).toEqual([2, 1]);
    expect(medianOf([])).toBeNaN();
  });
});

it("quantileOf is what all but the rest do not exceed", () => {
  const values = [7, 1, 3, 9, 5, 2, 4, 10, 8, 6];
  expect([0, 0.5, 0.9, 1].map((q) => quantileOf(values, q))).toEqual([1, 6, 10, 10]);
  expect(quantileOf([], 0.9)).toBeNaN();
});

it("geometricMean", () => {
  expect(geometricMean([2, 8])).toBeCloseTo(4, 12);
  expect(geometricMean([0.5, 2])).toBeCloseTo(1, 12);
  expect(geometricMean([])).toBeNaN();
});

describe("fitPowerLaw", () => {
  it.each([0, 0.5, 1, 2, -1.5])("finds the exponent %d and its factor", (exponent) => {
    const points = [1, 3, 10, 200].map((x) => ({ x, y: 7 * x ** exponent }));
    const law = fitPowerLaw(points);
    expect(law.exponent).toBeCloseTo(exponent, 10);
    expect(law.factor).toBeCloseTo(7, 9);
  });

  it("lies between points that are off it", () => {
    const { exponent } = fitPowerLaw([
      { x: 1, y: 1 },
      { x: 2, y: 2.2 },
      { x: 4, y: 3.6 },
    ]);
    expect(exponent).toBeCloseTo(Math.log(3.6) / Math.log(4), 10);
  });
});

describe("compare", () => {
  const ours = { output: Float32Array.of(1, 2), hn: Float32Array.of(2), cn: Float32Array.of(3) };

  it("gives the largest difference, final states included", () => {
    expect(compare("x", ours, { ...ours, cn: Float32Array.of(3.00005) })).toBeCloseTo(5e-5, 6);
    expect(compare("x", ours, { output: ours.output })).toBe(0);
  });

  it.each([
    ["a wrong value", { ...ours, output: Float32Array.of(1, 2.001) }],
    ["a wrong state", { ...ours, hn: Float32Array.of(2.1) }],
    ["NaN", { ...ours, cn: Float32Array.of(Number.NaN) }],
    ["another length", { ...ours, output: Float32Array.of(1) }],
  ])("refuses %s", (_what, theirs) => expect(() => compare("x", ours, theirs)).toThrow(/^x: /));

  it("holds float64 to more", () => {
    const fine = { output: Float64Array.of(1) };
    expect(() => compare("x", fine, { output: Float64Array.of(1 + 1e-9) })).toThrow(/x: output/);
    expect(compare("x", fine, { output: Float64Array.of(1 + 1e-12) })).toBeLessThan(1e-11);
  });

  it("takes floating-point elements alone", () => {
    expect(() => elements({ data: Int32Array.of(1) })).toThrow(/neither/);
    expect(() => elements(undefined)).toThrow(/neither/);
  });
});
