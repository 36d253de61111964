// Packed sequences: many sequences of unequal length as the rows of one tensor, step by step, with no padding between
// them. The class, and the way from a padded batch to it and back. Lists of single sequences are in sequences.

import {
  checkBool,
  checkInt,
  checkNumber,
  checkOptions,
  describe,
  formatShape,
  rangeError,
  reading,
  typeError,
} from "../check.js";
import { native } from "../native.js";
import type { ForeignTensor } from "../tensor/foreign.js";
import { inspect } from "../tensor/inspect.js";
import { toInts } from "../tensor/ints.js";
import { allocate, allocateUnset, type DType, product } from "../tensor/strided.js";
import { type Ints, Tensor, type TensorLike, toTensor } from "../tensor/tensor.js";

/** Options of {@link packPaddedSequence}. */
export interface PackPaddedOptions {
  /** The input is (B, T, *) instead of (T, B, *). Default false. */
  batchFirst?: boolean;
  /** The lengths must come longest first; false sorts here and remembers the order. Default true. */
  enforceSorted?: boolean;
}

/** Options of {@link padPackedSequence}. */
export interface PadPackedOptions {
  /** The result is (B, T, *) instead of (T, B, *). Default false. */
  batchFirst?: boolean;
  /** What stands behind the end of a sequence. Default 0. */
  paddingValue?: number;
  /** The T of the result, at least the longest length, which is the default. */
  totalLength?: number;
}

function checkPermutation(name: string, indices: Int32Array, size: number): void {
  const seen = new Uint8Array(size);
  if (indices.length === size) for (const index of indices) if (index >= 0 && index < size) seen[index] = 1;
  const missing = indices.length === size ? seen.indexOf(0) : -1;
  if (indices.length === size && missing < 0) return;
  const received = missing < 0 ? `${indices.length} indices` : `a list without ${missing}`;
  throw rangeError("ERR_ARG_VALUE", name, `a permutation of 0 to ${size - 1}`, received);
}

/**
 * The inverse of a permutation: `result[indices[i]] = i`.
 * https://github.com/pytorch/pytorch/blob/main/torch/nn/utils/rnn.py
 * @throws RangeError ERR_ARG_VALUE when it is no permutation
 * @example
 * ```ts
 * console.log(invertPermutation([2, 0, 1])); // → Int32Array(3) [ 1, 2, 0 ]
 * ```
 */
export function invertPermutation(indices: Ints): Int32Array {
  const order = toInts("indices", indices);
  checkPermutation("indices", order, order.length);
  return invert(order);
}

function invert(order: Int32Array): Int32Array {
  const inverse = new Int32Array(order.length);
  for (let i = 0; i < order.length; i++) inverse[order[i] as number] = i;
  return inverse;
}

/**
 * Sequences of unequal length, packed: the first step of every sequence, longest sequence first, then the second step of
 * those that have one, and so on. `batchSizes[t]` rows belong to step t.
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.PackedSequence.html
 * @example
 * ```ts
 * // Three sequences of 3, 2 and 2 steps, made longest first.
 * const packed = new PackedSequence(rand([7, 4]), [3, 3, 1]);
 * console.log(packed); // → PackedSequence(data=(7, 4) float32, sequences=3, longest=3, shortest=2)
 * ```
 */
export class PackedSequence {
  /** The rows, of shape (sum of batchSizes, *). */
  readonly data: Tensor;
  /** How many sequences reach each step; never increasing. */
  readonly batchSizes: Int32Array;
  /** For each packed sequence its place in the caller's batch; null when the caller's batch was sorted. */
  readonly sortedIndices: Int32Array | null;
  /** For each sequence of the caller's batch its place here; the inverse of sortedIndices. */
  readonly unsortedIndices: Int32Array | null;

  /**
   * @param data rows of shape (N, *); kept, not copied, when dense
   * @param batchSizes from 1 up, never increasing, N in sum; copied, as the indices are
   * @param sortedIndices a permutation of the batch, or null
   * @param unsortedIndices its inverse, worked out when left out
   * @throws RangeError ERR_LENGTHS for batchSizes that do not fit, ERR_SHAPE for data of shape (), ERR_ARG_VALUE for
   *   indices that are no permutation or not each other's inverse; TypeErrors as for any tensor or list of integers
   */
  constructor(
    data: TensorLike,
    batchSizes: Ints,
    sortedIndices: Ints | null = null,
    unsortedIndices: Ints | null = null,
  ) {
    this.data = toTensor("data", data);
    this.batchSizes = toInts("batchSizes", batchSizes, "ERR_LENGTHS");
    const sorted = sortedIndices === null ? null : toInts("sortedIndices", sortedIndices);
    const unsorted = unsortedIndices === null ? null : toInts("unsortedIndices", unsortedIndices);
    if (sorted !== null) checkPermutation("sortedIndices", sorted, sorted.length);
    if (unsorted !== null) checkPermutation("unsortedIndices", unsorted, unsorted.length);
    this.sortedIndices = sorted ?? (unsorted === null ? null : invert(unsorted));
    this.unsortedIndices = unsorted ?? (sorted === null ? null : invert(sorted));
    this.#verify();
    Object.freeze(this);
  }

  /** The number of sequences. */
  get batch(): number {
    return this.batchSizes[0] as number;
  }

  /** `PackedSequence(data=(18, 5) float32, sequences=4, longest=7, shortest=2)` */
  toString(): string {
    const { data, batchSizes, batch } = this;
    const shortest = batchSizes.lastIndexOf(batch) + 1;
    const rows = `data=${formatShape(data.shape)} ${data.dtype}`;
    return `PackedSequence(${rows}, sequences=${batch}, longest=${batchSizes.length}, shortest=${shortest})`;
  }

  /** @internal */
  [inspect](): string {
    return this.toString();
  }

  #verify(): void {
    const { data, batchSizes, sortedIndices, unsortedIndices } = this;
    if (data.shape.length === 0) throw rangeError("ERR_SHAPE", "data", "rows of shape (N, *)", "shape ()");
    if (batchSizes.length === 0) throw rangeError("ERR_LENGTHS", "batchSizes", "at least one step", "none");
    let rows = 0;
    let before = Number.POSITIVE_INFINITY;
    for (const size of batchSizes) {
      if (size < 1 || size > before) {
        const expected = "sizes from 1 up that never increase";
        throw rangeError("ERR_LENGTHS", "batchSizes", expected, size < 1 ? `${size}` : `${size} after ${before}`);
      }
      rows += size;
      before = size;
    }
    if (rows !== data.shape[0]) {
      const expected = `a sum of ${data.shape[0]}, the rows of data of shape ${formatShape(data.shape)}`;
      throw rangeError("ERR_LENGTHS", "batchSizes", expected, `${rows}`);
    }
    if (sortedIndices === null || unsortedIndices === null) return;
    checkPermutation("sortedIndices", sortedIndices, batchSizes[0] as number);
    for (let i = 0; i < sortedIndices.length; i++) {
      if (unsortedIndices[sortedIndices[i] as number] === i) continue;
      throw rangeError("ERR_ARG_VALUE", "unsortedIndices", "the inverse of sortedIndices", "another permutation");
    }
  }

  /**
   * Takes a packed sequence as an argument. Its arrays are the caller's to write to, so they are judged again each
   * time. One made by another copy of this package is taken too, by its fields.
   * @internal
   */
  static from(name: string, value: unknown): PackedSequence {
    if (typeof value === "object" && value !== null) {
      if (#verify in value) {
        toTensor(name, value.data);
        value.#verify();
        return value;
      }
      const { data, batchSizes, sortedIndices, unsortedIndices } = readFields(name, value);
      if (data !== undefined && batchSizes !== undefined) {
        return new PackedSequence(data, batchSizes, sortedIndices ?? null, unsortedIndices ?? null);
      }
    }
    throw typeError("ERR_ARG_TYPE", name, "a PackedSequence", describe(value));
  }
}

function readFields(name: string, value: object): Partial<PackedSequence> {
  return reading(name, () => {
    const { data, batchSizes, sortedIndices, unsortedIndices } = value as PackedSequence;
    return { data, batchSizes, sortedIndices, unsortedIndices };
  });
}

/** Tells packed input from a tensor: only the former has batch sizes. */
export function isPacked(value: PackedSequence | TensorLike): value is PackedSequence {
  try {
    return typeof value === "object" && value !== null && "batchSizes" in value;
  } catch {
    return false; // a proxy that will not be asked: whoever reads it as a tensor says so
  }
}

/** Lengths of a batch, each judged. @throws TypeError ERR_ARG_TYPE for no list; RangeError ERR_LENGTHS for all else */
export function checkLengths(lengths: Ints | ForeignTensor, batch: number, min: number, max: number): Int32Array {
  const checked = toInts("lengths", lengths, "ERR_LENGTHS");
  if (checked.length !== batch) {
    throw rangeError("ERR_LENGTHS", "lengths", `${batch} lengths, one per sequence of the batch`, `${checked.length}`);
  }
  const bad = checked.findIndex((length) => length < min || length > max);
  if (bad >= 0) {
    const expected = `lengths from ${min} to ${max}`;
    throw rangeError("ERR_LENGTHS", "lengths", expected, `${checked[bad]} for sequence ${bad}`);
  }
  return checked;
}

/** What packing works out of the lengths alone. @internal */
export interface PackOrder {
  batchSizes: Int32Array;
  /** Null when the lengths had to be sorted already. */
  sortedIndices: Int32Array | null;
}

/** Batch sizes and, unless the lengths must be sorted, the stable order longest first. Lengths are from 1 up. @internal */
export function packOrder(lengths: Int32Array, enforceSorted: boolean): PackOrder {
  const longest = lengths.reduce((a, b) => Math.max(a, b), 0);
  const batchSizes = new Int32Array(longest);
  for (const length of lengths) batchSizes[length - 1] = (batchSizes[length - 1] as number) + 1;
  for (let t = longest - 2; t >= 0; t--) batchSizes[t] = (batchSizes[t] as number) + (batchSizes[t + 1] as number);
  if (enforceSorted) {
    const bad = lengths.findIndex((length, i) => i > 0 && length > (lengths[i - 1] as number));
    if (bad < 0) return { batchSizes, sortedIndices: null };
    const expected = "lengths in decreasing order (or enforceSorted: false)";
    throw rangeError("ERR_LENGTHS", "lengths", expected, `${lengths[bad]} after ${lengths[bad - 1]}`);
  }
  // A counting sort: the sequences longer than n are the batchSizes[n] that stand before those of length n.
  const next = Int32Array.from({ length: longest + 1 }, (_, n) => batchSizes[n] ?? 0);
  const sortedIndices = new Int32Array(lengths.length);
  lengths.forEach((length, i) => {
    const place = next[length] as number;
    sortedIndices[place] = i;
    next[length] = place + 1;
  });
  return { batchSizes, sortedIndices };
}

/** A value to pad with, judged by the dtype it will have. @internal */
export function checkPadding(value: unknown, dtype: DType): number {
  if (dtype === "int32") return checkInt("paddingValue", value, { min: -(2 ** 31), max: 2 ** 31 - 1 });
  if (Number.isNaN(value)) return Number.NaN;
  return checkNumber("paddingValue", value, { finite: false });
}

/**
 * Packs a padded batch.
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pack_padded_sequence.html
 * @param input (T, B, *), or (B, T, *) with batchFirst; any dtype
 * @param lengths one per sequence, from 1 to T; longest first unless enforceSorted is false. Ties keep their order.
 * @returns rows of shape (sum of lengths, *)
 * @throws RangeError ERR_LENGTHS for lengths that are fractional, not from 1 to T, too few or many, or unsorted under
 *   enforceSorted; ERR_SHAPE for fewer than two dims or no elements; TypeError ERR_OPTION, ERR_ARG_TYPE, ERR_DTYPE
 * @example
 * ```ts
 * const padded = zeros([3, 2, 4]); // T = 3 steps, B = 2 sequences
 * const packed = packPaddedSequence(padded, [1, 3], { enforceSorted: false });
 * console.log(packed.data.shape, packed.batchSizes); // → [ 4, 4 ] Int32Array(3) [ 2, 1, 1 ]
 * ```
 */
export function packPaddedSequence(input: TensorLike, lengths: Ints, options: PackPaddedOptions = {}): PackedSequence {
  const given = checkOptions("packPaddedSequence", options, ["batchFirst", "enforceSorted"]);
  const { batchFirst = false, enforceSorted = true } = given;
  checkBool("batchFirst", batchFirst);
  checkBool("enforceSorted", enforceSorted);
  const { data, shape, dtype, size } = toTensor("input", input);
  const layout = batchFirst ? "(B, T, *)" : "(T, B, *)";
  if (shape.length < 2) throw rangeError("ERR_SHAPE", "input", `shape ${layout}`, `shape ${formatShape(shape)}`);
  if (size === 0) throw rangeError("ERR_SHAPE", "input", "a tensor that is not empty", `shape ${formatShape(shape)}`);
  const [steps, batch] = (batchFirst ? [shape[1], shape[0]] : [shape[0], shape[1]]) as [number, number];
  const order = packOrder(checkLengths(lengths, batch, 1, steps), enforceSorted);
  const width = product(shape.slice(2));
  const rows = order.batchSizes.reduce((sum, n) => sum + n, 0);
  const packed = allocateUnset("input", dtype, rows * width);
  native.packRows(data, packed, order.batchSizes, order.sortedIndices, steps, batchFirst);
  return new PackedSequence(new Tensor(packed, [rows, ...shape.slice(2)]), order.batchSizes, order.sortedIndices);
}

/** The length of each packed sequence, in packed order: longest first. @internal */
export function packedLengths(batchSizes: Int32Array): Int32Array {
  const lengths = new Int32Array(batchSizes[0] as number);
  for (let t = batchSizes.length - 1, s = 0; t >= 0; t--) while (s < (batchSizes[t] as number)) lengths[s++] = t + 1;
  return lengths;
}

/**
 * Pads a packed batch, in the order that the caller's batch had.
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pad_packed_sequence.html
 * @returns the batch, (T, B, *) or with batchFirst (B, T, *), and its lengths
 * @throws RangeError ERR_LENGTHS for a totalLength below the longest length; TypeError ERR_ARG_TYPE, ERR_OPTION
 * @example
 * ```ts
 * const packed = packSequence([tensor([1, 2, 3]), tensor([4])]);
 * const [padded, lengths] = padPackedSequence(packed, { batchFirst: true, paddingValue: -1 });
 * console.log(padded.toArray(), lengths); // → [ [ 1, 2, 3 ], [ 4, -1, -1 ] ] Int32Array(2) [ 3, 1 ]
 * ```
 */
export function padPackedSequence(
  sequence: PackedSequence,
  options: PadPackedOptions = {},
): [padded: Tensor, lengths: Int32Array] {
  const given = checkOptions("padPackedSequence", options, ["batchFirst", "paddingValue", "totalLength"]);
  const packed = PackedSequence.from("sequence", sequence);
  const { data, batchSizes, sortedIndices, unsortedIndices, batch } = packed;
  const { batchFirst = false, paddingValue = 0, totalLength: steps = batchSizes.length } = given;
  checkBool("batchFirst", batchFirst);
  checkPadding(paddingValue, data.dtype);
  checkInt("totalLength", steps);
  if (steps < batchSizes.length) {
    const expected = `at least ${batchSizes.length}, the longest length`;
    throw rangeError("ERR_LENGTHS", "totalLength", expected, `${steps}`);
  }
  const trailing = data.shape.slice(1);
  const width = product(trailing);
  const padded = allocateUnset("totalLength", data.dtype, steps * batch * width);
  if (width > 0) {
    const value = allocate("paddingValue", data.dtype, 1).fill(paddingValue);
    native.padRows(padded, data.data, batchSizes, sortedIndices, steps, batchFirst, value);
  }
  const sorted = packedLengths(batchSizes);
  const lengths = unsortedIndices === null ? sorted : unsortedIndices.map((s) => sorted[s] as number);
  return [new Tensor(padded, batchFirst ? [batch, steps, ...trailing] : [steps, batch, ...trailing]), lengths];
}
