// Tensors from numbers: tensor, full, zeros, ones. Each means what torch means by it. A typed array keeps its dtype, and
// nothing is rounded that was not asked for; only plain numbers become float32 by default, as in torch.

import { describe, rangeError, reading, typedArrayKind, typeError } from "../check.js";
import {
  allocate,
  checkAttached,
  checkDType,
  checkShape,
  type DType,
  dtypeOf,
  isList,
  product,
  widen,
} from "./strided.js";
import { Tensor } from "./tensor.js";

/** What {@link tensor} takes: numbers nested to any depth; the innermost lists may be typed arrays. */
export type NestedInput = number | Float32Array | Float64Array | Int32Array | readonly NestedInput[];

function checkElement(name: string, value: unknown, dtype: DType): number {
  if (typeof value !== "number") throw typeError("ERR_ARG_TYPE", name, "numbers", describe(value));
  if (dtype === "int32" && (value | 0) !== value) {
    throw rangeError("ERR_ARG_VALUE", name, "integers of 32 bits for an int32 tensor", describe(value));
  }
  return value;
}

/** The sizes along the first element of each list; whether the others agree is found out while copying. */
function nestedShape(nested: unknown): number[] {
  const sizes: number[] = [];
  for (let level: unknown = nested; isList(level); level = level[0]) {
    checkAttached("nested", level);
    sizes.push(level.length);
    checkShape("nested", sizes);
    if (level.length === 0) break;
  }
  return checkShape("nested", sizes);
}

/** The dtype of the typed arrays among the innermost lists; float32 when there are none, or none that a tensor keeps. */
function keptDType(nested: unknown, depth: number): DType {
  let kept: DType | undefined;
  const visit = (list: unknown, d: number): void => {
    if (!isList(list)) return;
    const kind = typedArrayKind(list);
    if (kind === undefined) {
      for (let i = 0; d < depth && i < list.length; i++) visit(list[i], d + 1);
      return;
    }
    const dtype = kind === "Float16Array" ? "float32" : (dtypeOf(list) ?? "float32");
    if (kept !== undefined && kept !== dtype) {
      throw typeError(
        "ERR_DTYPE",
        "nested",
        "typed arrays of one dtype, or a dtype to convert them to",
        `${kept} and ${dtype}`,
      );
    }
    kept = dtype;
  };
  visit(nested, 1);
  return kept ?? "float32";
}

/**
 * A tensor of nested arrays of numbers, or of a typed array: always a copy. Plain numbers are float32, as torch's default
 * dtype is; a typed array keeps its dtype, and so do typed arrays within the nesting (a Float16Array is widened to
 * float32, exactly).
 * https://docs.pytorch.org/docs/stable/generated/torch.tensor.html
 * @param dtype what to convert to, when it is not to be the input's own
 * @throws RangeError ERR_SHAPE when the nesting is ragged or a buffer detached, ERR_ARG_VALUE for what an int32 cannot hold;
 *   TypeError ERR_ARG_TYPE for anything that is no number, ERR_DTYPE for another dtype, and for typed arrays of several
 * @example
 * ```ts
 * console.log(tensor([[1, 2], [3, 4]])); // → tensor([[1., 2.], [3., 4.]], shape=(2, 2), dtype=float32)
 * console.log(tensor(Float64Array.of(0.1)).dtype, tensor([1, 2], "int32").dtype); // → float64 int32
 * ```
 */
export function tensor(nested: NestedInput, dtype?: DType): Tensor {
  if (dtype !== undefined) checkDType("dtype", dtype);
  return reading("nested", () => {
    const shape = nestedShape(nested);
    const kind = dtype ?? keptDType(nested, shape.length);
    const whole: unknown = shape.length === 1 ? widen("nested", nested) : nested;
    const data = allocate("nested", kind, product(shape));
    if (dtypeOf(whole) === kind) {
      data.set(whole as Float32Array);
      return new Tensor(data, shape);
    }
    const unasked = dtype === undefined && kind === "float32";
    let to = 0;
    const fill = (value: unknown, d: number, exact: boolean): void => {
      if (d === shape.length) {
        if (isList(value)) throw rangeError("ERR_SHAPE", "nested", `a number at depth ${d}`, describe(value));
        const number = checkElement("nested", value, kind);
        data[to++] = number;
        if (exact && Math.fround(number) !== number) {
          const expected = "integers that float32 holds, or a dtype that holds these";
          throw rangeError("ERR_ARG_VALUE", "nested", expected, describe(number));
        }
        return;
      }
      if (!isList(value) || value.length !== shape[d]) {
        throw rangeError("ERR_SHAPE", "nested", `a list of length ${shape[d]} at depth ${d}`, describe(value));
      }
      const inner = exact || (unasked && typedArrayKind(value) === "Uint32Array");
      for (let i = 0; i < (shape[d] as number); i++) fill(value[i], d + 1, inner);
    };
    fill(nested, 0, false);
    return new Tensor(data, shape);
  });
}

/**
 * A tensor filled with one value.
 * https://docs.pytorch.org/docs/stable/generated/torch.full.html
 * @throws RangeError ERR_SHAPE for a bad shape, ERR_ARG_VALUE for what an int32 cannot hold; TypeError ERR_ARG_TYPE,
 *   ERR_DTYPE
 * @example
 * ```ts
 * console.log(full([2], 0.5)); // → tensor([0.5000, 0.5000], shape=(2,), dtype=float32)
 * ```
 */
export function full(shape: readonly number[], value: number, dtype: DType = "float32"): Tensor {
  const dims = checkShape("shape", shape);
  checkDType("dtype", dtype);
  checkElement("value", value, dtype);
  const data = allocate("shape", dtype, product(dims));
  if (!Object.is(value, 0)) data.fill(value);
  return new Tensor(data, dims);
}

/**
 * A tensor of zeros. https://docs.pytorch.org/docs/stable/generated/torch.zeros.html Errors as {@link full}.
 * @example
 * ```ts
 * console.log(zeros([2, 1], "int32")); // → tensor([[0], [0]], shape=(2, 1), dtype=int32)
 * ```
 */
export function zeros(shape: readonly number[], dtype: DType = "float32"): Tensor {
  return full(shape, 0, dtype);
}

/**
 * A tensor of ones. https://docs.pytorch.org/docs/stable/generated/torch.ones.html Errors as {@link full}.
 * @example
 * ```ts
 * console.log(ones([3], "float64")); // → tensor([1., 1., 1.], shape=(3,), dtype=float64)
 * ```
 */
export function ones(shape: readonly number[], dtype: DType = "float32"): Tensor {
  return full(shape, 1, dtype);
}
