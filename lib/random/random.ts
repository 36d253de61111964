// Random tensors with torch's own numbers: one generator per module, as torch has one for the CPU, and torch's two ways
// from its words to normal numbers, one for fewer than 16 elements and one for more.
// https://docs.pytorch.org/docs/stable/notes/randomness.html

import { randomBytes } from "node:crypto";
import type { FloatArray } from "../../binding.js";
import { describe, rangeError, typeError } from "../check.js";
import { allocate, checkDType, checkShape, product } from "../tensor/strided.js";
import { Tensor } from "../tensor/tensor.js";
import { fma32, fma64, log32, sincos32 } from "./float-math.js";
import { MT19937 } from "./mt19937.js";

let generator = new MT19937(randomBytes(4).readUInt32LE());
// Box and Muller's method gives normal numbers in pairs; the serial way keeps the second for its next call.
let spareNormal: number | null = null;

/**
 * Seeds the generator that `rand`, `randn` and the initial weights of every module draw from: the same numbers follow as after
 * `torch.manual_seed(seed)`. Until then it runs from a random seed.
 * https://docs.pytorch.org/docs/stable/generated/torch.manual_seed.html
 * @param seed a whole number from −2⁶³ to 2⁶⁴ − 1; its low 32 bits count, as in torch
 * @throws TypeError ERR_ARG_TYPE when it is neither number nor bigint; RangeError ERR_ARG_VALUE outside or fractional
 * @example
 * ```ts
 * manualSeed(0);
 * console.log(rand([2])); // → tensor([0.4963, 0.7682], shape=(2,), dtype=float32)
 * ```
 */
export function manualSeed(seed: number | bigint): void {
  const expected = "an integer from -2^63 to 2^64 - 1";
  if (typeof seed !== "number" && typeof seed !== "bigint") {
    throw typeError("ERR_ARG_TYPE", "seed", expected, describe(seed));
  }
  const whole = typeof seed === "bigint" || Number.isInteger(seed) ? BigInt(seed) : null;
  if (whole === null || whole < -(2n ** 63n) || whole >= 2n ** 64n) {
    throw rangeError("ERR_ARG_VALUE", "seed", expected, describe(seed));
  }
  generator = new MT19937(Number(BigInt.asUintN(32, whole)));
  spareNormal = null;
}

/** Uniform on [0, 1): 24 bits of one word. */
function draw32(): number {
  return (generator.next() & 0xffffff) * 2 ** -24;
}

/** Uniform on [0, 1): 53 bits of two words, the first one on top. */
function draw64(): number {
  const high = generator.next() & 0x1fffff;
  return (high * 2 ** 32 + generator.next()) * 2 ** -53;
}

/**
 * Fills an array with numbers uniform on [from, to), as `torch.nn.init.uniform_` does: limits of the array's precision,
 * and one fused multiply-add per element, which is what torch's kernels come to on AVX2, AVX-512 and ARM.
 * @internal
 */
export function uniform(into: FloatArray, from: number, to: number): void {
  if (into.BYTES_PER_ELEMENT === 4) {
    const low = Math.fround(from);
    const range = Math.fround(Math.fround(to) - low);
    for (let i = 0; i < into.length; i++) into[i] = fma32(draw32(), range, low);
  } else {
    for (let i = 0; i < into.length; i++) into[i] = fma64(draw64(), to - from, from);
  }
}

function serialNormal(): number {
  if (spareNormal !== null) {
    const spare = spareNormal;
    spareNormal = null;
    return spare;
  }
  const angle = 2 * Math.PI * draw64();
  const radius = Math.sqrt(-2 * Math.log1p(-draw64()));
  spareNormal = radius * Math.sin(angle);
  return radius * Math.cos(angle);
}

/** Turns 16 uniform numbers from `at` into normal ones: eight radii and eight angles. */
function normalBlock32(data: FloatArray, at: number): void {
  for (let i = at; i < at + 8; i++) {
    const radius = Math.fround(Math.sqrt(-2 * log32(1 - (data[i] as number))));
    const [sin, cos] = sincos32(Math.fround(Math.fround(2 * Math.PI) * (data[i + 8] as number)));
    data[i] = radius * cos + 0;
    data[i + 8] = radius * sin + 0;
  }
}

function normalBlock64(data: FloatArray, at: number): void {
  for (let i = at; i < at + 8; i++) {
    const radius = Math.sqrt(-2 * Math.log(1 - (data[i] as number)));
    const angle = 2 * Math.PI * (data[i + 8] as number);
    data[i] = radius * Math.cos(angle) + 0;
    data[i + 8] = radius * Math.sin(angle) + 0;
  }
}

/**
 * Fills an array with normal numbers of mean 0 and variance 1, as `torch.nn.init.normal_` does.
 * @internal
 */
export function normal(into: FloatArray): void {
  const size = into.length;
  if (size < 16) {
    for (let i = 0; i < size; i++) into[i] = serialNormal() + 0;
    return;
  }
  const single = into.BYTES_PER_ELEMENT === 4;
  const draw = single ? draw32 : draw64;
  const block = single ? normalBlock32 : normalBlock64;
  for (let i = 0; i < size; i++) into[i] = draw();
  for (let at = 0; at + 16 <= size; at += 16) block(into, at);
  if (size % 16 === 0) return;
  // The last 16 are drawn anew, over whole ones already there.
  for (let i = size - 16; i < size; i++) into[i] = draw();
  block(into, size - 16);
}

function floatTensor(shape: readonly number[], dtype: unknown, fill: (data: FloatArray) => void): Tensor {
  const dims = checkShape("shape", shape);
  const kind = checkDType("dtype", dtype);
  const data = allocate("shape", kind, product(dims));
  if (data instanceof Int32Array) throw typeError("ERR_DTYPE", "dtype", '"float32" or "float64"', describe(dtype));
  fill(data);
  return new Tensor(data, dims);
}

/**
 * Numbers uniform on [0, 1): after the same seed, torch's to the last bit.
 * https://docs.pytorch.org/docs/stable/generated/torch.rand.html
 * @throws RangeError ERR_SHAPE for a bad shape; TypeError ERR_ARG_TYPE, ERR_DTYPE
 * @example
 * ```ts
 * const x = rand([2, 3]);
 * console.log(x.shape, x.data.every((value) => value >= 0 && value < 1)); // → [ 2, 3 ] true
 * ```
 */
export function rand(shape: readonly number[], dtype: "float32" | "float64" = "float32"): Tensor {
  return floatTensor(shape, dtype, (data) => uniform(data, 0, 1));
}

/**
 * Normal numbers of mean 0 and variance 1: after the same seed, in float32 torch's to the last bit (as it computes them
 * with AVX2 and above), in float64 to a few units in the last place, because JavaScript's logarithm, sine and cosine are
 * not those of the C library.
 * https://docs.pytorch.org/docs/stable/generated/torch.randn.html
 * @throws RangeError ERR_SHAPE for a bad shape; TypeError ERR_ARG_TYPE, ERR_DTYPE
 * @example
 * ```ts
 * manualSeed(0);
 * console.log(randn([3], "float64").dtype, randn([2, 2]).shape); // → float64 [ 2, 2 ]
 * ```
 */
export function randn(shape: readonly number[], dtype: "float32" | "float64" = "float32"): Tensor {
  return floatTensor(shape, dtype, normal);
}
