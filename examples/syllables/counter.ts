// The model: one-hot letters → two-layer bidirectional LSTM → linear → a score per syllable count.
// The LSTM is the package's; the linear head is a few lines here. Reading words and judging answers is for others.

import { LSTM, loadSafetensors, type PackedSequence, packSequence, Tensor } from "packed-lstm";
import { alphabet } from "./words.js";

const places = new Map(Array.from(alphabet, (letter, place) => [letter, place]));

/** A word as a Tensor (T, I): a row per letter, one of them 1. */
export function oneHot(text: string): Tensor {
  const width = alphabet.length;
  const data = new Float32Array(text.length * width);
  for (let t = 0; t < text.length; t++) {
    const place = places.get(text.charAt(t));
    if (place === undefined) throw new Error(`"${text}" has the unknown letter "${text.charAt(t)}"`);
    data[t * width + place] = 1;
  }
  return new Tensor(data, [text.length, width]);
}

/** Words of any lengths as one packed sequence; results come back in the order given. */
export function pack(texts: readonly string[]): PackedSequence {
  return packSequence(texts.map(oneHot), { enforceSorted: false });
}

export class SyllableCounter {
  readonly lstm: LSTM;
  readonly classes: number;
  readonly #weight: Tensor; // (classes, 2H)
  readonly #bias: Tensor;

  constructor(weights: string | URL) {
    const dict = loadSafetensors(weights);
    this.lstm = LSTM.fromStateDict(dict, { prefix: "lstm." });
    const { "linear.weight": weight, "linear.bias": bias } = dict;
    if (weight === undefined || bias === undefined) throw new Error("the file holds no linear.weight and linear.bias");
    this.#weight = weight;
    this.#bias = bias;
    this.classes = bias.size;
  }

  /** Scores (N, classes) of words, in their order. The highest is at the syllable count. */
  async logits(texts: readonly string[]): Promise<Tensor> {
    const [, [hn]] = await this.lstm.forwardAsync(pack(texts));
    return this.head(hn);
  }

  /**
   * The scores of final states hn (L·D, N, H), of which the last two count: what the last layer's forward direction
   * knows at a word's end, and its backward direction at the word's start.
   */
  head(hn: Tensor): Tensor {
    const forward = hn.select(0, -2).data;
    const backward = hn.select(0, -1).data;
    const [, count, size] = hn.shape as [number, number, number];
    const weight = this.#weight.data;
    const bias = this.#bias.data;
    const scores = new Float32Array(count * this.classes);
    for (let n = 0; n < count; n++) {
      for (let k = 0; k < this.classes; k++) {
        const row = k * 2 * size;
        let sum = bias[k] as number;
        for (let j = 0; j < size; j++) {
          sum += (weight[row + j] as number) * (forward[n * size + j] as number);
          sum += (weight[row + size + j] as number) * (backward[n * size + j] as number);
        }
        scores[n * this.classes + k] = sum;
      }
    }
    return new Tensor(scores, [count, this.classes]);
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
