// Tensors from one another: stack, cat, sort, allclose. Each means what torch means by it, but never converts a dtype in
// passing. Tensors from numbers are in make, random ones in random/.

import {
  checkBool,
  checkNumber,
  checkOptions,
  describe,
  formatShape,
  isArray,
  rangeError,
  typeError,
} from "../check.js";
import { allocate, checkDim, copyRun, copyStrided, denseStrides, mapList, product, sameShape } from "./strided.js";
import { Tensor, type TensorData, type TensorLike, toTensor } from "./tensor.js";

/** Options of {@link sort}. */
export interface SortOptions {
  /** The dim to sort along. Default -1, the last. */
  dim?: number;
  /** Largest first. Default false. */
  descending?: boolean;
  /** Equal elements keep their order; they do here in any case. Default true. */
  stable?: boolean;
}

/** Options of {@link allclose}. */
export interface AllcloseOptions {
  /** Tolerance relative to |b|. Default 1e-5. */
  rtol?: number;
  /** Absolute tolerance. Default 1e-8. */
  atol?: number;
  /** NaN equals NaN. Default false. */
  equalNan?: boolean;
}

function readTensors(tensors: readonly TensorLike[]): [Tensor, ...Tensor[]] {
  if (!isArray(tensors)) throw typeError("ERR_ARG_TYPE", "tensors", "an array of tensors", describe(tensors));
  const [first, ...rest] = mapList("tensors", tensors, (item, i) => toTensor(`tensors[${i}]`, item as TensorLike));
  if (first === undefined) throw rangeError("ERR_ARG_VALUE", "tensors", "at least one tensor", "none");
  rest.forEach(({ dtype }, i) => {
    if (dtype !== first.dtype)
      throw typeError("ERR_DTYPE", `tensors[${i + 1}]`, `${first.dtype} as in tensors[0]`, dtype);
  });
  return [first, ...rest];
}

/** Joins tensors whose shapes agree but for the dim of that number: rows of each in turn. */
function join(parts: readonly Tensor[], dim: number, shape: readonly number[]): Tensor {
  const [first] = parts;
  const data = allocate("tensors", (first as Tensor).dtype, product(shape));
  const outer = product(shape.slice(0, dim));
  let to = 0;
  for (let row = 0; row < outer; row++) {
    for (const part of parts) {
      const run = part.size / outer;
      copyRun(data, to, part.data, row * run, run);
      to += run;
    }
  }
  return new Tensor(data, shape);
}

/**
 * Tensors of one shape, side by side along a new dim.
 * https://docs.pytorch.org/docs/stable/generated/torch.stack.html
 * @throws RangeError ERR_SHAPE when the shapes differ, ERR_ARG_VALUE for no tensors or a dim outside; TypeError
 *   ERR_DTYPE when the dtypes differ, ERR_ARG_TYPE
 * @example
 * ```ts
 * console.log(stack([tensor([1, 2]), tensor([3, 4])]).toArray()); // → [ [ 1, 2 ], [ 3, 4 ] ]
 * ```
 */
export function stack(tensors: readonly TensorLike[], dim = 0): Tensor {
  const parts = readTensors(tensors);
  const { shape } = parts[0];
  const d = checkDim("dim", dim, shape.length + 1);
  parts.forEach((part, i) => {
    if (sameShape(part.shape, shape)) return;
    const expected = `shape ${formatShape(shape)} as tensors[0]`;
    throw rangeError("ERR_SHAPE", `tensors[${i}]`, expected, `shape ${formatShape(part.shape)}`);
  });
  return join(parts, d, shape.toSpliced(d, 0, parts.length));
}

/**
 * Tensors one behind the other along a dim; their other dims agree. As in torch, tensors of shape (0,) are passed over.
 * https://docs.pytorch.org/docs/stable/generated/torch.cat.html
 * @throws RangeError ERR_SHAPE when the other dims differ or a tensor has none, ERR_ARG_VALUE for no tensors or a dim
 *   outside; TypeError ERR_DTYPE when the dtypes differ, ERR_ARG_TYPE
 * @example
 * ```ts
 * console.log(cat([tensor([1, 2]), tensor([3])]).toArray()); // → [ 1, 2, 3 ]
 * ```
 */
export function cat(tensors: readonly TensorLike[], dim = 0): Tensor {
  const all = readTensors(tensors);
  const parts = all.filter(({ shape }) => shape.length !== 1 || shape[0] !== 0);
  const { shape } = parts[0] ?? all[0];
  parts.forEach((part, i) => {
    if (part.shape.length === 0) throw rangeError("ERR_SHAPE", `tensors[${i}]`, "at least one dim", "shape ()");
  });
  const d = checkDim("dim", dim, shape.length);
  if (parts.length === 0) return all[0].slice(0);
  let length = 0;
  for (const part of parts) {
    const same = part.shape.length === shape.length && part.shape.every((size, k) => k === d || size === shape[k]);
    if (!same) {
      const expected = `shapes that agree with ${formatShape(shape)} but for dim ${d}`;
      throw rangeError("ERR_SHAPE", "tensors", expected, `shape ${formatShape(part.shape)}`);
    }
    length += part.shape[d] as number;
  }
  return join(parts, d, shape.with(d, length));
}

// As in torch: NaN is larger than everything, and -0 equals 0.
function compare(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}

/**
 * Sorts along a dim. Ties keep their order, either way round; NaN counts as the largest.
 * https://docs.pytorch.org/docs/stable/generated/torch.sort.html
 * @returns the sorted values, and the int32 index that each had along the dim
 * @throws RangeError ERR_ARG_VALUE for a dim outside; TypeError ERR_OPTION, ERR_ARG_TYPE
 * @example
 * ```ts
 * const { values, indices } = sort(tensor([3, 1, 2]), { descending: true });
 * console.log(values.toArray(), indices.toArray()); // → [ 3, 2, 1 ] [ 0, 2, 1 ]
 * ```
 */
export function sort(input: TensorLike, options: SortOptions = {}): { values: Tensor; indices: Tensor } {
  const given = checkOptions("sort", options, ["dim", "descending", "stable"]);
  const source = toTensor("input", input);
  const { dim = -1, descending = false, stable = true } = given;
  const d = checkDim("dim", dim, source.shape.length);
  checkBool("descending", descending);
  checkBool("stable", stable);
  const size = source.shape[d] ?? 1;
  const step = product(source.shape.slice(d + 1));
  const values = allocate("input", source.dtype, source.size);
  const indices = new Int32Array(source.size);
  const sign = descending ? -1 : 1;
  const order = new Int32Array(size);
  const line = allocate("input", source.dtype, size);
  for (let n = 0; n < source.size / Math.max(size, 1); n++) {
    const start = Math.floor(n / step) * step * size + (n % step);
    for (let i = 0; i < size; i++) {
      order[i] = i;
      line[i] = source.data[start + i * step] as number;
    }
    // Ties stay in order: the language's own sorts are stable.
    order.sort((i, j) => sign * compare(line[i] as number, line[j] as number));
    for (let i = 0; i < size; i++) {
      const from = order[i] as number;
      values[start + i * step] = line[from] as number;
      indices[start + i * step] = from;
    }
  }
  return { values: new Tensor(values, source.shape), indices: new Tensor(indices, source.shape) };
}

function broadcast(name: string, source: Tensor, shape: readonly number[]): TensorData {
  const missing = shape.length - source.shape.length;
  const dense = denseStrides(source.shape);
  const strides = shape.map((size, d) => {
    const own = source.shape[d - missing] ?? 1;
    if (own === size) return dense[d - missing] ?? 0;
    if (own === 1) return 0;
    throw rangeError("ERR_SHAPE", name, `a shape that broadcasts to ${formatShape(shape)}`, formatShape(source.shape));
  });
  const data = allocate(name, source.dtype, product(shape));
  copyStrided(data, source.data, shape, strides, 0);
  return data;
}

function commonShape(a: readonly number[], b: readonly number[]): number[] {
  return Array.from({ length: Math.max(a.length, b.length) }, (_, d, rank = Math.max(a.length, b.length)) => {
    const [m, n] = [a[d - rank + a.length] ?? 1, b[d - rank + b.length] ?? 1];
    return m === 1 ? n : m;
  });
}

/**
 * Whether |a − b| ≤ atol + rtol·|b| everywhere, in the arithmetic of the dtype. Infinities are close to themselves only.
 * https://docs.pytorch.org/docs/stable/generated/torch.allclose.html
 * @throws RangeError ERR_SHAPE for shapes that do not broadcast, ERR_ARG_VALUE for a negative tolerance; TypeError
 *   ERR_DTYPE when the dtypes differ, ERR_OPTION, ERR_ARG_TYPE
 * @example
 * ```ts
 * console.log(allclose(tensor([1, 2]), tensor([1, 2.00001]))); // → true
 * ```
 */
export function allclose(a: TensorLike, b: TensorLike, options: AllcloseOptions = {}): boolean {
  const given = checkOptions("allclose", options, ["rtol", "atol", "equalNan"]);
  const left = toTensor("a", a);
  const right = toTensor("b", b, left.dtype);
  const { rtol = 1e-5, atol = 1e-8, equalNan = false } = given;
  checkNumber("rtol", rtol, { min: 0, finite: false });
  checkNumber("atol", atol, { min: 0, finite: false });
  checkBool("equalNan", equalNan);
  const shape = commonShape(left.shape, right.shape);
  const x = broadcast("a", left, shape);
  const y = broadcast("b", right, shape);
  const round = left.dtype === "float32" ? Math.fround : (value: number): number => value;
  const [relative, absolute] = [round(rtol), round(atol)];
  for (let i = 0; i < x.length; i++) {
    const [p, q] = [x[i] as number, y[i] as number];
    if (p === q || (equalNan && Number.isNaN(p) && Number.isNaN(q))) continue;
    const error = round(Math.abs(p - q));
    const allowed = round(absolute + Math.abs(round(relative * q)));
    if (!(Number.isFinite(error) && error <= allowed)) return false;
  }
  return true;
}
