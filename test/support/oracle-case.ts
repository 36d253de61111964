// Runs the float64 oracle over a fixture case or over loose sequences, and lays its result out as torch would.

import { type LSTM, Tensor } from "../../lib/index.js";
import type { Case, Result, rebuild } from "./fixture.js";
import { type OracleModel, oracle } from "./oracle.js";

type Model = Pick<OracleModel, "hiddenSize" | "numLayers" | "bidirectional">;

/** The oracle's view of a module: its parameters, float32 ones widened by reading. */
export function oracleModel({ hiddenSize, numLayers, bidirectional }: Model, lstm: LSTM): OracleModel {
  const parameters = Object.fromEntries(Object.entries(lstm.stateDict()).map(([name, { data }]) => [name, data]));
  return { hiddenSize, numLayers, bidirectional, parameters };
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
export function oracleCase(c: Case, { lstm, input, hx }: ReturnType<typeof rebuild>): Result {
  const model = oracleModel(c, lstm);
  const timeDim = c.batchFirst ? 1 : 0;
  const batchDim = 1 - timeDim;
  const unbatched = c.batch === null;
  const one = (b: number) => {
    const sequence = unbatched ? input : input.select(batchDim, b).slice(0, 0, c.lengths?.[b] ?? c.steps);
    const state = hx?.map((t) => rowsOf(unbatched ? t : t.select(1, b)));
    return oracle(model, rowsOf(sequence), state?.[0], state?.[1]);
  };
  const results = Array.from({ length: c.batch ?? 1 }, (_, b) => one(b));
  const { output, hn, cn } = results[0]!;
  const width = output[0]!.length;
  if (unbatched) {
    return {
      output: build([c.steps, width], (t, k) => output[t!]![k!]!),
      hn: build([hn.length, hn[0]!.length], (row, k) => hn[row!]![k!]!),
      cn: build([cn.length, cn[0]!.length], (row, k) => cn[row!]![k!]!),
    };
  }
  const batch = results.length;
  const steps = c.totalLength ?? c.steps;
  const shape = c.batchFirst ? [batch, steps, width] : [steps, batch, width];
  return {
    output: build(shape, (...at) => results[at[batchDim]!]!.output[at[timeDim]!]?.[at[2]!] ?? c.paddingValue),
    hn: build([hn.length, batch, hn[0]!.length], (row, b, k) => results[b!]!.hn[row!]![k!]!),
    cn: build([cn.length, batch, cn[0]!.length], (row, b, k) => results[b!]!.cn[row!]![k!]!),
  };
}
