// The time that the machine's measured limits leave for a shape, whoever computes it: the input's projection at the peak
// of the fused multiply-add; then step by step the recurrent product and the cells at that peak, or reading the recurrent
// weights at the bandwidth of the level that holds them, whichever takes longer. Calls, barriers, tiles that do not come
// out even and what JavaScript asks for are not in it, so nobody reaches all of it.

import { readRate } from "../../dist/runtime/roofline.js";
import { type Outcome, type RunRecord, roofOf } from "./record.js";
import { type Cell, cellOf, gatesOf, layerInputs, recurrentBytes, rowsOf, type Shape, workingSet } from "./shapes.js";

/**
 * A cell's exponentials and divisions (an LSTM's five and three, a GRU's three and three, an RNN's one and one) in terms
 * of the peak: 80, 51 and 17 of our kernels' instructions on one vector occupy as many slots of a fused multiply-add, of
 * two operations each.
 */
const cellFlops: Readonly<Record<Cell, number>> = { lstm: 160, gru: 102, rnn: 34 };

function weightBytes(shape: Shape, width: number): number {
  return gatesOf(shape) * shape.hiddenSize * width * (shape.dtype === "float32" ? 4 : 8);
}

/** Milliseconds; NaN where the record has no roof for it. */
export function floorMs(record: RunRecord, outcome: Outcome): number {
  const { shape, threads } = outcome;
  const { steps, hiddenSize, directions } = shape;
  const roof = roofOf(record, outcome);
  if (!roof) return Number.NaN;
  const rows = rowsOf(shape) * directions;
  const gates = gatesOf(shape);
  const widths = layerInputs(shape);
  const all = widths.map((width) => directions * weightBytes(shape, width + hiddenSize));
  const total = all.reduce((sum, bytes) => sum + bytes, 0);
  // Of a single step every weight is read once, and comes from where all of them fit.
  const rate = readRate(roof, steps === 1 ? total / threads : workingSet(shape, threads));
  const seconds = widths.map((width) => {
    const input = Math.max(
      (rows * 2 * gates * hiddenSize * width) / roof.flops,
      (directions * weightBytes(shape, width)) / readRate(roof, total / threads),
    );
    const arithmetic = (rows * hiddenSize * (2 * gates * hiddenSize + cellFlops[cellOf(shape)])) / roof.flops;
    return input + Math.max(arithmetic, (steps * directions * recurrentBytes(shape)) / rate);
  });
  return 1000 * seconds.reduce((sum, part) => sum + part, 0);
}

/** How much of that we reach, 0 to 1. */
export function floorShare(record: RunRecord, outcome: Outcome): number {
  return floorMs(record, outcome) / outcome.ours.median;
}
