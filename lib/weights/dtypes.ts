// The element types of weight files, by safetensors' names: how wide each is, and what a Tensor makes of it. Widened is what fits exactly:
// floats of 8 and 16 bits to float32, integers of up to 16 bits and booleans to int32, wider integers when every value fits.
// The rest has no Tensor and is passed over, with the reason to give to whoever asks for it.
// The list: https://docs.rs/safetensors/latest/safetensors/tensor/enum.Dtype.html

import type { TensorData } from "../tensor/tensor.js";
import { type Float8Kind, widenFloat8 } from "./float8.js";
import { widenBfloat16, widenFloat16 } from "./half.js";

/** Bits an element takes. */
export const bitWidths = {
  ...{ F64: 64, F32: 32, F16: 16, BF16: 16 },
  ...{ F8_E4M3: 8, F8_E5M2: 8, F8_E4M3FNUZ: 8, F8_E5M2FNUZ: 8, F8_E8M0: 8, F6_E2M3: 6, F6_E3M2: 6, F4: 4 },
  ...{ I64: 64, I32: 32, I16: 16, I8: 8, U64: 64, U32: 32, U16: 16, U8: 8, BOOL: 8, C64: 64 },
} as const;

export type FileDType = keyof typeof bitWidths;

/** Why no Tensor holds the numbers of this type, whatever they are; undefined when one may. */
export function unreadable(dtype: FileDType): string | undefined {
  if (dtype === "C64") return "C64, complex numbers, which no Tensor holds";
  return bitWidths[dtype] < 8 ? `${dtype}, numbers of ${bitWidths[dtype]} bits, which are not read` : undefined;
}

const float8Kinds: Partial<Record<FileDType, Float8Kind>> = {
  F8_E4M3: "E4M3FN",
  F8_E5M2: "E5M2",
  F8_E4M3FNUZ: "E4M3FNUZ",
  F8_E5M2FNUZ: "E5M2FNUZ",
  F8_E8M0: "E8M0FNU",
};

/** Integers that may not fit in int32, and the first that does not. */
function narrow(values: Uint32Array | BigInt64Array | BigUint64Array, dtype: FileDType): Int32Array | string {
  const narrowed = new Int32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number | bigint;
    if (value < -(2 ** 31) || value >= 2 ** 31) return `${dtype} values that int32 does not hold, such as ${value}`;
    narrowed[i] = Number(value);
  }
  return narrowed;
}

/**
 * The elements as a Tensor holds them, or why it does not.
 * @param bytes as the file has them, little-endian as is the host, at the start of a buffer of their own, which is kept
 */
export function widen(dtype: FileDType, { buffer }: Uint8Array<ArrayBuffer>): TensorData | string {
  const kind = float8Kinds[dtype];
  if (kind !== undefined) return widenFloat8(kind, new Uint8Array(buffer));
  switch (dtype) {
    case "F32":
      return new Float32Array(buffer);
    case "F64":
      return new Float64Array(buffer);
    case "F16":
      return widenFloat16(new Uint16Array(buffer));
    case "BF16":
      return widenBfloat16(new Uint16Array(buffer));
    case "I32":
      return new Int32Array(buffer);
    case "I16":
      return Int32Array.from(new Int16Array(buffer));
    case "I8":
      return Int32Array.from(new Int8Array(buffer));
    case "U16":
      return Int32Array.from(new Uint16Array(buffer));
    case "U8":
      return Int32Array.from(new Uint8Array(buffer));
    case "BOOL":
      return Int32Array.from(new Uint8Array(buffer), (byte) => (byte === 0 ? 0 : 1));
    case "I64":
      return narrow(new BigInt64Array(buffer), dtype);
    case "U64":
      return narrow(new BigUint64Array(buffer), dtype);
    case "U32":
      return narrow(new Uint32Array(buffer), dtype);
    default:
      return unreadable(dtype) ?? `${dtype}, which is not read`;
  }
}
