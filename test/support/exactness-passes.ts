// The ways one set of sequences can go through an LSTM, each giving every sequence's own output, hn and cn in the
// caller's order, so that exactness.test.ts can hold the bits of one way against the bits of another.

import { createHash } from "node:crypto";
import {
  cat,
  LSTM,
  manualSeed,
  type PackedSequence,
  packSequence,
  stack,
  type Tensor,
  unpackSequence,
} from "../../lib/index.js";
import type { Shape } from "./exactness-shapes.js";
import { uniform } from "./fixture.js";

export type FloatDType = "float32" | "float64";

/** One sequence's results: (T, D·R), (L·D, R), (L·D, H). */
export interface Single {
  output: Tensor;
  hn: Tensor;
  cn: Tensor;
}

/** The same weights in both layouts, and the sequences with their initial states, (L·D, B, R) and (L·D, B, H). */
export interface Setup {
  timeMajor: LSTM;
  batchFirst: LSTM;
  sequences: Tensor[];
  h0: Tensor;
  c0: Tensor;
}

type State = [h: Tensor, c: Tensor];

/** The bits of all results in 16 hexadecimal digits. */
export function digest(results: readonly Single[]): string {
  const hash = createHash("sha256");
  for (const { data } of results.flatMap(({ output, hn, cn }) => [output, hn, cn])) {
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest("hex").slice(0, 16);
}

export function setUp(shape: Shape, dtype: FloatDType, seed = 7): Setup {
  const { inputSize, hiddenSize, lengths, numLayers = 1, bidirectional = false, projSize = 0, bias = true } = shape;
  const options = { numLayers, bidirectional, projSize, bias, dtype };
  manualSeed(seed);
  const timeMajor = new LSTM(inputSize, hiddenSize, options);
  const sequences = lengths.map((steps) => uniform([steps, inputSize], dtype, shape.scale));
  const rows = [numLayers * (bidirectional ? 2 : 1), lengths.length];
  const h0 = uniform([...rows, projSize || hiddenSize], dtype);
  const c0 = uniform([...rows, hiddenSize], dtype);
  const batchFirst = new LSTM(inputSize, hiddenSize, { ...options, batchFirst: true });
  batchFirst.loadStateDict(timeMajor.stateDict());
  return { timeMajor, batchFirst, sequences, h0, c0 };
}

const order = (n: number): number[] => Array.from({ length: n }, (_, k) => k);

/** The setup with its sequences (and their states) in another order, or fewer of them. */
export function choose(setup: Setup, picks: readonly number[]): Setup {
  const { h0, c0 } = setup;
  const sequences = picks.map((k) => setup.sequences[k]!);
  return { ...setup, sequences, h0: h0.indexSelect(1, [...picks]), c0: c0.indexSelect(1, [...picks]) };
}

/** Undoes {@link choose}: `results[k]` goes to place `picks[k]`. */
export function restore(results: readonly Single[], picks: readonly number[]): Single[] {
  const restored: Single[] = new Array(picks.length);
  for (const [k, pick] of picks.entries()) restored[pick] = results[k]!;
  return restored;
}

function states({ h0, c0 }: Setup, k: number): State {
  return [h0.select(1, k), c0.select(1, k)];
}

function divide(outputs: readonly Tensor[], [hn, cn]: State): Single[] {
  return outputs.map((output, k) => ({ output, hn: hn.select(1, k), cn: cn.select(1, k) }));
}

/** Each sequence by itself, without a batch dimension. */
export function alone(setup: Setup): Single[] {
  return setup.sequences.map((sequence, k) => {
    const [output, [hn, cn]] = setup.timeMajor.forward(sequence, states(setup, k));
    return { output, hn, cn };
  });
}

/** Each sequence as a batch of one, (1, T, I). */
export function aloneBatchFirst(setup: Setup): Single[] {
  return order(setup.sequences.length).flatMap((k) => {
    const { sequences, h0, c0 } = choose(setup, [k]);
    const [output, state] = setup.batchFirst.forward(stack(sequences), [h0, c0]);
    return divide([output.select(0, 0)], state);
  });
}

/** Each sequence by itself, cut after `piece` steps again and again, the state carried over. For one direction only. */
export function inPieces(setup: Setup, piece: number): Single[] {
  return setup.sequences.map((sequence, k) => {
    let state = states(setup, k);
    const outputs: Tensor[] = [];
    for (let from = 0; from < sequence.shape[0]!; from += piece) {
      const [output, next] = setup.timeMajor.forward(sequence.slice(0, from, from + piece), state);
      outputs.push(output);
      state = next;
    }
    return { output: cat(outputs), hn: state[0], cn: state[1] };
  });
}

/** Frame by frame through one stream with a row a sequence, each for as long as it lasts. For one direction only. */
export function streamed({ timeMajor, sequences, h0, c0 }: Setup): Single[] {
  const stream = timeMajor.stream({ batchSize: sequences.length });
  stream.state = [h0, c0];
  const outputs = sequences.map((): Tensor[] => []);
  for (let t = 0; ; t++) {
    const rows = order(sequences.length).filter((k) => t < sequences[k]!.shape[0]!);
    if (rows.length === 0) break;
    const y = stream.step(stack(rows.map((k) => sequences[k]!.select(0, t))), rows);
    for (const [i, k] of rows.entries()) outputs[k]!.push(y.slice(0, i, i + 1));
  }
  return divide(
    outputs.map((frames) => cat(frames)),
    stream.state,
  );
}

/** One dense batch of equal lengths. */
export function dense(setup: Setup, batchFirst: boolean): Single[] {
  const dim = batchFirst ? 0 : 1;
  const lstm = batchFirst ? setup.batchFirst : setup.timeMajor;
  const [output, state] = lstm.forward(stack(setup.sequences, dim), [setup.h0, setup.c0]);
  return divide(
    setup.sequences.map((_, k) => output.select(dim, k)),
    state,
  );
}

export async function denseAsync(setup: Setup): Promise<Single[]> {
  const [output, state] = await setup.timeMajor.forwardAsync(stack(setup.sequences, 1), [setup.h0, setup.c0]);
  return divide(
    setup.sequences.map((_, k) => output.select(1, k)),
    state,
  );
}

/** Dense batch after dense batch of `piece` steps, the state carried over. For equal lengths in one direction. */
export function denseInPieces(setup: Setup, piece: number): Single[] {
  const input = stack(setup.sequences, 1);
  let state: State = [setup.h0, setup.c0];
  const outputs: Tensor[] = [];
  for (let from = 0; from < input.shape[0]!; from += piece) {
    const [output, next] = setup.timeMajor.forward(input.slice(0, from, from + piece), state);
    outputs.push(output);
    state = next;
  }
  const output = cat(outputs);
  return divide(
    setup.sequences.map((_, k) => output.select(1, k)),
    state,
  );
}

/** Sequence numbers by falling length, ties in order: what enforceSorted asks of its caller. */
export function sortedOrder({ sequences }: Setup): number[] {
  return order(sequences.length).sort((a, b) => sequences[b]!.shape[0]! - sequences[a]!.shape[0]!);
}

function packedResult(output: PackedSequence, state: State): Single[] {
  return divide(unpackSequence(output), state);
}

/** Packed, sorted by the caller beforehand and put back afterwards. */
export function packedSorted(setup: Setup): Single[] {
  const picks = sortedOrder(setup);
  const { sequences, h0, c0 } = choose(setup, picks);
  const [output, state] = setup.timeMajor.forward(packSequence(sequences), [h0, c0]);
  return restore(packedResult(output, state), picks);
}

/** Packed with enforceSorted: false. */
export function packed(setup: Setup): Single[] {
  const input = packSequence(setup.sequences, { enforceSorted: false });
  return packedResult(...setup.timeMajor.forward(input, [setup.h0, setup.c0]));
}

export async function packedAsync(setup: Setup): Promise<Single[]> {
  const input = packSequence(setup.sequences, { enforceSorted: false });
  return packedResult(...(await setup.timeMajor.forwardAsync(input, [setup.h0, setup.c0])));
}
