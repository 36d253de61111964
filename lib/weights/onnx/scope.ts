// What a name in an ONNX graph stands for, where that is a constant: an initializer, or what `operators` makes of
// constants, also by way of functions. Anything else is refused by the name of the node it comes from.
// It knows scopes (a subgraph sees the names around it, a function only its inputs), and nothing of LSTMs.
// The rules of naming: https://github.com/onnx/onnx/blob/main/docs/IR.md

import { describe, rangeError } from "../../check.js";
import {
  type Attribute,
  type Graph,
  type GraphFunction,
  type GraphNode,
  operatorId,
  readAttributes,
  readShapes,
} from "./graph.js";
import { openValue } from "./open-value.js";
import { evaluate } from "./operators.js";
import { type Constant, type ReadExternal, readConstant } from "./tensor.js";

const maxSteps = 200; // operations and scopes between a constant and its use; also bounds the recursion
const walkFactor = 4; // walking through a byte of graph costs about as much as copying this many
const attributeCost = 1024; // and reading an attribute, as copying this many
const callCost = 4096; // and going into a function

/**
 * How many bytes of constants may still be made of one file, and of graphs be walked through: a chain of Concat doubles
 * at every step, and so does a chain of functions that call the next one twice.
 */
export class Budget {
  #left = 2 ** 24;

  /** Makes room in proportion to what there is to read. */
  allow(bytes: number): void {
    this.#left += 32 * bytes;
  }

  /** @throws RangeError ERR_FILE when that is too much; nothing is spent then */
  pay(label: string, bytes: number): void {
    if (!(bytes <= this.#left))
      throw rangeError("ERR_FILE", label, "constants and calls in proportion to the file", "far more");
    this.#left -= bytes;
  }

  payWalk(label: string, { length }: Uint8Array): void {
    this.pay(label, walkFactor * length);
  }
}

/** What all graphs of a file share. */
export interface FileContext {
  readonly file: string;
  readonly budget: Budget;
  readonly functions: ReadonlyMap<string, GraphFunction>;
  readonly readExternal: ReadExternal;
}

/** A name and the scope that it is to be looked up in. */
export interface ScopedName {
  scope: Scope;
  name: string;
}

/** Where a value comes from that is no constant: an input of the whole model, or else what to call it. */
export interface Origin {
  readonly input?: string;
  readonly text: string;
}

interface Surroundings {
  /** The scope around a subgraph. */
  outer?: Scope;
  /** For a function, what its caller passes for its inputs, and for the attributes that it refers to. */
  bound?: ReadonlyMap<string, ScopedName>;
  actual?: ReadonlyMap<string, Attribute>;
  opset: number;
}

/** The names that one graph, one subgraph or one call of a function can see. */
export class Scope {
  readonly context: FileContext;
  readonly opset: number;
  readonly #graph: Graph;
  readonly #outer: Scope | undefined;
  readonly #bound: ReadonlyMap<string, ScopedName>;
  readonly #actual: ReadonlyMap<string, Attribute>;
  readonly #inputs: ReadonlySet<string>;
  readonly #producers = new Map<string, GraphNode>();
  readonly #known = new Map<string, Constant>();
  readonly #calls = new Map<GraphNode, Scope>();
  /** Names of which it was found that they are no constants, when their shape was asked for. */
  readonly #open = new Set<string>();
  #shapes: ReadonlyMap<string, readonly number[]> | undefined;

  constructor(context: FileContext, graph: Graph, { outer, bound, actual, opset }: Surroundings) {
    this.context = context;
    this.opset = opset;
    this.#graph = graph;
    this.#outer = outer;
    this.#bound = bound ?? new Map();
    this.#actual = actual ?? outer?.actual ?? new Map();
    this.#inputs = new Set(graph.inputs);
    for (const node of graph.nodes) for (const output of node.outputs) this.#producers.set(output, node);
  }

  /** The attributes of the call that this scope is inside of. */
  get actual(): ReadonlyMap<string, Attribute> {
    return this.#actual;
  }

  /** A node's attributes, read anew each time. That has its price: a function may be called many times. */
  attributesOf(node: GraphNode): ReadonlyMap<string, Attribute> {
    this.context.budget.pay(this.context.file, attributeCost * node.attributeCount);
    return readAttributes(this.context.file, node, this.#actual);
  }

  /** The scope of the graph in one of a node's attributes. */
  inside(graph: Graph): Scope {
    return new Scope(this.context, graph, { outer: this, opset: this.opset });
  }

  /** The scope of the function that a node calls, if it calls one. Walking through it has its price. */
  called(node: GraphNode): { body: GraphFunction; scope: Scope } | undefined {
    if (this.context.functions.size === 0) return undefined;
    const body = this.context.functions.get(operatorId(node.domain, node.opType, node.overload));
    if (body === undefined) return undefined;
    const known = this.#calls.get(node);
    if (known !== undefined) return { body, scope: known };
    this.context.budget.pay(this.context.file, callCost);
    this.context.budget.payWalk(this.context.file, body.bytes);
    const bound = new Map(body.inputs.map((input, k) => [input, { scope: this, name: node.inputs[k] ?? "" }]));
    const actual = new Map([...body.defaults, ...this.attributesOf(node)]);
    const scope = new Scope(this.context, body, { bound, actual, opset: body.opset });
    this.#calls.set(node, scope);
    return { body, scope };
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
    if (steps > maxSteps) throw openValue(label, "a longer way", `a constant within ${maxSteps} operations`);
    const constant = this.#find(label, name, steps + 1);
    this.#known.set(name, constant);
    return constant;
  }

  #find(label: string, name: string, steps: number): Constant {
    const bound = this.#bound.get(name);
    if (bound !== undefined) return bound.scope.constant(label, bound.name, steps);
    const proto = this.#graph.initializers.get(name);
    if (proto !== undefined) return this.#readTensor(`${label}, initializer ${describe(name)}`, proto);
    const node = this.#producers.get(name);
    if (node !== undefined) return this.#evaluate(label, node, name, steps);
    if (this.#inputs.has(name) || this.#outer === undefined) {
      throw openValue(label, this.origin(name).text);
    }
    return this.#outer.constant(label, name, steps);
  }

  #readTensor(label: string, proto: Uint8Array): Constant {
    const { readExternal, budget } = this.context;
    return readConstant(label, proto, readExternal, (bytes) => budget.pay(label, bytes));
  }

  #evaluate(label: string, node: GraphNode, name: string, steps: number): Constant {
    const { opType, domain, inputs, outputs } = node;
    const at = `${label}, ${titleOf(node)}`;
    const output = outputs.indexOf(name);
    const called = this.called(node);
    if (called !== undefined) return called.scope.constant(label, called.body.outputs[output] ?? "", steps);
    const optional = (index: number): Constant | undefined => {
      const input = inputs[index] ?? "";
      return this.isAbsent(input) ? undefined : this.constant(label, input, steps);
    };
    const value =
      domain === "" || domain === "ai.onnx"
        ? evaluate(opType, {
            label: at,
            attributes: this.attributesOf(node),
            opset: this.opset,
            count: inputs.length,
            optional,
            shapeOf: (index) => this.#shapeOf(label, inputs[index] ?? "", steps),
            output,
            outputs: outputs.length,
            readTensor: (where, proto) => this.#readTensor(where, proto),
            pay: (bytes) => this.context.budget.pay(at, bytes),
          })
        : undefined;
    if (value === undefined) throw openValue(label, this.origin(name).text);
    return value;
  }

  /** The dims of a value: declared, or those of the constant that it is. */
  #shapeOf(label: string, name: string, steps: number): readonly number[] | undefined {
    const bound = this.#bound.get(name);
    if (bound !== undefined) return bound.scope.#shapeOf(label, bound.name, steps + 1);
    const isInitializer = this.#graph.initializers.has(name);
    const own = isInitializer || this.#producers.has(name) || this.#inputs.has(name);
    if (!own && this.#outer !== undefined) return this.#outer.#shapeOf(label, name, steps + 1);
    this.#shapes ??= readShapes(this.context.file, this.#graph);
    const declared = isInitializer ? undefined : this.#shapes.get(name);
    if (this.#open.has(name) || declared?.some(Number.isNaN) === false) return declared;
    try {
      return this.constant(label, name, steps).shape;
    } catch {
      this.#open.add(name);
      return declared;
    }
  }

  /** Says where a value comes from, of which it is known that it is no constant. */
  origin(name: string): Origin {
    const bound = this.#bound.get(name);
    if (bound !== undefined) return bound.scope.origin(bound.name);
    const node = this.#producers.get(name);
    if (node !== undefined) return { text: `the output of ${titleOf(node)}` };
    if (this.#inputs.has(name)) {
      const text = `input ${describe(name)} of the graph`;
      return this.#outer === undefined ? { text, input: name } : { text };
    }
    if (this.#outer !== undefined) return this.#outer.origin(name);
    return { text: `${describe(name)}, which nothing in the file produces` };
  }
}

/** How a node is called in a message. */
export function titleOf(node: GraphNode): string {
  return `${node.opType} node ${describe(node.name || (node.outputs[0] ?? ""))}`;
}
