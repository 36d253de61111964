// The demo, `npm run demo`: counts the syllables of every word of the CMU Pronouncing Dictionary from its spelling,
// says how well and how fast, compares with PyTorch's own record, and draws what happened.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { loadSafetensors, runtimeInfo } from "packed-lstm";
import { syllable } from "syllable";
import { renderChart } from "./chart.js";
import type { Judged } from "./chart-errors.js";
import { argmax, SyllableCounter } from "./counter.js";
import { comparePadding } from "./padding.js";
import { startProgress } from "./progress.js";
import { traceWords } from "./trace.js";
import { readWords, type Word } from "./words.js";

interface Reference {
  readonly torch: string;
  readonly accuracy: number;
  readonly correct: number;
  readonly heldOut: number;
  readonly sample: readonly string[];
}

const batchSize = 512;
const drawn = ["masked", "pasted", "queue", "individuality"]; // these and the others are held out from training
const examples = [...drawn, "hippopotamuses", "desirability", "naked", "hierarchy"];

const root = dirname(createRequire(import.meta.url).resolve("packed-lstm/package.json"));
const assets = join(root, "examples", "syllables");

function percent(share: number): string {
  return `${(100 * share).toFixed(2)}%`;
}

function grouped(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

function say(label: string, value: string): void {
  console.log(`${label.padEnd(38)}${value}`);
}

/** Counts every word. The next batch is packed while the LSTM works on this one. */
async function countAll(counter: SyllableCounter, words: readonly Word[]): Promise<Int32Array> {
  const counts = new Int32Array(words.length);
  const progress = startProgress("counting", words.length);
  const start = (from: number) => counter.logits(words.slice(from, from + batchSize).map(({ text }) => text));
  let running = start(0);
  for (let from = 0; from < words.length; from += batchSize) {
    const scores = running;
    if (from + batchSize < words.length) running = start(from + batchSize);
    counts.set(argmax(await scores), from);
    progress.update(Math.min(from + batchSize, words.length));
  }
  progress.stop();
  return counts;
}

/** The largest difference of any score from those that PyTorch gave. */
async function differenceFromTorch(counter: SyllableCounter, sample: readonly string[]): Promise<number> {
  const recorded = loadSafetensors(join(assets, "reference.safetensors")).logits;
  const scores = await counter.logits(sample);
  if (recorded?.size !== scores.size) throw new Error("reference.json and reference.safetensors do not fit");
  const differences = Array.from(scores.data, (score, i) => Math.abs(score - (recorded.data[i] ?? Number.NaN)));
  return Math.max(...differences);
}

function reportPadding(counter: SyllableCounter, words: readonly Word[]): void {
  const texts = words.filter((_, i) => i % 8 === 0).map(({ text }) => text);
  const report = comparePadding(counter, texts, batchSize);
  const against = (other: number, rows: number): string => {
    const padding = `${(100 * (1 - report.letters / rows)).toFixed(0)}% of it padding`;
    const saved = Math.round(100 * (1 - report.packed / other));
    return `${other.toFixed(0)} ms, ${padding}: packing ${saved < 0 ? `costs ${-saved}% more` : `saves ${saved}%`}`;
  };
  console.log(
    `\nPacking and padding, the same ${grouped(report.words)} words, the LSTM alone, best of ${report.rounds}:`,
  );
  say("  packed", `${report.packed.toFixed(0)} ms`);
  say("  padded", against(report.padded, report.paddedRows));
  say("  all sorted by length, then padded", against(report.sorted, report.sortedRows));
  say("  counts that padding changes", `${percent(report.changed / report.words)}: it learnt from packed words`);
}

async function main(): Promise<void> {
  const began = performance.now();
  const { isa, threads } = runtimeInfo();
  const reference = JSON.parse(readFileSync(join(assets, "reference.json"), "utf8")) as Reference;
  const words = readWords();
  const counter = new SyllableCounter(join(assets, "model.safetensors"));
  console.log(`${grouped(words.length)} English words; ${isa}, ${threads} ${threads === 1 ? "thread" : "threads"}\n`);

  const started = performance.now();
  const counts = await countAll(counter, words);
  const seconds = (performance.now() - started) / 1000;

  const judged = words.map((word, i) => ({ ...word, ours: counts[i] ?? 0 })).filter(({ heldOut }) => heldOut);
  const heldOut: Judged[] = judged.map((word) => ({ ...word, rules: syllable(word.text) }));
  const right = judged.filter((word) => word.ours === word.syllables).length;
  const listed = judged.filter((word) => word.listed.has(word.ours)).length;
  const rules = heldOut.filter((word) => word.rules === word.syllables).length;
  const total = judged.length;

  console.log(`\nOn the ${grouped(total)} words held out from training:`);
  say("  this LSTM", `${percent(right / total)} right (any listed pronunciation: ${percent(listed / total)})`);
  say(`  PyTorch ${reference.torch}, as recorded`, `${percent(reference.accuracy)} right`);
  say("  rules of the package syllable", `${percent(rules / total)} right`);
  const difference = await differenceFromTorch(counter, reference.sample);
  say(
    "  largest difference from PyTorch",
    `${difference.toExponential(1)} in ${reference.sample.length} words' scores`,
  );

  console.log("\nOn the whole dictionary, letters to counts:");
  say("  words per second", `${grouped(words.length / seconds)} (${seconds.toFixed(2)} s in all)`);
  reportPadding(counter, words);

  console.log("\nSome of the words held out:");
  const found = new Map(judged.map((word) => [word.text, word]));
  for (const text of examples) {
    const { ours = Number.NaN, syllables = Number.NaN } = found.get(text) ?? {};
    say(`  ${text}`, ours === syllables ? `${ours}` : `${ours}, but the dictionary says ${syllables}`);
  }

  const shown = drawn.flatMap((text) => found.get(text) ?? []);
  const sample = judged.slice(0, 1000).map(({ text }) => text);
  const traces = await traceWords(counter, shown, sample, 12);
  const file = join(root, "build", "syllables.svg");
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, renderChart({ traces, heldOut }));
  console.log(`\nWhat its units do, and where it errs: ${relative(process.cwd(), file)}`);
  console.log(`${((performance.now() - began) / 1000).toFixed(1)} s in all`);
}

await main();
