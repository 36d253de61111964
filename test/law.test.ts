// native/kernels/arithmetic.h, taken at its word: one scalar at a time, from its text alone. The addon's float32 bits must
// be these, for every cell, at the sizes where the law turns: H 16 and 17, I 16 and 17, the ends of chains.

import { describe, expect, it } from "vitest";
import { GRU, LSTM, manualSeed, RNN, randn, type Tensor } from "../lib/index.js";

const f = Math.fround;
const doubles = new Float64Array(1);
const bits = new BigInt64Array(doubles.buffer);

/** a·b + c rounded once: the product is exact in a double, the sum is rounded to odd there, so that fround rounds right. */
function fma(a: number, b: number, c: number): number {
  const product = a * b;
  const sum = product + c;
  if (!Number.isFinite(sum)) return f(sum);
  const part = sum - product;
  const lost = product - (sum - part) + (c - part);
  doubles[0] = sum;
  if (lost !== 0 && ((bits[0] as bigint) & 1n) === 0n)
    bits[0] = (bits[0] as bigint) + (lost > 0 === sum > 0 ? 1n : -1n);
  return f(doubles[0] as number);
}

const [log2e, ln2, magic] = [f(Math.LOG2E), f(Math.LN2), 12583039];
const [underflow, overflow, limit] = [87, -89, 10];
const q = [0.500000006204652, -0.16666542785217112, 0.04166628160559864, -0.008366611428699686, 0.0013946481133896944];

const least = (a: number, b: number): number => (a < b ? a : b);
const most = (a: number, b: number): number => (a > b ? a : b);

function E(y: number): { p: number; m: number } {
  const s = fma(y, -log2e, magic);
  const n = f(s - magic);
  const r = fma(n, ln2, y);
  const polynomial = q.map(f).reduceRight((sum, term) => fma(sum, r, term));
  return { p: f(2 ** n), m: fma(f(r * r), polynomial, -r) };
}

function D(y: number): number {
  const { p, m } = E(most(overflow, least(underflow, y)));
  return fma(p, f(1 + m), 1);
}

function tanh(y: number): { N: number; M: number } {
  const u = most(-limit, least(limit, y));
  const { p, m } = E(f(u + u));
  const e = fma(p, m, f(p - 1));
  return { N: -e, M: f(2 + e) };
}

/** A sum goes on with a product, in chains. */
function add(
  sum: number,
  a: ArrayLike<number>,
  w: ArrayLike<number>,
  at: number,
  chain: number,
  restarts: boolean,
): number {
  let total = sum;
  for (let k = 0; k < a.length; k += chain) {
    const apart = restarts || k > 0;
    let running = apart ? 0 : total;
    for (let i = k; i < Math.min(k + chain, a.length); i++) running = fma(a[i] as number, w[at + i] as number, running);
    total = apart ? f(total + running) : running;
  }
  return total;
}

type Model = LSTM | GRU | RNN;

/** h after each step, of one layer in one direction and one sequence. */
function byTheLaw(model: Model, kind: string, input: Tensor, hidden: number): number[] {
  const dict = model.stateDict();
  const [wx, wh] = [dict.weight_ih_l0?.data, dict.weight_hh_l0?.data] as [Float32Array, Float32Array];
  const [bx, bh] = [dict.bias_ih_l0?.data, dict.bias_hh_l0?.data];
  const [steps, width] = input.shape as [number, number];
  const chain = hidden <= 16 ? 8 : 64;
  const restarts = width > 16;
  let h = new Float32Array(hidden);
  let c = new Float32Array(hidden);
  const out: number[] = [];
  for (let t = 0; t < steps; t++) {
    const x = input.data.subarray(t * width, (t + 1) * width) as Float32Array;
    const overX = (row: number, from: number): number => add(from, x, wx, row * width, chain, false);
    const overH = (row: number, from: number): number => add(from, h, wh, row * hidden, chain, restarts);
    const bias = (row: number): number => f((bx?.[row] ?? 0) + (bh?.[row] ?? 0));
    const gate = (place: number, u: number): number => {
      const row = place * hidden + u;
      return overH(row, overX(row, bias(row)));
    };
    const [nextH, nextC] = [new Float32Array(hidden), new Float32Array(hidden)];
    for (let u = 0; u < hidden; u++) {
      if (kind === "LSTM") {
        const g = tanh(gate(2, u));
        nextC[u] = f(f((c[u] as number) / D(gate(1, u))) + f(g.N / f(D(gate(0, u)) * g.M)));
        const squashed = tanh(nextC[u] as number);
        nextH[u] = f(squashed.N / f(D(gate(3, u)) * squashed.M));
      } else if (kind === "GRU") {
        const row = 2 * hidden + u;
        const v = f(overX(row, bx?.[row] ?? 0) + f(overH(row, bh?.[row] ?? 0) / D(gate(0, u))));
        const { N, M } = tanh(v);
        const candidate = f(N / M);
        nextH[u] = f(candidate + f(f((h[u] as number) - candidate) / D(gate(1, u))));
      } else {
        const { N, M } = tanh(gate(0, u));
        nextH[u] = kind === "tanh" ? f(N / M) : most(0, gate(0, u)) + 0;
      }
    }
    [h, c] = [nextH, nextC];
    out.push(...h);
  }
  return out;
}

const kinds = ["LSTM", "GRU", "tanh", "relu"] as const;
const make = (kind: (typeof kinds)[number], I: number, H: number, bias: boolean): Model => {
  if (kind === "LSTM") return new LSTM(I, H, { bias });
  return kind === "GRU" ? new GRU(I, H, { bias }) : new RNN(I, H, { bias, nonlinearity: kind });
};

describe.each(kinds)("%s by the law's text", (kind) => {
  const sizes = [1, 7, 8, 9, 16, 17, 64, 65, 130];
  const cases = sizes.flatMap((I) => [1, 8, 16, 17, 33, 65, 130].map((H) => [I, H] as const));
  it.each(cases)("I %i, H %i", (I, H) => {
    manualSeed(I * 1000 + H);
    const model = make(kind, I, H, (I + H) % 3 !== 0);
    const input = randn([3, I]);
    for (let i = 0; i < input.size; i++) input.data[i] = (input.data[i] as number) * 4;
    const [output] = (model as LSTM).forward(input);
    const expected = byTheLaw(model, kind, input, H);
    expect(Array.from(output.data).filter((value, i) => !Object.is(value, expected[i]))).toEqual([]);
  });
});
