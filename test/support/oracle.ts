// Naive LSTM, GRU and RNN in float64: the formulas of torch's pages, one number at a time, over plain arrays. It knows nothing
// of batches, layouts, packing, threads or the library, and shares no code with it: the second opinion beside PyTorch's.
// https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html, torch.nn.GRU.html, torch.nn.RNN.html

import type { CellKind } from "../../binding.js";

/** Sizes, and parameters under torch's names (`weight_ih_l0_reverse`); missing biases count as zero. */
export interface OracleModel {
  cell: CellKind;
  hiddenSize: number;
  numLayers: number;
  bidirectional: boolean;
  parameters: Readonly<Record<string, ArrayLike<number>>>;
}

/** One sequence's result: output[t] of D·R numbers, hn[l·D + d] of R, cn[l·D + d] of H; cn of an LSTM, none of others. */
export interface OracleResult {
  output: number[][];
  hn: number[][];
  cn: number[][];
}

type Vector = ArrayLike<number>;

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** W·x for a row-major W of `rows` rows. */
function times(weight: Vector, rows: number, x: Vector): number[] {
  const result: number[] = [];
  for (let r = 0; r < rows; r++) {
    let sum = 0;
    for (let k = 0; k < x.length; k++) sum += weight[r * x.length + k]! * x[k]!;
    result.push(sum);
  }
  return result;
}

/**
 * The state after a step: `x` and `g` are W_ih x + b_ih and W_hh h + b_hh, row after row.
 */
type Step = (x: Vector, g: Vector, h: number[], c: number[]) => [h: number[], c: number[]];

const lstmStep: Step = (x, g, _, c) => {
  const size = c.length;
  const gate = (row: number): number => x[row]! + g[row]!;
  const cell = c.map(
    (before, j) => sigmoid(gate(size + j)) * before + sigmoid(gate(j)) * Math.tanh(gate(2 * size + j)),
  );
  return [cell.map((value, j) => sigmoid(gate(3 * size + j)) * Math.tanh(value)), cell];
};

const gruStep: Step = (x, g, h, c) => {
  const size = h.length;
  const next = h.map((before, j) => {
    const r = sigmoid(x[j]! + g[j]!);
    const z = sigmoid(x[size + j]! + g[size + j]!);
    const n = Math.tanh(x[2 * size + j]! + r * g[2 * size + j]!);
    return (1 - z) * n + z * before;
  });
  return [next, c];
};

const rnnStep =
  (activation: (a: number) => number): Step =>
  (x, g, h, c) => [h.map((_, j) => activation(x[j]! + g[j]!)), c];

const cells: Record<CellKind, { gates: number; step: Step }> = {
  lstm: { gates: 4, step: lstmStep },
  gru: { gates: 3, step: gruStep },
  rnn_tanh: { gates: 1, step: rnnStep(Math.tanh) },
  rnn_relu: { gates: 1, step: rnnStep((a) => Math.max(a, 0)) },
};

/** One layer in one direction over a sequence given in walking order. */
function walk(model: OracleModel, suffix: string, inputs: readonly Vector[], h0?: Vector, c0?: Vector) {
  const size = model.hiddenSize;
  const { gates, step } = cells[model.cell];
  const rows = gates * size;
  const parameter = (name: string): Vector | undefined => model.parameters[`${name}_${suffix}`];
  const inputWeight = parameter("weight_ih")!;
  const hiddenWeight = parameter("weight_hh")!;
  const inputBias = parameter("bias_ih");
  const hiddenBias = parameter("bias_hh");
  const projection = parameter("weight_hr");
  const width = hiddenWeight.length / rows;
  let h: number[] = h0 ? Array.from(h0) : new Array(width).fill(0);
  let c: number[] = c0 ? Array.from(c0) : new Array(size).fill(0);
  const output: number[][] = [];
  for (const x of inputs) {
    const fromInput = times(inputWeight, rows, x).map((sum, row) => sum + (inputBias?.[row] ?? 0));
    const fromHidden = times(hiddenWeight, rows, h).map((sum, row) => sum + (hiddenBias?.[row] ?? 0));
    const [hidden, cell] = step(fromInput, fromHidden, h, c);
    c = cell;
    h = projection ? times(projection, width, hidden) : hidden;
    output.push(h);
  }
  return { output, h, c };
}

/**
 * The module over one sequence.
 * @param sequence one array of inputSize numbers per step
 * @param h0 one array per layer and direction, in torch's row order; zeros when left out, as is c0
 */
export function oracle(
  model: OracleModel,
  sequence: readonly Vector[],
  h0?: readonly Vector[],
  c0?: readonly Vector[],
): OracleResult {
  const directions = model.bidirectional ? 2 : 1;
  const hn: number[][] = [];
  const cn: number[][] = [];
  let layer: readonly Vector[] = sequence;
  for (let l = 0; l < model.numLayers; l++) {
    const halves: number[][][] = [];
    for (let d = 0; d < directions; d++) {
      const walked = d === 0 ? layer : layer.toReversed();
      const row = l * directions + d;
      const result = walk(model, d === 0 ? `l${l}` : `l${l}_reverse`, walked, h0?.[row], c0?.[row]);
      halves.push(d === 0 ? result.output : result.output.toReversed());
      hn.push(result.h);
      if (model.cell === "lstm") cn.push(result.c);
    }
    layer = layer.map((_, t) => halves.flatMap((half) => half[t]!));
  }
  return { output: layer.map((row) => Array.from(row)), hn, cn };
}
