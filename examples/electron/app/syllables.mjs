// Text in, syllables out: the trained model of examples/syllables. Knows nothing of Electron, so Node can run it too.

import { argmax, chances, SyllableCounter } from "./counter.mjs";

const counter = new SyllableCounter(new URL("model.safetensors", import.meta.url));

/**
 * The syllables of each word in a text, and how sure the model is.
 * @param {string} text what was typed; characters that the model does not know are left out
 * @returns {Promise<{ word: string, syllables: number, chance: number }[]>}
 */
export async function countSyllables(text) {
  const words = String(text)
    .toLowerCase()
    .replace(/[^a-z'.\s-]/g, "")
    .split(/\s+/)
    .filter(Boolean);
  if (words.length === 0) return [];
  const scores = await counter.logits(words);
  const [counts, sure] = [argmax(scores), chances(scores)];
  return words.map((word, n) => ({ word, syllables: counts[n], chance: sure[n][counts[n]] }));
}
