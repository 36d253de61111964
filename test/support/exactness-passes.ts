// The ways one set of sequences can go through a module, each giving every sequence's own output and final state in the
// caller's order, so that exactness.test.ts can hold the bits of one way against the bits of another.

import { createHash } from "node:crypto";
import {
  cat,
  manualSeed,
  type PackedSequence,
  packSequence,
  stack,
  type Tensor,
  unpackSequence,
} from "../../lib/index.js";
import {
  type Cell,
  type FloatDType,
  lstm,
  type Module,
  type Results,
  resultsOf,
  type State,
  stateOf,
  stateShapes,
  tensorsOf,
} from "./cells.js";
import type { Shape } from "./exactness-shapes.js";
import { uniform } from "./fixture.js";

/** The same weights in both layouts, and the sequences with their initial states: (L·D, B, R), and of an LSTM (L·D, B, H). */
export interface Setup {
  timeMajor: Module;
  batchFirst: Module;
  sequences: Tensor[];
  states: Tensor[];
}

/** What the digest of a shape's bits is called in test/fixtures/bits.json. */
export function bitsName(cell: Cell, shape: Shape, dtype: FloatDType | "int8"): string {
  return [...(cell === lstm ? [] : [cell.name]), shape.name, dtype].join(", ");
}

/** The bits of all results in 16 hexadecimal digits. */
export function digest(results: readonly Partial<Results>[]): string {
  const hash = createHash("sha256");
  for (const { data } of results.flatMap((result) => Object.values(result) as Tensor[])) {
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest("hex").slice(0, 16);
}

export function setUp(cell: Cell, shape: Shape, dtype: FloatDType, seed = 7): Setup {
  const { inputSize, hiddenSize, lengths, numLayers = 1, bidirectional = false, projSize, bias = true } = shape;
  const options = { numLayers, bidirectional, bias, dtype, ...(projSize && { projSize }) };
  manualSeed(seed);
  const timeMajor = cell.make(inputSize, hiddenSize, options);
  const sequences = lengths.map((steps) => uniform([steps, inputSize], dtype, shape.scale));
  const states = stateShapes(cell, shape, [lengths.length]).map((of) => uniform(of, dtype));
  const batchFirst = cell.make(inputSize, hiddenSize, { ...options, batchFirst: true });
  batchFirst.loadStateDict(timeMajor.stateDict());
  return { timeMajor, batchFirst, sequences, states };
}

/** The setup with its models' weights stored otherwise. */
export function storedAs(weightDtype: "float16" | "int8", cell: Cell, setup: Setup): Setup {
  const make = (batchFirst: boolean): Module =>
    cell.fromStateDict(setup.timeMajor.stateDict(), { weightDtype, batchFirst });
  return { ...setup, timeMajor: make(false), batchFirst: make(true) };
}

const order = (n: number): number[] => Array.from({ length: n }, (_, k) => k);

/** The setup with its sequences (and their states) in another order, or fewer of them. */
export function choose(setup: Setup, picks: readonly number[]): Setup {
  const sequences = picks.map((k) => setup.sequences[k]!);
  return { ...setup, sequences, states: setup.states.map((state) => state.indexSelect(1, [...picks])) };
}

/** Undoes {@link choose}: `results[k]` goes to place `picks[k]`. */
export function restore(results: readonly Results[], picks: readonly number[]): Results[] {
  const restored: Results[] = new Array(picks.length);
  for (const [k, pick] of picks.entries()) restored[pick] = results[k]!;
  return restored;
}

function statesOf({ states }: Setup, k: number): Tensor[] {
  return states.map((state) => state.select(1, k));
}

function divide(outputs: readonly Tensor[], state: State): Results[] {
  const [hn, cn] = tensorsOf(state) as [Tensor, Tensor?];
  return outputs.map((output, k) => ({ output, hn: hn.select(1, k), ...(cn && { cn: cn.select(1, k) }) }));
}

/** Each sequence by itself, without a batch dimension. */
export function alone(setup: Setup): Results[] {
  return setup.sequences.map((sequence, k) =>
    resultsOf(...setup.timeMajor.forward(sequence, stateOf(statesOf(setup, k)))),
  );
}

/** Each sequence as a batch of one, (1, T, I). */
export function aloneBatchFirst(setup: Setup): Results[] {
  return order(setup.sequences.length).flatMap((k) => {
    const { sequences, states } = choose(setup, [k]);
    const [output, state] = setup.batchFirst.forward(stack(sequences), stateOf(states));
    return divide([output.select(0, 0)], state);
  });
}

/** Each sequence by itself, cut after `piece` steps again and again, the state carried over. For one direction only. */
export function inPieces(setup: Setup, piece: number): Results[] {
  return setup.sequences.map((sequence, k) => {
    let state = stateOf(statesOf(setup, k)) as State;
    const outputs: Tensor[] = [];
    for (let from = 0; from < sequence.shape[0]!; from += piece) {
      const [output, next] = setup.timeMajor.forward(sequence.slice(0, from, from + piece), state);
      outputs.push(output);
      state = next;
    }
    return resultsOf(cat(outputs), state);
  });
}

/** Frame by frame through one stream with a row a sequence, each for as long as it lasts. For one direction only. */
export function streamed({ timeMajor, sequences, states }: Setup): Results[] {
  const stream = timeMajor.stream({ batchSize: sequences.length });
  stream.state = stateOf(states) as State;
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
export function dense(setup: Setup, batchFirst: boolean): Results[] {
  const dim = batchFirst ? 0 : 1;
  const module = batchFirst ? setup.batchFirst : setup.timeMajor;
  const [output, state] = module.forward(stack(setup.sequences, dim), stateOf(setup.states));
  return divide(
    setup.sequences.map((_, k) => output.select(dim, k)),
    state,
  );
}

export async function denseAsync(setup: Setup): Promise<Results[]> {
  const [output, state] = await setup.timeMajor.forwardAsync(stack(setup.sequences, 1), stateOf(setup.states));
  return divide(
    setup.sequences.map((_, k) => output.select(1, k)),
    state,
  );
}

/** Dense batch after dense batch of `piece` steps, the state carried over. For equal lengths in one direction. */
export function denseInPieces(setup: Setup, piece: number): Results[] {
  const input = stack(setup.sequences, 1);
  let state = stateOf(setup.states) as State;
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

function packedResult(output: PackedSequence, state: State): Results[] {
  return divide(unpackSequence(output), state);
}

/** Packed, sorted by the caller beforehand and put back afterwards. */
export function packedSorted(setup: Setup): Results[] {
  const picks = sortedOrder(setup);
  const { sequences, states } = choose(setup, picks);
  const [output, state] = setup.timeMajor.forward(packSequence(sequences), stateOf(states));
  return restore(packedResult(output, state), picks);
}

/** Packed with enforceSorted: false. */
export function packed(setup: Setup): Results[] {
  const input = packSequence(setup.sequences, { enforceSorted: false });
  return packedResult(...setup.timeMajor.forward(input, stateOf(setup.states)));
}

export async function packedAsync(setup: Setup): Promise<Results[]> {
  const input = packSequence(setup.sequences, { enforceSorted: false });
  return packedResult(...(await setup.timeMajor.forwardAsync(input, stateOf(setup.states))));
}
