// What every reader of `run` is asked for and gives: numbered sequences, and the kept columns beside them.

import { describe, rangeError } from "../check.js";
import type { FloatDType, Tensor } from "../index.js";
import type { KeptType } from "./run-keep.js";

/** How the file is to be read. */
export interface InputOptions {
  readonly dtype: FloatDType;
  readonly inputSize: number;
  readonly batchFirst: boolean;
  /** An array of an .npz, a key of JSON objects, a column of Parquet. */
  readonly column: string;
  /** Where the lengths are: a file, or an array, key or column beside the sequences. */
  readonly lengths: string | undefined;
  /** Columns, keys or arrays to be carried through. */
  readonly keep: readonly string[];
}

/** A sequence (T, I), and the JSON text of each kept column's value. */
export interface Item {
  readonly sequence: Tensor;
  readonly kept: readonly string[];
}

/** Numbered sequences. */
export interface Input {
  /** How many; unknown where they come down a pipe, which is read once and from the first on. */
  readonly count: number | undefined;
  /** What each kept column holds. */
  readonly kept: readonly KeptType[];
  sequences(from: number, to: number): Iterable<Item> | AsyncIterable<Item>;
}

/** The error for a sequence's value that is no rows of numbers. */
export function notRows(where: string, inputSize: number, value: unknown): Error {
  return rangeError("ERR_FILE", where, `rows of ${inputSize} numbers`, describe(value));
}
