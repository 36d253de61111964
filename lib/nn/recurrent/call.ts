// One forward pass, made ready: judges the caller's input and state in torch's vocabulary, finds steps and batch, and
// sets out the arrays that the addon reads and writes. It calls nothing native, and it is on the path of every single
// step, so it allocates the results and a few small records, no more.

import type { FloatArray } from "../../../binding.js";
import { formatShape, rangeError } from "../../check.js";
import { isPacked, PackedSequence } from "../../sequences/packed.js";
import { type Tensor, type TensorLike, toTensor } from "../../tensor/tensor.js";
import type { FullConfig } from "./config.js";
import { freshResults, givenResults, type Out } from "./out.js";
import type { Pass } from "./pass.js";
import { checkState, floats, type GivenState } from "./state.js";

/** What `forward` of an LSTM returns; O is Tensor or PackedSequence, as the input was. */
export type LSTMOutput<O> = [output: O, state: [hn: Tensor, cn: Tensor]];

/** What `forward` of a GRU or RNN returns; O is Tensor or PackedSequence, as the input was. */
export type HiddenOutput<O> = [output: O, hn: Tensor];

/** A pass, and what `forward` returns once it is written. */
export interface Call extends Pass {
  readonly result: LSTMOutput<Tensor | PackedSequence> | HiddenOutput<Tensor | PackedSequence>;
}

/** The caller's rows, judged. */
interface Rows {
  readonly input: FloatArray;
  readonly steps: number;
  readonly batch: number;
  readonly batchFirst: boolean;
  readonly packed: PackedSequence | null;
  readonly outputShape: number[];
}

/** Judges input, state and the tensors to write to, fresh ones when left out. @throws as LSTM.forward documents */
export function prepareCall(
  config: FullConfig,
  batchFirst: boolean,
  input: TensorLike | PackedSequence,
  hx: GivenState | null | undefined,
  out?: Out<unknown>,
): Call {
  const packed = isPacked(input);
  return finishCall(
    config,
    packed ? packedRows(config, PackedSequence.from("input", input)) : denseRows(config, batchFirst, input),
    hx,
    out,
  );
}

function denseRows(config: FullConfig, batchFirst: boolean, input: TensorLike): Rows {
  const x = toTensor("input", input);
  const data = floats("input", x, config);
  const { shape } = x;
  const rank = shape.length;
  if (rank !== 2 && rank !== 3) {
    const expected = `a 2-D or 3-D tensor, ${inputShape(config, batchFirst, 3)} or (T, ${config.inputSize}) unbatched`;
    throw rangeError("ERR_SHAPE", "input", expected, `a ${rank}-D tensor of shape ${formatShape(shape)}`);
  }
  if (shape[rank - 1] !== config.inputSize) throw wrongWidth("input", inputShape(config, batchFirst, rank), shape);
  const first = shape[0] as number;
  const second = rank === 2 ? 1 : (shape[1] as number);
  const swapped = batchFirst && rank === 3;
  const steps = swapped ? second : first;
  const batch = swapped ? first : second;
  if (steps === 0)
    throw rangeError("ERR_SHAPE", "input", "a sequence length larger than 0", `shape ${formatShape(shape)}`);
  if (batch === 0) throw rangeError("ERR_SHAPE", "input", "a batch size larger than 0", `shape ${formatShape(shape)}`);
  const outputShape = rank === 2 ? [steps, config.width] : [first, second, config.width];
  return { input: data, steps, batch, batchFirst: swapped, packed: null, outputShape };
}

function packedRows(config: FullConfig, packed: PackedSequence): Rows {
  const rows = packed.data;
  const input = floats("input.data", rows, config);
  if (rows.shape.length !== 2) {
    const expected = `packed rows of shape (N, ${config.inputSize})`;
    throw rangeError("ERR_SHAPE", "input.data", expected, `shape ${formatShape(rows.shape)}`);
  }
  if (rows.shape[1] !== config.inputSize) throw wrongWidth("input.data", `(N, ${config.inputSize})`, rows.shape);
  const outputShape = [rows.shape[0] as number, config.width];
  return { input, steps: packed.batchSizes.length, batch: packed.batch, batchFirst: false, packed, outputShape };
}

function finishCall(
  config: FullConfig,
  rows: Rows,
  hx: GivenState | null | undefined,
  out: Out<unknown> | undefined,
): Call {
  const { hiddenSize, states, real } = config;
  const { batch, packed, outputShape } = rows;
  const unbatched = packed === null && outputShape.length === 2;
  const hShape = unbatched ? [states, real] : [states, batch, real];
  const cShape = unbatched ? [states, hiddenSize] : [states, batch, hiddenSize];
  let h0: FloatArray | null = null;
  let c0: FloatArray | null = null;
  if (hx !== undefined && hx !== null) {
    [h0, c0] = checkState(hx, config, hShape, cShape, unbatched ? "unbatched 2-D input" : "batched input");
  }
  const results =
    out === undefined
      ? freshResults(config, outputShape, hShape, cShape)
      : givenResults(out, config, outputShape, hShape, cShape);
  const { output, hn, cn } = results;
  // The result is dressed before it is written: it takes its own copy of the row description, which the caller could
  // change while an asynchronous pass is under way.
  const repacked =
    packed && new PackedSequence(output, packed.batchSizes, packed.sortedIndices, packed.unsortedIndices);
  return {
    input: rows.input,
    output: output.data as FloatArray,
    h0,
    c0,
    hn: hn.data as FloatArray,
    cn: cn === null ? null : (cn.data as FloatArray),
    steps: rows.steps,
    batch,
    batchFirst: rows.batchFirst,
    batchSizes: repacked?.batchSizes ?? null,
    sortedIndices: repacked?.sortedIndices ?? null,
    lengths: null,
    result: cn === null ? [repacked ?? output, hn] : [repacked ?? output, [hn, cn]],
  };
}

function inputShape(config: FullConfig, batchFirst: boolean, rank: number): string {
  if (rank === 2) return `(T, ${config.inputSize})`;
  return batchFirst ? `(B, T, ${config.inputSize})` : `(T, B, ${config.inputSize})`;
}

function wrongWidth(name: string, expected: string, shape: readonly number[]): RangeError {
  const received = `a last dimension of ${shape[shape.length - 1]} in ${formatShape(shape)}`;
  return rangeError("ERR_SHAPE", name, `shape ${expected}`, received);
}
