// A small model of the raw addon, and good arguments for its calls, for the tests that spoil them.

import type { ForwardArgs, LSTMConfig, NativeLSTM, NativeStream } from "../../binding.js";
import { native } from "../../lib/native.js";

export const config: LSTMConfig = {
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

export function model(): NativeLSTM {
  const made = new native.LSTM(config);
  made.load(parameters().map((array) => array.fill(0.1)));
  return made;
}

/** A stream of a model of one unit. */
export function single(): NativeStream {
  const sizes = { inputSize: 1, hiddenSize: 1, projSize: 0, numLayers: 1, bidirectional: false, bias: false } as const;
  const made = new native.LSTM({ ...sizes, dtype: "float32" });
  made.load([zeros(4), zeros(4)]);
  return made.stream(1, false);
}

/** T 4, B 2, states 4, dense. */
export const dense = (): ForwardArgs => [
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
];

/** The same rows packed: lengths 4 and 2 in the caller's order 1, 0. */
export const packed = (): ForwardArgs => {
  const args = dense();
  args[0] = zeros(18);
  args[1] = zeros(24);
  args[9] = Int32Array.of(2, 2, 1, 1);
  args[10] = Int32Array.of(1, 0);
  return args;
};

/** The same rows joined: sequence by sequence, lengths 2 and 4. */
export const joined = (): ForwardArgs => {
  const args = packed();
  args[8] = true;
  args[9] = Int32Array.of(2, 4);
  args[10] = null;
  return args;
};
