// The words: the CMU Pronouncing Dictionary, how many syllables it gives each word, and which words are held out.
// The rules are train.py's, to the letter. Nothing here knows of the model.

import { dictionary } from "cmu-pronouncing-dictionary";

/** Every character of the dictionary's words; a letter's place here is its row of the embedding. */
export const alphabet = "'-.abcdefghijklmnopqrstuvwxyz";

export interface Word {
  readonly text: string;
  /** Vowels of the first pronunciation: the count that is learnt and asked for. */
  readonly syllables: number;
  /** The counts of all pronunciations, "word(2)" and later ones too. */
  readonly listed: ReadonlySet<number>;
  /** True for the tenth of the words that training never sees. */
  readonly heldOut: boolean;
}

/** The 32-bit FNV-1a hash of an ASCII text. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Which tenth a word falls into depends on its spelling alone. Relatives ("count", "counts") fall where they will. */
export function isHeldOut(text: string): boolean {
  return fnv1a(text) % 10 === 0;
}

/** Each ARPAbet vowel carries its stress as a digit, "AH0", and is the heart of one syllable. */
function countVowels(phonemes: string): number {
  return phonemes.match(/\d/g)?.length ?? 0;
}

/** Every word of the dictionary once, in its order. */
export function readWords(): Word[] {
  const listed = new Map<string, Set<number>>();
  for (const [entry, phonemes] of Object.entries(dictionary)) {
    const text = entry.replace(/\(\d+\)$/, "");
    const counts = listed.get(text) ?? new Set<number>();
    listed.set(text, counts.add(countVowels(phonemes)));
  }
  return Array.from(listed, ([text, counts]) => {
    const first = dictionary[text];
    if (first === undefined) throw new Error(`the dictionary has no first pronunciation of "${text}"`);
    return { text, syllables: countVowels(first), listed: counts, heldOut: isHeldOut(text) };
  });
}
