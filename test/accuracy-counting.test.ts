// The cell state of LSTMs whose cells count, c reaching hundreds over 500 steps: our float32 error against the float64
// oracle is no larger than torch's own, which test/fixtures/counting.py wrote down.

import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { LSTM, manualSeed, rand, runtimeInfo, Tensor } from "../lib/index.js";
import { oracle } from "./support/oracle.js";
import { oracleModel, rowsOf } from "./support/oracle-case.js";

interface Counting {
  torch: string;
  steps: number;
  inputSize: number;
  hiddenSize: number;
  cases: { seed: number; largest: number; rms: number }[];
}

const { torch, steps, inputSize, hiddenSize, cases } = JSON.parse(
  readFileSync(new URL("fixtures/counting.json", import.meta.url), "utf8"),
) as Counting;

const each = ({ data, shape }: Tensor, change: (value: number, at: number) => number): Tensor =>
  new Tensor(Float32Array.from(data, change), shape);

/** Draws the model and the input as the fixture did, and changes the weights as it did. */
function counting(seed: number): { lstm: LSTM; x: Tensor } {
  manualSeed(seed);
  const lstm = new LSTM(inputSize, hiddenSize);
  const x = rand([steps, inputSize]);
  const weights = lstm.stateDict();
  for (const name of ["weight_ih_l0", "weight_hh_l0"]) weights[name] = each(weights[name]!, (value) => 3 * value);
  weights.bias_ih_l0 = each(weights.bias_ih_l0!, (value, k) => {
    const gate = Math.floor(k / hiddenSize);
    return value + (gate === 1 ? 6 : gate === 2 ? 2 - 4 * (k % 2) : 0);
  });
  lstm.loadStateDict(weights);
  return { lstm, x: each(x, (value) => 2 * value - 1) };
}

it.each(cases)(`c of seed $seed is as exact as torch ${torch}'s on ${runtimeInfo().isa}`, ({ seed, largest, rms }) => {
  const { lstm, x } = counting(seed);
  const [, [, cn]] = lstm.forward(x);
  const model = oracleModel({ cell: "lstm", hiddenSize, numLayers: 1, bidirectional: false }, lstm);
  const truth = oracle(model, rowsOf(x)).cn[0]!;
  expect(Math.max(...truth.map(Math.abs))).toBeCloseTo(largest, 6);
  const squares = truth.map((value, k) => (cn.data[k]! - value) ** 2);
  expect(Math.sqrt(squares.reduce((a, b) => a + b) / hiddenSize)).toBeLessThanOrEqual(rms);
});
