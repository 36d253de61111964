// Runs the float64 oracle over a fixture case or over loose sequences, and lays its result out as torch would.

import { Tensor } from "../../lib/index.js";
import type { Module, Results } from "./cells.js";
import type { Case, Rebuilt } from "./fixture.js";
import { type OracleModel, oracle } from "./oracle.js";

type Model = Pick<OracleModel, "cell" | "hiddenSize" | "numLayers" | "bidirectional">;

/** The oracle's view of a module: its parameters, float32 ones widened by reading. */
export function oracleModel(
  { cell, hiddenSize, numLayers, bidirectional }: Model,
  module: Pick<Module, "stateDict">,
): OracleModel {
  const parameters = Object.fromEntries(Object.entries(module.stateDict()).map(([name, { data }]) => [name, data]));
  return { cell, hiddenSize, numLayers, bidirectional, parameters };
}

/** The rows of one tensor of shape (n, width). */
export function rowsOf({ data, shape }: Tensor): Float64Array[] {
  const width = shape[1]!;
  return Array.from({ length: shape[0]! }, (_, k) => Float64Array.from(data.subarray(k * width, (k + 1) * width)));
}

/** A float64 tensor made one number at a time. */
function build(shape: readonly number[], value: (...index: number[]) => number): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const data = new Float64Array(size);
  for (let k = 0; k < size; k++) {
    const index: number[] = [];
    for (let d = shape.length - 1, rest = k; d >= 0; rest = Math.floor(rest / shape[d]!), d--) {
      index.unshift(rest % shape[d]!);
    }
    data[k] = value(...index);
  }
  return new Tensor(data, shape);
}

/** What the oracle makes of a case, in the case's layout, padding included. */
export function oracleCase(c: Case, { module, input, states }: Rebuilt): Results {
  const model = oracleModel(c, module);
  const timeDim = c.batchFirst ? 1 : 0;
  const batchDim = 1 - timeDim;
  const unbatched = c.batch === null;
  const one = (b: number) => {
    const sequence = unbatched ? input : input.select(batchDim, b).slice(0, 0, c.lengths?.[b] ?? c.steps);
    const state = states?.map((t) => rowsOf(unbatched ? t : t.select(1, b)));
    return oracle(model, rowsOf(sequence), state?.[0], state?.[1]);
  };
  const results = Array.from({ length: c.batch ?? 1 }, (_, b) => one(b));
  const { output, hn, cn } = results[0]!;
  const width = output[0]!.length;
  if (unbatched) {
    const rows = (list: number[][]): Tensor => build([list.length, list[0]!.length], (row, k) => list[row!]![k!]!);
    return { output: rows(output), hn: rows(hn), ...(cn.length > 0 && { cn: rows(cn) }) };
  }
  const batch = results.length;
  const steps = c.totalLength ?? c.steps;
  const shape = c.batchFirst ? [batch, steps, width] : [steps, batch, width];
  const final = (key: "hn" | "cn", { length, 0: first }: number[][]): Tensor =>
    build([length, batch, first!.length], (row, b, k) => results[b!]![key][row!]![k!]!);
  return {
    output: build(shape, (...at) => results[at[batchDim]!]!.output[at[timeDim]!]?.[at[2]!] ?? c.paddingValue),
    hn: final("hn", hn),
    ...(cn.length > 0 && { cn: final("cn", cn) }),
  };
}
