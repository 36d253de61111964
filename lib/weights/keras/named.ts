// Weights that a file keeps by name, as Keras' .h5 and TensorFlow.js do: "encoder/lstm/lstm_cell/kernel:0". Which of them
// are a layer's, the names say; in what order, the file.

import type { Tensor } from "../../tensor/tensor.js";
import type { LayerNode } from "./config.js";
import type { Part, Variable } from "./layers.js";

/** One weight of a file. */
export interface NamedWeight {
  readonly name: string;
  read(): Tensor | string;
}

/** Weights looked up by parts of their names, so that many layers cost no more than one pass. */
export class NamedWeights {
  readonly #all: readonly NamedWeight[];
  readonly #byPart = new Map<string, NamedWeight[]>();

  constructor(all: readonly NamedWeight[]) {
    this.#all = all;
    for (const weight of all) {
      for (const part of new Set(partsOf(weight.name).slice(0, -1))) {
        const found = this.#byPart.get(part) ?? [];
        this.#byPart.set(part, found);
        found.push(weight);
      }
    }
  }

  /**
   * The variables of a layer: of the weights that its name is a part of, those that its models' names lead to, or
   * those that start with its own name, or all of them. With no such name, as Keras 3.0 wrote them, every weight there is.
   * @param alone the weights are known to be this layer's alone
   */
  find(node: LayerNode, part: Part, alone: boolean): Variable[] | string {
    const own = node.names[node.names.length - 1] as string;
    const candidates = this.#byPart.get(own) ?? [];
    const starts = (lead: readonly string[]): NamedWeight[] => {
      return candidates.filter(({ name }) => {
        const parts = partsOf(name);
        return lead.every((word, i) => parts[i] === word);
      });
    };
    const pick = [alone ? this.#all : starts(node.names), starts([own]), candidates].find((list) => list.length > 0);
    if (pick === undefined) return "no weights of that name";
    return chooseDirection(pick, part).map((weight) => ({ role: roleOf(weight.name), read: () => weight.read() }));
  }
}

function partsOf(name: string): string[] {
  return name.split("/");
}

/** "lstm/lstm_cell/kernel:0" is a kernel. */
function roleOf(name: string): string {
  return (partsOf(name).at(-1) as string).replace(/:\d+$/, "");
}

/** Keras lists a Bidirectional's weights forward first; where the names say so too, they count. */
function chooseDirection(weights: readonly NamedWeight[], part: Part): readonly NamedWeight[] {
  if (part === "whole") return weights;
  const marked = weights.filter(({ name }) => partsOf(name).some((word) => word.startsWith(`${part}_`)));
  const other = part === "forward" ? "backward" : "forward";
  const apart = weights.filter(({ name }) => partsOf(name).some((word) => word.startsWith(`${other}_`)));
  if (marked.length > 0 && marked.length + apart.length === weights.length) return marked;
  const half = Math.ceil(weights.length / 2);
  return part === "forward" ? weights.slice(0, half) : weights.slice(half);
}
