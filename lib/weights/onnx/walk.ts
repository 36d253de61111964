// Walks through every graph of an ONNX model, the bodies of If, Loop, Scan and functions included, and reads the recurrent
// nodes it meets. A node that cannot be read is passed over with its reason; a file that cannot be walked is refused.

import { describe, rangeError } from "../../check.js";
import { Flow, type Wire } from "./flow.js";
import { type Attribute, type Graph, type GraphNode, type Model, readGraph } from "./graph.js";
import type { ModuleName } from "./node-view.js";
import { type RecurrentNode, readRecurrent } from "./recurrent.js";
import { type FileContext, Scope } from "./scope.js";

/** A node of the file that could not be read, and why. */
export interface OnnxPassedOver {
  /** As the name of a node that could be read is made. */
  readonly name: string;
  readonly reason: string;
}

/** What a walk found, in the order of the graph. */
export interface Walked {
  readonly found: readonly (RecurrentNode & { readonly name: string })[];
  readonly passedOver: readonly OnnxPassedOver[];
  /** The error of the first node that was passed over for what it is; undefined when there is none. */
  readonly firstError: RangeError | undefined;
  /** Which node feeds which; empty unless it was asked for. */
  readonly wires: readonly Wire[];
}

const maxDepth = 32; // graphs within graphs and functions within functions
const maxNodes = 1_000_000; // looked at, counted at each call of a function
const maxPassedOver = 1000;

/** Where a walk is: what it sees, the names of the nodes it is inside of, and how deep that is. */
interface Place {
  readonly scope: Scope;
  readonly path: string;
  readonly depth: number;
  readonly flow: Flow | undefined;
}

const modules: Readonly<Record<string, ModuleName>> = {
  LSTM: "LSTM",
  GRU: "GRU",
  RNN: "RNN",
  DynamicQuantizeLSTM: "LSTM",
};

/** @throws RangeError ERR_FILE for a file that is damaged, or larger to walk through than it is to read */
export function walk(context: FileContext, model: Model, withWires: boolean): Walked {
  const walker = new Walker(context);
  const scope = new Scope(context, model.graph, { opset: model.opset });
  walker.graph(model.graph, { scope, path: "", depth: 0, flow: withWires ? new Flow(model.graph.inputs) : undefined });
  return walker;
}

class Walker implements Walked {
  readonly found: (RecurrentNode & { name: string })[] = [];
  readonly passedOver: OnnxPassedOver[] = [];
  readonly wires: Wire[] = [];
  firstError: RangeError | undefined;
  readonly #context: FileContext;
  readonly #names = new Set<string>();
  #nodes = 0;

  constructor(context: FileContext) {
    this.#context = context;
  }

  graph(graph: Graph, place: Place): void {
    const { file } = this.#context;
    if (place.depth > maxDepth) throw rangeError("ERR_FILE", file, `graphs nested at most ${maxDepth} deep`, "deeper");
    this.#nodes += graph.nodes.length;
    if (this.#nodes > maxNodes) throw rangeError("ERR_FILE", file, `at most ${maxNodes} nodes`, "more");
    for (const node of graph.nodes) this.#node(node, place);
    if (place.flow !== undefined) this.wires.push(...place.flow.outputs(place.path, graph.outputs));
  }

  #node(node: GraphNode, place: Place): void {
    const own = node.name || (node.outputs.find((output) => output !== "") ?? node.opType);
    const name = place.path + own;
    const called = place.scope.called(node);
    if (called !== undefined) {
      this.#context.budget.pay(this.#context.file, 2 * name.length);
      const inner = { scope: called.scope, path: `${name}/`, depth: place.depth + 1 };
      const flow = place.flow?.inside(called.body.inputs, node.inputs);
      this.graph(called.body, { ...inner, flow });
      place.flow?.join(node, flow, called.body.outputs);
      return;
    }
    const kind = Object.hasOwn(modules, node.opType) ? modules[node.opType] : undefined;
    if (kind !== undefined) {
      const unique = this.#unique(node, name);
      const attributes = place.scope.attributesOf(node);
      this.#recurrent(node, unique, kind, attributes, place.scope);
      if (place.flow !== undefined) this.wires.push(...place.flow.recurrent(place.path, unique, node));
      return;
    }
    place.flow?.pass(node);
    if (!node.hasGraphs) return;
    for (const attribute of place.scope.attributesOf(node).values()) this.#branches(node, name, attribute, place);
  }

  #branches(node: GraphNode, name: string, attribute: Attribute, place: Place): void {
    attribute.graphs.forEach((bytes, k) => {
      this.#context.budget.payWalk(this.#context.file, bytes);
      this.#context.budget.pay(this.#context.file, 2 * name.length);
      const graph = readGraph(this.#context.file, bytes);
      const branch = attribute.graphs.length > 1 ? `${attribute.name}[${k}]` : attribute.name;
      const flow = place.flow?.inside(graph.inputs, node.inputs, place.flow);
      const path = `${name}/${branch}/`;
      this.graph(graph, { scope: place.scope.inside(graph), path, depth: place.depth + 1, flow });
      // The body of a Loop gives, before the values, whether to go on.
      place.flow?.join(node, flow, node.opType === "Loop" ? graph.outputs.slice(1) : graph.outputs);
    });
  }

  /** Names are free in ONNX, and may be used twice in one graph; outputs may not. */
  #unique(node: GraphNode, name: string): string {
    this.#context.budget.pay(this.#context.file, 2 * name.length);
    const output = node.outputs.find((text) => text !== "") ?? "";
    const unique = this.#names.has(name) ? `${name}:${output}` : name;
    this.#names.add(unique);
    return unique;
  }

  #recurrent(
    node: GraphNode,
    name: string,
    module: ModuleName,
    attributes: ReadonlyMap<string, Attribute>,
    scope: Scope,
  ): void {
    const quantized = node.opType === "DynamicQuantizeLSTM";
    const isKnown = quantized ? node.domain === "com.microsoft" : node.domain === "" || node.domain === "ai.onnx";
    if (!isKnown) {
      const reason = `an operator of ${describe(node.domain)}, of which the file does not say what it computes`;
      this.#passOver(name, reason);
      return;
    }
    const label = `${this.#context.file} ${node.opType} node ${describe(name)}`;
    try {
      this.found.push({ name, ...readRecurrent({ label, node, attributes, scope, module, quantized }) });
    } catch (error) {
      if (!(error instanceof RangeError) || (error as { code?: unknown }).code !== "ERR_FILE") throw error;
      this.firstError ??= error;
      this.#passOver(name, error.message);
    }
  }

  #passOver(name: string, reason: string): void {
    if (this.passedOver.length === maxPassedOver) {
      const expected = `at most ${maxPassedOver} nodes that cannot be read`;
      throw rangeError("ERR_FILE", this.#context.file, expected, "more");
    }
    this.passedOver.push({ name, reason });
  }
}
