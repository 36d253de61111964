// Naive GRU and RNN layers in float64: the formulas of torch's pages, one number at a time, from a torch state dict of one
// layer. It shares no code with the library.
// https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html, torch.nn.RNN.html

import { Tensor } from "../../lib/tensor/tensor.js";

export type CellKind = "GRU" | "tanh" | "relu";

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** The new h of one sequence: `i` and `g` are W_ih x + b_ih and W_hh h + b_hh, gate after gate. */
function step(kind: CellKind, h: readonly number[], i: readonly number[], g: readonly number[]): number[] {
  const size = h.length;
  return h.map((before, k) => {
    const at = (list: readonly number[], gate: number): number => list[gate * size + k]!;
    if (kind === "tanh") return Math.tanh(at(i, 0) + at(g, 0));
    if (kind === "relu") return Math.max(at(i, 0) + at(g, 0), 0);
    const r = sigmoid(at(i, 0) + at(g, 0));
    const z = sigmoid(at(i, 1) + at(g, 1));
    return (1 - z) * Math.tanh(at(i, 2) + r * at(g, 2)) + z * before;
  });
}

/**
 * One layer of one direction or two over input (T, B, I); h0 (D, B, H), zeros when left out.
 * @returns output (T, B, D·H) and hn (D, B, H), float32
 */
export function runCell(
  kind: CellKind,
  dict: Readonly<Record<string, Tensor>>,
  input: Tensor,
  h0?: Tensor,
): [output: Tensor, hn: Tensor] {
  const [steps = 0, batch = 0, width = 0] = input.shape;
  const hidden = dict.weight_hh_l0!.shape[1]!;
  const suffixes = ["l0", "l0_reverse"].filter((suffix) => `weight_ih_${suffix}` in dict);
  const output = new Float32Array(steps * batch * suffixes.length * hidden);
  const hn = new Float32Array(suffixes.length * batch * hidden);
  for (const [d, suffix] of suffixes.entries()) {
    const affine = (name: string, x: readonly number[]): number[] => {
      const { data, shape } = dict[`weight_${name}_${suffix}`]!;
      const bias = dict[`bias_${name}_${suffix}`]?.data;
      return Array.from({ length: shape[0]! }, (_, row) =>
        x.reduce((sum, value, k) => sum + value * data[row * x.length + k]!, bias?.[row] ?? 0),
      );
    };
    for (let b = 0; b < batch; b++) {
      const from = (d * batch + b) * hidden;
      let h = Array.from({ length: hidden }, (_, k) => h0?.data[from + k] ?? 0);
      for (let s = 0; s < steps; s++) {
        const t = d === 0 ? s : steps - 1 - s;
        const x = Array.from(input.data.subarray((t * batch + b) * width, (t * batch + b + 1) * width));
        h = step(kind, h, affine("ih", x), affine("hh", h));
        output.set(h, ((t * batch + b) * suffixes.length + d) * hidden);
      }
      hn.set(h, from);
    }
  }
  return [
    new Tensor(output, [steps, batch, suffixes.length * hidden]),
    new Tensor(hn, [suffixes.length, batch, hidden]),
  ];
}
