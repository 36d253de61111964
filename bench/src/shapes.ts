// What is measured, as data: the sizes of each LSTM, the workload it stands for, and how much arithmetic it is.
// No tensors, no timing.

export interface Shape {
  /** What a reader would use such a shape for. */
  readonly workload: string;
  readonly steps: number;
  readonly batch: number;
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly layers: number;
  readonly directions: 1 | 2;
  /** The length of each sequence of a padded batch, in the batch's order; `steps` is the longest. Absent when dense. */
  readonly lengths?: readonly number[];
  /** Whether h0 and c0 are handed in, as a streaming caller does. Otherwise they are zeros, left out. */
  readonly stateful?: boolean;
}

/** Many short sequences and few long ones, in no order. 37 is odd, so every place of a power of two is taken once. */
function longTailed(count: number, shortest: number, longest: number): number[] {
  return Array.from({ length: count }, (_, i) => {
    const place = ((i * 37) % count) / (count - 1);
    return Math.round(shortest + (longest - shortest) * place ** 2);
  });
}

function dense(workload: string, sizes: readonly [number, number, number, number, number, 1 | 2]): Shape {
  const [steps, batch, inputSize, hiddenSize, layers, directions] = sizes;
  return { workload, steps, batch, inputSize, hiddenSize, layers, directions };
}

export const shapes: readonly Shape[] = [
  dense("sensor windows", [150, 16, 3, 64, 1, 1]),
  dense("sensor windows, deep", [150, 16, 3, 64, 2, 2]),
  dense("one small signal", [100, 1, 64, 64, 1, 1]),
  dense("one utterance", [100, 1, 128, 256, 2, 1]),
  dense("sentences", [50, 64, 256, 256, 1, 1]),
  dense("sentences, wide", [50, 128, 512, 512, 1, 1]),
  dense("language model", [25, 64, 1024, 1024, 1, 1]),
  dense("language model, one", [25, 1, 1024, 1024, 1, 1]),
  { ...dense("unequal lengths", [200, 64, 128, 256, 1, 1]), lengths: longTailed(64, 4, 200) },
  { ...dense("streaming, one step", [1, 1, 64, 64, 1, 1]), stateful: true },
];

/** The sizes, in the order steps, batch, input, hidden, layers, directions. */
export function sizesOf(shape: Shape): string {
  const { steps, batch, inputSize, hiddenSize, layers, directions, lengths } = shape;
  const span = lengths ? `${Math.min(...lengths)}..${steps}` : String(steps);
  return [span, batch, inputSize, hiddenSize, layers, directions].join(",");
}

/** The floating-point operations of the matrix products alone, over real steps alone: padding is no work done. */
export function flopsOf(shape: Shape): number {
  const { steps, batch, inputSize, hiddenSize, layers, directions, lengths } = shape;
  const rows = lengths ? lengths.reduce((sum, length) => sum + length, 0) : steps * batch;
  let perRow = 0;
  for (let layer = 0; layer < layers; layer++) {
    const width = layer === 0 ? inputSize : directions * hiddenSize;
    perRow += directions * 2 * 4 * hiddenSize * (width + hiddenSize);
  }
  return rows * perRow;
}
