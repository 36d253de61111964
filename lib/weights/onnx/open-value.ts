// The error for a value that the file does not hold because only the running model has it: it depends on the model's
// input, or comes from an operator that is not worked out. Told apart from damage, so that a layer's initial state may be
// such a value where its weights may not.

import { rangeError } from "../../check.js";

/** A size or an index that only the model's input decides, among the whole numbers of a constant. */
export const unknown = Number.NaN;

const open = new WeakSet<Error>();

/** Builds (does not throw) the error. */
export function openValue(label: string, received: string, expected = "a constant"): RangeError {
  const error = rangeError("ERR_FILE", label, expected, received);
  open.add(error);
  return error;
}

export function isOpenValue(error: unknown): boolean {
  return error instanceof Error && open.has(error);
}
