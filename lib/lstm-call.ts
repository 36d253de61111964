// One forward pass, made ready: judges the caller's input and state in torch's vocabulary, finds steps and batch, and
// sets out the arrays that the addon reads and writes. It calls nothing native, and it is on the path of every single
// step, so it allocates the results and one record, no more.

import type { FloatArray, LSTMConfig } from "../binding.js";
import { describe, formatShape, rangeError, typeError } from "./check.js";
import { isPacked, PackedSequence } from "./packed.js";
import { allocate, allocateUnset, type FloatDType } from "./strided.js";
import { Tensor, type TensorLike, toTensor } from "./tensor.js";

/** What `forward` returns; O is Tensor or PackedSequence, as the input was. */
export type LSTMOutput<O> = [output: O, state: [hn: Tensor, cn: Tensor]];

/** The state before the first step: h0 of shape (L·D, B, R), c0 of shape (L·D, B, H); both without B when unbatched. */
export type LSTMState = readonly [h0: TensorLike, c0: TensorLike];

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

/** Judges input and state. @throws as LSTM.forward documents */
export function prepareCall(
  config: LSTMConfig,
  batchFirst: boolean,
  input: TensorLike | PackedSequence,
  hx: LSTMState | null | undefined,
): Call {
  if (isPacked(input)) return preparePacked(config, PackedSequence.from("input", input), hx);
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
  return finishCall(config, data, hx, steps, batch, swapped, null, outputShape);
}

function preparePacked(config: LSTMConfig, packed: PackedSequence, hx: LSTMState | null | undefined): Call {
  const rows = packed.data;
  const data = floats("input.data", rows, config.dtype);
  if (rows.shape.length !== 2) {
    const expected = `packed rows of shape (N, ${config.inputSize})`;
    throw rangeError("ERR_SHAPE", "input.data", expected, `shape ${formatShape(rows.shape)}`);
  }
  if (rows.shape[1] !== config.inputSize) throw wrongWidth("input.data", `(N, ${config.inputSize})`, rows.shape);
  const outputShape = [rows.shape[0] as number, outputSize(config)];
  return finishCall(config, data, hx, packed.batchSizes.length, packed.batch, false, packed, outputShape);
}

function finishCall(
  config: LSTMConfig,
  input: FloatArray,
  hx: LSTMState | null | undefined,
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
  const output = allocateUnset("output", dtype, (input.length / config.inputSize) * outputSize(config));
  const hn = allocate("hn", dtype, states * batch * recurrent);
  const cn = allocate("cn", dtype, states * batch * hiddenSize);
  const rows = new Tensor(output, outputShape);
  // The result is dressed before it is written: it takes its own copy of the row description, which the caller could
  // change while an asynchronous pass is under way.
  const repacked = packed && new PackedSequence(rows, packed.batchSizes, packed.sortedIndices, packed.unsortedIndices);
  return {
    input,
    output,
    h0,
    c0,
    hn,
    cn,
    steps,
    batch,
    batchFirst,
    batchSizes: repacked?.batchSizes ?? null,
    sortedIndices: repacked?.sortedIndices ?? null,
    result: [repacked ?? rows, [new Tensor(hn, hShape), new Tensor(cn, cShape)]],
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

/** The elements of a tensor, which must be of this dtype. */
function floats(name: string, tensor: Tensor, dtype: FloatDType): FloatArray {
  if (tensor.dtype === dtype) return tensor.data as FloatArray;
  throw typeError("ERR_DTYPE", name, `a ${dtype} tensor, as the LSTM's parameters are`, describe(tensor));
}

/**
 * A state of these shapes, as its elements.
 * @throws TypeError ERR_ARG_TYPE, ERR_DTYPE; RangeError ERR_SHAPE
 * @internal
 */
export function checkState(
  hx: LSTMState,
  dtype: FloatDType,
  hShape: readonly number[],
  cShape: readonly number[],
  unbatched = false,
): [h: FloatArray, c: FloatArray] {
  const [h, c] = checkPair(hx);
  return [checkHalf("h0", h, dtype, hShape, unbatched), checkHalf("c0", c, dtype, cShape, unbatched)];
}

function checkPair(hx: unknown): readonly [TensorLike, TensorLike] {
  if (Array.isArray(hx) && hx.length === 2 && hx[0] != null && hx[1] != null) return [hx[0], hx[1]];
  const alone = Array.isArray(hx) && (hx[0] == null) !== (hx[1] == null);
  const received = alone ? `only ${hx[0] == null ? "c0" : "h0"}` : describe(hx);
  throw typeError("ERR_ARG_TYPE", "hx", "a pair [h0, c0]", received);
}

function checkHalf(
  name: string,
  value: TensorLike,
  dtype: FloatDType,
  shape: readonly number[],
  unbatched: boolean,
): FloatArray {
  const tensor = toTensor(name, value);
  const data = floats(name, tensor, dtype);
  const given = tensor.shape;
  let same = given.length === shape.length;
  for (let dim = 0; same && dim < shape.length; dim++) same = given[dim] === shape[dim];
  if (same) return data;
  const kind = unbatched ? "unbatched 2-D input" : "batched input";
  throw rangeError("ERR_SHAPE", name, `shape ${formatShape(shape)} for ${kind}`, `shape ${formatShape(given)}`);
}
