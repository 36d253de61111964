// Models and batches drawn at random, and how long every array of a call on them is, as binding.d.ts says.

import type { CellKind, LinearConfig, RecurrentConfig } from "../../binding.js";
import { gatesOf } from "../support/binding-model.js";
import type { Below } from "../support/mutate.js";

export function randomConfig(below: Below): RecurrentConfig {
  const hiddenSize = 1 + below(20);
  const cells: CellKind[] = ["lstm", "lstm", "lstm", "gru", "rnn_tanh", "rnn_relu"];
  const cell = cells[below(cells.length)] ?? "lstm";
  const dtype = below(4) === 0 ? "float64" : "float32";
  return {
    cell,
    inputSize: 1 + below(below(4) === 0 ? 40 : 6),
    hiddenSize,
    projSize: cell === "lstm" && below(3) === 0 ? below(hiddenSize) : 0,
    numLayers: 1 + below(2),
    bidirectional: below(3) === 0,
    bias: below(3) !== 0,
    dtype,
    weightDtype: dtype === "float32" && below(3) === 0 ? "int8" : dtype,
  };
}

export function randomLinear(below: Below): LinearConfig {
  const dtype = below(4) === 0 ? "float64" : "float32";
  return {
    inFeatures: 1 + below(20),
    outFeatures: 1 + below(70),
    bias: below(2) === 0,
    dtype,
    weightDtype: dtype === "float32" && below(3) === 0 ? "int8" : dtype,
  };
}

/** Lengths of the arrays that `load` takes. */
export function parameterSizes(config: RecurrentConfig): number[] {
  const { cell, inputSize, hiddenSize, projSize, numLayers, bidirectional, bias } = config;
  const rows = gatesOf[cell] * hiddenSize;
  const width = projSize || hiddenSize;
  const directions = bidirectional ? 2 : 1;
  return Array.from({ length: numLayers * directions }, (_, i) => [
    rows * (i < directions ? inputSize : directions * width),
    rows * width,
    ...(bias ? [rows, rows] : []),
    ...(projSize !== 0 ? [projSize * hiddenSize] : []),
  ]).flat();
}

/** The last six of PassArgs, and the rows they describe. */
export interface Rows {
  readonly rows: number;
  readonly steps: number;
  readonly batch: number;
  readonly batchFirst: boolean;
  readonly sizes: Int32Array | null;
  readonly sorted: Int32Array | null;
  readonly lengths: Int32Array | null;
}

/** Dense rows of either layout, packed ones in either order, or joined ones. */
export function randomRows(below: Below): Rows {
  const [steps, batch] = [1 + below(5), 1 + below(9)];
  if (below(2) === 0) {
    return { rows: steps * batch, steps, batch, batchFirst: below(2) === 0, sizes: null, sorted: null, lengths: null };
  }
  const sizes = Int32Array.from({ length: steps }, () => 1 + below(batch))
    .sort()
    .reverse();
  sizes[0] = batch;
  const rows = sizes.reduce((a, b) => a + b, 0);
  if (below(2) === 0) {
    const lengths = Int32Array.from({ length: batch }, (_, b) => sizes.filter((size) => size > b).length);
    return { rows, steps, batch, batchFirst: true, sizes: null, sorted: null, lengths };
  }
  const sorted = below(2) === 0 ? Int32Array.from({ length: batch }, (_, b) => batch - 1 - b) : null;
  return { rows, steps, batch, batchFirst: false, sizes, sorted, lengths: null };
}
