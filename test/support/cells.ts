// The recurrent modules as one, so that a suite runs over all of them: what differs is whether a state is the pair [h, c] or h
// alone, and that only an LSTM has a projection. Here states are lists of tensors, and results have cn or not.

import type { CellKind } from "../../binding.js";
import {
  GRU,
  LSTM,
  type LSTMOptions,
  type MapOptions,
  type MapSource,
  type PackedSequence,
  RNN,
  type RNNOptions,
  type SharedModule,
  type StateDict,
  type Tensor,
  type TensorLike,
} from "../../lib/index.js";
import { expectSameBits } from "./compare.js";

export type FloatDType = "float32" | "float64";
export type ModuleOptions = Omit<LSTMOptions & RNNOptions, "nonlinearity">;

/** A state as a module takes it, and as it gives it. */
export type Hx = TensorLike | readonly [TensorLike, TensorLike];
export type State = Tensor | [Tensor, Tensor];

/** What a pass gives, or a sequence's part of it; cn of an LSTM only. */
export interface Results<T = Tensor> {
  output: T;
  hn: T;
  cn?: T;
}

interface Stream {
  state: State;
  step(x: TensorLike, rows?: readonly number[] | Int32Array): Tensor;
  reset(row?: number): void;
  dispose(): void;
}

/** Whatever an LSTM, a GRU and an RNN all are. */
export interface Module extends ModuleSizes {
  forward(input: TensorLike, hx?: Hx | null, options?: { out?: readonly [TensorLike, Hx] }): [Tensor, State];
  forward(
    input: PackedSequence,
    hx?: Hx | null,
    options?: { out?: readonly [TensorLike | PackedSequence, Hx] },
  ): [PackedSequence, State];
  forwardAsync(input: TensorLike, hx?: Hx | null, options?: { signal?: AbortSignal }): Promise<[Tensor, State]>;
  forwardAsync(
    input: PackedSequence,
    hx?: Hx | null,
    options?: { signal?: AbortSignal },
  ): Promise<[PackedSequence, State]>;
  stream(options?: { batchSize?: number }): Stream;
  map<Item extends TensorLike>(
    source: MapSource<Item>,
    options?: MapOptions<Item>,
  ): AsyncGenerator<Results & { index: number; item: Item }, void, undefined>;
  stateDict(): Record<string, Tensor>;
  loadStateDict(dict: StateDict, options?: { prefix?: string }): void;
  share(): SharedModule;
  dispose(): void;
}

interface ModuleSizes {
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly bias: boolean;
  readonly batchFirst: boolean;
  readonly bidirectional: boolean;
  readonly dtype: FloatDType;
  readonly weightDtype: string;
}

type DictOptions = { prefix?: string; batchFirst?: boolean; weightDtype?: "float16" | "int8" | undefined };

export interface Cell {
  readonly name: string;
  readonly kind: CellKind;
  /** Blocks of H rows in each weight. */
  readonly gates: number;
  /** The results there are. */
  readonly keys: readonly (keyof Results)[];
  make(inputSize: number, hiddenSize: number, options?: ModuleOptions): Module;
  fromStateDict(dict: StateDict, options?: DictOptions): Module;
  fromShared(handle: SharedModule): Module;
}

/** What all of them are, whichever it is. */
const seen = (module: LSTM | GRU | RNN): Module => module as unknown as Module;

function rnn(nonlinearity: "tanh" | "relu"): Cell {
  return {
    name: `RNN ${nonlinearity}`,
    kind: `rnn_${nonlinearity}`,
    gates: 1,
    keys: ["output", "hn"],
    make: (inputSize, hiddenSize, options) => seen(new RNN(inputSize, hiddenSize, { ...options, nonlinearity })),
    fromStateDict: (dict, options) => seen(RNN.fromStateDict(dict, { ...options, nonlinearity })),
    fromShared: (handle) => seen(RNN.fromShared(handle)),
  };
}

export const lstm: Cell = {
  name: "LSTM",
  kind: "lstm",
  gates: 4,
  keys: ["output", "hn", "cn"],
  make: (inputSize, hiddenSize, options) => seen(new LSTM(inputSize, hiddenSize, options)),
  fromStateDict: (dict, options) => seen(LSTM.fromStateDict(dict, options)),
  fromShared: (handle) => seen(LSTM.fromShared(handle)),
};

export const gru: Cell = {
  name: "GRU",
  kind: "gru",
  gates: 3,
  keys: ["output", "hn"],
  make: (inputSize, hiddenSize, options) => seen(new GRU(inputSize, hiddenSize, options)),
  fromStateDict: (dict, options) => seen(GRU.fromStateDict(dict, options)),
  fromShared: (handle) => seen(GRU.fromShared(handle)),
};

export const cells: readonly Cell[] = [lstm, gru, rnn("tanh"), rnn("relu")];

/** As `describe.each` takes them. */
export const named = cells.map((cell) => [cell.name, cell] as const);

export function cellOf(kind: CellKind): Cell {
  return cells.find((cell) => cell.kind === kind) as Cell;
}

/** That of a layer that was read from a model file. */
export function cellFor({ module, nonlinearity }: { module: string; nonlinearity?: string | undefined }): Cell {
  const name = module === "RNN" ? `RNN ${nonlinearity ?? "tanh"}` : module;
  return cells.find((cell) => cell.name === name) as Cell;
}

/** The tensors of a state: h, and of an LSTM c. */
export function tensorsOf(state: State): Tensor[] {
  return Array.isArray(state) ? state : [state];
}

/** Those tensors as a module takes them. */
export function stateOf(tensors: readonly Tensor[]): Hx {
  const [h, c] = tensors as [Tensor, Tensor?];
  return c === undefined ? h : [h, c];
}

export function resultsOf(output: Tensor, state: State): Results {
  const [hn, cn] = tensorsOf(state) as [Tensor, Tensor?];
  return cn === undefined ? { output, hn } : { output, hn, cn };
}

/** Shapes of the states of so many sequences: of h, and of an LSTM c. */
export function stateShapes(
  cell: Cell,
  sizes: { hiddenSize: number; numLayers?: number; bidirectional?: boolean; projSize?: number },
  batch: readonly number[],
): number[][] {
  const { hiddenSize, numLayers = 1, bidirectional = false, projSize } = sizes;
  const lead = [numLayers * (bidirectional ? 2 : 1), ...batch];
  return [projSize || hiddenSize, hiddenSize].slice(0, cell.keys.length - 1).map((width) => [...lead, width]);
}

/** Fails unless both have the same results, to the bit. */
export function expectSameResults(actual: Results, expected: Results, label = "results"): void {
  if (Object.keys(actual).join() !== Object.keys(expected).join()) throw new Error(`${label}: others than expected`);
  for (const [key, tensor] of Object.entries(expected) as [keyof Results, Tensor][])
    expectSameBits(actual[key] as Tensor, tensor, `${label}, ${key}`);
}

/** The same of a list, one entry a sequence. */
export function expectSameList(actual: readonly Results[], expected: readonly Results[], label: string): void {
  if (actual.length !== expected.length) throw new Error(`${label}: ${actual.length} of ${expected.length} sequences`);
  for (const [k, results] of expected.entries())
    expectSameResults(actual[k] as Results, results, `${label}, sequence ${k}`);
}
