// Tensors from nothing, from nested arrays and from one another: tensor, zeros, ones, full, stack, cat, sort, allclose.
// Each means what torch means by it, but never converts a dtype in passing. Random tensors are in random.

import {
  checkBool,
  checkNumber,
  checkOptions,
  describe,
  formatShape,
  rangeError,
  typedArrayKind,
  typeError,
} from "./check.js";
import {
  allocate,
  checkDim,
  checkDType,
  checkShape,
  copyRun,
  copyStrided,
  type DType,
  denseStrides,
  product,
  sameShape,
} from "./strided.js";
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

/** What {@link tensor} takes: numbers nested to any depth; the innermost lists may be typed arrays. */
export type NestedInput = number | Float32Array | Float64Array | Int32Array | readonly NestedInput[];

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || typedArrayKind(value) !== undefined;
}

function checkElement(name: string, value: unknown, dtype: DType): number {
  if (typeof value !== "number") throw typeError("ERR_ARG_TYPE", name, "numbers", describe(value));
  if (dtype === "int32" && (value | 0) !== value) {
    throw rangeError("ERR_ARG_VALUE", name, "integers of 32 bits for an int32 tensor", describe(value));
  }
  return value;
}

/**
 * A tensor of nested arrays of numbers.
 * https://docs.pytorch.org/docs/stable/generated/torch.tensor.html
 * @throws RangeError ERR_SHAPE when the nesting is ragged, ERR_ARG_VALUE for what an int32 cannot hold; TypeError
 *   ERR_ARG_TYPE for anything that is no number, ERR_DTYPE for another dtype
 */
export function tensor(nested: NestedInput, dtype: DType = "float32"): Tensor {
  checkDType("dtype", dtype);
  const sizes: number[] = [];
  for (let level: unknown = nested; isList(level); level = level[0]) {
    sizes.push(level.length);
    checkShape("nested", sizes);
    if (level.length === 0) break;
  }
  const shape = checkShape("nested", sizes);
  const data = allocate("nested", dtype, product(shape));
  let to = 0;
  const fill = (value: unknown, d: number): void => {
    if (d === shape.length) {
      if (isList(value)) throw rangeError("ERR_SHAPE", "nested", `a number at depth ${d}`, describe(value));
      data[to++] = checkElement("nested", value, dtype);
      return;
    }
    if (!isList(value) || value.length !== shape[d]) {
      throw rangeError("ERR_SHAPE", "nested", `a list of length ${shape[d]} at depth ${d}`, describe(value));
    }
    for (const item of Array.from(value)) fill(item, d + 1);
  };
  fill(nested, 0);
  return new Tensor(data, shape);
}

/**
 * A tensor filled with one value.
 * https://docs.pytorch.org/docs/stable/generated/torch.full.html
 * @throws RangeError ERR_SHAPE for a bad shape, ERR_ARG_VALUE for what an int32 cannot hold; TypeError ERR_ARG_TYPE,
 *   ERR_DTYPE
 */
export function full(shape: readonly number[], value: number, dtype: DType = "float32"): Tensor {
  const dims = checkShape("shape", shape);
  checkDType("dtype", dtype);
  checkElement("value", value, dtype);
  const data = allocate("shape", dtype, product(dims));
  if (!Object.is(value, 0)) data.fill(value);
  return new Tensor(data, dims);
}

/** A tensor of zeros. https://docs.pytorch.org/docs/stable/generated/torch.zeros.html Errors as {@link full}. */
export function zeros(shape: readonly number[], dtype: DType = "float32"): Tensor {
  return full(shape, 0, dtype);
}

/** A tensor of ones. https://docs.pytorch.org/docs/stable/generated/torch.ones.html Errors as {@link full}. */
export function ones(shape: readonly number[], dtype: DType = "float32"): Tensor {
  return full(shape, 1, dtype);
}

function readTensors(tensors: readonly TensorLike[]): [Tensor, ...Tensor[]] {
  if (!Array.isArray(tensors)) throw typeError("ERR_ARG_TYPE", "tensors", "an array of tensors", describe(tensors));
  const [first, ...rest] = tensors.map((item: TensorLike, i) => toTensor(`tensors[${i}]`, item));
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
 */
export function sort(input: TensorLike, options: SortOptions = {}): { values: Tensor; indices: Tensor } {
  checkOptions("sort", options, ["dim", "descending", "stable"]);
  const source = toTensor("input", input);
  const { dim = -1, descending = false, stable = true } = options;
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
 */
export function allclose(a: TensorLike, b: TensorLike, options: AllcloseOptions = {}): boolean {
  checkOptions("allclose", options, ["rtol", "atol", "equalNan"]);
  const left = toTensor("a", a);
  const right = toTensor("b", b, left.dtype);
  const { rtol = 1e-5, atol = 1e-8, equalNan = false } = options;
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
