// One forward pass, made ready: judges the caller's input and state in torch's vocabulary, finds steps and batch, and
// sets out the arrays that the addon reads and writes. It calls nothing native, and it is on the path of every single
// step, so it allocates the results and a few small records, no more.

import type { FloatArray, LSTMConfig, NativeLSTM } from "../../../binding.js";
import { formatShape, rangeError } from "../../check.js";
import { runJob } from "../../runtime/job.js";
import { isPacked, PackedSequence } from "../../sequences/packed.js";
import { type Tensor, type TensorLike, toTensor } from "../../tensor/tensor.js";
import { freshResults, givenResults, type LSTMOut } from "./out.js";
import { checkState, floats, type LSTMState } from "./state.js";

/** What `forward` returns; O is Tensor or PackedSequence, as the input was. */
export type LSTMOutput<O> = [output: O, state: [hn: Tensor, cn: Tensor]];

/** The arguments of the native call, by name, and what `forward` returns once it has written them. */
export interface Call {
  readonly input: FloatArray;
  readonly output: FloatArray;
  readonly h0: FloatArray | null;
  readonly c0: FloatArray | null;
  readonly hn: FloatArray;
  readonly cn: FloatArray;
  readonly steps: number;
  readonly batch: number;
  readonly batchFirst: boolean;
  readonly batchSizes: Int32Array | null;
  readonly sortedIndices: Int32Array | null;
  readonly result: LSTMOutput<Tensor | PackedSequence>;
}

/** Judges input, state and the tensors to write to, fresh ones when left out. @throws as LSTM.forward documents */
export function prepareCall(
  config: LSTMConfig,
  batchFirst: boolean,
  input: TensorLike | PackedSequence,
  hx: LSTMState | null | undefined,
  out?: LSTMOut,
): Call {
  if (isPacked(input)) return preparePacked(config, PackedSequence.from("input", input), hx, out);
  const x = toTensor("input", input);
  const data = floats("input", x, config.dtype);
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
  const outputShape = rank === 2 ? [steps, outputSize(config)] : [first, second, outputSize(config)];
  return finishCall(config, data, hx, out, steps, batch, swapped, null, outputShape);
}

function preparePacked(
  config: LSTMConfig,
  packed: PackedSequence,
  hx: LSTMState | null | undefined,
  out: LSTMOut | undefined,
): Call {
  const rows = packed.data;
  const data = floats("input.data", rows, config.dtype);
  if (rows.shape.length !== 2) {
    const expected = `packed rows of shape (N, ${config.inputSize})`;
    throw rangeError("ERR_SHAPE", "input.data", expected, `shape ${formatShape(rows.shape)}`);
  }
  if (rows.shape[1] !== config.inputSize) throw wrongWidth("input.data", `(N, ${config.inputSize})`, rows.shape);
  const outputShape = [rows.shape[0] as number, outputSize(config)];
  return finishCall(config, data, hx, out, packed.batchSizes.length, packed.batch, false, packed, outputShape);
}

function finishCall(
  config: LSTMConfig,
  input: FloatArray,
  hx: LSTMState | null | undefined,
  out: LSTMOut | undefined,
  steps: number,
  batch: number,
  batchFirst: boolean,
  packed: PackedSequence | null,
  outputShape: number[],
): Call {
  const { hiddenSize, dtype } = config;
  const states = config.numLayers * (config.bidirectional ? 2 : 1);
  const recurrent = config.projSize || hiddenSize;
  const unbatched = packed === null && outputShape.length === 2;
  const hShape = unbatched ? [states, recurrent] : [states, batch, recurrent];
  const cShape = unbatched ? [states, hiddenSize] : [states, batch, hiddenSize];
  let h0: FloatArray | null = null;
  let c0: FloatArray | null = null;
  if (hx !== undefined && hx !== null) {
    [h0, c0] = checkState(hx, dtype, hShape, cShape, unbatched);
  }
  const shapes = { output: outputShape, hn: hShape, cn: cShape };
  const results = out === undefined ? freshResults(dtype, shapes) : givenResults(out, dtype, shapes);
  const { output, hn, cn } = results;
  // The result is dressed before it is written: it takes its own copy of the row description, which the caller could
  // change while an asynchronous pass is under way.
  const repacked =
    packed && new PackedSequence(output, packed.batchSizes, packed.sortedIndices, packed.unsortedIndices);
  return {
    input,
    output: output.data as FloatArray,
    h0,
    c0,
    hn: hn.data as FloatArray,
    cn: cn.data as FloatArray,
    steps,
    batch,
    batchFirst,
    batchSizes: repacked?.batchSizes ?? null,
    sortedIndices: repacked?.sortedIndices ?? null,
    result: [repacked ?? output, [hn, cn]],
  };
}

/** D·R, what a row of the output is wide. */
function outputSize(config: LSTMConfig): number {
  return (config.projSize || config.hiddenSize) * (config.bidirectional ? 2 : 1);
}

function inputShape(config: LSTMConfig, batchFirst: boolean, rank: number): string {
  if (rank === 2) return `(T, ${config.inputSize})`;
  return batchFirst ? `(B, T, ${config.inputSize})` : `(T, B, ${config.inputSize})`;
}

function wrongWidth(name: string, expected: string, shape: readonly number[]): RangeError {
  const received = `a last dimension of ${shape[shape.length - 1]} in ${formatShape(shape)}`;
  return rangeError("ERR_SHAPE", name, `shape ${expected}`, received);
}

/** Runs a call of an LSTM. Settles only when the addon writes no more, whether the pass ended or was stopped. */
export function runAsync(addon: NativeLSTM, call: Call, signal: AbortSignal | undefined): Promise<void> {
  return runJob(
    (done) =>
      addon.forwardAsync(
        call.input,
        call.output,
        call.h0,
        call.c0,
        call.hn,
        call.cn,
        call.steps,
        call.batch,
        call.batchFirst,
        call.batchSizes,
        call.sortedIndices,
        done,
      ),
    signal,
  );
}
