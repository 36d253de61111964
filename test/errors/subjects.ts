// What the rows of the error tables are made of: the models, a good input, and tensors whose buffers are no longer what
// they were.

import { LSTM, rand, Tensor } from "../../lib/index.js";
import { detach, growable, resizable } from "../support/odd-buffers.js";

/** A bad call: its name, the call, and what must come of it. */
export type Row = [what: string, call: () => unknown, kind: typeof TypeError, code: string, piece: string];

/** Passes anything where the types would not let it. */
export const any = (value: unknown): never => value as never;

export const lstm = new LSTM(3, 4);
export const stacked = new LSTM(3, 4, { numLayers: 2, bidirectional: true, projSize: 2 });
export const batchFirst = new LSTM(3, 4, { batchFirst: true });
export const double = new LSTM(3, 4, { dtype: "float64" });

/** Input (5, 2, 3) and state (1, 2, 4) that `lstm` takes, and its parameters. */
export const x = rand([5, 2, 3]);
export const h = rand([1, 2, 4]);
export const good = lstm.stateDict();

const product = (shape: readonly number[]): number => shape.reduce((size, dim) => size * dim, 1);

export function detachedTensor(shape: number[]): Tensor {
  const tensor = rand(shape);
  detach(tensor.data);
  return tensor;
}

/** A tensor over a resizable buffer, which is resized after the tensor was made. */
export function resizedTensor(shape: number[], bytesAfter: number): Tensor {
  const [data, resize] = resizable(product(shape));
  const tensor = new Tensor(data, shape);
  resize(bytesAfter);
  return tensor;
}

/** A tensor over shared memory that has grown to twice its size. */
export function grownTensor(shape: number[]): Tensor {
  const [data, grow] = growable(product(shape));
  const tensor = new Tensor(data, shape);
  grow(8 * product(shape));
  return tensor;
}
