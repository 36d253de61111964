// Looks into the LSTM: what its last layer puts out at each letter of a word, and what it would answer had the word
// ended there. Gives numbers; drawing them is the chart's.

import { cat, unpackSequence } from "packed-lstm";
import { argmax, chances, type SyllableCounter, spell } from "./counter.js";

type Direction = "forward" | "backward";

/** What happens along one word. Every list has an entry per letter. */
export interface Trace {
  readonly text: string;
  /** The dictionary's count. */
  readonly syllables: number;
  /** How likely each count is of the word up to and with this letter, as if it were a word of its own. */
  readonly chances: readonly (readonly number[])[];
  /** The chosen units of the last layer, each between -1 and 1. */
  readonly forward: readonly (readonly number[])[];
  readonly backward: readonly (readonly number[])[];
}

function beginnings(text: string): string[] {
  return Array.from(text, (_, t) => text.slice(0, t + 1));
}

function endings(text: string): string[] {
  return Array.from(text, (_, t) => text.slice(t));
}

/**
 * Ranks the units of each direction by how well they keep count: forward of the syllables so far, backward of those
 * still to come. First the units that rise with the count, last those that fall. A unit is its place in the output,
 * from 0 to 2H - 1.
 */
async function rankUnits(counter: SyllableCounter, texts: readonly string[]): Promise<Record<Direction, number[]>> {
  const { lstm } = counter;
  const outputs = unpackSequence((await lstm.forwardAsync(counter.pack(texts)))[0]);
  const units = cat(outputs).transpose(0, 1); // (2H, letters)
  const rank = async (parts: readonly string[], first: number): Promise<number[]> => {
    const counts = Array.from(argmax(await counter.logits(parts)));
    const fits = Array.from({ length: lstm.hiddenSize }, (_, i) => ({
      unit: first + i,
      fit: correlation(Array.from(units.select(0, first + i).data), counts),
    }));
    return fits.sort((a, b) => b.fit - a.fit).map(({ unit }) => unit);
  };
  return {
    forward: await rank(texts.flatMap(beginnings), 0),
    backward: await rank(texts.flatMap(endings), lstm.hiddenSize),
  };
}

function correlation(xs: readonly number[], ys: readonly number[]): number {
  const mean = (list: readonly number[]): number => list.reduce((sum, value) => sum + value, 0) / list.length;
  const [mx, my] = [mean(xs), mean(ys)];
  const moment = (as: readonly number[], ma: number, bs: readonly number[], mb: number): number =>
    as.reduce((sum, a, i) => sum + (a - ma) * ((bs[i] ?? mb) - mb), 0);
  return moment(xs, mx, ys, my) / Math.sqrt(moment(xs, mx, xs, mx) * moment(ys, my, ys, my));
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
export async function traceWords(
  counter: SyllableCounter,
  words: readonly { readonly text: string; readonly syllables: number }[],
  sample: readonly string[],
  units: number,
): Promise<Trace[]> {
  const ranking = await rankUnits(counter, sample);
  return Promise.all(
    words.map(async ({ text, syllables }) => {
      const [, [hn]] = await counter.lstm.forwardAsync(counter.pack(beginnings(text)));
      const [output] = await counter.lstm.forwardAsync(counter.embedding.forward(spell(text)));
      const values = (direction: Direction): number[][] => {
        const picks = extremes(ranking[direction], units);
        return Array.from(text, (_, t) => picks.map((unit) => output.at(t, unit)));
      };
      const likely = chances(counter.head(hn));
      return { text, syllables, chances: likely, forward: values("forward"), backward: values("backward") };
    }),
  );
}
