// The one comparator: two tensors are close, or they are the same bits. Shapes and dtypes must agree, there must be
// something to compare, and unless it is said otherwise every element must be finite: NaN compares false with
// everything, so a comparison written the other way round would let it through.

import type { Tensor, TensorData } from "../../lib/tensor/tensor.js";

export interface Tolerance {
  /** Absolute part. */
  atol: number;
  /** Part relative to |expected|. */
  rtol: number;
  /** Where |expected| is beyond 1, `atol` is relative to it. Default false. */
  scaled?: boolean;
  /** What is compared, for the message. */
  label?: string;
  /** Takes NaN where NaN is expected, and an infinity where the same one is. Default false: neither may occur. */
  nonFinite?: boolean;
}

function fail(label: string, why: string): never {
  throw new Error(`${label}: ${why}`);
}

function place(flat: number, shape: readonly number[]): string {
  const index: number[] = [];
  for (let rest = flat, d = shape.length - 1; d >= 0; d--) {
    index.unshift(rest % shape[d]!);
    rest = Math.floor(rest / shape[d]!);
  }
  return `[${index.join(", ")}]`;
}

function checkComparable(actual: Tensor, expected: Tensor, label: string, nonFinite: boolean): void {
  if (actual.dtype !== expected.dtype) fail(label, `dtype ${actual.dtype}, expected ${expected.dtype}`);
  if (actual.shape.join() !== expected.shape.join() || actual.shape.length !== expected.shape.length) {
    fail(label, `shape (${actual.shape.join(", ")}), expected (${expected.shape.join(", ")})`);
  }
  if (actual.data.length !== expected.data.length) {
    fail(label, `${actual.data.length} elements, expected ${expected.data.length}`);
  }
  if (actual.data.length === 0) fail(label, "nothing to compare");
  if (nonFinite) return;
  for (const [whose, { data, shape }] of Object.entries({ actual, expected })) {
    const bad = data.findIndex((x) => !Number.isFinite(x));
    if (bad >= 0) fail(label, `${whose} value at ${place(bad, shape)} is ${data[bad]}`);
  }
}

/**
 * Fails unless |actual − expected| ≤ atol + rtol·|expected| for every element; with `scaled`, atol·max(1, |expected|).
 * @returns the largest |actual − expected|
 */
export function expectClose(actual: Tensor, expected: Tensor, tolerance: Tolerance): number {
  const { atol, rtol, scaled = false, label = "tensor", nonFinite = false } = tolerance;
  for (const limit of [atol, rtol])
    if (!(limit >= 0 && limit < 1)) fail(label, `a tolerance of ${limit} proves nothing`);
  checkComparable(actual, expected, label, nonFinite);
  let worst = 0;
  let beyond = 0;
  let first = "";
  for (let i = 0; i < actual.data.length; i++) {
    const [a, e] = [actual.data[i]!, expected.data[i]!];
    if (nonFinite && (a === e || (Number.isNaN(a) && Number.isNaN(e)))) continue;
    const error = Math.abs(a - e);
    if (error > worst) worst = error;
    if (Number.isFinite(error) && error <= (scaled ? atol * Math.max(1, Math.abs(e)) : atol) + rtol * Math.abs(e))
      continue;
    if (beyond++ === 0) first = `${place(i, actual.shape)} is ${a}, expected ${e}`;
  }
  if (beyond > 0) fail(label, `${first}; ${beyond} of ${actual.size} differ, by ${worst} at most`);
  return worst;
}

function bitsOf(data: TensorData): BigInt64Array | Int32Array {
  const whole = data.slice(); // so that it starts at offset 0, where any view may begin
  return data.BYTES_PER_ELEMENT === 8 ? new BigInt64Array(whole.buffer) : new Int32Array(whole.buffer);
}

/** Fails unless every element has the very bits expected: 0 is not −0, and with `nonFinite` one NaN is not another. */
export function expectSameBits(
  actual: Tensor,
  expected: Tensor,
  label = "tensor",
  options: { nonFinite?: boolean } = {},
): void {
  checkComparable(actual, expected, label, options.nonFinite ?? false);
  const [a, e] = [bitsOf(actual.data), bitsOf(expected.data)];
  let differing = 0;
  let first = -1;
  for (let i = 0; i < a.length; i++) {
    if (a[i] === e[i]) continue;
    if (differing++ === 0) first = i;
  }
  if (differing === 0) return;
  const show = (x: number | undefined): string => (Object.is(x, -0) ? "-0" : String(x));
  const values = `is ${show(actual.data[first])}, expected ${show(expected.data[first])}`;
  fail(label, `${place(first, actual.shape)} ${values}; ${differing} of ${actual.size} differ in their bits`);
}
