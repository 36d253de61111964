// Between 16-bit floats and float32. Widening is exact: every float16 and bfloat16 value, the subnormal ones, infinities
// and NaN payloads included, is a float32. The other way float32 values are rounded, and stay float32.

import { rangeError } from "../check.js";

/** IEEE binary16 bits to float32. */
export function widenFloat16(bits: Uint16Array): Float32Array {
  const values = new Float32Array(bits.length);
  const words = new Uint32Array(values.buffer);
  for (let i = 0; i < bits.length; i++) {
    const half = bits[i] ?? 0;
    const sign = (half & 0x8000) << 16;
    const magnitude = half & 0x7fff;
    if (magnitude >= 0x7c00) words[i] = sign | 0x7f800000 | ((magnitude & 0x3ff) << 13);
    else if (magnitude >= 0x400) words[i] = sign | ((magnitude << 13) + (112 << 23));
    else values[i] = (sign === 0 ? 1 : -1) * magnitude * 2 ** -24;
  }
  return values;
}

/** bfloat16 bits (the upper half of a float32) to float32. */
export function widenBfloat16(bits: Uint16Array): Float32Array {
  const words = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) words[i] = (bits[i] ?? 0) << 16;
  return new Float32Array(words.buffer);
}

/** By the exponent of a float32: what, added and taken away again in float64, leaves a multiple of float16's last place. */
const rounders = Float64Array.from(
  { length: 255 },
  (_, exponent) => 1.5 * 2 ** (52 + Math.max(exponent - 127, -14) - 10),
);

/**
 * Rounds every value to the nearest that float16 holds, to the even one of two, in place; infinities and NaN stay.
 * @throws RangeError ERR_ARG_VALUE for a finite value that rounds to none, from 65520 on
 */
export function roundToFloat16(name: string, values: Float32Array): void {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < values.length; i++) {
    const rounder = rounders[((words[i] as number) >>> 23) & 0xff];
    if (rounder === undefined) continue;
    const value = values[i] as number;
    const rounded = value + rounder - rounder;
    if (Math.abs(rounded) >= 65536) {
      throw rangeError("ERR_ARG_VALUE", name, "values that float16 holds, less than 65520", `${value} at place ${i}`);
    }
    values[i] = rounded === 0 ? value * 0 : rounded;
  }
}
