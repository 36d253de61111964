// A shape as the work that the machine's measured limits leave a least time for (lib/runtime/floor.ts), and how much of
// that we reach.

import { floorSeconds, type Work } from "../../dist/runtime/floor.js";
import { type Outcome, type RunRecord, roofOf } from "./record.js";
import { cellOf, gatesOf, layerInputs, rowsOf, type Shape } from "./shapes.js";

export function workOf(shape: Shape): Work {
  const { steps, hiddenSize, directions, dtype } = shape;
  const rows = gatesOf(shape) * hiddenSize;
  const layers = layerInputs(shape).flatMap((width) =>
    Array.from({ length: directions }, () => ({ input: rows * width, recurrent: rows * hiddenSize, hiddenSize })),
  );
  return { cell: cellOf(shape), weightBytes: dtype === "float32" ? 4 : 8, steps, rows: rowsOf(shape), layers };
}

/** Milliseconds; NaN where the record has no roof for it. */
export function floorMs(record: RunRecord, outcome: Outcome): number {
  const roof = roofOf(record, outcome);
  return roof ? 1000 * floorSeconds(workOf(outcome.shape), roof) : Number.NaN;
}

/** How much of that we reach, 0 to 1. */
export function floorShare(record: RunRecord, outcome: Outcome): number {
  return floorMs(record, outcome) / outcome.ours.median;
}
