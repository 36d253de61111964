// A recurrent node as its readers see it, and the sizes that are read off it.

import type { Attribute, GraphNode } from "./graph.js";
import type { Scope } from "./scope.js";

/** The module that a node is. */
export type ModuleName = "LSTM" | "GRU" | "RNN";

/** What every step of reading a node needs. */
export interface NodeView {
  /** File, operator and name, for messages. */
  readonly label: string;
  readonly node: GraphNode;
  readonly attributes: ReadonlyMap<string, Attribute>;
  readonly scope: Scope;
  readonly module: ModuleName;
  readonly quantized: boolean;
}

export interface Sizes {
  readonly directions: 1 | 2;
  readonly inputSize: number;
  readonly hiddenSize: number;
}
