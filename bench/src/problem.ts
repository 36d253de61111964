// One shape made concrete: weights, input and initial state, the same numbers for every contender, and the comparison
// of what they make of them. Nothing is timed here.

import type { Tensor, WeightDType } from "packed-lstm";
import { classNames, packedLSTM, type Recurrent, recurrentClass } from "./packed-lstm.js";
import { cellOf, type Shape } from "./shapes.js";

export interface Problem {
  readonly shape: Shape;
  readonly module: Recurrent;
  /** steps × batch × inputSize; past a sequence's length, zeros. */
  readonly input: Tensor;
  /** h0, of an LSTM c0 too, layers·directions × batch × hiddenSize each. */
  readonly state: Tensor | readonly [Tensor, Tensor] | undefined;
}

export type Floats = Float32Array | Float64Array;

/** What one pass gives, in torch's layouts; the output is padded with zeros where the batch was. */
export interface Results {
  readonly output: Floats;
  /** Left out by a peer that has no way to give the final states of all layers; cn by a cell that has none. */
  readonly hn?: Floats;
  readonly cn?: Floats;
}

/** One way to run a problem in this process. */
export interface Contender {
  readonly name: string;
  /** One pass; a promise only where the peer has no other way. */
  run(): unknown;
  /** One more pass, for its numbers. */
  results(): Promise<Results>;
  close(): Promise<void>;
}

const tolerances = { float32: 1e-4, float64: 1e-10 } as const;

/** The elements of a tensor of any maker. @throws Error when they are of another type */
export function elements(tensor: { readonly data: unknown } | undefined): Floats {
  if (tensor?.data instanceof Float32Array || tensor?.data instanceof Float64Array) return tensor.data;
  throw new Error("a result is neither float32 nor float64");
}

/** The same, and float32 alone. */
export function floats(tensor: { readonly data: unknown } | undefined): Float32Array {
  if (tensor?.data instanceof Float32Array) return tensor.data;
  throw new Error("a result is not float32");
}

/** h, or h and c, as one is given to `forward` or comes back from it, as a list. */
export function statesOf(state: Problem["state"]): readonly Tensor[] {
  return Array.isArray(state) ? state : state === undefined ? [] : [state as Tensor];
}

/**
 * @param weightDtype "float16" and "int8" round the weights and store them so
 * @throws Error when the package has no such module
 */
export function makeProblem(shape: Shape, weightDtype: WeightDType = shape.dtype): Problem {
  const { steps, batch, inputSize, hiddenSize, layers, directions, dtype } = shape;
  const Module = recurrentClass(cellOf(shape));
  if (!Module) throw new Error(`this packed-lstm has no ${classNames[cellOf(shape)]}`);
  const { manualSeed, randn } = packedLSTM;
  manualSeed(0);
  const options = { numLayers: layers, bidirectional: directions === 2, dtype, weightDtype };
  const module = new Module(inputSize, hiddenSize, options);
  const input = randn([steps, batch, inputSize], dtype);
  for (const [b, length] of (shape.lengths ?? []).entries()) {
    for (let t = length; t < steps; t++) {
      const row = (t * batch + b) * inputSize;
      input.data.fill(0, row, row + inputSize);
    }
  }
  const stateShape = [layers * directions, batch, hiddenSize];
  const some = (): Tensor => randn(stateShape, dtype);
  const state = shape.cell === undefined ? ([some(), some()] as const) : some();
  return { shape, module, input, state: shape.stateful ? state : undefined };
}

/**
 * The largest absolute difference of any element.
 * @throws Error when the lengths differ, or the difference is 1e-4 (in float64 1e-10) or more, or not a number
 */
export function compare(name: string, ours: Results, theirs: Results): number {
  return difference(name, ours, theirs, ours.output instanceof Float64Array ? tolerances.float64 : tolerances.float32);
}

/** @throws Error when the lengths differ, or the difference is the tolerance or more, or not a number */
export function difference(name: string, ours: Results, theirs: Results, tolerance: number): number {
  let largest = 0;
  for (const key of ["output", "hn", "cn"] as const) {
    const [a, b] = [ours[key], theirs[key]];
    if (!a || !b) continue;
    if (a.length !== b.length) throw new Error(`${name}: ${key} has ${b.length} elements, ours ${a.length}`);
    for (let i = 0; i < a.length; i++) {
      const difference = Math.abs((a[i] ?? Number.NaN) - (b[i] ?? Number.NaN));
      if (!(difference < tolerance)) throw new Error(`${name}: ${key}[${i}] is ${b[i]}, ours ${a[i]}`);
      if (difference > largest) largest = difference;
    }
  }
  return largest;
}
