// Writes an LSTM as an ONNX model: one LSTM node a layer, its output brought to torch's layout before the next one.
// Inputs: input, for unequal lengths also lengths (int32), and with a state h0 and c0 of each layer, as h0_0, c0_0, ...
// Outputs: output, and hn_0, cn_0, ... of each layer. Field numbers are those of onnx.proto, version 8 of the format.
// https://onnx.ai/onnx/operators/onnx__LSTM.html

import type { Tensor } from "packed-lstm";
import { floats, type Problem } from "./problem.js";
import { type Bytes, bytes, int } from "./protobuf.js";

const float32 = 1;
const int32 = 6;
const int64 = 7;
const gateOrder = [0, 3, 1, 2]; // ONNX's i, o, f, c among torch's i, f, g, o

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

/** The four gates of each of some tensors of equal size (4·H rows), in ONNX's order, one tensor after the other. */
function gates(tensors: readonly (Tensor | undefined)[]): Float32Array {
  const parts = tensors.map(floats);
  const size = parts[0]?.length ?? 0;
  const joined = new Float32Array(size * parts.length);
  for (const [p, part] of parts.entries()) {
    for (const [to, from] of gateOrder.entries()) {
      joined.set(part.subarray((from * size) / 4, ((from + 1) * size) / 4), p * size + (to * size) / 4);
    }
  }
  return joined;
}

/** The constants W, R and B of one layer, both directions. */
function weights({ lstm, shape }: Problem, layer: number): Bytes[] {
  const { inputSize, hiddenSize: h, directions: d } = shape;
  const width = layer === 0 ? inputSize : d * h;
  const state = lstm.stateDict();
  const suffixes = d === 2 ? ["", "_reverse"] : [""];
  const of = (...names: string[]) => gates(suffixes.flatMap((s) => names.map((n) => state[`${n}_l${layer}${s}`])));
  return [
    constant(`W_${layer}`, float32, [d, 4 * h, width], of("weight_ih")),
    constant(`R_${layer}`, float32, [d, 4 * h, h], of("weight_hh")),
    constant(`B_${layer}`, float32, [d, 8 * h], of("bias_ih", "bias_hh")),
  ];
}

/** The bytes of the model. The sizes are fixed, which leaves onnxruntime nothing to find out at run time. */
export function onnxModel(problem: Problem): Uint8Array {
  const { steps, batch, inputSize, hiddenSize: h, layers, directions: d, lengths, stateful } = problem.shape;
  const stateShape = [d, batch, h];
  const graph: Bytes[] = [bytes(2, "lstm"), value(11, "input", float32, [steps, batch, inputSize])];
  if (lengths) graph.push(value(11, "lengths", int32, [batch]));

  let below = "input";
  for (let layer = 0; layer < layers; layer++) {
    const output = layer === layers - 1 ? "output" : `output_${layer}`;
    const initial = stateful ? [`h0_${layer}`, `c0_${layer}`] : [];
    const inputs = [below, `W_${layer}`, `R_${layer}`, `B_${layer}`, lengths ? "lengths" : "", ...initial];
    const final = [`hn_${layer}`, `cn_${layer}`];
    const direction = attribute("direction", d === 2 ? "bidirectional" : "forward");
    graph.push(node("LSTM", inputs, [`Y_${layer}`, ...final], [attribute("hidden_size", h), direction]));
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
