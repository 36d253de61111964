// GRU and RNN of one layer, one or two directions, written as torch's documentation states them and no faster: float64, one
// sequence at a time. What weight files give is run by it where the library has no module for it.

import type { Tensor } from "../../lib/tensor/tensor.js";

type Cell = (x: readonly number[], h: readonly number[]) => number[];

const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v));

/** The rows of W·v + b. */
function affine(weight: Tensor, bias: Tensor | undefined, v: readonly number[]): number[] {
  const [rows = 0, columns = 0] = weight.shape;
  return Array.from({ length: rows }, (_, r) => {
    let sum = Number(bias?.data[r] ?? 0);
    for (let c = 0; c < columns; c++) sum += Number(weight.data[r * columns + c]) * (v[c] as number);
    return sum;
  });
}

function cellOf(
  dict: Record<string, Tensor>,
  suffix: string,
  nonlinearity: "tanh" | "relu",
): { cell: Cell; units: number } {
  const at = (name: string): Tensor | undefined => dict[`${name}_l0${suffix}`];
  const wx = at("weight_ih") as Tensor;
  const wh = at("weight_hh") as Tensor;
  const units = wh.shape[1] as number;
  const isGru = wh.shape[0] === 3 * units;
  const cell: Cell = (x, h) => {
    const a = affine(wx, at("bias_ih"), x);
    const b = affine(wh, at("bias_hh"), h);
    const sum = (k: number): number => (a[k] as number) + (b[k] as number);
    if (!isGru) return h.map((_, k) => (nonlinearity === "relu" ? Math.max(sum(k), 0) : Math.tanh(sum(k))));
    return h.map((last, k) => {
      const r = sigmoid(sum(k));
      const z = sigmoid(sum(units + k));
      const n = Math.tanh((a[2 * units + k] as number) + r * (b[2 * units + k] as number));
      return (1 - z) * n + z * last;
    });
  };
  return { cell, units };
}

/**
 * What a GRU or RNN makes of an input (B, T, I): the output (B, T, D·H) in a row, forward half first.
 * @param dict one layer by torch's names; three gates are a GRU's
 */
export function runRecurrent(
  dict: Record<string, Tensor>,
  { data, shape }: Tensor,
  nonlinearity: "tanh" | "relu" = "tanh",
): number[] {
  const [batch = 0, steps = 0, width = 0] = shape;
  const suffixes = "weight_ih_l0_reverse" in dict ? ["", "_reverse"] : [""];
  const cells = suffixes.map((suffix) => cellOf(dict, suffix, nonlinearity));
  const total = cells.reduce((sum, { units }) => sum + units, 0);
  const output = new Array<number>(batch * steps * total).fill(0);
  for (let b = 0; b < batch; b++) {
    let offset = 0;
    for (const [d, { cell, units }] of cells.entries()) {
      let h = new Array<number>(units).fill(0);
      for (let s = 0; s < steps; s++) {
        const t = d === 0 ? s : steps - 1 - s;
        const from = (b * steps + t) * width;
        h = cell(Array.from(data.slice(from, from + width), Number), h);
        for (const [k, value] of h.entries()) output[(b * steps + t) * total + offset + k] = value;
      }
      offset += units;
    }
  }
  return output;
}
