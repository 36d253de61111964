// Follows values through a graph, from the inputs of the model and the recurrent nodes to the recurrent nodes and outputs
// that they reach, so that someone can see which node feeds which. It only follows names, in the order of the nodes, and
// keeps a few sources of each value: it is for looking at, not for computing.

import type { GraphNode } from "./graph.js";

/** A value's source, and the operators between. */
interface End {
  readonly from: string;
  readonly via: readonly string[];
}

/** One connection: from an input or node, by way of some operators, to a port of a node or to an output. */
export interface Wire extends End {
  /** The nodes whose body it lies in, such as "if/then_branch/"; "" for the model's own graph. */
  readonly path: string;
  readonly to: string;
}

const maxEnds = 6; // sources kept of a value
const maxVia = 6; // operators named of a way

/** The values of one graph. */
export class Flow {
  readonly #ends = new Map<string, readonly End[]>();
  readonly #outer: Flow | undefined;

  /** @param inputs the inputs of the model's own graph */
  constructor(inputs: readonly string[], outer?: Flow) {
    this.#outer = outer;
    for (const input of inputs) this.#ends.set(input, [{ from: `input ${JSON.stringify(input)}`, via: [] }]);
  }

  of(name: string): readonly End[] {
    return this.#ends.get(name) ?? this.#outer?.of(name) ?? [];
  }

  #add(name: string, ends: readonly End[]): void {
    if (name !== "" && ends.length > 0) this.#ends.set(name, merge([...(this.#ends.get(name) ?? []), ...ends]));
  }

  /** The flow of a body whose inputs are, in order, what is given to the node. */
  inside(inputs: readonly string[], given: readonly string[], outer?: Flow): Flow {
    const flow = new Flow([], outer);
    inputs.forEach((input, k) => {
      flow.#add(input, this.of(given[k] ?? ""));
    });
    return flow;
  }

  /** A node of any other kind: what reaches its inputs reaches its outputs. */
  pass(node: GraphNode): void {
    if (node.opType === "Shape" || node.opType === "Size") return; // how large a value is is not the value
    const ends = merge(node.inputs.flatMap((input) => this.of(input)));
    const further = ends.map(({ from, via }) => ({ from, via: step(via, node.opType) }));
    for (const output of node.outputs) this.#add(output, further);
  }

  /** A node with a body: what reaches the body's outputs reaches its own. */
  join(node: GraphNode, body: Flow | undefined, outputs: readonly string[]): void {
    node.outputs.forEach((output, k) => {
      this.#add(output, body?.of(outputs[k] ?? "") ?? []);
    });
  }

  /** A recurrent node: its wires, and a source of its own. */
  recurrent(path: string, name: string, node: GraphNode): Wire[] {
    const quoted = JSON.stringify(name);
    ["", " hn", " cn"].forEach((port, k) => {
      const output = node.outputs[k] ?? "";
      if (output !== "") this.#ends.set(output, [{ from: quoted + port, via: [] }]);
    });
    return [
      [0, ""],
      [5, " h0"],
      [6, " c0"],
    ].flatMap(([k, port]) =>
      this.of(node.inputs[k as number] ?? "").map((end) => ({ path, ...end, to: quoted + port })),
    );
  }

  /** The wires from recurrent nodes to the outputs of the graph. */
  outputs(path: string, names: readonly string[]): Wire[] {
    return names.flatMap((name) =>
      this.of(name)
        .filter(({ from }) => from.startsWith('"'))
        .map((end) => ({ path, ...end, to: `output ${JSON.stringify(name)}` })),
    );
  }
}

function step(via: readonly string[], opType: string): readonly string[] {
  if (via.length < maxVia) return [...via, opType];
  return [...via.slice(0, maxVia - 2), "…", opType];
}

function merge(ends: readonly End[]): readonly End[] {
  const kept = new Map<string, End>();
  for (const end of ends) {
    if (kept.size === maxEnds) break;
    if (!kept.has(end.from)) kept.set(end.from, end);
  }
  return [...kept.values()];
}
