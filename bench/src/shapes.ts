// What is measured, as data: sets of sizes and cells, the workload each stands for, and how much arithmetic and memory
// traffic it is. No tensors, no timing.

export type DType = "float32" | "float64";

/** torch.nn.LSTM, torch.nn.GRU, torch.nn.RNN with tanh. */
export type Cell = "lstm" | "gru" | "rnn";

export const cells: readonly Cell[] = ["lstm", "gru", "rnn"];

/** The matrices of H rows that each of a cell's weights consists of. */
const gateCounts: Readonly<Record<Cell, number>> = { lstm: 4, gru: 3, rnn: 1 };

export interface Shape {
  /** The question that the shape helps to answer. */
  readonly set: string;
  /** What a reader would use such a shape for. */
  readonly workload: string;
  readonly steps: number;
  readonly batch: number;
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly layers: number;
  readonly directions: 1 | 2;
  readonly dtype: DType;
  /** Absent: an LSTM. */
  readonly cell?: Exclude<Cell, "lstm">;
  /** The length of each sequence of a padded batch, in the batch's order; `steps` is the longest. Absent when dense. */
  readonly lengths?: readonly number[];
  /** Whether h0 (and c0) are handed in, as a streaming caller does. Otherwise they are zeros, left out. */
  readonly stateful?: boolean;
  /** Whether we take the step by `stream.step`, which keeps the state; the peers have the state handed in all the same. */
  readonly stepped?: boolean;
  /** Whether our results go to the same tensors again and again. */
  readonly out?: boolean;
}

type Sizes = readonly [number, number, number, number, number, 1 | 2];

function dense(set: string, workload: string, sizes: Sizes, more: Partial<Shape> = {}): Shape {
  const [steps, batch, inputSize, hiddenSize, layers, directions] = sizes;
  return { set, workload, steps, batch, inputSize, hiddenSize, layers, directions, dtype: "float32", ...more };
}

/** Lengths from `shortest` to `longest`, spread as place^power, in no order: 37 is odd, so each place comes once. */
export function spreadLengths(count: number, shortest: number, longest: number, power: number): number[] {
  return Array.from({ length: count }, (_, i) => {
    const place = ((i * 37) % count) / (count - 1);
    return Math.round(shortest + (longest - shortest) * place ** power);
  });
}

const spreads: readonly (readonly [name: string, lengths: number[]])[] = [
  ["equal", spreadLengths(64, 100, 100, 1)],
  ["uniform", spreadLengths(64, 4, 200, 1)],
  ["long-tailed", spreadLengths(64, 4, 200, 2)],
  ["very long-tailed", spreadLengths(64, 4, 400, 6)],
];

function packed([name, lengths]: (typeof spreads)[number], [input, hidden, layers, directions]: number[]): Shape {
  const sizes = [Math.max(...lengths), lengths.length, input, hidden, layers, directions] as unknown as Sizes;
  return dense("packed", `${name} lengths`, sizes, { lengths });
}

const step = { stateful: true } as const;
const stream = { stateful: true, stepped: true } as const;
const double = { dtype: "float64" } as const;

/** The sets in the order they are run; no shape is in two of them. */
export const shapes: readonly Shape[] = [
  dense("workloads", "sensor windows", [150, 16, 3, 64, 1, 1]),
  dense("workloads", "sensor windows, deep", [150, 16, 3, 64, 2, 2]),
  dense("workloads", "one small signal", [100, 1, 64, 64, 1, 1]),
  dense("workloads", "one utterance", [100, 1, 128, 256, 2, 1]),
  dense("workloads", "sentences", [50, 64, 256, 256, 1, 1]),
  dense("workloads", "sentences, wide", [50, 128, 512, 512, 1, 1]),
  dense("workloads", "language model", [25, 64, 1024, 1024, 1, 1]),
  dense("workloads", "language model, one", [25, 1, 1024, 1024, 1, 1]),
  ...spreads.map((spread) => packed(spread, [128, 256, 1, 1])),
  ...spreads.slice(1, 3).map((spread) => packed(spread, [64, 128, 2, 2])),
  dense("streaming", "stream.step, small", [1, 1, 64, 64, 1, 1], stream),
  dense("streaming", "stream.step", [1, 1, 256, 256, 2, 1], stream),
  dense("streaming", "stream.step, large", [1, 1, 1024, 1024, 1, 1], stream),
  dense("streaming", "one step by forward, small", [1, 1, 64, 64, 1, 1], step),
  dense("streaming", "one step by forward", [1, 1, 256, 256, 2, 1], step),
  dense("streaming", "one step by forward, large", [1, 1, 1024, 1024, 1, 1], step),
  ...[1, 2, 4, 8, 16, 32, 64, 128, 256].map((batch) => dense("batch", "batch sizes", [40, batch, 128, 256, 1, 1])),
  ...[16, 32, 64, 128, 256, 512, 1024, 2048].map((h) =>
    dense("hidden", "hidden sizes, one sequence", [h > 1024 ? 10 : 40, 1, h, h, 1, 1]),
  ),
  ...[16, 32, 64, 128, 256, 512, 1024, 2048].map((h) =>
    dense("hidden", "hidden sizes, batch 32", [h > 512 ? 10 : 40, 32, h, h, 1, 1]),
  ),
  ...[1, 2, 3, 4].flatMap((layers) =>
    ([1, 2] as const).map((directions) => dense("layers", "layers", [50, 8, 64, 128, layers, directions])),
  ),
  ...[2, 4].map((layers) => dense("layers", "layers, one sequence", [100, 1, 256, 512, layers, 1])),
  dense("layers", "one sequence, two directions", [100, 1, 256, 512, 1, 2]),
  dense("float64", "double, sensor windows", [150, 16, 3, 64, 1, 1], double),
  dense("float64", "double, one utterance", [100, 1, 128, 256, 2, 1], double),
  dense("float64", "double, sentences", [50, 64, 256, 256, 1, 1], double),
];

/** What float16 weights are for, one sequence and large H, and what they are not: apart from the sets above. */
export const float16Shapes: readonly Shape[] = [
  dense("float16", "stream.step", [1, 1, 512, 512, 1, 1], stream),
  dense("float16", "stream.step", [1, 1, 1024, 1024, 1, 1], stream),
  ...[512, 1024, 2048].map((h) => dense("float16", "one sequence", [h > 1024 ? 10 : 25, 1, h, h, 1, 1])),
  dense("float16", "one sequence, two layers", [100, 1, 256, 512, 2, 1]),
  dense("float16", "one sequence", [100, 1, 128, 256, 1, 1]),
  dense("float16", "batch 8", [40, 8, 512, 512, 1, 1]),
  dense("float16", "batch 64", [50, 64, 256, 256, 1, 1]),
];

/** What weights of 8 bits are measured on, against peers that have such: apart from the sets above. */
export const int8Shapes: readonly Shape[] = [
  ...shapes
    .filter(({ set, workload }) => set === "workloads" && !["one small signal", "language model"].includes(workload))
    .map((shape) => ({ ...shape, set: "int8" })),
  ...spreads.slice(1, 3).map((spread) => ({ ...packed(spread, [128, 256, 1, 1]), set: "int8" })),
  ...[256, 1024].map((h) => dense("int8", "stream.step", [1, 1, h, h, 1, 1], stream)),
];

/** The workloads that other cells are measured on: those of design.md section 10, and the least that the target names. */
const cellWorkloads = [
  ...["sensor windows", "sensor windows, deep", "one utterance", "sentences", "sentences, wide", "language model"],
  ...["language model, one", "uniform lengths", "long-tailed lengths", "stream.step, small"],
];

/** The shapes that GRU and RNN are measured on, of one of them. */
export function cellShapes(cell: Exclude<Cell, "lstm">): Shape[] {
  const known = shapes.filter(
    ({ workload, layers, set, dtype }) =>
      cellWorkloads.includes(workload) && dtype === "float32" && (set !== "packed" || layers === 1),
  );
  return [...known, dense("cells", "small sentences", [50, 16, 128, 128, 1, 1])].map((shape) => ({ ...shape, cell }));
}

/** The few that `--quick` runs: one of each kind. */
export const quickShapes: readonly Shape[] = shapes.filter(({ workload }) =>
  [
    ...["sensor windows", "one small signal", "sentences", "long-tailed lengths", "stream.step, small"],
    ...["language model, one", "double, sensor windows"],
  ].includes(workload),
);

/** The sizes, in the order steps, batch, input, hidden, layers, directions. */
export function sizesOf(shape: Shape): string {
  const { steps, batch, inputSize, hiddenSize, layers, directions, lengths } = shape;
  const shortest = Math.min(steps, ...(lengths ?? []));
  const span = shortest < steps ? `${shortest}..${steps}` : String(steps);
  return [span, batch, inputSize, hiddenSize, layers, directions].join(",");
}

/** The same after the cell's name, where that is not the LSTM. */
export function titleOf(shape: Shape): string {
  return shape.cell ? `${shape.cell} ${sizesOf(shape)}` : sizesOf(shape);
}

export function cellOf({ cell }: Shape): Cell {
  return cell ?? "lstm";
}

/** 4, 3 or 1: how many times H rows a weight of the cell has. */
export function gatesOf(shape: Shape): number {
  return gateCounts[cellOf(shape)];
}

/** The same sizes as an LSTM. */
export function asLSTM({ cell: _cell, ...sizes }: Shape): Shape {
  return sizes;
}

/** Steps of all sequences together: padding is no work done. */
export function rowsOf({ steps, batch, lengths }: Shape): number {
  return lengths ? lengths.reduce((sum, length) => sum + length, 0) : steps * batch;
}

/** How wide the input of each layer is. */
export function layerInputs({ inputSize, hiddenSize, layers, directions }: Shape): number[] {
  return Array.from({ length: layers }, (_, layer) => (layer === 0 ? inputSize : directions * hiddenSize));
}

/** The floating-point operations of the matrix products alone, over real steps alone. */
export function flopsOf(shape: Shape): number {
  const { hiddenSize, directions } = shape;
  const perRow = layerInputs(shape).map((width) => directions * 2 * gatesOf(shape) * hiddenSize * (width + hiddenSize));
  return rowsOf(shape) * perRow.reduce((sum, flops) => sum + flops, 0);
}

/** The bytes of one layer's recurrent weights in one direction: what each step must have at hand. */
export function recurrentBytes(shape: Shape): number {
  const { hiddenSize, dtype } = shape;
  return gatesOf(shape) * hiddenSize * hiddenSize * (dtype === "float32" ? 4 : 8);
}

/**
 * The bytes of weights a pass reads when every step reads the recurrent ones once for the whole batch. Nobody can do
 * with less, unless they stay in registers; the input's weights can be read once for many steps and are not counted.
 */
export function weightTraffic(shape: Shape): number {
  return shape.steps * shape.layers * shape.directions * recurrentBytes(shape);
}

/** The part of the recurrent weights that one of `threads` threads goes over again and again. */
export function workingSet(shape: Shape, threads: number): number {
  return recurrentBytes(shape) * Math.min(1, (shape.layers * shape.directions * shape.batch) / threads);
}
