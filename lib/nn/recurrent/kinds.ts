// The kinds of recurrent module that there are, and what sets them apart: all else under nn/recurrent takes it from here.

import type { CellKind } from "../../../binding.js";

/** The classes of the modules; a cell's is the same with "Cell" behind it. */
export type ModuleName = "LSTM" | "GRU" | "RNN";

/** An RNN's activation. */
export type Nonlinearity = "tanh" | "relu";

/** What a kind of module computes, as far as sizes and names go. */
export interface Kind {
  /** torch.nn's name. */
  readonly module: ModuleName;
  /** Blocks of H rows in each weight and bias: the gates of a unit. */
  readonly gates: 4 | 3 | 1;
  /** Whether there is a c beside h. */
  readonly hasC: boolean;
  /** Whether h may be projected to another size. */
  readonly projects: boolean;
  /** Of an RNN. */
  readonly nonlinearity?: Nonlinearity;
}

export const kinds: Readonly<Record<CellKind, Kind>> = {
  lstm: { module: "LSTM", gates: 4, hasC: true, projects: true },
  gru: { module: "GRU", gates: 3, hasC: false, projects: false },
  rnn_tanh: { module: "RNN", gates: 1, hasC: false, projects: false, nonlinearity: "tanh" },
  rnn_relu: { module: "RNN", gates: 1, hasC: false, projects: false, nonlinearity: "relu" },
};

/** The kind of a module. @param nonlinearity of an RNN; tanh when left out, as in torch */
export function cellOf(module: ModuleName, nonlinearity: Nonlinearity = "tanh"): CellKind {
  if (module === "RNN") return nonlinearity === "relu" ? "rnn_relu" : "rnn_tanh";
  return module === "GRU" ? "gru" : "lstm";
}

/** The kind with so many gates, tanh of the two RNNs; undefined where there is none. */
export function cellWithGates(gates: number): CellKind | undefined {
  return (["lstm", "gru", "rnn_tanh"] as const).find((cell) => kinds[cell].gates === gates);
}

/** The rows of a weight for a message: "4·H rows". */
export function rowsText({ gates }: Kind): string {
  return gates === 1 ? "H rows" : `${gates}·H rows`;
}

/** "an LSTM", "a GRUCell". */
export function withArticle(name: string): string {
  return /^[LR]/.test(name) ? `an ${name}` : `a ${name}`;
}
