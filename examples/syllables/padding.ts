// What packing saves: the same words through the same LSTM, padded to the longest of their batch, and packed.
// Only the LSTM's own time counts; the inputs are made beforehand.

import { type PackedSequence, padSequence, Tensor } from "packed-lstm";
import { argmax, type SyllableCounter, spell } from "./counter.js";

export interface PaddingReport {
  readonly words: number;
  readonly rounds: number;
  /** Milliseconds of the LSTM, the best of the rounds. */
  readonly packed: number;
  /** Padded, in batches as they come. */
  readonly padded: number;
  /** Padded, the words sorted by length first, so that a batch holds words of about one length. */
  readonly sorted: number;
  /** Letters, and rows computed when padded as they come and when sorted. */
  readonly letters: number;
  readonly paddedRows: number;
  readonly sortedRows: number;
  /** Words whose count the padding changes, although read off at their own ends: backward, the padding comes first. */
  readonly changed: number;
}

const rounds = 3;

function inBatches(texts: readonly string[], size: number): string[][] {
  return Array.from({ length: Math.ceil(texts.length / size) }, (_, i) => texts.slice(i * size, (i + 1) * size));
}

function pad({ embedding }: SyllableCounter, texts: readonly string[]): Tensor {
  return padSequence(texts.map((text) => embedding.forward(spell(text))));
}

/** The final states (2, N, H) in a padded output (T, N, 2H): forward at each word's own last letter, backward at its first. */
export function finalStates(output: Tensor, texts: readonly string[]): Tensor {
  const [, count, width] = output.shape as [number, number, number];
  const size = width / 2;
  const states = new Float32Array(2 * count * size);
  for (const [n, { length }] of texts.entries()) {
    for (let j = 0; j < size; j++) {
      states[n * size + j] = output.data[((length - 1) * count + n) * width + j] as number;
      states[(count + n) * size + j] = output.data[n * width + size + j] as number;
    }
  }
  return new Tensor(states, [2, count, size]);
}

/** How many words of one batch get another count padded than packed. */
function countChanged(counter: SyllableCounter, texts: readonly string[]): number {
  const [, [hn]] = counter.lstm.forward(counter.pack(texts));
  const [output] = counter.lstm.forward(pad(counter, texts));
  const right = argmax(counter.head(hn));
  return argmax(counter.head(finalStates(output, texts))).filter((count, n) => count !== right[n]).length;
}

function rowsOf(inputs: readonly Tensor[]): number {
  return inputs.reduce((rows, { shape }) => rows + (shape[0] as number) * (shape[1] as number), 0);
}

function timed(run: () => void): number {
  const began = performance.now();
  run();
  return performance.now() - began;
}

/** Runs the words three ways, in turn, and keeps the best round of each. */
export function comparePadding(counter: SyllableCounter, texts: readonly string[], batchSize: number): PaddingReport {
  const { lstm } = counter;
  const batches = inBatches(texts, batchSize);
  const byLength = inBatches(
    [...texts].sort((a, b) => a.length - b.length),
    batchSize,
  );
  const inputs = {
    packed: batches.map((batch) => counter.pack(batch)),
    padded: batches.map((batch) => pad(counter, batch)),
    sorted: byLength.map((batch) => pad(counter, batch)),
  };
  const all = (list: readonly (Tensor | PackedSequence)[]) => () => {
    for (const input of list) lstm.forward(input);
  };
  const best = { packed: Number.POSITIVE_INFINITY, padded: Number.POSITIVE_INFINITY, sorted: Number.POSITIVE_INFINITY };
  for (let round = 0; round < rounds; round++) {
    best.packed = Math.min(best.packed, timed(all(inputs.packed)));
    best.padded = Math.min(best.padded, timed(all(inputs.padded)));
    best.sorted = Math.min(best.sorted, timed(all(inputs.sorted)));
  }
  return {
    ...best,
    words: texts.length,
    rounds,
    letters: texts.reduce((sum, text) => sum + text.length, 0),
    paddedRows: rowsOf(inputs.padded),
    sortedRows: rowsOf(inputs.sorted),
    changed: batches.reduce((sum, batch) => sum + countChanged(counter, batch), 0),
  };
}
