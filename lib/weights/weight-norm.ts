// Weight normalisation: a weight from its direction v and its magnitudes g, w = v · (g / ‖v‖), in the operations and the
// order of torch 2's own kernel, so that the bits are those of a model that torch runs on a processor with AVX2: squares
// are summed in as many lanes as 32 bytes hold, element after element, and then the lanes. (torch 1 sums in another order,
// from which up to 4 ulp of difference come; torch with AVX-512 was not at hand to be measured.)
// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parametrizations.weight_norm.html

import type { FloatArray } from "../../binding.js";
import { formatShape, rangeError, typeError } from "../check.js";
import { sameShape } from "../tensor/strided.js";
import { Tensor } from "../tensor/tensor.js";

/**
 * The weight that is stored as direction and magnitudes.
 * @param name the weight's, for messages
 * @param g of shape (rows, 1), as for `dim=0`, torch's default; or (1, columns) for `dim=1`, or one number for `dim=None`: for
 *   these two torch's own last bits depend on its threads, and the norm here is rounded once
 * @throws RangeError ERR_STATE_DICT for shapes that do not belong together; TypeError ERR_DTYPE for integers
 */
export function weightNorm(name: string, v: Tensor, g: Tensor): Tensor {
  if (v.dtype === "int32" || g.dtype !== v.dtype) {
    throw typeError("ERR_DTYPE", name, "magnitudes and a direction of one float dtype", `${g.dtype} and ${v.dtype}`);
  }
  const [rows = 1, columns = 1] = v.shape;
  const perRow = sameShape(g.shape, [rows, 1]);
  const perColumn = !perRow && sameShape(g.shape, [1, columns]);
  if (v.shape.length !== 2 || !(perRow || perColumn || g.shape.length === 0)) {
    const received = `${formatShape(g.shape)} for ${formatShape(v.shape)}`;
    throw rangeError("ERR_STATE_DICT", name, "weight norm of a matrix, a magnitude for each row", received);
  }
  const from = v.data as FloatArray;
  const weight = from.slice();
  const scales = (g.data as FloatArray).slice();
  const one = from.slice(0, 1);
  for (let i = 0; i < scales.length; i++) {
    one[0] = perRow ? rowNorm(from.subarray(i * columns, (i + 1) * columns)) : stridedNorm(from, i, g.data.length);
    scales[i] = (scales[i] as number) / (one[0] as number);
  }
  for (let i = 0; i < weight.length; i++) {
    const scale = scales[perRow ? Math.floor(i / columns) : i % scales.length] as number;
    weight[i] = (from[i] as number) * scale;
  }
  return new Tensor(weight, v.shape);
}

/** √Σx², every product and sum rounded to the row's own type. */
function rowNorm(row: FloatArray): number {
  const lanes = 32 / row.BYTES_PER_ELEMENT;
  const width = Math.min(lanes, row.length);
  const sums = row.slice(0, width);
  const square = row.slice(0, 1);
  for (let i = 0; i < row.length; i++) {
    square[0] = (row[i] as number) * (row[i] as number);
    sums[i % lanes] = (i < width ? 0 : (sums[i % lanes] as number)) + (square[0] as number);
  }
  // Eight lanes of float32 are folded in halves; fewer, and those of float64, one after the other.
  for (let half = width === 8 ? 4 : 0; half >= 1; half /= 2) {
    for (let i = 0; i < half; i++) sums[i] = (sums[i] as number) + (sums[i + half] as number);
  }
  if (width < 8) for (let i = 1; i < width; i++) sums[0] = (sums[0] as number) + (sums[i] as number);
  return Math.sqrt(sums[0] as number);
}

function stridedNorm(values: FloatArray, first: number, step: number): number {
  let sum = 0;
  for (let i = first; i < values.length; i += step) sum += (values[i] as number) ** 2;
  return Math.sqrt(sum);
}
