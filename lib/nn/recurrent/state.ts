// A state as an argument: h and c as a pair of tensors, or h alone where there is no c, each of a dtype and a shape that
// the call gives. What they are for, others know. It is on the path of every single step, so where all is well it
// allocates pairs, no more.

import type { FloatArray } from "../../../binding.js";
import { describe, formatShape, isArray, rangeError, reading, typeError } from "../../check.js";
import { sameShape } from "../../tensor/strided.js";
import { type Tensor, type TensorLike, toTensor } from "../../tensor/tensor.js";
import type { FullConfig } from "./config.js";
import { withArticle } from "./kinds.js";

/** The state before the first step: h0 of shape (L·D, B, R), c0 of shape (L·D, B, H); both without B when unbatched. */
export type LSTMState = readonly [h0: TensorLike, c0: TensorLike];

/** A state as it is given: a pair, or h alone where there is no c. */
export type GivenState = LSTMState | TensorLike;

/** A state as it comes out. */
export type FinalState = [h: Tensor, c: Tensor] | Tensor;

/** A state as its elements; c is null where there is none. */
export type StateArrays = [h: FloatArray, c: FloatArray | null];

/**
 * A state of these shapes, as its elements.
 * @param hx a pair [h, c]; of a module without c, h alone
 * @param kind of call, for a message
 * @throws TypeError ERR_ARG_TYPE, ERR_DTYPE; RangeError ERR_SHAPE
 * @internal
 */
export function checkState(
  hx: GivenState,
  config: FullConfig,
  hShape: readonly number[],
  cShape: readonly number[],
  kind: string,
): StateArrays {
  const [hName, cName] = config.isCell ? cellNames : layerNames;
  if (!config.kind.hasC) return [checkHalf(hName, onlyH(hName, hx, config), config, hShape, kind), null];
  const [h, c] = reading("hx", () => checkPair(hx, hName, cName));
  return [checkHalf(hName, h, config, hShape, kind), checkHalf(cName, c, config, cShape, kind)];
}

const layerNames = ["h0", "c0"] as const;
const cellNames = ["h", "c"] as const;

function checkPair(hx: unknown, hName: string, cName: string): readonly [TensorLike, TensorLike] {
  if (isArray(hx) && hx.length === 2 && hx[0] != null && hx[1] != null)
    return [hx[0], hx[1]] as [TensorLike, TensorLike];
  const alone = isArray(hx) && (hx[0] == null) !== (hx[1] == null);
  const received = alone ? `only ${hx[0] == null ? cName : hName}` : describe(hx);
  throw typeError("ERR_ARG_TYPE", "hx", `a pair [${hName}, ${cName}]`, received);
}

function onlyH(name: string, h: GivenState, config: FullConfig): TensorLike {
  if (!isArray(h)) return h as TensorLike;
  const expected = `one tensor alone, since ${withArticle(config.name)} has no c`;
  throw typeError("ERR_ARG_TYPE", name, expected, describe(h));
}

function checkHalf(
  name: string,
  value: TensorLike,
  config: FullConfig,
  shape: readonly number[],
  kind: string,
): FloatArray {
  const tensor = toTensor(name, value);
  const data = floats(name, tensor, config);
  checkSameShape(name, tensor, shape, kind);
  return data;
}

/** The elements of a tensor, which must be of the module's dtype. @internal */
export function floats(name: string, tensor: Tensor, config: FullConfig): FloatArray {
  if (tensor.dtype === config.dtype) return tensor.data as FloatArray;
  const expected = `a ${config.dtype} tensor, as the ${config.name}'s parameters are`;
  throw typeError("ERR_DTYPE", name, expected, describe(tensor));
}

/** @throws RangeError ERR_SHAPE for another shape than this, which `kind` of call asks for. @internal */
export function checkSameShape(name: string, { shape: given }: Tensor, shape: readonly number[], kind: string): void {
  if (sameShape(given, shape)) return;
  throw rangeError("ERR_SHAPE", name, `shape ${formatShape(shape)} for ${kind}`, `shape ${formatShape(given)}`);
}
