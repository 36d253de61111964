// The package that is measured, as a user loads it: this checkout's, or in a process of its own the one whose root
// PACKED_LSTM_BENCH_ROOT names. Its modules are looked up by name, so that a checkout that lacks one still runs the others.

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type * as PackedLSTM from "packed-lstm";
import type { PackedSequence, Tensor, WeightDType } from "packed-lstm";
import type { Cell, DType } from "./shapes.js";

/** h, or h and c. */
export type State = Tensor | readonly [Tensor, Tensor];

/** What LSTM, GRU and RNN have in common. */
export interface Recurrent {
  forward(input: Tensor, state?: State, options?: { out: readonly [Tensor, State] }): readonly [Tensor, State];
  forward(input: PackedSequence, state?: State): readonly [PackedSequence, State];
  stream(): { state: State; step(frame: Tensor): Tensor; dispose(): void };
  stateDict(): Record<string, Tensor>;
  loadStateDict(state: Record<string, Tensor>): unknown;
  dispose(): void;
}

export interface RecurrentOptions {
  readonly numLayers: number;
  readonly bidirectional: boolean;
  readonly dtype: DType;
  readonly weightDtype: WeightDType;
}

type RecurrentClass = new (inputSize: number, hiddenSize: number, options: RecurrentOptions) => Recurrent;

const root = process.env.PACKED_LSTM_BENCH_ROOT;

export const packedLSTM: typeof PackedLSTM = root
  ? ((await import(pathToFileURL(join(root, "dist", "index.js")).href)) as typeof PackedLSTM)
  : await import("packed-lstm");

/** The class's name, in torch as here. */
export const classNames: Readonly<Record<Cell, string>> = { lstm: "LSTM", gru: "GRU", rnn: "RNN" };

/** Undefined where the package has none. */
export function recurrentClass(cell: Cell): RecurrentClass | undefined {
  return (packedLSTM as unknown as Record<string, RecurrentClass | undefined>)[classNames[cell]];
}
