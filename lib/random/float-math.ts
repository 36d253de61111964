// Floating-point operations that JavaScript lacks and torch's CPU kernels use: fused multiply-add in both precisions, and
// the Cephes single-precision logarithm, sine and cosine, each step rounded as those kernels round it.
// They are exact re-enactments, not fast; only random has use for them.

const { fround } = Math;
const doubles = new Float64Array(1);
const words = new Uint32Array(doubles.buffer);
const low = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 0 : 1;
const floats = new Float32Array(1);
const floatBits = new Int32Array(floats.buffer);

/** a·b + c of three float32 values, rounded once to float32. For results in the normal range. */
export function fma32(a: number, b: number, c: number): number {
  const product = a * b; // exact: 24 + 24 bits
  const sum = product + c;
  doubles[0] = sum;
  // Rounding twice can go wrong only where the first rounding ended half-way between two float32 values.
  if (((words[low] as number) & 0x1fffffff) !== 0x10000000) return fround(sum);
  const part = sum - product;
  const error = product - (sum - part) + (c - part);
  if (error !== 0) words[low] = (words[low] as number) + (error > 0 === sum > 0 ? 1 : -1);
  return fround(doubles[0]);
}

function twoSum(a: number, b: number): [sum: number, error: number] {
  const sum = a + b;
  const part = sum - a;
  return [sum, a - (sum - part) + (b - part)];
}

function split(a: number): [high: number, low: number] {
  const scaled = a * 134217729; // 2²⁷ + 1
  const high = scaled - (scaled - a);
  return [high, a - high];
}

/** a·b + c of three float64 values, rounded once. For magnitudes far from the ends of the range. */
export function fma64(a: number, b: number, c: number): number {
  const product = a * b;
  const [ah, al] = split(a);
  const [bh, bl] = split(b);
  const rest = al * bl - (product - ah * bh - al * bh - ah * bl);
  const [middle, tail] = twoSum(c, rest);
  const [head, mid] = twoSum(product, middle);
  // The last two terms are added with rounding to odd, so that the final sum rounds as if all had been exact
  // (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums").
  const [sum, error] = twoSum(mid, tail);
  doubles[0] = sum;
  if (error !== 0 && ((words[low] as number) & 1) === 0) {
    if (error > 0 === sum > 0) words[low] = (words[low] as number) + 1;
    else return head + previous(sum);
  }
  return head + doubles[0];
}

/** The neighbour of a float64 value towards zero. */
function previous(value: number): number {
  doubles[0] = value;
  const borrow = words[low] === 0;
  words[low] = (words[low] as number) - 1;
  if (borrow) words[1 - low] = (words[1 - low] as number) - 1;
  return doubles[0];
}

/** Horner's rule with one fused step per coefficient, highest first. */
function polynomial(x: number, coefficients: Float32Array): number {
  let y = coefficients[0] as number;
  for (let i = 1; i < coefficients.length; i++) y = fma32(y, x, coefficients[i] as number);
  return y;
}

const LOG = Float32Array.of(
  7.0376836292e-2,
  -1.151461031e-1,
  1.167699874e-1,
  -1.2420140846e-1,
  1.4249322787e-1,
  -1.6668057665e-1,
  2.0000714765e-1,
  -2.4999993993e-1,
  3.3333331174e-1,
);
const SQRT_HALF = fround(Math.SQRT1_2);
const LN2_LOW = fround(-2.1219444e-4);
const LN2_HIGH = 0.693359375;

/** The natural logarithm of a positive, normal float32 value. */
export function log32(value: number): number {
  floats[0] = value;
  const bits = floatBits[0] as number;
  // value = x · 2^e with x from √½ to √2
  let e = (bits >> 23) - 126;
  floatBits[0] = (bits & 0x7fffff) | 0x3f000000;
  let x = floats[0] as number;
  if (x < SQRT_HALF) {
    e -= 1;
    x += x;
  }
  x = fround(x - 1);
  const square = fround(x * x);
  const curve = fround(polynomial(x, LOG) * x);
  const y = fround(fma32(curve, square, fround(e * LN2_LOW)) - 0.5 * square);
  return fround(fround(x + y) + e * LN2_HIGH);
}

const SIN = Float32Array.of(-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1);
const COS = Float32Array.of(2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2);
const FOUR_OVER_PI = fround(4 / Math.PI);
// −π/4 in three parts, so that whole multiples can be taken away without loss
const QUARTERS = Float32Array.of(-0.78515625, -2.4187564849853516e-4, -3.774894977445941e-8);

/** Sine and cosine of a float32 angle from 0 to some thousands. */
export function sincos32(angle: number): [sin: number, cos: number] {
  const octant = (Math.trunc(fround(angle * FOUR_OVER_PI)) + 1) & ~1;
  let x = angle;
  for (const part of QUARTERS) x = fma32(octant, part, x);
  const square = fround(x * x);
  const even = fround(fma32(fround(polynomial(square, COS) * square), square, -0.5 * square) + 1);
  const odd = fma32(fround(polynomial(square, SIN) * square), x, x);
  const swap = (octant & 2) !== 0;
  const sin = swap ? even : odd;
  const cos = swap ? odd : even;
  return [octant & 4 ? -sin : sin, (octant - 2) & 4 ? cos : -cos];
}
