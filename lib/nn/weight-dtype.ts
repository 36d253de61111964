// What weights may be stored in beside the dtype that a module computes in, judged for all modules. What storing does to them:
// float16 rounds them here, one by one; the addon rounds to int8, a row at a time.

import type { FloatArray } from "../../binding.js";
import { describe, rangeError, typeError } from "../check.js";
import type { FloatDType } from "../tensor/strided.js";
import { roundToFloat16 } from "../weights/half.js";

/** What weights are stored in. */
export type WeightDType = FloatDType | "float16" | "int8";

/** The most terms of a sum of products of two numbers up to 127 that 32 bits hold: 127² · 133,144 < 2³¹. */
const maxTerms = 133_144;

/**
 * What the weights of a model in `dtype` are stored in.
 * @param narrower what a float32 module of this kind may have
 * @throws TypeError ERR_ARG_TYPE when it is no string, ERR_DTYPE for anything but the dtype itself, or a narrower one for float32
 */
export function checkWeightDType<N extends WeightDType>(
  weightDtype: unknown,
  dtype: FloatDType,
  narrower: readonly N[],
): FloatDType | N {
  if (weightDtype === undefined || weightDtype === dtype) return dtype;
  const narrow = narrower.find((name) => name === weightDtype);
  if (narrow !== undefined && dtype === "float32") return narrow;
  const code = typeof weightDtype === "string" ? "ERR_DTYPE" : "ERR_ARG_TYPE";
  const names = ["float32", ...narrower].map((name) => `"${name}"`);
  const expected =
    dtype === "float32" ? `${names.slice(0, -1).join(", ")} or ${names.at(-1)}` : '"float64", as the dtype is';
  throw typeError(code, "weightDtype", expected, describe(weightDtype));
}

/**
 * Judges a size that is the length of a row of weights: in int8 the sum over it must fit 32 bits.
 * @throws RangeError ERR_ARG_VALUE
 */
export function checkTerms(weightDtype: WeightDType, name: string, terms: number): void {
  if (weightDtype !== "int8" || terms <= maxTerms) return;
  throw rangeError("ERR_ARG_VALUE", name, `at most ${maxTerms} with weightDtype "int8"`, String(terms));
}

/** Whether an array of a parameter's values must be a copy, since they are rounded in it. */
export function isRoundedInPlace(storage: WeightDType): boolean {
  return storage === "float16";
}

/**
 * Rounds a parameter's values, which are float32 or float64, to what the module stores them in; not to int8, which is the addon's.
 * @throws RangeError ERR_ARG_VALUE for a value that it cannot hold
 */
export function roundTo(storage: WeightDType, name: string, values: FloatArray): void {
  if (isRoundedInPlace(storage)) roundToFloat16(name, values as Float32Array);
}
