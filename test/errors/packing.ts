// Bad lengths, and packed sequences that do not fit the model or were written to after they were made.

import { type PackedSequence, packPaddedSequence, packSequence, padPackedSequence, rand } from "../../lib/index.js";
import { detach } from "../support/odd-buffers.js";
import { any, double, lstm, type Row, x } from "./subjects.js";

const packed = (): PackedSequence => packPaddedSequence(x, [5, 3]);
function change(sequence: PackedSequence, how: (sequence: PackedSequence) => unknown): PackedSequence {
  how(sequence);
  return sequence;
}

export const packing: readonly Row[] = [
  ["lengths of zero", () => packPaddedSequence(x, [5, 0]), RangeError, "ERR_LENGTHS", "lengths"],
  ["negative lengths", () => packPaddedSequence(x, [5, -1]), RangeError, "ERR_LENGTHS", "-1"],
  ["fractional lengths", () => packPaddedSequence(x, [5, 2.5]), RangeError, "ERR_LENGTHS", "2.5"],
  ["NaN lengths", () => packPaddedSequence(x, [5, Number.NaN]), RangeError, "ERR_LENGTHS", "NaN"],
  ["lengths beyond the steps", () => packPaddedSequence(x, [6, 3]), RangeError, "ERR_LENGTHS", "6"],
  ["too few lengths", () => packPaddedSequence(x, [5]), RangeError, "ERR_LENGTHS", "lengths"],
  ["too many lengths", () => packPaddedSequence(x, [5, 4, 3]), RangeError, "ERR_LENGTHS", "lengths"],
  ["no lengths", () => packPaddedSequence(x, []), RangeError, "ERR_LENGTHS", "lengths"],
  ["lengths as text", () => packPaddedSequence(x, any("53")), TypeError, "ERR_ARG_TYPE", "lengths"],
  [
    "unsorted lengths under enforceSorted",
    () => packPaddedSequence(x, [3, 5]),
    RangeError,
    "ERR_LENGTHS",
    "enforceSorted: false",
  ],
  ["an empty list of sequences", () => packSequence([]), RangeError, "ERR_ARG_VALUE", "sequences"],
  [
    "torch's spelling when packing",
    () => packPaddedSequence(x, [5, 3], any({ enforce_sorted: false })),
    TypeError,
    "ERR_OPTION",
    '"enforceSorted"',
  ],
  [
    "packed rows of another width",
    () => lstm.forward(packPaddedSequence(rand([5, 2, 4]), [5, 3])),
    RangeError,
    "ERR_SHAPE",
    "(N, 3)",
  ],
  [
    "packed rows of rank 3",
    () => lstm.forward(packPaddedSequence(rand([5, 2, 3, 1]), [5, 3])),
    RangeError,
    "ERR_SHAPE",
    "(N, 3)",
  ],
  [
    "packed rows of rank 1",
    () => lstm.forward(packPaddedSequence(rand([5, 2]), [5, 3])),
    RangeError,
    "ERR_SHAPE",
    "(N, 3)",
  ],
  ["packed rows of another dtype", () => double.forward(packed()), TypeError, "ERR_DTYPE", "float64"],
  [
    "packed states of another batch",
    () => lstm.forward(packed(), [rand([1, 5, 4]), rand([1, 5, 4])]),
    RangeError,
    "ERR_SHAPE",
    "(1, 2, 4)",
  ],
  [
    "batch sizes written to",
    () => lstm.forward(change(packed(), ({ batchSizes }) => batchSizes.fill(9))),
    RangeError,
    "ERR_LENGTHS",
    "batchSizes",
  ],
  [
    "batch sizes that grow",
    () => lstm.forward(change(packed(), ({ batchSizes }) => batchSizes.reverse())),
    RangeError,
    "ERR_LENGTHS",
    "batchSizes",
  ],
  [
    "batch sizes that vanish",
    () => lstm.forward(change(packed(), ({ batchSizes }) => detach(batchSizes))),
    RangeError,
    "ERR_LENGTHS",
    "batchSizes",
  ],
  [
    "indices written to",
    () =>
      lstm.forward(
        change(packPaddedSequence(x, [3, 5], { enforceSorted: false }), ({ sortedIndices }) => sortedIndices?.fill(-7)),
      ),
    RangeError,
    "ERR_ARG_VALUE",
    "sortedIndices",
  ],
  [
    "detached packed rows",
    () => lstm.forward(change(packed(), ({ data }) => detach(data.data))),
    RangeError,
    "ERR_SHAPE",
    "detached",
  ],
  ["a tensor where packed is wanted", () => padPackedSequence(any(x)), TypeError, "ERR_ARG_TYPE", "sequence"],
];
