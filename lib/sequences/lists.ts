// Lists of single sequences: to and from a packed batch, to and from a padded one. The names and rules are those of
// torch.nn.utils.rnn; the packing itself is worked out in packed.

import { checkBool, checkOptions, describe, formatShape, isArray, rangeError, typeError } from "../check.js";
import { allocate, copyRun, type DType, mapList, product } from "../tensor/strided.js";
import { type Ints, Tensor, type TensorLike, toTensor } from "../tensor/tensor.js";
import { checkLengths, checkPadding, PackedSequence, packedLengths, packOrder } from "./packed.js";

/** Options of {@link packSequence}. */
export interface PackOptions {
  /** The sequences must come longest first; false sorts here and remembers the order. Default true. */
  enforceSorted?: boolean;
}

/** Options of {@link padSequence}. */
export interface PadOptions {
  /** The result is (B, T, *) instead of (T, B, *). Default false. */
  batchFirst?: boolean;
  /** What stands beside the shorter sequences. Default 0. */
  paddingValue?: number;
  /** The side that the padding is put on. Default "right". */
  paddingSide?: "left" | "right";
}

/** Options of {@link unpadSequence}. */
export interface UnpadOptions {
  /** The padded batch is (B, T, *) instead of (T, B, *). Default false. */
  batchFirst?: boolean;
}

interface Sequences {
  tensors: Tensor[];
  lengths: Int32Array;
  trailing: readonly number[];
  width: number;
  dtype: DType;
}

function readSequences(value: readonly TensorLike[]): Sequences {
  if (!isArray(value)) throw typeError("ERR_ARG_TYPE", "sequences", "an array of tensors", describe(value));
  const tensors = mapList("sequences", value, (sequence, i) => toTensor(`sequences[${i}]`, sequence as TensorLike));
  const [first] = tensors;
  if (first === undefined) throw rangeError("ERR_ARG_VALUE", "sequences", "at least one tensor", "none");
  const trailing = first.shape.slice(1);
  tensors.forEach(({ dtype, shape }, i) => {
    const name = `sequences[${i}]`;
    if (dtype !== first.dtype) throw typeError("ERR_DTYPE", name, `${first.dtype} as in sequences[0]`, dtype);
    const same = shape.length === trailing.length + 1 && trailing.every((size, d) => size === shape[d + 1]);
    if (same && shape.length > 0) return;
    const expected = shape.length === 0 ? "shape (L, *)" : `shape (L, *) with * as in ${formatShape(first.shape)}`;
    throw rangeError("ERR_SHAPE", name, expected, `shape ${formatShape(shape)}`);
  });
  const lengths = Int32Array.from(tensors, ({ shape }) => shape[0] as number);
  return { tensors, lengths, trailing, width: product(trailing), dtype: first.dtype };
}

/**
 * Packs a list of sequences.
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pack_sequence.html
 * @param sequences tensors of shape (L, *), each with its own L from 1 up; longest first unless enforceSorted is false
 * @throws RangeError ERR_LENGTHS for an L of 0, or when unsorted under enforceSorted; ERR_SHAPE when the rest of the
 *   shapes differ or are empty; ERR_ARG_VALUE for no sequences; TypeError ERR_DTYPE when the dtypes differ, ERR_OPTION,
 *   ERR_ARG_TYPE
 * @example
 * ```ts
 * const packed = packSequence([tensor([1, 2, 3]), tensor([4, 5])]);
 * console.log(packed.data.toArray(), packed.batchSizes); // → [ 1, 4, 2, 5, 3 ] Int32Array(3) [ 2, 2, 1 ]
 * ```
 */
export function packSequence(sequences: readonly TensorLike[], options: PackOptions = {}): PackedSequence {
  const { enforceSorted = true } = checkOptions("packSequence", options, ["enforceSorted"]);
  checkBool("enforceSorted", enforceSorted);
  const { tensors, lengths, trailing, width, dtype } = readSequences(sequences);
  if (width === 0)
    throw rangeError("ERR_SHAPE", "sequences", "tensors that are not empty", formatShape([1, ...trailing]));
  checkLengths(lengths, tensors.length, 1, 2 ** 31 - 1);
  const { batchSizes, sortedIndices } = packOrder(lengths, enforceSorted);
  const rows = lengths.reduce((sum, length) => sum + length, 0);
  const data = allocate("sequences", dtype, rows * width);
  const ordered = sortedIndices === null ? tensors : Array.from(sortedIndices, (i) => tensors[i] as Tensor);
  let row = 0;
  batchSizes.forEach((count, t) => {
    for (let s = 0; s < count; s++) copyRun(data, row++ * width, (ordered[s] as Tensor).data, t * width, width);
  });
  return new PackedSequence(new Tensor(data, [rows, ...trailing]), batchSizes, sortedIndices);
}

/**
 * The sequences of a packed batch, in the order of the caller's batch.
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.unpack_sequence.html
 * @returns tensors of shape (L, *)
 * @throws TypeError ERR_ARG_TYPE when it is no PackedSequence
 * @example
 * ```ts
 * const packed = packSequence([tensor([1, 2, 3]), tensor([4, 5])]);
 * console.log(unpackSequence(packed).map((sequence) => sequence.toArray())); // → [ [ 1, 2, 3 ], [ 4, 5 ] ]
 * ```
 */
export function unpackSequence(packedSequences: PackedSequence): Tensor[] {
  const { data, batchSizes, unsortedIndices } = PackedSequence.from("packedSequences", packedSequences);
  const trailing = data.shape.slice(1);
  const width = product(trailing);
  const parts = Array.from(packedLengths(batchSizes), (length) => {
    return new Tensor(allocate("packedSequences", data.dtype, length * width), [length, ...trailing]);
  });
  let row = 0;
  batchSizes.forEach((count, t) => {
    for (let s = 0; s < count; s++) copyRun((parts[s] as Tensor).data, t * width, data.data, row++ * width, width);
  });
  return unsortedIndices === null ? parts : Array.from(unsortedIndices, (s) => parts[s] as Tensor);
}

/**
 * Pads a list of sequences to the length of the longest.
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pad_sequence.html
 * @param sequences tensors of shape (L, *), each with its own L
 * @returns (T, B, *), or (B, T, *) with batchFirst
 * @throws RangeError ERR_SHAPE when the rest of the shapes differ, ERR_ARG_VALUE for no sequences or another paddingSide;
 *   TypeError ERR_DTYPE when the dtypes differ, ERR_OPTION, ERR_ARG_TYPE
 * @example
 * ```ts
 * const padded = padSequence([tensor([1, 2, 3]), tensor([4])], { batchFirst: true });
 * console.log(padded.toArray()); // → [ [ 1, 2, 3 ], [ 4, 0, 0 ] ]
 * ```
 */
export function padSequence(sequences: readonly TensorLike[], options: PadOptions = {}): Tensor {
  const given = checkOptions("padSequence", options, ["batchFirst", "paddingValue", "paddingSide"]);
  const { batchFirst = false, paddingValue = 0, paddingSide = "right" } = given;
  checkBool("batchFirst", batchFirst);
  if (typeof paddingSide !== "string") {
    throw typeError("ERR_ARG_TYPE", "paddingSide", '"left" or "right"', describe(paddingSide));
  }
  if (paddingSide !== "left" && paddingSide !== "right") {
    throw rangeError("ERR_ARG_VALUE", "paddingSide", '"left" or "right"', describe(paddingSide));
  }
  const { tensors, lengths, trailing, width, dtype } = readSequences(sequences);
  checkPadding(paddingValue, dtype);
  const batch = tensors.length;
  const steps = lengths.reduce((a, b) => Math.max(a, b), 0);
  const data = allocate("sequences", dtype, steps * batch * width);
  if (!Object.is(paddingValue, 0)) data.fill(paddingValue);
  tensors.forEach((tensor, b) => {
    const length = lengths[b] as number;
    const skip = paddingSide === "left" ? steps - length : 0;
    if (batchFirst) copyRun(data, (b * steps + skip) * width, tensor.data, 0, length * width);
    else
      for (let t = 0; t < length; t++) copyRun(data, ((skip + t) * batch + b) * width, tensor.data, t * width, width);
  });
  return new Tensor(data, batchFirst ? [batch, steps, ...trailing] : [steps, batch, ...trailing]);
}

/**
 * The sequences of a batch padded on the right, each cut to its length.
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.unpad_sequence.html
 * @param paddedSequences (T, B, *), or (B, T, *) with batchFirst
 * @param lengths one per sequence, from 0 to T
 * @returns tensors of shape (L, *)
 * @throws RangeError ERR_LENGTHS for lengths that are fractional, not from 0 to T, too few or many; ERR_SHAPE for fewer
 *   than two dims; TypeError ERR_OPTION, ERR_ARG_TYPE, ERR_DTYPE
 * @example
 * ```ts
 * const padded = tensor([[1, 2, 3], [4, 0, 0]]);
 * const sequences = unpadSequence(padded, [3, 1], { batchFirst: true });
 * console.log(sequences.map((sequence) => sequence.toArray())); // → [ [ 1, 2, 3 ], [ 4 ] ]
 * ```
 */
export function unpadSequence(paddedSequences: TensorLike, lengths: Ints, options: UnpadOptions = {}): Tensor[] {
  const { batchFirst = false } = checkOptions("unpadSequence", options, ["batchFirst"]);
  checkBool("batchFirst", batchFirst);
  const padded = toTensor("paddedSequences", paddedSequences);
  const { shape } = padded;
  if (shape.length < 2) {
    const expected = batchFirst ? "shape (B, T, *)" : "shape (T, B, *)";
    throw rangeError("ERR_SHAPE", "paddedSequences", expected, `shape ${formatShape(shape)}`);
  }
  const [batch, steps] = (batchFirst ? [shape[0], shape[1]] : [shape[1], shape[0]]) as [number, number];
  const checked = checkLengths(lengths, batch, 0, steps);
  return Array.from(checked, (length, b) => padded.select(batchFirst ? 0 : 1, b).slice(0, 0, length));
}
