// Looks into the LSTM: what its last layer puts out at each letter of a word, and what it would answer had the word
// ended there. Gives numbers; drawing them is the chart's.

import { expectation, oneHot, pack, type SyllableCounter } from "./counter.js";

/** What happens along one word. Every list has an entry per letter. */
export interface Trace {
  readonly text: string;
  /** The dictionary's count. */
  readonly syllables: number;
  /** The count expected of the word up to and with this letter, as if it were a word of its own. */
  readonly counts: readonly number[];
  /** The chosen units of the last layer, each between -1 and 1. */
  readonly forward: readonly (readonly number[])[];
  readonly backward: readonly (readonly number[])[];
}

const vowels = new Set("aeiouy");

/**
 * Ranks units by how differently they act at vowels and at other letters of the words: first those that rise at vowels,
 * last those that fall. Units of the forward direction are 0 to H - 1 of the output, of the backward one H to 2H - 1.
 */
function rankUnits(counter: SyllableCounter, texts: readonly string[]): number[] {
  const { hiddenSize } = counter.lstm;
  const width = 2 * hiddenSize;
  const sums = { vowel: new Float64Array(width), other: new Float64Array(width) };
  const seen = { vowel: 0, other: 0 };
  for (const text of texts) {
    const { data } = counter.lstm.forward(oneHot(text))[0];
    for (let t = 0; t < text.length; t++) {
      const kind = vowels.has(text.charAt(t)) ? "vowel" : "other";
      seen[kind]++;
      for (let unit = 0; unit < width; unit++)
        sums[kind][unit] = (sums[kind][unit] ?? 0) + (data[t * width + unit] ?? 0);
    }
  }
  const contrast = (unit: number): number =>
    (sums.vowel[unit] ?? 0) / seen.vowel - (sums.other[unit] ?? 0) / seen.other;
  return Array.from({ length: width }, (_, unit) => unit).sort((a, b) => contrast(b) - contrast(a));
}

/** The first and last of a ranking: `count` in all, half of them from each end. */
function extremes(ranking: readonly number[], count: number): number[] {
  return [...ranking.slice(0, count / 2), ...ranking.slice(-count / 2)];
}

/**
 * Traces words.
 * @param words the words and their syllables
 * @param sample words by which to choose the units worth showing
 * @param units how many of each direction
 */
export function traceWords(
  counter: SyllableCounter,
  words: readonly { readonly text: string; readonly syllables: number }[],
  sample: readonly string[],
  units: number,
): Promise<Trace[]> {
  const { hiddenSize } = counter.lstm;
  const ranking = rankUnits(counter, sample);
  const chosen = {
    forward: extremes(
      ranking.filter((unit) => unit < hiddenSize),
      units,
    ),
    backward: extremes(
      ranking.filter((unit) => unit >= hiddenSize),
      units,
    ),
  };
  return Promise.all(
    words.map(async ({ text, syllables }) => {
      const beginnings = Array.from(text, (_, t) => text.slice(0, t + 1));
      const [, [hn]] = await counter.lstm.forwardAsync(pack(beginnings));
      const [output] = await counter.lstm.forwardAsync(oneHot(text));
      const at = (picks: readonly number[]) => beginnings.map((_, t) => picks.map((unit) => output.at(t, unit)));
      const counts = Array.from(expectation(counter.head(hn)));
      return { text, syllables, counts, forward: at(chosen.forward), backward: at(chosen.backward) };
    }),
  );
}
