// Small models of the raw addon, and good arguments for their calls, for the tests that spoil them.

import type { CellKind, NativeRecurrent, NativeStream, PassArgs, RecurrentConfig } from "../../binding.js";
import { native } from "../../lib/native.js";

/** Every cell, and the blocks of hiddenSize rows in its weights. */
export const gatesOf: Readonly<Record<CellKind, number>> = { lstm: 4, gru: 3, rnn_tanh: 1, rnn_relu: 1 };
/** The cells whose state is h alone. */
export const withoutC = ["gru", "rnn_tanh", "rnn_relu"] as const;

export const config: RecurrentConfig = {
  cell: "lstm",
  inputSize: 3,
  hiddenSize: 5,
  projSize: 2,
  numLayers: 2,
  bidirectional: true,
  bias: true,
  dtype: "float32",
};

export const zeros = (length: number): Float32Array => new Float32Array(length);
const perDirection = (inputSize: number): Float32Array[] => [20 * inputSize, 20 * 2, 20, 20, 2 * 5].map(zeros);
export const parameters = (): Float32Array[] => [3, 3, 4, 4].flatMap(perDirection);

export function model(): NativeRecurrent {
  const made = new native.Recurrent(config);
  made.load(parameters().map((array) => array.fill(0.1)));
  return made;
}

/** A GRU or RNN of 2 units over 3 inputs, one layer, one direction, with good arguments: T 4, B 2, dense. */
export function hidden(cell: (typeof withoutC)[number]): { made: NativeRecurrent; args: () => PassArgs } {
  const sizes = { inputSize: 3, hiddenSize: 2, projSize: 0, numLayers: 1 };
  const made = new native.Recurrent({ cell, ...sizes, bidirectional: false, bias: true, dtype: "float32" });
  const gates = gatesOf[cell];
  made.load([6, 4, 2, 2].map((size) => zeros(gates * size).fill(0.1)));
  const arrays = (): Float32Array[] => [24, 16, 4, 4].map((length) => zeros(length).fill(0.5));
  const args = (): PassArgs => {
    const [input, output, h0, hn] = arrays() as [Float32Array, Float32Array, Float32Array, Float32Array];
    return [input, output, h0, null, hn, null, 4, 2, false, null, null, null];
  };
  return { made, args };
}

/** A stream of a model of one unit. */
export function single(): NativeStream {
  const sizes = {
    cell: "lstm",
    inputSize: 1,
    hiddenSize: 1,
    projSize: 0,
    numLayers: 1,
    bidirectional: false,
    bias: false,
  } as const;
  const made = new native.Recurrent({ ...sizes, dtype: "float32" });
  made.load([zeros(4), zeros(4)]);
  return made.stream(1, false);
}

/** T 4, B 2, states 4, dense. */
export const dense = (): PassArgs => [
  zeros(24).fill(0.5),
  zeros(32),
  zeros(16),
  zeros(40),
  zeros(16),
  zeros(40),
  4,
  2,
  false,
  null,
  null,
  null,
];

/** The same rows packed: lengths 4 and 2 in the caller's order 1, 0. */
export const packed = (): PassArgs => {
  const args = dense();
  args[0] = zeros(18);
  args[1] = zeros(24);
  args[9] = Int32Array.of(2, 2, 1, 1);
  args[10] = Int32Array.of(1, 0);
  return args;
};

/** The same rows joined: sequence by sequence, lengths 2 and 4. */
export const joined = (): PassArgs => {
  const args = packed();
  args[8] = true;
  args[9] = null;
  args[10] = null;
  args[11] = Int32Array.of(2, 4);
  return args;
};
