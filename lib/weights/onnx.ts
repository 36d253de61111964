// Finds the LSTM nodes of an ONNX file, also inside subgraphs and functions, and turns the weights of each into a
// one-layer torch state dict: ONNX's gates i, o, f, c in torch's order i, f, g, o, its one bias vector in torch's two.
// It reads weights, not models: what surrounds a node (initial state, lengths, layout) stays with the caller, and what
// torch.nn.LSTM cannot compute is refused by name.
// The operator: https://onnx.ai/onnx/operators/onnx__LSTM.html

import { describe, formatShape, rangeError } from "../check.js";
import { Tensor } from "../tensor.js";
import { Budget, Scope, type ScopedName } from "./onnx-constants.js";
import {
  type Attribute,
  type Graph,
  type GraphNode,
  type Model,
  operatorId,
  readGraph,
  readModel,
} from "./onnx-graph.js";
import type { Constant } from "./onnx-tensor.js";
import { type FileSource, withSource } from "./source.js";

/** The weights of one LSTM node. */
export interface OnnxLSTM {
  /** The node's name, or else that of its first output; inside a function, with the calling node's name and `/` before it. */
  name: string;
  /** One layer in torch's names, of one direction or two; without bias when the node has none. */
  stateDict: Record<string, Tensor>;
}

const maxDepth = 32; // graphs within graphs and functions within functions
const maxNodes = 1_000_000; // looked at, counted at each call of a function
const walkFactor = 4; // walking through a byte of graph costs about as much as copying this many
const gateOrder = [0, 2, 3, 1]; // torch's i, f, g, o among ONNX's i, o, f, c
const peephole = 7; // the input that holds P

/**
 * Reads the weights of every LSTM node in an ONNX file, in the order of the graph; nodes inside `If`, `Loop` and `Scan`
 * bodies and inside functions stand where the node that holds them does. An LSTM of several layers is several nodes.
 *
 * float16 and bfloat16 weights are widened to float32, exactly. Both of torch's exporters are read, folded or not.
 * Refused by name, because torch.nn.LSTM has no such thing: peepholes (input `P`), activations other than Sigmoid, Tanh,
 * Tanh, `clip`, `input_forget`, and a lone reverse direction. A quantised LSTM and weights kept in a second file
 * are refused as well. The attribute `layout`, the initial state and `sequence_lens` are no weights and are passed over.
 *
 * @param source a path, a file: URL, or the bytes
 * @returns one entry a node, each dict ready for `LSTM.fromStateDict`; none when the file has no LSTM node
 * @throws RangeError ERR_FILE for a file that is damaged, hostile or no ONNX model, or a node that is refused, naming
 *   file and node; TypeError ERR_ARG_TYPE when `source` is neither path nor bytes; the file system's own error when it
 *   cannot be read
 * @see https://onnx.ai/onnx/operators/onnx__LSTM.html
 */
export function loadOnnx(source: FileSource): OnnxLSTM[] {
  return withSource("ONNX", source, (opened) => {
    if (opened.size === 0) throw rangeError("ERR_FILE", opened.name, "an ONNX model", "no bytes");
    if (opened.size > 2 ** 31)
      throw rangeError("ERR_FILE", opened.name, "at most 2 GiB, as protobuf", `${opened.size} bytes`);
    const bytes = new Uint8Array(opened.size);
    opened.read(bytes, 0);
    const walk = new Walk(opened.name, readModel(opened.name, bytes), new Budget(2 ** 26 + 32 * opened.size));
    return walk.run();
  });
}

/** Where a walk is: the names it sees, the names of the calls it is in, and the attributes of the innermost call. */
interface Place {
  scope: Scope;
  prefix: string;
  actual: ReadonlyMap<string, Attribute>;
  depth: number;
}

class Walk {
  readonly #file: string;
  readonly #model: Model;
  readonly #budget: Budget;
  readonly #found: OnnxLSTM[] = [];
  #nodes = 0;

  constructor(file: string, model: Model, budget: Budget) {
    this.#file = file;
    this.#model = model;
    this.#budget = budget;
  }

  run(): OnnxLSTM[] {
    const { graph } = this.#model;
    this.#graph(graph, { scope: new Scope(graph, this.#budget), prefix: "", actual: new Map(), depth: 0 });
    return this.#found;
  }

  #graph(graph: Graph, place: Place): void {
    if (place.depth > maxDepth)
      throw rangeError("ERR_FILE", this.#file, `graphs nested at most ${maxDepth} deep`, "deeper");
    this.#nodes += graph.nodes.length;
    if (this.#nodes > maxNodes) throw rangeError("ERR_FILE", this.#file, `at most ${maxNodes} nodes`, "more");
    for (const node of graph.nodes) this.#node(node, place);
  }

  #node(node: GraphNode, place: Place): void {
    const name = place.prefix + (node.name || (node.outputs.find((output) => output !== "") ?? node.opType));
    const attributes = resolve(node.attributes, place.actual);
    const id = operatorId(node.domain, node.opType, node.overload);
    const called = this.#model.functions.get(id);
    if (called !== undefined) {
      this.#budget.pay(this.#file, walkFactor * called.cost);
      const passed = (k: number): ScopedName => ({ scope: place.scope, name: node.inputs[k] ?? "" });
      const bound = new Map(called.inputs.map((input, k) => [input, passed(k)]));
      const scope = new Scope(called, this.#budget, undefined, bound);
      const actual = new Map([...called.defaults, ...attributes]);
      this.#graph(called, { scope, prefix: `${name}/`, actual, depth: place.depth + 1 });
    } else if (id === operatorId("", "LSTM", "")) {
      this.#found.push({ name, stateDict: this.#weights(name, node, attributes, place.scope) });
    } else if (node.opType === "DynamicQuantizeLSTM") {
      throw rangeError(
        "ERR_FILE",
        `${this.#file} node ${describe(name)}`,
        "an LSTM with float weights",
        "a quantised one",
      );
    }
    for (const attribute of attributes.values()) {
      for (const bytes of attribute.graphs) {
        this.#budget.pay(this.#file, walkFactor * bytes.length);
        const graph = readGraph(this.#file, bytes);
        this.#graph(graph, { ...place, scope: new Scope(graph, this.#budget, place.scope), depth: place.depth + 1 });
      }
    }
  }

  #weights(
    name: string,
    node: GraphNode,
    attributes: ReadonlyMap<string, Attribute>,
    scope: Scope,
  ): Record<string, Tensor> {
    const label = `${this.#file} LSTM node ${describe(name)}`;
    const directions = checkAttributes(label, attributes);
    if (!scope.isAbsent(node.inputs[peephole] ?? "")) {
      throw rangeError(
        "ERR_FILE",
        label,
        "no peepholes, which torch.nn.LSTM has not",
        `input P ${describe(node.inputs[peephole])}`,
      );
    }
    const find = (letter: string, index: number): Constant | undefined => {
      const input = node.inputs[index] ?? "";
      return scope.isAbsent(input) ? undefined : scope.constant(`${label} input ${letter}`, input);
    };
    const w = find("W", 1);
    const r = find("R", 2);
    const b = find("B", 3);
    if (w === undefined || r === undefined) throw rangeError("ERR_FILE", label, "weights W and R", "none");
    const sizes = checkShapes(label, { w, r, b }, directions, attributes.get("hidden_size")?.int);
    return this.#stateDict(label, { w, r, b }, sizes);
  }

  #stateDict(
    label: string,
    { w, r, b }: Weights,
    { directions, inputSize, hiddenSize }: Sizes,
  ): Record<string, Tensor> {
    for (const { data } of b === undefined ? [w, r] : [w, r, b]) this.#budget.pay(label, data.byteLength);
    const dict: Record<string, Tensor> = {};
    const rows = 4 * hiddenSize;
    for (let d = 0; d < directions; d++) {
      const suffix = d === 0 ? "l0" : "l0_reverse";
      dict[`weight_ih_${suffix}`] = new Tensor(toTorchGates(w.data, d * rows, hiddenSize, inputSize), [
        rows,
        inputSize,
      ]);
      dict[`weight_hh_${suffix}`] = new Tensor(toTorchGates(r.data, d * rows, hiddenSize, hiddenSize), [
        rows,
        hiddenSize,
      ]);
      if (b === undefined) continue;
      dict[`bias_ih_${suffix}`] = new Tensor(toTorchGates(b.data, 2 * d * rows, hiddenSize, 1), [rows]);
      dict[`bias_hh_${suffix}`] = new Tensor(toTorchGates(b.data, (2 * d + 1) * rows, hiddenSize, 1), [rows]);
    }
    return dict;
  }
}

/** A node's attributes, with those of the calling node in place of references to them. */
function resolve(
  attributes: ReadonlyMap<string, Attribute>,
  actual: ReadonlyMap<string, Attribute>,
): ReadonlyMap<string, Attribute> {
  const resolved = new Map<string, Attribute>();
  for (const [name, attribute] of attributes) {
    const { reference } = attribute;
    const value = reference === undefined ? attribute : actual.get(reference);
    if (value !== undefined) resolved.set(name, value);
  }
  return resolved;
}

/** Refuses what torch.nn.LSTM cannot compute; returns the number of directions. */
function checkAttributes(label: string, attributes: ReadonlyMap<string, Attribute>): 1 | 2 {
  const fail = (expected: string, received: string): RangeError => rangeError("ERR_FILE", label, expected, received);
  const direction = attributes.get("direction")?.text ?? "forward";
  if (direction === "reverse") {
    throw fail("direction forward or bidirectional", "reverse alone: torch.nn.LSTM cannot run only backwards");
  }
  if (direction !== "forward" && direction !== "bidirectional") {
    throw fail("direction forward or bidirectional", describe(direction));
  }
  const directions = direction === "forward" ? 1 : 2;
  const activations = attributes.get("activations")?.texts ?? [];
  const standard = ["sigmoid", "tanh", "tanh"];
  const isStandard = activations.every((name, k) => name.toLowerCase() === standard[k % 3]);
  if (activations.length > 0 && (!isStandard || activations.length !== 3 * directions)) {
    throw fail(
      "the activations Sigmoid, Tanh, Tanh",
      `activations ${activations.slice(0, 6).map(describe).join(", ")}`,
    );
  }
  const clip = attributes.get("clip");
  if (clip !== undefined) throw fail("no clip, which torch.nn.LSTM has not", `clip ${clip.float}`);
  if ((attributes.get("input_forget")?.int ?? 0) !== 0) {
    throw fail("gates of their own for input and forget", "input_forget, which couples them");
  }
  return directions;
}

interface Weights {
  w: Constant;
  r: Constant;
  b: Constant | undefined;
}

interface Sizes {
  directions: number;
  inputSize: number;
  hiddenSize: number;
}

function checkShapes(label: string, { w, r, b }: Weights, directions: number, hidden: number | undefined): Sizes {
  const hiddenSize = hidden ?? r.shape[2] ?? 0;
  const inputSize = w.shape[2] ?? 0;
  if (!(hiddenSize > 0) || !(inputSize > 0)) {
    throw rangeError("ERR_FILE", label, "sizes of at least 1", `hidden size ${hiddenSize}, input size ${inputSize}`);
  }
  const expected = [
    ["W", w, [directions, 4 * hiddenSize, inputSize]],
    ["R", r, [directions, 4 * hiddenSize, hiddenSize]],
    ...(b === undefined ? [] : [["B", b, [directions, 8 * hiddenSize]] as const]),
  ] as const;
  for (const [letter, { shape, data, integer }, wanted] of expected) {
    if (formatShape(shape) !== formatShape(wanted)) {
      throw rangeError("ERR_FILE", `${label} input ${letter}`, `shape ${formatShape(wanted)}`, formatShape(shape));
    }
    if (integer || data.BYTES_PER_ELEMENT !== w.data.BYTES_PER_ELEMENT) {
      throw rangeError("ERR_FILE", `${label} input ${letter}`, "floats of one width for all weights", "other numbers");
    }
  }
  return { directions, inputSize, hiddenSize };
}

/** Four blocks of `units` rows, from row `row` on, with the gates as torch orders them. */
function toTorchGates<T extends Float32Array | Float64Array>(data: T, row: number, units: number, width: number): T {
  const block = units * width;
  const gates = data.slice(row * width, row * width + 4 * block) as T;
  gateOrder.forEach((from, to) => {
    const start = (row + from * units) * width;
    gates.set(data.subarray(start, start + block), to * block);
  });
  return gates;
}
