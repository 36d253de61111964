// A state as an argument: a pair of tensors, each of a dtype and a shape that the call gives. What they are for, others
// know. It is on the path of every single step, so where all is well it allocates pairs, no more.

import type { FloatArray } from "../../../binding.js";
import { describe, formatShape, isArray, rangeError, reading, typeError } from "../../check.js";
import { type FloatDType, sameShape } from "../../tensor/strided.js";
import { type Tensor, type TensorLike, toTensor } from "../../tensor/tensor.js";

/** The state before the first step: h0 of shape (L·D, B, R), c0 of shape (L·D, B, H); both without B when unbatched. */
export type LSTMState = readonly [h0: TensorLike, c0: TensorLike];

/**
 * A state of these shapes, as its elements.
 * @throws TypeError ERR_ARG_TYPE, ERR_DTYPE; RangeError ERR_SHAPE
 * @internal
 */
export function checkState(
  hx: LSTMState,
  dtype: FloatDType,
  hShape: readonly number[],
  cShape: readonly number[],
  unbatched = false,
): [h: FloatArray, c: FloatArray] {
  const [h, c] = reading("hx", () => checkPair(hx));
  return [checkHalf("h0", h, dtype, hShape, unbatched), checkHalf("c0", c, dtype, cShape, unbatched)];
}

function checkPair(hx: unknown): readonly [TensorLike, TensorLike] {
  if (isArray(hx) && hx.length === 2 && hx[0] != null && hx[1] != null)
    return [hx[0], hx[1]] as [TensorLike, TensorLike];
  const alone = isArray(hx) && (hx[0] == null) !== (hx[1] == null);
  const received = alone ? `only ${hx[0] == null ? "c0" : "h0"}` : describe(hx);
  throw typeError("ERR_ARG_TYPE", "hx", "a pair [h0, c0]", received);
}

function checkHalf(
  name: string,
  value: TensorLike,
  dtype: FloatDType,
  shape: readonly number[],
  unbatched: boolean,
): FloatArray {
  const tensor = toTensor(name, value);
  const data = floats(name, tensor, dtype);
  checkSameShape(name, tensor, shape, unbatched ? "unbatched 2-D input" : "batched input");
  return data;
}

/** The elements of a tensor, which must be of this dtype. @internal */
export function floats(name: string, tensor: Tensor, dtype: FloatDType): FloatArray {
  if (tensor.dtype === dtype) return tensor.data as FloatArray;
  throw typeError("ERR_DTYPE", name, `a ${dtype} tensor, as the LSTM's parameters are`, describe(tensor));
}

/** @throws RangeError ERR_SHAPE for another shape than this, which `kind` of call asks for. @internal */
export function checkSameShape(name: string, { shape: given }: Tensor, shape: readonly number[], kind: string): void {
  if (sameShape(given, shape)) return;
  throw rangeError("ERR_SHAPE", name, `shape ${formatShape(shape)} for ${kind}`, `shape ${formatShape(given)}`);
}
