// The Tensor: a typed array and its shape, dense and row-major, with the few ways to look into it and rearrange it,
// and the intake that makes Tensors and index lists of whatever a caller has.
// Every rearranging method copies, so that two Tensors share memory only where the caller made them do so.

import { checkInt, describe, type ErrorCode, formatShape, rangeError, typedArrayKind, typeError } from "./check.js";
import { type ForeignTensor, readLayout } from "./intake.js";
import {
  allocate,
  bufferNote,
  checkDim,
  checkIndex,
  checkShape,
  copyRun,
  copyStrided,
  type DType,
  denseStrides,
  dtypeOf,
  isTensorData,
  product,
  type TensorData,
} from "./strided.js";

export type { DType, TensorData } from "./strided.js";

/** What {@link Tensor.toArray} gives: a number for a tensor of shape (), else arrays of arrays of numbers. */
export type NestedNumbers = number | NestedNumbers[];

/**
 * What is taken wherever a tensor is: a {@link Tensor}, an onnxruntime tensor, an ndarray (its strides are honoured,
 * at the price of a copy), an npyjs array, or any `{ data, shape }` or `{ data, dims }`.
 */
export type TensorLike = Tensor | ForeignTensor;

/** What is taken wherever a list of whole numbers is: lengths, indices, a permutation. */
export type Ints = readonly number[] | Int32Array | BigInt64Array | Tensor;

/**
 * A dense, row-major tensor: a typed array and a shape. The array is kept, not copied; the Tensor itself is frozen,
 * its elements are the caller's to change.
 *
 * Every dim and index may be negative, and then counts from the end. `select`, `slice`, `indexSelect`, `reshape` and
 * `transpose` give new dense Tensors with memory of their own (where torch would give a view).
 * https://docs.pytorch.org/docs/stable/tensors.html
 */
export class Tensor {
  /** The elements, row-major. */
  readonly data: TensorData;
  /** The size of each dim; () has none and holds one element. */
  readonly shape: readonly number[];
  /** The element type, which is that of `data`. */
  readonly dtype: DType;
  /** The number of elements. */
  readonly size: number;

  /**
   * @param data a Float32Array, Float64Array or Int32Array; kept, not copied
   * @param shape whole numbers from 0 up whose product is the length of `data`
   * @throws TypeError ERR_ARG_TYPE or ERR_DTYPE for other data, ERR_ARG_TYPE for no shape; RangeError ERR_SHAPE for
   *   dims that are negative or fractional, or whose product is not the length
   */
  constructor(data: TensorData, shape: readonly number[]) {
    if (!isTensorData(data)) {
      const code = typedArrayKind(data) === undefined ? "ERR_ARG_TYPE" : "ERR_DTYPE";
      throw typeError(code, "data", "a Float32Array, Float64Array or Int32Array", describe(data));
    }
    const dims = checkShape("shape", shape);
    this.data = data;
    this.shape = Object.freeze(dims);
    this.dtype = dtypeOf(data) as DType;
    this.size = product(dims);
    this.#checkLength();
    Object.freeze(this);
  }

  /** The shape, under the name onnxruntime has for it. */
  get dims(): readonly number[] {
    return this.shape;
  }

  /** The dtype, under the name onnxruntime has for it. */
  get type(): DType {
    return this.dtype;
  }

  /** True for a Tensor made by this very constructor; a look-alike is not one. */
  static isTensor(value: unknown): value is Tensor {
    return typeof value === "object" && value !== null && #checkLength in value;
  }

  #checkLength(): void {
    if (this.data.length === this.size) return;
    const expected = `${this.size} elements for shape ${formatShape(this.shape)}`;
    throw rangeError("ERR_SHAPE", "data", expected, `${describe(this.data)}${bufferNote(this.data)}`);
  }

  #pick(shape: readonly number[], strides: readonly number[], offset: number): Tensor {
    this.#checkLength();
    const data = allocate("shape", this.dtype, product(shape));
    copyStrided(data, this.data, shape, strides, offset);
    return new Tensor(data, shape);
  }

  #dim(name: string, dim: unknown): number {
    if (this.shape.length === 0) throw rangeError("ERR_SHAPE", name, "a tensor of at least one dim", "shape ()");
    return checkDim(name, dim, this.shape.length);
  }

  /**
   * One element; takes as many indices as there are dims.
   * @throws RangeError ERR_SHAPE for another number of indices, ERR_ARG_VALUE for one outside its dim
   */
  at(...index: readonly number[]): number {
    if (index.length !== this.shape.length) {
      const expected = `${this.shape.length} indices for shape ${formatShape(this.shape)}`;
      throw rangeError("ERR_SHAPE", "at", expected, `${index.length}`);
    }
    this.#checkLength();
    let at = 0;
    this.shape.forEach((size, d) => {
      at = at * size + checkIndex(`at: index ${d}`, index[d], size);
    });
    return this.data[at] as number;
  }

  /**
   * The slice at one index of a dim, which is dropped: `t.select(1, -1)` is torch's `t[:, -1]`.
   * https://docs.pytorch.org/docs/stable/generated/torch.select.html
   * @throws RangeError ERR_ARG_VALUE for a dim or index outside
   */
  select(dim: number, index: number): Tensor {
    const d = this.#dim("select: dim", dim);
    const strides = denseStrides(this.shape);
    const offset = checkIndex("select: index", index, this.shape[d] as number) * (strides[d] as number);
    return this.#pick(this.shape.toSpliced(d, 1), strides.toSpliced(d, 1), offset);
  }

  /**
   * The part of a dim from `start` up to, not including, `end`; limits beyond the dim are cut to it, as in Python.
   * @throws RangeError ERR_ARG_VALUE for a dim outside or a fractional limit
   */
  slice(dim: number, start = 0, end?: number): Tensor {
    const d = this.#dim("slice: dim", dim);
    const size = this.shape[d] as number;
    const limit = (name: string, value: number): number => {
      const checked = checkInt(name, value);
      return Math.min(Math.max(checked < 0 ? checked + size : checked, 0), size);
    };
    const from = limit("slice: start", start);
    const to = limit("slice: end", end ?? size);
    const strides = denseStrides(this.shape);
    return this.#pick(this.shape.with(d, Math.max(to - from, 0)), strides, from * (strides[d] as number));
  }

  /**
   * The given indices of a dim, in the given order, repeated if repeated.
   * https://docs.pytorch.org/docs/stable/generated/torch.index_select.html
   * @throws RangeError ERR_ARG_VALUE for a dim or index outside
   */
  indexSelect(dim: number, index: Ints): Tensor {
    const d = this.#dim("indexSelect: dim", dim);
    const size = this.shape[d] as number;
    const picks = toInts("indexSelect: index", index).map((i) => checkIndex("indexSelect: index", i, size));
    this.#checkLength();
    const block = product(this.shape.slice(d + 1));
    const shape = this.shape.with(d, picks.length);
    const data = allocate("indexSelect: index", this.dtype, product(shape));
    const outer = product(this.shape.slice(0, d));
    for (let row = 0, to = 0; row < outer; row++) {
      for (const pick of picks) {
        copyRun(data, to, this.data, (row * size + pick) * block, block);
        to += block;
      }
    }
    return new Tensor(data, shape);
  }

  /**
   * The same elements in another shape; one dim may be -1 and is then worked out.
   * https://docs.pytorch.org/docs/stable/generated/torch.reshape.html
   * @throws RangeError ERR_SHAPE when the sizes do not agree
   */
  reshape(shape: readonly number[]): Tensor {
    const open = Array.isArray(shape) ? shape.indexOf(-1) : -1;
    const dims = checkShape("reshape: shape", open < 0 ? shape : shape.with(open, 1));
    const known = product(dims);
    if (open >= 0 && known > 0 && this.size % known === 0) dims[open] = this.size / known;
    if (product(dims) !== this.size || (open >= 0 && known === 0)) {
      const expected = `a shape of ${this.size} elements, as ${formatShape(this.shape)} has`;
      throw rangeError("ERR_SHAPE", "reshape: shape", expected, formatShape(shape));
    }
    return this.#pick(dims, denseStrides(dims), 0);
  }

  /**
   * The tensor with two dims swapped, its elements moved accordingly.
   * https://docs.pytorch.org/docs/stable/generated/torch.transpose.html
   * @throws RangeError ERR_ARG_VALUE for a dim outside
   */
  transpose(dim0: number, dim1: number): Tensor {
    const a = checkDim("transpose: dim0", dim0, this.shape.length);
    const b = checkDim("transpose: dim1", dim1, this.shape.length);
    const order = this.shape.map((_, d) => (d === a ? b : d === b ? a : d));
    const strides = denseStrides(this.shape);
    const shape = order.map((d) => this.shape[d] as number);
    return this.#pick(
      shape,
      order.map((d) => strides[d] as number),
      0,
    );
  }

  /** The elements as nested arrays of numbers; a plain number for shape (). */
  toArray(): NestedNumbers {
    this.#checkLength();
    const { data, shape } = this;
    const strides = denseStrides(shape);
    const nest = (d: number, at: number): NestedNumbers => {
      if (d === shape.length) return data[at] as number;
      const size = shape[d] as number;
      if (d === shape.length - 1) return Array.from(data.subarray(at, at + size));
      return Array.from({ length: size }, (_, i) => nest(d + 1, at + i * (strides[d] as number)));
    };
    return nest(0, 0);
  }
}

/**
 * Takes a tensor in any of the forms of {@link TensorLike}. Dense data is not copied; strided data is.
 * @param name the argument, for messages
 * @param dtype the only dtype to take; any when left out
 * @throws TypeError ERR_ARG_TYPE when it is no tensor, ERR_DTYPE for another element type; RangeError ERR_SHAPE when
 *   data and shape do not fit, as after the buffer was detached or shrunk
 */
export function toTensor(name: string, value: TensorLike, dtype?: DType): Tensor {
  const intact = Tensor.isTensor(value) && value.data.length === value.size;
  const tensor = intact ? value : fromForeign(name, value);
  if (dtype !== undefined && tensor.dtype !== dtype) {
    throw typeError("ERR_DTYPE", name, `a ${dtype} tensor`, describe(tensor));
  }
  return tensor;
}

function fromForeign(name: string, value: unknown): Tensor {
  const { data, shape, strides, offset, dense } = readLayout(name, value);
  const dtype = dtypeOf(data);
  if (dtype === undefined || !isTensorData(data)) {
    throw typeError("ERR_DTYPE", name, "a float32, float64 or int32 tensor", `data that is ${describe(data)}`);
  }
  const size = product(shape);
  if (dense) return new Tensor(data.length === size ? data : data.subarray(offset, offset + size), shape);
  const copy = allocate(name, dtype, size);
  copyStrided(copy, data, shape, strides, offset);
  return new Tensor(copy, shape);
}

/**
 * Takes a list of whole numbers in any of the forms of {@link Ints}, or as a foreign 1-D tensor, and gives a fresh
 * Int32Array.
 * @param name the argument, for messages
 * @param code the code of the RangeErrors about its elements
 * @throws TypeError ERR_ARG_TYPE when it is no such list or holds something else than numbers; RangeError ERR_SHAPE
 *   when it is not 1-D; RangeError `code` for NaN, fractions, and what 32 bits cannot hold
 */
export function toInts(name: string, value: Ints | ForeignTensor, code: ErrorCode = "ERR_ARG_VALUE"): Int32Array {
  const list: unknown = value;
  let items: ArrayLike<unknown>;
  if (Array.isArray(list) || typedArrayKind(list) !== undefined) {
    items = list as ArrayLike<unknown>;
  } else if (typeof list === "object" && list !== null) {
    const { data, shape, strides, offset } = readLayout(name, list);
    if (shape.length !== 1)
      throw rangeError("ERR_SHAPE", name, "a 1-D list of integers", `shape ${formatShape(shape)}`);
    items = Array.from({ length: shape[0] as number }, (_, i) => data[offset + i * (strides[0] as number)]);
  } else {
    throw typeError("ERR_ARG_TYPE", name, "an array of integers", describe(list));
  }
  return Int32Array.from(items, (item) => {
    const number = typeof item === "bigint" ? Number(item) : item;
    if (typeof number !== "number") throw typeError("ERR_ARG_TYPE", name, "integers", describe(item));
    if ((number | 0) !== number) throw rangeError(code, name, "integers of 32 bits", describe(item));
    return number;
  });
}
