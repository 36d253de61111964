// The held-out genome: what reads show column by column, what is true, what PyTorch made of it, and what the majority
// of reads says. train.py simulated it.

import { loadTorch, Tensor } from "packed-lstm";

/** The classes: nothing stands in the column, or a base. */
export const symbols = "*ACGT";

/** Reads over contigs of unequal length, column by column. */
export interface Pileup {
  /** A contig each, (columns, 10): how many reverse reads show A, C, G, T, how many forward ones, and gaps of both. */
  readonly contigs: readonly Tensor[];
  /** The true class of every column, contig after contig. */
  readonly truth: Int32Array;
  /** PyTorch's scores for every n-th column, contig after contig, (columns / n, 5). */
  readonly logits: Tensor;
}

export function readPileup(path: string | URL): Pileup {
  const { counts, truth, lengths, logits } = loadTorch(path);
  if (!counts || !truth || !lengths || !logits) throw new Error(`${path} holds no pileup`);
  let from = 0;
  const contigs = Array.from(lengths.data, (length) => {
    from += length;
    return counts.slice(0, from - length, from);
  });
  return { contigs, truth: Int32Array.from(truth.data), logits };
}

/** Counts (N, 10) as shares of the reads that cover each column, float32: what the network is given. */
export function shares(counts: Tensor): Tensor {
  const [columns, features] = counts.shape as [number, number];
  const data = new Float32Array(counts.size);
  for (let from = 0; from < columns * features; from += features) {
    const row = counts.data.subarray(from, from + features);
    let reads = 0;
    for (const count of row) reads += count;
    data.set(
      Float32Array.from(row, (count) => count / Math.max(reads, 1)),
      from,
    );
  }
  return new Tensor(data, [columns, features]);
}

/** The class that most reads show in each column of counts (N, 10), strands together; of equals the first. */
export function vote(counts: Tensor): Int32Array {
  return Int32Array.from({ length: counts.shape[0] ?? 0 }, (_, column) => {
    const shown = (feature: number): number => counts.at(column, feature);
    const gaps = shown(8) + shown(9);
    const reads = [gaps, ...[0, 1, 2, 3].map((base) => shown(base) + shown(4 + base))];
    return reads.indexOf(Math.max(...reads));
  });
}
