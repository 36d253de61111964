// How long a sequence is, wherever that was read: one function judges every length. And lengths that stand in a file of
// their own, an integer .npy or text.

import { readFileSync } from "node:fs";
import { describe, rangeError } from "../check.js";
import { product } from "../tensor/strided.js";
import { type NpyArray, openNpy } from "./npy.js";
import { checkRegular, openFile } from "./run-files.js";

/**
 * A sequence's length: a whole number from 1 to `most`, as a number or a bigint; nothing that merely looks like one.
 * @param where the file and the place in it
 * @throws RangeError ERR_FILE for anything else: a fraction, NaN, 0, a negative or larger number, a string, null
 */
export function judgeLength(where: string, value: unknown, most: number): number {
  const integer = typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value));
  if (integer && value >= 1 && value <= most) return Number(value);
  throw rangeError("ERR_FILE", where, `a length from 1 to ${most}`, describe(value));
}

/** Every element of an array of lengths, judged. @throws RangeError ERR_FILE */
export function judgeLengths(where: string, values: ArrayLike<unknown>, most: number): Int32Array {
  const judged = new Int32Array(values.length);
  for (let i = 0; i < judged.length; i++) judged[i] = judgeLength(`${where}: sequence ${i}`, values[i], most);
  return judged;
}

/** Lengths not judged yet, and where they were read. */
export interface GivenLengths {
  readonly name: string;
  readonly values: ArrayLike<unknown>;
}

/** The elements of an array of lengths. @throws RangeError ERR_FILE for numbers that are not whole by their dtype */
export function lengthsOf(array: NpyArray): GivenLengths {
  if (!/^[iu]/.test(array.kind)) throw rangeError("ERR_FILE", array.name, "whole numbers", `dtype ${array.kind}`);
  return { name: array.name, values: array.read(0, product(array.shape)) };
}

/** Lengths from a file of their own: an integer .npy, or text with one number a line. @throws RangeError ERR_FILE */
export function readLengths(path: string): GivenLengths {
  if (path.toLowerCase().endsWith(".npy")) return lengthsOf(openNpy(openFile(path)));
  checkRegular(path);
  const words = readFileSync(path, "utf8")
    .split(/\s+/)
    .filter((word) => word !== "");
  return { name: path, values: words.map((word) => (/^[+-]?\d+$/.test(word) ? BigInt(word) : word)) };
}
