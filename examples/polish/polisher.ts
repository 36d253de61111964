// The model: a two-layer bidirectional GRU → linear → a score per class and column, with the weights that PyTorch
// trained. Reading pileups and judging answers is for others.

import { GRU, Linear, loadWeights, packSequence, type Tensor, unpackSequence } from "packed-lstm";
import { shares } from "./pileup.js";

export class Polisher {
  readonly gru: GRU;
  readonly linear: Linear;

  constructor(weights: string | URL) {
    const dict = loadWeights(weights);
    this.gru = GRU.fromStateDict(dict, { prefix: "gru." });
    this.linear = Linear.fromStateDict(dict, { prefix: "linear." });
  }

  /** The scores (columns, 5) of each contig's counts (columns, 10). They are packed: each is read as far as it goes. */
  async scores(contigs: readonly Tensor[]): Promise<Tensor[]> {
    const [output] = await this.gru.forwardAsync(packSequence(contigs.map(shares), { enforceSorted: false }));
    return unpackSequence(this.linear.forward(output));
  }
}

/** The class with the highest score in each column of scores (N, 5). */
export function argmax(scores: Tensor): Int32Array {
  const [columns, classes] = scores.shape as [number, number];
  return Int32Array.from({ length: columns }, (_, column) => {
    const row = scores.data.subarray(column * classes, (column + 1) * classes);
    return row.indexOf(Math.max(...row));
  });
}
