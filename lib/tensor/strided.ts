// Shapes, dims, strides and the one strided copy that every rearranging operation is made of.
// It knows typed arrays and lists of numbers, no Tensor.

import { Buffer } from "node:buffer";
import {
  checkInt,
  describe,
  type ErrorCode,
  formatShape,
  isArray,
  rangeError,
  reading,
  typedArrayKind,
  typeError,
} from "../check.js";

/** The typed arrays a Tensor can hold. */
export type TensorData = Float32Array | Float64Array | Int32Array;

/** What can be rearranged: a Tensor's elements, and narrower ones of which those are made. */
export type Elements = TensorData | Uint8Array | Uint16Array;

/** The element types of a Tensor. */
export type DType = "float32" | "float64" | "int32";

// torch allows no more dims either; it also bounds the recursion of toArray.
const MAX_RANK = 64;

const dtypeOfKind: Record<string, DType> = { Float32Array: "float32", Float64Array: "float64", Int32Array: "int32" };

/** The dtype of a typed array, or undefined when no Tensor can hold it. */
export function dtypeOf(data: unknown): DType | undefined {
  const kind = typedArrayKind(data);
  return kind === undefined ? undefined : dtypeOfKind[kind];
}

/** A Float16Array, where the language has them, as a Float32Array, which holds each of its values exactly; others as they are. */
export function widen(name: string, data: unknown): unknown {
  if (typedArrayKind(data) !== "Float16Array") return data;
  const halves = data as ArrayLike<number>;
  const floats = allocate(name, "float32", halves.length);
  for (let i = 0; i < halves.length; i++) floats[i] = halves[i] as number;
  return floats;
}

/** True for the typed arrays a Tensor can hold; right across realms. */
export function isTensorData(data: unknown): data is TensorData {
  return dtypeOf(data) !== undefined;
}

/** One of the three dtypes. @throws TypeError ERR_ARG_TYPE when it is no string, ERR_DTYPE when it is another */
export function checkDType(name: string, dtype: unknown): DType {
  if (dtype === "float32" || dtype === "float64" || dtype === "int32") return dtype;
  const code: ErrorCode = typeof dtype === "string" ? "ERR_DTYPE" : "ERR_ARG_TYPE";
  throw typeError(code, name, '"float32", "float64" or "int32"', describe(dtype));
}

/** The element types that modules compute in. */
export type FloatDType = "float32" | "float64";

/** One of the two. @throws TypeError ERR_ARG_TYPE when it is no string, ERR_DTYPE when it is another */
export function checkFloatDType(name: string, dtype: unknown): FloatDType {
  if (dtype === "float32" || dtype === "float64") return dtype;
  const code: ErrorCode = typeof dtype === "string" ? "ERR_DTYPE" : "ERR_ARG_TYPE";
  throw typeError(code, name, '"float32" or "float64"', describe(dtype));
}

/** A zeroed array of a dtype. @throws RangeError ERR_ARG_VALUE when that much memory cannot be had */
export function allocate(name: string, dtype: FloatDType, size: number): Float32Array | Float64Array;
export function allocate(name: string, dtype: DType, size: number): TensorData;
export function allocate(name: string, dtype: DType, size: number): TensorData {
  try {
    if (dtype === "float32") return new Float32Array(size);
    return dtype === "float64" ? new Float64Array(size) : new Int32Array(size);
  } catch {
    throw rangeError("ERR_ARG_VALUE", name, "a size that memory can hold", `${size} elements of ${dtype}`);
  }
}

// A large array is mostly waited for: zeroing 6.5 MB took a thirtieth of the pass that then wrote all of it.
const worthLeavingUnset = 1 << 16;

/**
 * An array of a dtype that holds anything, for one who writes every element before anybody sees it.
 * @throws as `allocate`
 */
export function allocateUnset(name: string, dtype: FloatDType, size: number): Float32Array | Float64Array;
export function allocateUnset(name: string, dtype: DType, size: number): TensorData;
export function allocateUnset(name: string, dtype: DType, size: number): TensorData {
  const bytes = size * (dtype === "float64" ? 8 : 4);
  if (bytes < worthLeavingUnset) return allocate(name, dtype, size);
  let buffer: ArrayBufferLike;
  try {
    buffer = Buffer.allocUnsafeSlow(bytes).buffer;
  } catch {
    return allocate(name, dtype, size);
  }
  if (buffer.byteLength !== bytes) return allocate(name, dtype, size); // a runtime that pools these too
  if (dtype === "float32") return new Float32Array(buffer);
  return dtype === "float64" ? new Float64Array(buffer) : new Int32Array(buffer);
}

/** The elements of an array, copied and converted. @throws as `allocate`, where the language's own copies fail without a code */
export function copyAs(name: string, dtype: FloatDType, data: TensorData): Float32Array | Float64Array;
export function copyAs(name: string, dtype: DType, data: TensorData): TensorData;
export function copyAs(name: string, dtype: DType, data: TensorData): TensorData {
  const copy = allocateUnset(name, dtype, data.length);
  copy.set(data);
  return copy;
}

/** Says why an array may be shorter than its shape: a buffer that was transferred away, or resized. */
export function bufferNote(data: ArrayBufferView): string {
  try {
    new Uint8Array(data.buffer, 0, 0);
  } catch {
    return " whose buffer is detached";
  }
  const { resizable, growable } = data.buffer as { resizable?: boolean; growable?: boolean };
  return resizable || growable ? " whose buffer was resized" : "";
}

/** True for an array or a typed array of any kind. */
export function isList(value: unknown): value is ArrayLike<unknown> {
  return typedArrayKind(value) !== undefined || isArray(value);
}

/**
 * The elements of a list, each judged as it is read, by its place: a hole reads as undefined, and nothing is believed of
 * the list's own methods, so that an odd one ends at its first odd element.
 * @throws RangeError ERR_SHAPE when its buffer is detached; TypeError ERR_ARG_TYPE when it cannot be read; what `judge` throws
 */
export function mapList<T>(name: string, list: ArrayLike<unknown>, judge: (item: unknown, place: number) => T): T[] {
  return reading(name, () => {
    checkAttached(name, list);
    const judged: T[] = [];
    for (let i = 0; i < list.length; i++) judged.push(judge(list[i], i));
    return judged;
  });
}

/** Whether a value is an array of numbers nested to any depth, with rows of one length, as `tensor` takes it. */
export function isNested(value: unknown): boolean {
  const shape: number[] = [];
  try {
    for (let level: unknown = value; isArray(level) && shape.length <= MAX_RANK; level = level[0]) {
      shape.push(level.length);
    }
    const fits = (part: unknown, d: number): boolean => {
      if (d === shape.length) return typeof part === "number";
      if (!isArray(part) || part.length !== shape[d]) return false;
      for (let i = 0; i < part.length; i++) if (!fits(part[i], d + 1)) return false; // every() would pass over holes
      return true;
    };
    return shape.length > 0 && shape.length <= MAX_RANK && fits(value, 0);
  } catch {
    return false;
  }
}

/** An array whose buffer was transferred away looks like an empty one. @throws RangeError ERR_SHAPE */
export function checkAttached(name: string, list: ArrayLike<unknown>): void {
  if (list.length > 0 || !ArrayBuffer.isView(list)) return;
  const note = bufferNote(list);
  if (note.endsWith("detached")) throw rangeError("ERR_SHAPE", name, "elements", `${describe(list)}${note}`);
}

/** What `Tensor.toArray` gives: a number for a tensor of shape (), else arrays of arrays of numbers. */
export type NestedNumbers = number | NestedNumbers[];

/** Dense elements as arrays of arrays, row by row. */
export function nest(data: TensorData, shape: readonly number[], d = 0, row = 0): NestedNumbers {
  const size = shape[d];
  if (size === undefined) return data[row] as number;
  if (d === shape.length - 1) return Array.from(data.subarray(row * size, (row + 1) * size));
  return Array.from({ length: size }, (_, i) => nest(data, shape, d + 1, row * size + i));
}

/** The number of elements of a shape; 1 for (). */
export function product(shape: readonly number[]): number {
  return shape.reduce((count, dim) => count * dim, 1);
}

/**
 * A shape as a fresh list of whole numbers from 0 up.
 * @throws TypeError ERR_ARG_TYPE when it is no list of numbers; RangeError ERR_SHAPE for negative or fractional dims,
 *   and for more elements than can be counted
 */
export function checkShape(name: string, shape: unknown): number[] {
  if (!isList(shape)) throw typeError("ERR_ARG_TYPE", name, "a shape (an array of integers)", describe(shape));
  const checked = mapList(name, shape, (dim, place) => {
    if (place === MAX_RANK) throw rangeError("ERR_SHAPE", name, `at most ${MAX_RANK} dims`, `${shape.length}`);
    if (typeof dim !== "number") throw typeError("ERR_ARG_TYPE", name, "dims that are integers", describe(dim));
    if (!Number.isSafeInteger(dim) || dim < 0) {
      throw rangeError("ERR_SHAPE", name, "dims that are integers from 0 up", describe(dim));
    }
    return dim;
  });
  const size = product(checked.filter((dim) => dim !== 0));
  if (!Number.isSafeInteger(size)) throw rangeError("ERR_SHAPE", name, "a countable size", formatShape(checked));
  return checked;
}

/** A dim, negative ones counting from the end, as 0 to rank − 1. A rank of 0 counts as 1, as in torch. */
export function checkDim(name: string, dim: unknown, rank: number): number {
  const wrap = Math.max(rank, 1);
  const checked = checkInt(name, dim, { min: -wrap, max: wrap - 1 });
  return checked < 0 ? checked + wrap : checked + 0;
}

/** An index into a dim of some size, negative ones counting from the end, as 0 to size − 1. */
export function checkIndex(name: string, index: unknown, size: number): number {
  if (size === 0)
    throw rangeError("ERR_ARG_VALUE", name, "a dim that is not empty", `index ${describe(index)} into size 0`);
  const checked = checkInt(name, index, { min: -size, max: size - 1 });
  return checked < 0 ? checked + size : checked + 0;
}

/** Without a closure: it is on the path of every single step of an LSTM. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  let same = a.length === b.length;
  for (let dim = 0; same && dim < a.length; dim++) same = a[dim] === b[dim];
  return same;
}

/** The strides, in elements, of a dense row-major tensor. */
export function denseStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    strides[d] = step;
    step *= shape[d] ?? 1;
  }
  return strides;
}

/** Joins dims that lie one behind the other in memory and drops dims of 1, so that the copy runs over long rows. */
function mergeDims(shape: readonly number[], strides: readonly number[]): { sizes: number[]; steps: number[] } {
  const sizes: number[] = [];
  const steps: number[] = [];
  shape.forEach((size, d) => {
    const stride = strides[d] ?? 0;
    const last = sizes.length - 1;
    if (size === 1) return;
    if (last >= 0 && steps[last] === stride * size) {
      sizes[last] = (sizes[last] ?? 1) * size;
      steps[last] = stride;
    } else {
      sizes.push(size);
      steps.push(stride);
    }
  });
  return { sizes, steps };
}

/** Copies `count` neighbouring elements. Below some twenty elements a call costs more than the loop. */
export function copyRun(into: Elements, to: number, from: Elements, at: number, count: number): void {
  if (count >= 24) into.set(from.subarray(at, at + count), to);
  else for (let i = 0; i < count; i++) into[to + i] = from[at + i] as number;
}

/**
 * Writes the elements that `shape`, `strides` and `offset` select in `from` to `into`, row-major, from its start.
 * The caller has made sure that every one of them lies inside `from` and that `into` has room.
 */
export function copyStrided(
  into: Elements,
  from: Elements,
  shape: readonly number[],
  strides: readonly number[],
  offset: number,
): void {
  if (product(shape) === 0) return;
  const { sizes, steps } = mergeDims(shape, strides);
  const run = sizes.pop() ?? 1;
  const step = steps.pop() ?? 1;
  const rows = product(sizes);
  const index = new Array<number>(sizes.length).fill(0);
  let at = offset;
  let to = 0;
  for (let row = 0; row < rows; row++) {
    if (step === 1) copyRun(into, to, from, at, run);
    else for (let i = 0; i < run; i++) into[to + i] = from[at + i * step] as number;
    to += run;
    for (let d = sizes.length - 1; d >= 0; d--) {
      const size = sizes[d] as number;
      const stride = steps[d] as number;
      const next = (index[d] as number) + 1;
      at += stride;
      index[d] = next;
      if (next < size) break;
      at -= size * stride;
      index[d] = 0;
    }
  }
}
