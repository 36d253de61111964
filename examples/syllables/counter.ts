// The model: embedding → two-layer bidirectional LSTM → linear → a score per syllable count, each a module of the package
// with the weights that PyTorch trained. Reading words and judging answers is for others.

import {
  cat,
  Embedding,
  type FromStateDictOptions,
  Linear,
  LSTM,
  loadSafetensors,
  type PackedSequence,
  packSequence,
  Tensor,
} from "packed-lstm";
import { alphabet } from "./words.js";

const places = new Map(Array.from(alphabet, (letter, place) => [letter, place]));

/** A word as the places of its letters in the alphabet, (T). */
export function spell(text: string): Tensor {
  const data = Int32Array.from(text, (letter) => {
    const place = places.get(letter);
    if (place === undefined) throw new Error(`"${text}" has the unknown letter "${letter}"`);
    return place;
  });
  return new Tensor(data, [text.length]);
}

export class SyllableCounter {
  readonly embedding: Embedding;
  readonly lstm: LSTM;
  readonly linear: Linear;

  constructor(weights: string | URL, options: Pick<FromStateDictOptions, "weightDtype"> = {}) {
    const dict = loadSafetensors(weights);
    this.embedding = Embedding.fromStateDict(dict, { prefix: "embedding." });
    this.lstm = LSTM.fromStateDict(dict, { ...options, prefix: "lstm." });
    const int8 = options.weightDtype === "int8"; // which a Linear has too; float16 it has not
    this.linear = Linear.fromStateDict(dict, { prefix: "linear.", ...(int8 && { weightDtype: "int8" }) });
  }

  /** Words of any lengths as one packed sequence of embedded letters; results come back in the order given. */
  pack(texts: readonly string[]): PackedSequence {
    return this.embedding.forward(packSequence(texts.map(spell), { enforceSorted: false }));
  }

  /** Scores (N, classes) of words, in their order. The highest is at the syllable count. */
  async logits(texts: readonly string[]): Promise<Tensor> {
    const [, [hn]] = await this.lstm.forwardAsync(this.pack(texts));
    return this.head(hn);
  }

  /**
   * The scores of final states hn (L·D, N, H), of which the last two count: what the last layer's forward direction
   * knows at a word's end, and its backward direction at the word's start.
   */
  head(hn: Tensor): Tensor {
    return this.linear.forward(cat([hn.select(0, -2), hn.select(0, -1)], 1));
  }
}

/** The place of the highest score in each row: the counts. */
export function argmax(scores: Tensor): Int32Array {
  const [count, classes] = scores.shape as [number, number];
  return Int32Array.from({ length: count }, (_, n) => {
    const row = scores.data.subarray(n * classes, (n + 1) * classes);
    return row.indexOf(Math.max(...row));
  });
}

/** The scores of each row as probabilities: softmax. */
export function chances(scores: Tensor): number[][] {
  const [count, classes] = scores.shape as [number, number];
  return Array.from({ length: count }, (_, n) => {
    const row = Array.from(scores.data.subarray(n * classes, (n + 1) * classes));
    const top = Math.max(...row);
    const weights = row.map((score) => Math.exp(score - top));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return weights.map((weight) => weight / total);
  });
}
