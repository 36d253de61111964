// The least time that a machine's measured limits leave for a pass over recurrent layers, whoever computes it: the input's
// projection at the peak of the fused multiply-add; then, step by step, the recurrent product and the cells at that peak or
// reading the recurrent weights once, whichever takes longer. Calls, barriers and tiles that do not come out even are not
// in it, so nobody reaches all of it. It measures nothing, and knows no module.

import { type Roofline, readRate } from "./roofline.js";

/** One layer in one direction, its matrices as numbers of weights. */
export interface LayerWork {
  /** Those that x is multiplied by. */
  readonly input: number;
  /** Those that h is multiplied by, a projection's among them: what every step must have at hand. */
  readonly recurrent: number;
  readonly hiddenSize: number;
}

/** One pass. */
export interface Work {
  readonly cell: "lstm" | "gru" | "rnn";
  /** The bytes of one weight. */
  readonly weightBytes: number;
  /** Of the longest sequence. */
  readonly steps: number;
  /** Steps of all sequences together. */
  readonly rows: number;
  readonly layers: readonly LayerWork[];
}

/**
 * A cell's exponentials and divisions (an LSTM's five and three, a GRU's three and three, an RNN's one and one) in terms
 * of the peak: 80, 51 and 17 of our kernels' instructions on one vector occupy as many slots of a fused multiply-add, of
 * two operations each.
 */
const cellFlops = { lstm: 160, gru: 102, rnn: 34 } as const;

/**
 * How many bytes one of `threads` threads reads at least from one reading of a matrix to its next: its share of the layer's
 * recurrent weights, and its share of all weights for what is read once a pass.
 */
function shares({ layers, weightBytes }: Work, threads: number) {
  const all = layers.reduce((sum, { input, recurrent }) => sum + input + recurrent, 0);
  return {
    pass: (all * weightBytes) / threads,
    step: ({ recurrent }: LayerWork): number => (recurrent * weightBytes) / threads,
  };
}

/**
 * Whose rate of reading counts for a share of `bytes`. How well a cache holds what nearly fills it is the luck of the
 * pages that a process was given: two times 16 MB, in 32, were read at 73 and at 155 GB/s in one and the same run, and
 * an LSTM's steps of H 1024 took 49 GB/s of it in one process and 133 in another. Half as much lies in it for certain.
 */
const certain = (bytes: number): number => Math.ceil(bytes / 2);

/** The sizes whose rates of reading the floor asks for: a roofline that was measured at these leaves nothing to guess. */
export function readSizes(work: Work, threads: number): number[] {
  const { pass, step } = shares(work, threads);
  return [...new Set([pass, ...work.layers.map(step)].map(certain))];
}

/** Seconds. */
export function floorSeconds(work: Work, roof: Pick<Roofline, "threads" | "flops" | "reads">): number {
  const { cell, weightBytes, steps, rows, layers } = work;
  const { pass, step } = shares(work, roof.threads);
  const rate = (bytes: number): number => readRate(roof, certain(bytes));
  const parts = layers.map((layer) => {
    const { input, recurrent, hiddenSize } = layer;
    const projection = Math.max((2 * rows * input) / roof.flops, (input * weightBytes) / rate(pass));
    const arithmetic = (rows * (2 * recurrent + hiddenSize * cellFlops[cell])) / roof.flops;
    // Of a single step every weight is read once, and comes from where all of them fit.
    const reading = (steps * recurrent * weightBytes) / rate(steps === 1 ? pass : step(layer));
    return projection + Math.max(arithmetic, reading);
  });
  return parts.reduce((sum, part) => sum + part, 0);
}
