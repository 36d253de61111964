// A scalar model written from the text of native/kernels/arithmetic.h and nothing else: one unit of one sequence after the
// other, each operation as it stands there. No tiles, no panels, no vectors, no plan. What it gives must be the addon's bits.

import type { CellKind } from "../../binding.js";
import { fma32, fma64 } from "../../lib/random/float-math.js";

export type Vector = ArrayLike<number>;

/** IEEE arithmetic in the type computed in, and the constants of math.inl.h in it. */
interface Arithmetic {
  round(x: number): number;
  fma(a: number, b: number, c: number): number;
  q: readonly number[];
  log2e: number;
  ln2: number;
  magic: number;
  underflow: number;
  overflow: number;
  vanishing: number;
  vanished: number;
  limit: number;
  slope: number;
}

export const single: Arithmetic = {
  round: Math.fround,
  fma: fma32,
  q: [0.500000006204652, -0.16666542785217112, 0.04166628160559864, -0.008366611428699686, 0.0013946481133896944].map(
    Math.fround,
  ),
  log2e: Math.fround(Math.LOG2E),
  ln2: Math.fround(Math.LN2),
  magic: 12583039,
  underflow: 87,
  overflow: -89,
  vanishing: 88,
  vanished: -127,
  limit: 10,
  slope: Math.fround(1.4571067),
};

const double: Arithmetic = {
  round: (x) => x,
  fma: fma64,
  q: [
    ...[0.5, -0.16666666666666677, 0.0416666666666667, -0.008333333333321577],
    ...[0.001388888888886678, -0.00019841269886268663, 0.000024801587360669015, -0.000002755724405966217],
    ...[2.7557242663488284e-7, -2.510909115137074e-8, 2.092447304908017e-9],
  ],
  log2e: Math.LOG2E,
  ln2: Math.LN2,
  magic: 6755399441056767,
  underflow: 708,
  overflow: -710,
  vanishing: 709,
  vanished: -1023,
  limit: 20,
  slope: 1.4571067,
};

const kChain = 64;
export const kShortInput = 16;
export function chainTerms(cell: CellKind, hidden: number): number {
  if (cell === "lstm") return hidden <= 16 ? 8 : kChain;
  if (cell === "gru") return hidden <= 16 ? 8 : hidden < 128 ? 16 : hidden < 256 ? 32 : kChain;
  return hidden <= 64 ? 8 : hidden < 256 ? 16 : kChain;
}

/** Both give their second operand where one is NaN. */
const min = (a: number, b: number): number => (a < b ? a : b);
const max = (a: number, b: number): number => (a > b ? a : b);

/** S and a product over a[k]·w[k], in chains. */
export function product(
  { fma, round }: Arithmetic,
  sum: number,
  a: Vector,
  w: Vector,
  chain: number,
  restart: boolean,
): number {
  let total = sum;
  for (let from = 0; from < a.length; from += chain) {
    const goesOn = from === 0 && !restart;
    let part = goesOn ? total : 0;
    for (let k = from; k < Math.min(from + chain, a.length); k++) part = fma(a[k]!, w[k]!, part);
    total = goesOn ? part : round(total + part);
  }
  return total;
}

/** exp(-y) as p·(1 + m + l). */
function exponential(type: Arithmetic, y: number): [p: number, m: number, l: number] {
  const { fma, round, q, log2e, ln2, magic, vanished } = type;
  const n = round(fma(y, -log2e, magic) - magic);
  const r = fma(n, ln2, y);
  const series = q.toReversed().reduce((sum, next) => fma(sum, r, next));
  const square = round(r * r);
  const m = fma(square, series, -r);
  return [n > vanished ? round(2 ** n) : 0, m, fma(square, series, -round(r + m))];
}

const magnitude = (y: number): number => max(-y, y);
const isNegative = (y: number): boolean => y < 0 || Object.is(y, -0);

/** 1 / sigmoid(y). */
function denominator(type: Arithmetic, y: number): number {
  const [p, m] = exponential(type, max(type.overflow, min(type.underflow, y)));
  return type.fma(p, type.round(1 + m), 1);
}

function sigmoid(type: Arithmetic, y: number): number {
  const { round, vanishing } = type;
  const [p, m] = exponential(type, min(vanishing, magnitude(y)));
  const o = round(p * round(1 + m));
  const w = round(o / round(1 + o));
  return isNegative(y) ? w : round(1 - w);
}

/** tanh(y) as N / M. */
function fraction(type: Arithmetic, y: number): [numerator: number, denominator: number] {
  const { fma, round, limit } = type;
  const u = max(-limit, min(limit, y));
  const [p, m] = exponential(type, round(u + u));
  const e = fma(p, m, round(p - 1));
  return [-e, round(2 + e)];
}

function tanh(type: Arithmetic, y: number): number {
  const { fma, round, limit, slope } = type;
  const u = min(limit, magnitude(y));
  const [p, m, l] = exponential(type, round(u + u));
  const b = round(p - 1);
  const e = fma(p, m, b);
  const k = fma(p, l, round(fma(p, m, round(b - e)) + round(p - round(b + 1))));
  const M = round(2 + e);
  const j = round(round(e - round(M - 2)) + k);
  const v = round(e / M);
  const R = fma(-v, j, round(fma(-v, M, e) + k));
  const t = fma(R, fma(-0.5, M, slope), v);
  return isNegative(y) ? t : -t;
}

/** A state after a step, of the sums of a unit: [i, f, g, o], [r, z, n] or [a], each [X, H] but the LSTM's. */
export function activate(
  type: Arithmetic,
  cell: CellKind,
  sums: readonly (readonly number[])[],
  h: number,
  c: number,
): [h: number, c: number] {
  const { fma, round } = type;
  const gates = sums.map((parts) => parts.reduce((x, y) => round(x + y)));
  if (cell === "lstm") {
    const [i, f, g, o] = gates as [number, number, number, number];
    const [n, m] = fraction(type, g);
    const next = fma(sigmoid(type, f), c, round(n / round(denominator(type, i) * m)));
    const [nc, mc] = fraction(type, next);
    return [round(nc / round(denominator(type, o) * mc)), next];
  }
  if (cell === "gru") {
    const [r, z] = gates as [number, number];
    const [X, H] = sums[2] as [number, number];
    const t = tanh(type, fma(sigmoid(type, r), H, X));
    return [fma(sigmoid(type, z), round(h - t), t), 0];
  }
  const [a] = gates as [number];
  return [cell === "rnn_relu" ? max(0, a) + 0 : tanh(type, a), 0];
}

/** A gate's sums: the biases that x's and h's start from; with `h` undefined one sum goes through both products. */
interface Gate {
  x: readonly ("ih" | "hh")[];
  h?: readonly ("ih" | "hh")[];
}

const both = ["ih", "hh"] as const;
export const gates: Record<CellKind, readonly Gate[]> = {
  lstm: [{ x: both }, { x: both }, { x: both }, { x: both }],
  gru: [
    { x: both, h: [] },
    { x: both, h: [] },
    { x: ["ih"], h: ["hh"] },
  ],
  rnn_tanh: [{ x: both, h: [] }],
  rnn_relu: [{ x: both, h: [] }],
};

export interface LawModel {
  cell: CellKind;
  dtype: "float32" | "float64";
  hiddenSize: number;
  numLayers: number;
  bidirectional: boolean;
  /** Under torch's names. */
  parameters: Readonly<Record<string, Vector>>;
}

/** One layer in one direction, in walking order. */
export type Walk = (
  model: LawModel,
  suffix: string,
  inputs: readonly Vector[],
  h0: Vector,
  c0: Vector,
) => { output: number[][]; h: number[]; c: number[] };

const walk: Walk = (model, suffix, inputs, h0, c0) => {
  const type = model.dtype === "float32" ? single : double;
  const size = model.hiddenSize;
  const chain = chainTerms(model.cell, size);
  const parameter = (name: string): Vector | undefined => model.parameters[`${name}_${suffix}`];
  const row = (name: string, index: number, width: number): number[] =>
    Array.from({ length: width }, (_, k) => parameter(name)![index * width + k]!);
  let h = Array.from(h0);
  let c = Array.from(c0);
  const output: number[][] = [];
  for (const x of inputs) {
    const before = h;
    const units = Array.from({ length: size }, (_, unit) => {
      const sums = gates[model.cell].map((gate, at) => {
        const index = at * size + unit;
        const start = (of: Gate["x"]): number =>
          of.map((which) => parameter(`bias_${which}`)?.[index] ?? 0).reduce((a, b) => type.round(a + b), 0);
        const overX = product(type, start(gate.x), x, row("weight_ih", index, x.length), chain, false);
        const overH = (from: number, restart: boolean): number =>
          product(type, from, before, row("weight_hh", index, before.length), chain, restart);
        return gate.h ? [overX, overH(start(gate.h), false)] : [overH(overX, x.length > kShortInput)];
      });
      return activate(type, model.cell, sums, before[unit]!, c[unit]!);
    });
    c = units.map(([, cell]) => cell);
    h = units.map(([hidden]) => hidden);
    if (parameter("weight_hr")) {
      const hidden = h;
      h = Array.from({ length: before.length }, (_, p) => {
        return product(type, 0, hidden, row("weight_hr", p, size), chain, false);
      });
    }
    output.push(h);
  }
  return { output, h, c };
};

/**
 * The model over one sequence.
 * @param h0 one array a layer and direction, as is c0, which only an LSTM reads
 * @param walkLayer how a layer is computed: with the weights as they are, or as law-int8.ts has it
 */
export function byLaw(
  model: LawModel,
  sequence: readonly Vector[],
  h0: readonly Vector[],
  c0: readonly Vector[],
  walkLayer = walk,
) {
  const hn: number[][] = [];
  const cn: number[][] = [];
  let layer = sequence;
  for (let l = 0; l < model.numLayers; l++) {
    const halves = (model.bidirectional ? ["", "_reverse"] : [""]).map((reverse) => {
      const turn = <V>(list: readonly V[]): readonly V[] => (reverse ? list.toReversed() : list);
      const place = hn.length;
      const { output, h, c } = walkLayer(model, `l${l}${reverse}`, turn(layer), h0[place]!, c0[place] ?? h0[place]!);
      hn.push(h);
      cn.push(c);
      return turn(output);
    });
    layer = layer.map((_, t) => halves.flatMap((half) => half[t]!));
  }
  return { output: layer.flatMap((row) => Array.from(row)), hn: hn.flat(), cn: cn.flat() };
}

/** A row of torch.nn.Linear, and all of them. */
export function linearByLaw(
  dtype: LawModel["dtype"],
  x: Vector,
  weight: Vector,
  bias: Vector | undefined,
  rows: number,
) {
  const type = dtype === "float32" ? single : double;
  return Array.from({ length: rows }, (_, r) => {
    const w = Array.from({ length: x.length }, (__, k) => weight[r * x.length + k]!);
    return product(type, bias?.[r] ?? 0, x, w, kChain, false);
  });
}
