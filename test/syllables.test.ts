// The demo's parts: the words and their split are those of train.py, the model gives PyTorch's recorded scores and its
// accuracy, the comparison with padding counts what it says, and the chart draws what it is given.

import { readFileSync, statSync } from "node:fs";
import { syllable } from "syllable";
import { describe, expect, it } from "vitest";
import { renderChart } from "../examples/syllables/chart.js";
import { argmax, chances, SyllableCounter, spell } from "../examples/syllables/counter.js";
import { comparePadding, finalStates } from "../examples/syllables/padding.js";
import { traceWords } from "../examples/syllables/trace.js";
import { alphabet, fnv1a, readWords } from "../examples/syllables/words.js";
import { loadSafetensors, type Tensor, tensor } from "../lib/index.js";
import { expectClose } from "./support/compare.js";

const asset = (name: string): URL => new URL(`../examples/syllables/${name}`, import.meta.url);

interface Reference {
  readonly words: number;
  readonly heldOut: number;
  readonly correct: number;
  readonly accuracy: number;
  readonly sample: readonly string[];
}

const reference = JSON.parse(readFileSync(asset("reference.json"), "utf8")) as Reference;
const words = readWords();
const heldOut = words.filter((word) => word.heldOut);
const counter = new SyllableCounter(asset("model.safetensors"));

describe("the words", () => {
  it("are hashed by FNV-1a", () => {
    expect(["", "a", "foobar"].map(fnv1a)).toEqual([0x811c9dc5, 0xe40c292c, 0xbf9cf968]);
  });

  it("are as many as PyTorch had, and split as they were there", () => {
    expect(words.length).toBe(reference.words);
    expect(heldOut.length).toBe(reference.heldOut);
    const step = Math.floor(heldOut.length / reference.sample.length);
    expect(reference.sample).toEqual(reference.sample.map((_, i) => heldOut[i * step]?.text));
  });

  it("count the first pronunciation's vowels, and list the others'", () => {
    const found = (text: string) => words.find((word) => word.text === text);
    expect(found("syllable")).toMatchObject({ syllables: 3 });
    expect(found("hmm")).toMatchObject({ syllables: 0 });
    expect(found("every")).toMatchObject({ syllables: 3, listed: new Set([3, 2]) });
    expect(words.filter(({ text }) => text.includes("("))).toEqual([]);
  });

  it("are spelt in the alphabet, one place per letter", () => {
    expect(
      Array.from(new Set(words.flatMap(({ text }) => Array.from(text))))
        .sort()
        .join(""),
    ).toBe(alphabet);
    expect(spell("b-").toArray()).toEqual([alphabet.indexOf("b"), alphabet.indexOf("-")]);
    expect(() => spell("né")).toThrow('"né" has the unknown letter "é"');
  });
});

describe("the model", () => {
  it("is below 1 MB", () => {
    expect(statSync(asset("model.safetensors")).size).toBeLessThan(1_000_000);
  });

  it("gives the scores that PyTorch recorded", async () => {
    const recorded = loadSafetensors(asset("reference.safetensors")).logits;
    if (recorded === undefined) throw new Error("reference.safetensors holds no logits");
    expect(recorded.shape).toEqual([reference.sample.length, counter.linear.outFeatures]);
    expectClose(await counter.logits(reference.sample), recorded, { atol: 1e-4, rtol: 0, label: "logits" });
  });

  it("is right on as many held-out words as it was in PyTorch, and more than the rules are", async () => {
    const counts = argmax(await counter.logits(heldOut.map(({ text }) => text)));
    const right = heldOut.filter(({ syllables }, i) => counts[i] === syllables).length;
    expect(right).toBeGreaterThanOrEqual(reference.correct);
    expect(right / heldOut.length).toBeGreaterThan(0.95);
    expect(reference.accuracy).toBeCloseTo(reference.correct / reference.heldOut, 5);
    const few = heldOut.slice(0, 2000);
    const wrong = (answer: (text: string, i: number) => number | undefined): number =>
      few.filter(({ text, syllables }, i) => answer(text, i) !== syllables).length;
    expect(wrong((_, i) => counts[i])).toBeLessThan(wrong(syllable));
  });

  it("answers the same of every held-out word with its weights in float16", async () => {
    const texts = heldOut.map(({ text }) => text);
    const half = new SyllableCounter(asset("model.safetensors"), { weightDtype: "float16" });
    const scores = await half.logits(texts);
    expect(Array.from(argmax(scores))).toEqual(Array.from(argmax(await counter.logits(texts))));
    expect(half.lstm.weightDtype).toBe("float16");
  });

  it("is right on as many held-out words with its weights in int8, but for 0.05 points at most", async () => {
    const texts = heldOut.map(({ text }) => text);
    const rightOf = (scores: Tensor): number => {
      const counts = argmax(scores);
      return heldOut.filter(({ syllables }, i) => counts[i] === syllables).length;
    };
    const int8 = new SyllableCounter(asset("model.safetensors"), { weightDtype: "int8" });
    expect([int8.lstm.weightDtype, int8.linear.weightDtype]).toEqual(["int8", "int8"]);
    const [scores, exact] = [await int8.logits(texts), await counter.logits(texts)];
    expect(rightOf(exact) - rightOf(scores)).toBeLessThanOrEqual(0.0005 * heldOut.length);
    expect(scores).not.toEqual(exact);
  });

  it("turns scores into probabilities", async () => {
    for (const row of chances(await counter.logits(["queue", "individuality"]))) {
      expect(row.reduce((sum, chance) => sum + chance, 0)).toBeCloseTo(1, 12);
    }
  });
});

describe("padding", () => {
  it("is skipped when the final states are read: forward at the last letter, backward at the first", () => {
    const output = tensor([
      [
        [1, -1],
        [5, -5],
      ],
      [
        [2, -2],
        [6, -6],
      ],
      [
        [3, -3],
        [7, -7],
      ],
    ]);
    expect(finalStates(output, ["to", "the"]).toArray()).toEqual([
      [[2], [7]],
      [[-1], [-5]],
    ]);
  });

  it("is counted, and changes answers although they are read off at each word's own ends", () => {
    const texts = ["absolute", "individuality", "queue", "masked"];
    const report = comparePadding(counter, texts, 2);
    expect(report).toMatchObject({ words: 4, letters: 32, paddedRows: 2 * 13 + 2 * 6, sortedRows: 2 * 6 + 2 * 13 });
    expect(report.changed).toBeGreaterThan(0);
    expect(comparePadding(counter, ["pasted", "masked"], 2).changed).toBe(0); // of one length, nothing is padded
  });
});

describe("the chart", () => {
  const shown = ["masked", "individuality"].flatMap((name) => words.find(({ text }) => text === name) ?? []);
  const traces = traceWords(
    counter,
    shown,
    heldOut.slice(0, 50).map(({ text }) => text),
    4,
  );

  it("has a column per letter and the likeliest counts in it", async () => {
    const [masked, individuality] = await traces;
    expect([masked?.forward.length, masked?.forward[0]?.length, masked?.backward[5]?.length]).toEqual([6, 4, 4]);
    const likeliest = individuality?.chances.map((row) => row.indexOf(Math.max(...row)));
    expect(likeliest).toHaveLength(13);
    expect(likeliest?.at(-1)).toBe(7);
  });

  it("is well-formed, draws every number and escapes its text", async () => {
    const judged = [
      { text: "a", syllables: 1, ours: 1, rules: 1 },
      { text: "individuality", syllables: 7, ours: 6, rules: 5 },
    ];
    const [first] = await traces;
    if (first === undefined) throw new Error("no trace");
    const drawn = renderChart({ traces: [{ ...first, text: "a<b&c" }], heldOut: judged });
    expect(drawn).not.toMatch(/NaN|undefined|Infinity/);
    expect(drawn).toContain("a&lt;b&amp;c");
    expect(drawn).toContain("50.0% right on 2 words");
    const opened = drawn.match(/<(?!\/)[a-z][^>]*[^/]>/g) ?? [];
    expect(drawn.match(/<\/[a-z]+>/g)).toHaveLength(opened.length);
  });
});
