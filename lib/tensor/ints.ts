// Lists of whole numbers as arguments: lengths, batch sizes, indices, permutations, in whatever form a caller has them.
// Each comes out as a fresh Int32Array, so that nothing the caller does afterwards reaches it.

import { describe, type ErrorCode, formatShape, rangeError, reading, typedArrayKind, typeError } from "../check.js";
import { type ForeignTensor, readLayout } from "./foreign.js";
import { allocate, checkAttached, isList } from "./strided.js";

/** What {@link toInts} takes; a Tensor is a foreign tensor too. */
export type IntList = readonly number[] | Int32Array | BigInt64Array | ForeignTensor;

/**
 * Takes a list of whole numbers, also as a 1-D tensor, and gives a fresh Int32Array.
 * @param name the argument, for messages
 * @param code the code of the RangeErrors about its elements
 * @throws TypeError ERR_ARG_TYPE when it is no such list or holds something else than numbers; RangeError ERR_SHAPE
 *   when it is not 1-D, or its buffer is detached; RangeError `code` for NaN, fractions, and what 32 bits cannot hold
 */
export function toInts(name: string, value: IntList, code: ErrorCode = "ERR_ARG_VALUE"): Int32Array {
  const list: unknown = value;
  if (isList(list)) return copyInts(name, list, 0, 1, undefined, code);
  if (typeof list !== "object" || list === null) {
    throw typeError("ERR_ARG_TYPE", name, "an array of integers", describe(list));
  }
  const { data, shape, strides, offset } = readLayout(name, list);
  if (shape.length !== 1) throw rangeError("ERR_SHAPE", name, "a 1-D list of integers", `shape ${formatShape(shape)}`);
  return copyInts(name, data, offset, strides[0] as number, shape[0] as number, code);
}

/** Element by element: a list of a billion holes ends at the first, before anything of that size is asked for. */
function copyInts(
  name: string,
  list: ArrayLike<unknown>,
  offset: number,
  stride: number,
  count: number | undefined,
  code: ErrorCode,
): Int32Array {
  return reading(name, () => {
    checkAttached(name, list);
    const size = count ?? list.length;
    if (size > 0) checkInt32(name, list[offset], code);
    const ints = allocate(name, "int32", size) as Int32Array;
    if (typedArrayKind(list) === "Int32Array" && stride === 1) {
      ints.set((list as Int32Array).subarray(offset, offset + size));
    } else {
      for (let i = 0; i < size; i++) ints[i] = checkInt32(name, list[offset + i * stride], code);
    }
    return ints;
  });
}

function checkInt32(name: string, item: unknown, code: ErrorCode): number {
  const number = typeof item === "bigint" ? Number(item) : item;
  if (typeof number !== "number") throw typeError("ERR_ARG_TYPE", name, "integers", describe(item));
  if ((number | 0) !== number) throw rangeError(code, name, "integers of 32 bits", describe(item));
  return number;
}
