// A naive LSTM in float64: the formulas of torch's page, one number at a time, over plain arrays. It knows nothing of
// batches, layouts, packing, threads or the library, and shares no code with it: the second opinion beside PyTorch's.
// https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html

/** Sizes, and parameters under torch's names (`weight_ih_l0_reverse`); missing biases count as zero. */
export interface OracleModel {
  hiddenSize: number;
  numLayers: number;
  bidirectional: boolean;
  parameters: Readonly<Record<string, ArrayLike<number>>>;
}

/** One sequence's result: output[t] of D·R numbers, hn[l·D + d] of R, cn[l·D + d] of H. */
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

/** One layer in one direction over a sequence given in walking order. */
function walk(model: OracleModel, suffix: string, inputs: readonly Vector[], h0?: Vector, c0?: Vector) {
  const size = model.hiddenSize;
  const parameter = (name: string): Vector | undefined => model.parameters[`${name}_${suffix}`];
  const inputWeight = parameter("weight_ih")!;
  const hiddenWeight = parameter("weight_hh")!;
  const inputBias = parameter("bias_ih");
  const hiddenBias = parameter("bias_hh");
  const projection = parameter("weight_hr");
  const width = hiddenWeight.length / (4 * size);
  let h: number[] = h0 ? Array.from(h0) : new Array(width).fill(0);
  let c: number[] = c0 ? Array.from(c0) : new Array(size).fill(0);
  const output: number[][] = [];
  for (const x of inputs) {
    const fromInput = times(inputWeight, 4 * size, x);
    const fromHidden = times(hiddenWeight, 4 * size, h);
    const gate = (row: number): number =>
      fromInput[row]! + (inputBias?.[row] ?? 0) + fromHidden[row]! + (hiddenBias?.[row] ?? 0);
    const cell: number[] = [];
    const hidden: number[] = [];
    for (let j = 0; j < size; j++) {
      const i = sigmoid(gate(j));
      const f = sigmoid(gate(size + j));
      const g = Math.tanh(gate(2 * size + j));
      const o = sigmoid(gate(3 * size + j));
      cell.push(f * c[j]! + i * g);
      hidden.push(o * Math.tanh(cell[j]!));
    }
    c = cell;
    h = projection ? times(projection, width, hidden) : hidden;
    output.push(h);
  }
  return { output, h, c };
}

/**
 * The LSTM over one sequence.
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
      cn.push(result.c);
    }
    layer = layer.map((_, t) => halves.flatMap((half) => half[t]!));
  }
  return { output: layer.map((row) => Array.from(row)), hn, cn };
}
