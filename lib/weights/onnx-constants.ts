// What a name in an ONNX graph stands for, where that is a constant: an initializer, a Constant node, or what the few
// operations of onnx-ops make of those. Anything else is refused by the name of the node it comes from.
// It knows scopes (a subgraph sees the names around it, a function only its inputs), and nothing of LSTMs.
// The rules of naming: https://github.com/onnx/onnx/blob/main/docs/IR.md

import { describe, rangeError } from "../check.js";
import type { Graph, GraphNode } from "./onnx-graph.js";
import { concat, slice, unsqueeze } from "./onnx-ops.js";
import { type Constant, readConstant } from "./onnx-tensor.js";

const maxSteps = 200; // operations and scopes between a constant and its use; also bounds the recursion

/**
 * How many bytes of constants may still be made of one file, and of graphs be walked through: a chain of Concat doubles
 * at every step, and so does a chain of functions that call the next one twice.
 */
export class Budget {
  #left: number;
  constructor(bytes: number) {
    this.#left = bytes;
  }

  pay(label: string, bytes: number): void {
    this.#left -= bytes;
    if (!(this.#left >= 0))
      throw rangeError("ERR_FILE", label, "constants and calls in proportion to the file", "far more");
  }
}

/** A name and the scope that it is to be looked up in. */
export interface ScopedName {
  scope: Scope;
  name: string;
}

/** The names that one graph, one subgraph or one call of a function can see. */
export class Scope {
  readonly #graph: Graph;
  readonly #budget: Budget;
  readonly #outer: Scope | undefined;
  readonly #bound: ReadonlyMap<string, ScopedName>;
  readonly #inputs: ReadonlySet<string>;
  readonly #producers = new Map<string, GraphNode>();
  readonly #known = new Map<string, Constant>();

  /**
   * @param outer the scope around a subgraph
   * @param bound for a function, what its caller passes for its inputs
   */
  constructor(graph: Graph, budget: Budget, outer?: Scope, bound: ReadonlyMap<string, ScopedName> = new Map()) {
    this.#graph = graph;
    this.#budget = budget;
    this.#outer = outer;
    this.#bound = bound;
    this.#inputs = new Set(graph.inputs);
    for (const node of graph.nodes) for (const output of node.outputs) this.#producers.set(output, node);
  }

  /** True for the empty name of an input left out, also where a function's caller leaves it out. */
  isAbsent(name: string): boolean {
    const bound = this.#bound.get(name);
    return name === "" || (bound?.scope.isAbsent(bound.name) ?? false);
  }

  /** @throws RangeError ERR_FILE when the name stands for no constant, saying where its value comes from */
  constant(label: string, name: string, steps = 0): Constant {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    if (steps > maxSteps)
      throw rangeError("ERR_FILE", label, `a constant within ${maxSteps} operations`, "a longer way");
    const constant = this.#find(label, name, steps + 1);
    this.#known.set(name, constant);
    return constant;
  }

  #find(label: string, name: string, steps: number): Constant {
    const bound = this.#bound.get(name);
    if (bound !== undefined) return bound.scope.constant(label, bound.name, steps);
    const proto = this.#graph.initializers.get(name);
    if (proto !== undefined) {
      // Integers and 16-bit floats take up to four times their bytes in the file; int64_data may pack eight into one.
      this.#budget.pay(label, 8 * proto.length);
      return readConstant(`${label}, initializer ${describe(name)}`, proto);
    }
    const node = this.#producers.get(name);
    if (node !== undefined) return this.#evaluate(label, node, steps);
    if (this.#inputs.has(name))
      throw rangeError("ERR_FILE", label, "a constant", `input ${describe(name)} of the graph`);
    if (this.#outer !== undefined) return this.#outer.constant(label, name, steps);
    throw rangeError("ERR_FILE", label, "a constant", `${describe(name)}, which nothing in the file produces`);
  }

  #evaluate(label: string, node: GraphNode, steps: number): Constant {
    const { opType, domain, inputs, attributes } = node;
    const what = `${opType} node ${describe(node.name || (node.outputs[0] ?? ""))}`;
    const at = `${label}, ${what}`;
    const pay = (bytes: number): void => this.#budget.pay(at, bytes);
    const optional = (index: number): Constant | undefined => {
      const name = inputs[index] ?? "";
      return this.isAbsent(name) ? undefined : this.constant(label, name, steps);
    };
    const input = (index: number): Constant => {
      const constant = optional(index);
      if (constant === undefined) throw rangeError("ERR_FILE", at, `input ${index}`, "none");
      return constant;
    };
    // Attributes in older versions of the operators, inputs since.
    const list = (name: string, index: number): number[] | undefined => {
      const given = attributes.get(name)?.ints ?? optional(index)?.data;
      return given === undefined ? undefined : Array.from(given);
    };
    switch (domain === "" || domain === "ai.onnx" ? opType : "") {
      case "Constant":
        return this.#constantNode(at, node);
      case "Identity":
        return input(0);
      case "Unsqueeze":
        return unsqueeze(at, input(0), list("axes", 1) ?? []);
      case "Concat":
        return concat(
          at,
          inputs.map((_, index) => input(index)),
          attributes.get("axis")?.int ?? 0,
          pay,
        );
      case "Slice": {
        const lists = { starts: list("starts", 1) ?? [], ends: list("ends", 2) ?? [] };
        return slice(at, input(0), { ...lists, axes: list("axes", 3), steps: list("steps", 4) }, pay);
      }
      default:
        throw rangeError("ERR_FILE", label, "a constant", `the output of ${what}`);
    }
  }

  #constantNode(label: string, { attributes }: GraphNode): Constant {
    const tensor = attributes.get("value")?.tensor;
    if (tensor !== undefined) {
      this.#budget.pay(label, 8 * tensor.length);
      return readConstant(label, tensor);
    }
    const floats = attributes.get("value_floats")?.floats;
    if (floats !== undefined) return { shape: [floats.length], data: Float32Array.from(floats), integer: false };
    const ints = attributes.get("value_ints")?.ints;
    if (ints !== undefined) return { shape: [ints.length], data: Float64Array.from(ints), integer: true };
    throw rangeError(
      "ERR_FILE",
      label,
      "a value that is a tensor or a list of numbers",
      [...attributes.keys()].join(", "),
    );
  }
}
