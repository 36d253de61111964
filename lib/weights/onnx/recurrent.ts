// One LSTM, GRU or RNN node of an ONNX graph as a one-layer torch state dict: ONNX's gates in torch's order, its one bias
// vector in torch's two. What torch's modules cannot compute is refused by name; what a state dict cannot say (that the
// layer runs backwards only, the state it starts from, RNN's activation) comes back beside it.
// The operators: https://onnx.ai/onnx/operators/onnx__LSTM.html, onnx__GRU.html, onnx__RNN.html

import { describe, rangeError } from "../../check.js";
import { Tensor } from "../../tensor/tensor.js";
import { isZero } from "./arithmetic.js";
import { integerLimits } from "./element-types.js";
import { readInt } from "./graph.js";
import { type InitialState, readInitialState } from "./initial-state.js";
import type { ModuleName, NodeView, Sizes } from "./node-view.js";
import { dequantizeGates } from "./quantized.js";
import { alike, showShape } from "./rearrange.js";
import { readActivations, readClip } from "./recurrent-attributes.js";
import type { Scope } from "./scope.js";
import type { Constant } from "./tensor.js";

/** What is read of a node. */
export interface RecurrentNode extends InitialState {
  readonly module: ModuleName;
  readonly stateDict: Record<string, Tensor>;
  readonly layout: 0 | 1;
  readonly reverse: boolean;
  readonly nonlinearity: "tanh" | "relu";
  /** Whether the file's weights are 8-bit integers of onnxruntime's own operator, the state dict what they stand for. */
  readonly quantized: boolean;
}

/** Of torch's gates in order, where ONNX has each. */
const gateOrder: Readonly<Record<ModuleName, readonly number[]>> = {
  LSTM: [0, 2, 3, 1], // i, f, g, o among i, o, f, c
  GRU: [1, 0, 2], // r, z, n among z, r, h
  RNN: [0],
};

interface Weights {
  readonly w: Constant;
  readonly r: Constant;
  readonly b: Constant | undefined;
}

/** @throws RangeError ERR_FILE for a node that is damaged, or that torch's module cannot compute */
export function readRecurrent(view: NodeView): RecurrentNode {
  const { label, attributes, module } = view;
  const direction = attributes.get("direction")?.text ?? "forward";
  if (direction !== "forward" && direction !== "bidirectional" && direction !== "reverse") {
    throw rangeError("ERR_FILE", label, "direction forward or bidirectional, or reverse", describe(direction));
  }
  const directions = direction === "bidirectional" ? 2 : 1;
  const nonlinearity = readActivations(label, module, attributes, directions);
  checkKind(view);
  const layout = readInt(attributes, "layout") ?? 0;
  if (layout !== 0 && layout !== 1) throw rangeError("ERR_FILE", label, "layout 0 or 1", `${layout}`);
  const weights = readWeights(view);
  const sizes = checkShapes(view, weights, directions);
  readClip(label, module, attributes, nonlinearity, weights.w.data instanceof Float64Array);
  const state = readInitialState(view, sizes, layout, weights.w);
  const suffixes = direction === "reverse" ? ["l0_reverse"] : ["l0", "l0_reverse"].slice(0, directions);
  const stateDict = makeStateDict(view, weights, sizes, suffixes);
  return {
    module,
    stateDict,
    layout,
    reverse: direction === "reverse",
    nonlinearity,
    quantized: view.quantized,
    ...state,
  };
}

/** What sets the node's kind apart from torch's module. */
function checkKind({ label, module, attributes, node, scope }: NodeView): void {
  if (module === "GRU" && (readInt(attributes, "linear_before_reset") ?? 0) === 0) {
    throw rangeError(
      "ERR_FILE",
      label,
      "linear_before_reset = 1, as in torch.nn.GRU, which resets after the matrix product",
      "linear_before_reset = 0",
    );
  }
  if (module !== "LSTM") return;
  if ((readInt(attributes, "input_forget") ?? 0) !== 0) {
    const received = "input_forget, which couples them";
    throw rangeError("ERR_FILE", label, "gates of their own for input and forget", received);
  }
  const peepholes = node.inputs[7] ?? "";
  if (scope.isAbsent(peepholes) || isZeroConstant(`${label} input P`, scope, peepholes)) return;
  throw rangeError(
    "ERR_FILE",
    label,
    "no peepholes, which torch.nn.LSTM has not",
    `input P ${describe(peepholes)} that is not all zero`,
  );
}

function isZeroConstant(label: string, scope: Scope, name: string): boolean {
  return isZero(scope.constant(label, name));
}

function readWeights(view: NodeView): Weights {
  const { label, node, scope, quantized } = view;
  const find = (letter: string, index: number): Constant | undefined => {
    const input = node.inputs[index] ?? "";
    return scope.isAbsent(input) ? undefined : scope.constant(`${label} input ${letter}`, input);
  };
  const [w, r, b] = [find("W", 1), find("R", 2), find("B", 3)];
  if (w === undefined || r === undefined) throw rangeError("ERR_FILE", label, "weights W and R", "none");
  if (!quantized) return { w, r, b };
  const pay = (bytes: number): void => scope.context.budget.pay(label, bytes);
  const scaled = (letter: string, of: Constant, index: number): Constant =>
    dequantizeGates(
      `${label} input ${letter}`,
      of,
      find(`${letter} scale`, index),
      find(`${letter} zero point`, index + 1),
      pay,
    );
  return { w: scaled("W", w, 8), r: scaled("R", r, 10), b };
}

function checkShapes({ label, attributes, module }: NodeView, { w, r, b }: Weights, directions: 1 | 2): Sizes {
  const hiddenSize = readInt(attributes, "hidden_size") ?? r.shape[2] ?? 0;
  const inputSize = w.shape[2] ?? 0;
  if (!(hiddenSize > 0) || !(inputSize > 0)) {
    throw rangeError("ERR_FILE", label, "sizes of at least 1", `hidden size ${hiddenSize}, input size ${inputSize}`);
  }
  const rows = gateOrder[module].length * hiddenSize;
  const expected = [
    ["W", w, [directions, rows, inputSize]],
    ["R", r, [directions, rows, hiddenSize]],
    ...(b === undefined ? [] : [["B", b, [directions, 2 * rows]] as const]),
  ] as const;
  for (const [letter, { shape, data, type }, wanted] of expected) {
    if (!alike(shape, wanted)) {
      throw rangeError("ERR_FILE", `${label} input ${letter}`, `shape ${showShape(wanted)}`, showShape(shape));
    }
    if (integerLimits(type) !== undefined || data.BYTES_PER_ELEMENT !== w.data.BYTES_PER_ELEMENT) {
      throw rangeError("ERR_FILE", `${label} input ${letter}`, "floats of one width for all weights", "other numbers");
    }
  }
  return { directions, inputSize, hiddenSize };
}

function makeStateDict(
  { label, scope, module }: NodeView,
  { w, r, b }: Weights,
  { inputSize, hiddenSize }: Sizes,
  suffixes: readonly string[],
): Record<string, Tensor> {
  for (const { data } of b === undefined ? [w, r] : [w, r, b]) scope.context.budget.pay(label, data.byteLength);
  const dict: Record<string, Tensor> = {};
  const order = gateOrder[module];
  const rows = order.length * hiddenSize;
  suffixes.forEach((suffix, d) => {
    const add = (name: string, { data }: Constant, row: number, shape: number[]): void => {
      const width = shape[1] ?? 1;
      const block = hiddenSize * width;
      const gates = data.slice(row * width, (row + rows) * width) as Float32Array | Float64Array;
      order.forEach((from, to) => {
        const start = row * width + from * block;
        gates.set(data.subarray(start, start + block), to * block);
      });
      dict[`${name}_${suffix}`] = new Tensor(gates, shape);
    };
    add("weight_ih", w, d * rows, [rows, inputSize]);
    add("weight_hh", r, d * rows, [rows, hiddenSize]);
    if (b === undefined) return;
    add("bias_ih", b, 2 * d * rows, [rows]);
    add("bias_hh", b, (2 * d + 1) * rows, [rows]);
  });
  return dict;
}
