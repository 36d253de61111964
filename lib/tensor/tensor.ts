// The Tensor: a typed array and its shape, dense and row-major, with the few ways to look into it and rearrange it,
// and the intake that makes Tensors of whatever a caller has.
// Every rearranging method copies, so that two Tensors share memory only where the caller made them do so.

import { checkInt, describe, formatShape, rangeError, typedArrayKind, typeError } from "../check.js";
import { bytesHint, type ForeignTensor, readLayout } from "./foreign.js";
import { inspect } from "./inspect.js";
import { toInts } from "./ints.js";
import { printBriefly, printTensor } from "./print.js";
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
  isList,
  isTensorData,
  mapList,
  type NestedNumbers,
  nest,
  product,
  type TensorData,
  widen,
} from "./strided.js";

export type { DType, NestedNumbers, TensorData } from "./strided.js";

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
 * @example
 * ```ts
 * const t = new Tensor(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
 * console.log(t.shape, t.dtype, t.at(1, -1)); // → [ 2, 3 ] float32 6
 * ```
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

  /** Where the elements lie, under the name onnxruntime has for it: its `run` takes a Tensor as it is. */
  get location(): "cpu" {
    return "cpu";
  }

  /**
   * True for a Tensor made by this very constructor; a look-alike is not one.
   * @example
   * ```ts
   * console.log(Tensor.isTensor(zeros([2])), Tensor.isTensor([0, 0])); // → true false
   * ```
   */
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
   * @example
   * ```ts
   * console.log(tensor([[1, 2], [3, 4]]).at(0, -1)); // → 2
   * ```
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
   * @example
   * ```ts
   * console.log(tensor([[1, 2], [3, 4]]).select(1, -1).toArray()); // → [ 2, 4 ]
   * ```
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
   * @example
   * ```ts
   * console.log(tensor([1, 2, 3, 4]).slice(0, 1, -1).toArray()); // → [ 2, 3 ]
   * ```
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
   * @example
   * ```ts
   * console.log(tensor([1, 2, 3]).indexSelect(0, [2, 0]).toArray()); // → [ 3, 1 ]
   * ```
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
   * @example
   * ```ts
   * console.log(tensor([1, 2, 3, 4]).reshape([2, -1]).toArray()); // → [ [ 1, 2 ], [ 3, 4 ] ]
   * ```
   */
  reshape(shape: readonly number[]): Tensor {
    const name = "reshape: shape";
    // -1 stands for 1 until the others have been judged.
    const wanted = isList(shape)
      ? mapList(name, shape, (dim) => (dim === -1 ? dim : product(checkShape(name, [dim]))))
      : shape;
    const open = isList(shape) ? wanted.indexOf(-1) : -1;
    const dims = checkShape(name, open < 0 ? wanted : wanted.with(open, 1));
    const known = product(dims);
    if (open >= 0 && known > 0 && this.size % known === 0) dims[open] = this.size / known;
    if (product(dims) !== this.size || (open >= 0 && known === 0)) {
      const expected = `a shape of ${this.size} elements, as ${formatShape(this.shape)} has`;
      throw rangeError("ERR_SHAPE", "reshape: shape", expected, formatShape(wanted));
    }
    return this.#pick(dims, denseStrides(dims), 0);
  }

  /**
   * The tensor with two dims swapped, its elements moved accordingly.
   * https://docs.pytorch.org/docs/stable/generated/torch.transpose.html
   * @throws RangeError ERR_ARG_VALUE for a dim outside
   * @example
   * ```ts
   * console.log(tensor([[1, 2], [3, 4]]).transpose(0, 1).toArray()); // → [ [ 1, 3 ], [ 2, 4 ] ]
   * ```
   */
  transpose(dim0: number, dim1: number): Tensor {
    const a = checkDim("transpose: dim0", dim0, this.shape.length);
    const b = checkDim("transpose: dim1", dim1, this.shape.length);
    const order = this.shape.map((_, d) => (d === a ? b : d === b ? a : d));
    const strides = denseStrides(this.shape);
    const moved = order.map((d) => strides[d] as number);
    return this.#pick(order.map((d) => this.shape[d]) as number[], moved, 0);
  }

  /**
   * The elements as nested arrays of numbers; a plain number for shape ().
   * @example
   * ```ts
   * console.log(tensor(7).toArray(), ones([2, 1]).toArray()); // → 7 [ [ 1 ], [ 1 ] ]
   * ```
   */
  toArray(): NestedNumbers {
    this.#checkLength();
    return nest(this.data, this.shape);
  }

  /**
   * What `JSON.stringify` writes: nested arrays of numbers. JSON has no NaN and no infinities, they become null.
   * @example
   * ```ts
   * console.log(JSON.stringify({ h: tensor([0.5, NaN]) })); // → {"h":[0.5,null]}
   * ```
   */
  toJSON(): NestedNumbers {
    return this.toArray();
  }

  /**
   * As torch prints it, the middle left out past 1,000 elements, with its shape and dtype; so does `console.log`.
   * @example
   * ```ts
   * console.log(tensor([[1, 2.5], [-3, 4]]));
   * // → tensor([[ 1.0000,  2.5000],
   * // →         [-3.0000,  4.0000]], shape=(2, 2), dtype=float32)
   * ```
   */
  toString(): string {
    return printTensor(this);
  }

  /** @internal */
  [inspect](depth: number): string {
    return depth < 0 ? printBriefly(this) : printTensor(this);
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
  const { data: given, shape, strides, offset, dense } = readLayout(name, value);
  const data = widen(name, given);
  const dtype = dtypeOf(data);
  if (dtype === undefined || !isTensorData(data)) {
    const received = `data that is ${describe(data)}${bytesHint(data)}`;
    throw typeError("ERR_DTYPE", name, "a float32, float64 or int32 tensor", received);
  }
  const size = product(shape);
  if (dense) return new Tensor(data.length === size ? data : data.subarray(offset, offset + size), shape);
  const copy = allocate(name, dtype, size);
  copyStrided(copy, data, shape, strides, offset);
  return new Tensor(copy, shape);
}
