// Writes an LSTM, GRU or RNN as an ONNX model: one node of its kind a layer, its output brought to torch's layout before the next one.
// Inputs: input, for unequal lengths also lengths (int32), and with a state h0 (and c0) of each layer, as h0_0, c0_0, ...
// Outputs: output, and hn_0, cn_0, ... of each layer. Field numbers are those of onnx.proto, version 8 of the format.
// https://onnx.ai/onnx/operators/onnx__LSTM.html, onnx__GRU.html, onnx__RNN.html

import type { Tensor } from "packed-lstm";
import { classNames } from "./packed-lstm.js";
import { floats, type Problem } from "./problem.js";
import { type Bytes, bytes, int } from "./protobuf.js";
import { type Cell, cellOf } from "./shapes.js";

const float32 = 1;
const int32 = 6;
const int64 = 7;
/** ONNX's i, o, f, c among torch's i, f, g, o; its z, r, h among torch's r, z, n. */
const gateOrders: Readonly<Record<Cell, readonly number[]>> = { lstm: [0, 3, 1, 2], gru: [1, 0, 2], rnn: [0] };

function attribute(name: string, value: number | string): Bytes {
  const content = typeof value === "number" ? [int(3, value), int(20, 2)] : [bytes(4, value), int(20, 3)];
  return bytes(5, [bytes(1, name), ...content]);
}

function node(op: string, inputs: readonly string[], outputs: readonly string[], attributes: readonly Bytes[]): Bytes {
  const names = [...inputs.map((name) => bytes(1, name)), ...outputs.map((name) => bytes(2, name))];
  return bytes(1, [...names, bytes(4, op), ...attributes]);
}

function constant(name: string, type: number, dims: readonly number[], data: Float32Array | BigInt64Array): Bytes {
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

/** The constants W, R and B of one layer, both directions. */
function weights({ module, shape }: Problem, layer: number): Bytes[] {
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
  return [
    constant(`W_${layer}`, float32, [d, g * h, width], of("weight_ih")),
    constant(`R_${layer}`, float32, [d, g * h, h], of("weight_hh")),
    constant(`B_${layer}`, float32, [d, 2 * g * h], of("bias_ih", "bias_hh")),
  ];
}

/** The bytes of the model. The sizes are fixed, which leaves onnxruntime nothing to find out at run time. */
export function onnxModel(problem: Problem): Uint8Array {
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
    const inputs = [below, `W_${layer}`, `R_${layer}`, `B_${layer}`, lengths ? "lengths" : "", ...initial];
    const final = states.map((name) => `${name}n_${layer}`);
    const direction = attribute("direction", d === 2 ? "bidirectional" : "forward");
    // torch's GRU applies the reset gate to the product, as cuDNN's does; ONNX's own default applies it to h.
    const more = cell === "gru" ? [attribute("linear_before_reset", 1)] : [];
    const attributes = [attribute("hidden_size", h), direction, ...more];
    graph.push(node(classNames[cell], inputs, [`Y_${layer}`, ...final], attributes));
    graph.push(...weights(problem, layer));
    graph.push(...initial.map((name) => value(11, name, float32, stateShape)));
    graph.push(...final.map((name) => value(12, name, float32, stateShape)));
    // Y is steps × directions × batch × hidden. With one direction no element has to move.
    let rows = `Y_${layer}`;
    if (d === 2) {
      rows = `T_${layer}`;
      const perm = bytes(5, [bytes(1, "perm"), ...[0, 2, 1, 3].map((axis) => int(8, axis)), int(20, 7)]);
      graph.push(node("Transpose", [`Y_${layer}`], [rows], [perm]));
    }
    graph.push(node("Reshape", [rows, "rows"], [output], []));
    below = output;
  }
  graph.push(constant("rows", int64, [3], BigInt64Array.of(BigInt(steps), BigInt(batch), BigInt(d * h))));
  graph.push(value(12, "output", float32, [steps, batch, d * h]));
  return Buffer.concat([int(1, 8), bytes(7, graph), bytes(8, [bytes(1, ""), int(2, 17)])]);
}
