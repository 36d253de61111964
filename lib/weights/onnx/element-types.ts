// The element types of ONNX tensors that constants are made of: how each is kept, what it can hold, and how a computed
// number becomes one of it. Floats of 16 bits are kept widened to float32, integers of 32 and more bits as float64.
// The types: https://onnx.ai/onnx/intro/concepts.html#element-type

import { rangeError } from "../../check.js";
import { roundToFloat16 } from "../half.js";

/** What a constant keeps its values in. */
export type ConstantData = Float32Array | Float64Array | Int8Array | Uint8Array | Int16Array | Uint16Array;

/** Told how many bytes a result takes, before it is made; throws when that is too many. */
export type Pay = (bytes: number) => void;

/** TensorProto.DataType, as far as values of it are read. */
export const FLOAT = 1;
export const UINT8 = 2;
export const INT8 = 3;
export const UINT16 = 4;
export const INT16 = 5;
export const INT32 = 6;
export const INT64 = 7;
export const BOOL = 9;
export const FLOAT16 = 10;
export const DOUBLE = 11;
export const UINT32 = 12;
export const UINT64 = 13;
export const BFLOAT16 = 16;
export const UINT4 = 21;
export const INT4 = 22;

const names: Readonly<Record<number, string>> = {
  ...{ 1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 8: "string", 9: "bool" },
  ...{ 10: "float16", 11: "float64", 12: "uint32", 13: "uint64", 14: "complex64", 15: "complex128", 16: "bfloat16" },
  ...{ 17: "float8e4m3fn", 18: "float8e4m3fnuz", 19: "float8e5m2", 20: "float8e5m2fnuz", 21: "uint4", 22: "int4" },
  ...{ 23: "float4e2m1", 24: "float8e8m0" },
};

/** The type's name for a message. */
export function typeName(type: number): string {
  return names[type] ?? `data type ${type}`;
}

/** The limits of the integers, and the array that keeps them. */
const integers: Readonly<Record<number, readonly [min: number, max: number]>> = {
  [UINT8]: [0, 255],
  [INT8]: [-128, 127],
  [UINT16]: [0, 65535],
  [INT16]: [-32768, 32767],
  [INT32]: [-(2 ** 31), 2 ** 31 - 1],
  [INT64]: [-(2 ** 63), 2 ** 63],
  [BOOL]: [0, 1],
  [UINT32]: [0, 2 ** 32 - 1],
  [UINT64]: [0, 2 ** 64],
  [UINT4]: [0, 15],
  [INT4]: [-8, 7],
};

/** The least and the greatest value of an integer type; undefined for a float. */
export function integerLimits(type: number): readonly [min: number, max: number] | undefined {
  return integers[type];
}

/** True for the types that can stand for sizes; only in them may a value be unknown (NaN). */
export function holdsSizes(type: number): boolean {
  return type === INT64 || type === INT32;
}

const kinds: Readonly<
  Record<
    number,
    | Float32ArrayConstructor
    | Float64ArrayConstructor
    | Int8ArrayConstructor
    | Uint8ArrayConstructor
    | Int16ArrayConstructor
    | Uint16ArrayConstructor
  >
> = {
  [FLOAT]: Float32Array,
  [FLOAT16]: Float32Array,
  [BFLOAT16]: Float32Array,
  [DOUBLE]: Float64Array,
  [UINT8]: Uint8Array,
  [UINT4]: Uint8Array,
  [INT8]: Int8Array,
  [INT4]: Int8Array,
  [UINT16]: Uint16Array,
  [INT16]: Int16Array,
  [INT32]: Float64Array,
  [UINT32]: Float64Array,
  [INT64]: Float64Array,
  [UINT64]: Float64Array,
  [BOOL]: Float64Array,
};

/**
 * A zeroed array for values of a type.
 * @throws RangeError ERR_FILE for a type that is not read, and when `pay` or the memory refuses the size
 */
export function allocateValues(label: string, type: number, size: number, pay: Pay): ConstantData {
  const Kind = kinds[type];
  if (Kind === undefined) {
    throw rangeError("ERR_FILE", label, "floats of 16, 32 or 64 bits or integers", typeName(type));
  }
  pay(size * Kind.BYTES_PER_ELEMENT);
  try {
    return new Kind(size);
  } catch {
    throw rangeError("ERR_FILE", label, "a size that memory can hold", `${size} values of ${typeName(type)}`);
  }
}

/**
 * Makes what was computed in floats of more bits, in place, what the type holds: 16-bit floats are rounded to the nearest,
 * 32-bit integers wrap as they do in C.
 * @throws RangeError ERR_FILE for a 64-bit integer past 2^53, whose last digits a float64 would have lost
 */
export function settle(label: string, type: number, data: ConstantData): void {
  if (type === FLOAT16) {
    for (let i = 0; i < data.length; i++) {
      if (Math.abs(data[i] as number) >= 65520) data[i] = Math.sign(data[i] as number) * Number.POSITIVE_INFINITY;
    }
    roundToFloat16(label, data as Float32Array);
  } else if (type === BFLOAT16) {
    roundToBfloat16(data as Float32Array);
  } else if (type === INT32 || type === UINT32) {
    for (let i = 0; i < data.length; i++) {
      const value = data[i] as number;
      if (!Number.isNaN(value)) data[i] = type === INT32 ? value | 0 : value >>> 0;
    }
  } else if (type === INT64 || type === UINT64) {
    for (const value of data) {
      if (Number.isNaN(value) || Number.isSafeInteger(value)) continue;
      throw rangeError("ERR_FILE", label, "whole numbers below 2^53", `${value}`);
    }
  } else if (type === UINT4 || type === INT4) {
    for (let i = 0; i < data.length; i++)
      data[i] = type === INT4 ? ((data[i] as number) << 28) >> 28 : (data[i] as number) & 15;
  }
}

function roundToBfloat16(values: Float32Array): void {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as number;
    if ((word & 0x7fffffff) > 0x7f800000) continue; // NaN
    words[i] = (word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000;
  }
}
