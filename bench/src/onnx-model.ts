// Writes an LSTM, GRU or RNN as an ONNX model: one node of its kind a layer, its output brought to torch's layout before the next one.
// Or the same LSTM as onnxruntime's DynamicQuantizeLSTM, its weights signed 8-bit integers with a scale per output channel.
// Inputs: input, for unequal lengths also lengths (int32), and with a state h0 (and c0) of each layer, as h0_0, c0_0, ...
// Outputs: output, and hn_0, cn_0, ... of each layer. Field numbers are those of onnx.proto, version 8 of the format.
// https://onnx.ai/onnx/operators/onnx__LSTM.html, onnx__GRU.html, onnx__RNN.html
// https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.DynamicQuantizeLSTM

import type { Tensor } from "packed-lstm";
import { classNames } from "./packed-lstm.js";
import { floats, type Problem } from "./problem.js";
import { type Bytes, bytes, int } from "./protobuf.js";
import { type Cell, cellOf } from "./shapes.js";

const float32 = 1;
const int8 = 3;
const int32 = 6;
const int64 = 7;
/** ONNX's i, o, f, c among torch's i, f, g, o; its z, r, h among torch's r, z, n. */
const gateOrders: Readonly<Record<Cell, readonly number[]>> = { lstm: [0, 3, 1, 2], gru: [1, 0, 2], rnn: [0] };

function attribute(name: string, value: number | string): Bytes {
  const content = typeof value === "number" ? [int(3, value), int(20, 2)] : [bytes(4, value), int(20, 3)];
  return bytes(5, [bytes(1, name), ...content]);
}

interface Operator {
  readonly name: string;
  readonly domain?: string;
}

function node(
  { name: op, domain }: Operator,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: readonly Bytes[],
): Bytes {
  const names = [...inputs.map((name) => bytes(1, name)), ...outputs.map((name) => bytes(2, name))];
  return bytes(1, [...names, bytes(4, op), ...attributes, ...(domain === undefined ? [] : [bytes(7, domain)])]);
}

type Data = Float32Array | BigInt64Array | Int8Array;

function constant(name: string, type: number, dims: readonly number[], data: Data): Bytes {
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return bytes(5, [...dims.map((dim) => int(1, dim)), int(2, type), bytes(8, name), bytes(9, raw)]);
}

function value(field: 11 | 12, name: string, type: number, dims: readonly number[]): Bytes {
  const shape = bytes(
    2,
    dims.map((dim) => bytes(1, [int(1, dim)])),
  );
  return bytes(field, [bytes(1, name), bytes(2, [bytes(1, [int(1, type), shape])])]);
}

/** The gates of each of some tensors of equal size (H rows a gate), in ONNX's order, one tensor after the other. */
function gates(order: readonly number[], tensors: readonly (Tensor | undefined)[]): Float32Array {
  const parts = tensors.map(floats);
  const size = parts[0]?.length ?? 0;
  const joined = new Float32Array(size * parts.length);
  for (const [p, part] of parts.entries()) {
    for (const [to, from] of order.entries()) {
      const gate = size / order.length;
      joined.set(part.subarray(from * gate, (from + 1) * gate), p * size + to * gate);
    }
  }
  return joined;
}

/**
 * Directions × rows × width floats as integers, transposed (directions × width × rows) as the node wants them, and a scale
 * a row: its largest becomes 127.
 */
function quantized(
  name: string,
  of: Float32Array,
  [directions, rows, width]: readonly [number, number, number],
): Bytes[] {
  const integers = new Int8Array(of.length);
  const scales = new Float32Array(directions * rows);
  for (let row = 0; row < scales.length; row++) {
    const weights = of.subarray(row * width, (row + 1) * width);
    const scale = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0) / 127 || 1;
    scales[row] = scale;
    const first = Math.floor(row / rows) * width * rows + (row % rows);
    for (const [k, weight] of weights.entries()) integers[first + k * rows] = Math.round(weight / scale);
  }
  return [
    constant(name, int8, [directions, width, rows], integers),
    constant(`${name}_scale`, float32, [directions, rows], scales),
    constant(`${name}_zero`, int8, [directions, rows], new Int8Array(scales.length)),
  ];
}

/** The constants W, R and B of one layer, both directions. */
function weights({ module, shape }: Problem, layer: number, as: OnnxWeights): Bytes[] {
  const { inputSize, hiddenSize: h, directions: d } = shape;
  const width = layer === 0 ? inputSize : d * h;
  const state = module.stateDict();
  const order = gateOrders[cellOf(shape)];
  const g = order.length;
  const suffixes = d === 2 ? ["", "_reverse"] : [""];
  const of = (...names: string[]) =>
    gates(
      order,
      suffixes.flatMap((s) => names.map((n) => state[`${n}_l${layer}${s}`])),
    );
  const matrix = (name: string, of: Float32Array, columns: number): Bytes[] =>
    as === "int8" ? quantized(name, of, [d, g * h, columns]) : [constant(name, float32, [d, g * h, columns], of)];
  return [
    ...matrix(`W_${layer}`, of("weight_ih"), width),
    ...matrix(`R_${layer}`, of("weight_hh"), h),
    constant(`B_${layer}`, float32, [d, 2 * g * h], of("bias_ih", "bias_hh")),
  ];
}

/** int8 is the LSTM's alone. */
export type OnnxWeights = "float32" | "int8";

/** The bytes of the model. The sizes are fixed, which leaves onnxruntime nothing to find out at run time. */
export function onnxModel(problem: Problem, as: OnnxWeights = "float32"): Uint8Array {
  const { steps, batch, inputSize, hiddenSize: h, layers, directions: d, lengths, stateful } = problem.shape;
  const stateShape = [d, batch, h];
  const cell = cellOf(problem.shape);
  const states = cell === "lstm" ? ["h", "c"] : ["h"];
  const graph: Bytes[] = [bytes(2, cell), value(11, "input", float32, [steps, batch, inputSize])];
  if (lengths) graph.push(value(11, "lengths", int32, [batch]));

  let below = "input";
  for (let layer = 0; layer < layers; layer++) {
    const output = layer === layers - 1 ? "output" : `output_${layer}`;
    const initial = stateful ? states.map((name) => `${name}0_${layer}`) : [];
    const given = [below, `W_${layer}`, `R_${layer}`, `B_${layer}`, lengths ? "lengths" : "", ...initial];
    const scales = ["W", "R"].flatMap((name) => [`${name}_${layer}_scale`, `${name}_${layer}_zero`]);
    // Without states their two places stay empty, and so does that of the peepholes.
    const inputs = as === "int8" ? [...given, ...Array.from({ length: 8 - given.length }, () => ""), ...scales] : given;
    const operator =
      as === "int8" ? { name: "DynamicQuantizeLSTM", domain: "com.microsoft" } : { name: classNames[cell] };
    const final = states.map((name) => `${name}n_${layer}`);
    const direction = attribute("direction", d === 2 ? "bidirectional" : "forward");
    // torch's GRU applies the reset gate to the product, as cuDNN's does; ONNX's own default applies it to h.
    const more = cell === "gru" ? [attribute("linear_before_reset", 1)] : [];
    const attributes = [attribute("hidden_size", h), direction, ...more];
    graph.push(node(operator, inputs, [`Y_${layer}`, ...final], attributes));
    graph.push(...weights(problem, layer, as));
    graph.push(...initial.map((name) => value(11, name, float32, stateShape)));
    graph.push(...final.map((name) => value(12, name, float32, stateShape)));
    // Y is steps × directions × batch × hidden. With one direction no element has to move.
    let rows = `Y_${layer}`;
    if (d === 2) {
      rows = `T_${layer}`;
      const perm = bytes(5, [bytes(1, "perm"), ...[0, 2, 1, 3].map((axis) => int(8, axis)), int(20, 7)]);
      graph.push(node({ name: "Transpose" }, [`Y_${layer}`], [rows], [perm]));
    }
    graph.push(node({ name: "Reshape" }, [rows, "rows"], [output], []));
    below = output;
  }
  graph.push(constant("rows", int64, [3], BigInt64Array.of(BigInt(steps), BigInt(batch), BigInt(d * h))));
  graph.push(value(12, "output", float32, [steps, batch, d * h]));
  const contributed = as === "int8" ? [bytes(8, [bytes(1, "com.microsoft"), int(2, 1)])] : [];
  return Buffer.concat([int(1, 8), bytes(7, graph), bytes(8, [bytes(1, ""), int(2, 17)]), ...contributed]);
}
