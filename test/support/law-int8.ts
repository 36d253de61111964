// The scalar model of weights stored in 8 bits, written from the section INT8 of native/kernels/arithmetic.h and nothing else:
// how a row of weights and a row of activations are rounded, their exact sum, and where it stands among law.ts's operations.

import { fma32 } from "../../lib/random/float-math.js";
import { activate, chainTerms, gates, kShortInput, product, single, type Vector, type Walk } from "./law.js";

const { fround } = Math;

/** A row as integers within ±127, and what one of them stands for. */
export interface Quantized {
  readonly q: readonly number[];
  readonly scale: number;
}

const most = (row: Vector): number => Array.from(row).reduce((m, x) => Math.max(m, Math.abs(x)), 0);
const all = (row: Vector, scale: number): Quantized => ({ q: new Array(row.length).fill(0), scale });

/** To the nearest integer, to the even one of two. */
function nearest(x: number): number {
  const below = Math.floor(x);
  const above = x - below;
  return above === 0.5 ? below + Math.abs(below % 2) : above < 0.5 ? below : below + 1;
}

export function quantizeWeights(row: Vector): Quantized {
  const m = most(row);
  if (!Number.isFinite(m)) return all(row, Number.NaN);
  const scale = fround(m / 127);
  if (scale === 0) return all(row, 0);
  return { q: Array.from(row, (w) => Math.max(-127, Math.min(127, nearest(fround(w / scale))))), scale };
}

export function quantizeActivations(row: Vector): Quantized {
  const m = most(row);
  if (!Number.isFinite(m)) return all(row, Number.NaN);
  if (m < 2 ** -120) return all(row, 0);
  const t = fround(127 / m);
  return { q: Array.from(row, (a) => nearest(fround(a * t))), scale: fround(m / 127) };
}

/** P(start). */
function sum(a: Quantized, w: Quantized, start: number): number {
  const exact = a.q.reduce((total, value, k) => total + value * w.q[k]!, 0);
  return fma32(fround(exact), fround(a.scale * w.scale), start);
}

const rowsOf = (matrix: Vector, width: number): number[][] =>
  Array.from({ length: matrix.length / width }, (_, row) =>
    Array.from({ length: width }, (__, k) => matrix[row * width + k]!),
  );

/** One layer in one direction, of a model whose parameters are those that it was loaded with. */
export const walkInt8: Walk = (model, suffix, inputs, h0, c0) => {
  const { cell, hiddenSize: size } = model;
  const chain = chainTerms(cell, size);
  const width = inputs[0]!.length;
  const parameter = (name: string): Vector | undefined => model.parameters[`${name}_${suffix}`];
  const weightIh = rowsOf(parameter("weight_ih")!, width);
  const quantizedIh = width > kShortInput ? weightIh.map(quantizeWeights) : undefined;
  const weightHh = rowsOf(parameter("weight_hh")!, h0.length).map(quantizeWeights);
  const projection = parameter("weight_hr");
  const weightHr = projection && rowsOf(projection, size).map(quantizeWeights);
  const startOf = (of: readonly ("ih" | "hh")[], index: number): number =>
    of.map((which) => parameter(`bias_${which}`)?.[index] ?? 0).reduce((a, b) => fround(a + b), 0);

  let h = Array.from(h0);
  let c = Array.from(c0);
  const output: number[][] = [];
  for (const x of inputs) {
    const before = h;
    const [quantizedX, quantizedH] = [quantizeActivations(x), quantizeActivations(before)];
    const units = Array.from({ length: size }, (_, unit) => {
      const sums = gates[cell].map((gate, at) => {
        const index = at * size + unit;
        const start = startOf(gate.x, index);
        const overX = quantizedIh
          ? sum(quantizedX, quantizedIh[index]!, start)
          : product(single, start, x, weightIh[index]!, chain, false);
        const overH = (from: number): number => sum(quantizedH, weightHh[index]!, from);
        return gate.h ? [overX, overH(startOf(gate.h, index))] : [overH(overX)];
      });
      return activate(single, cell, sums, before[unit]!, c[unit]!);
    });
    c = units.map(([, next]) => next);
    h = units.map(([hidden]) => hidden);
    if (weightHr) {
      const unprojected = quantizeActivations(h);
      h = weightHr.map((row) => sum(unprojected, row, 0));
    }
    output.push(h);
  }
  return { output, h, c };
};

/** A row of torch.nn.Linear. */
export function linearInt8(x: Vector, weight: Vector, bias: Vector | undefined): number[] {
  const quantized = quantizeActivations(x);
  return rowsOf(weight, x.length).map((row, r) => sum(quantized, quantizeWeights(row), bias?.[r] ?? 0));
}
