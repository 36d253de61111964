// The demo, `npm run demo:gru`: polishes a draft genome from the pileup of its reads, says how much better that is than
// what the majority of reads says, how near to PyTorch's scores, and how fast.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { cat, runtimeInfo, type Tensor } from "packed-lstm";
import { type Pileup, readPileup, symbols, vote } from "./pileup.js";
import { argmax, Polisher } from "./polisher.js";

interface Reference {
  readonly torch: string;
  readonly columns: number;
  readonly gru: number;
  readonly every: number;
}

const rounds = 10;
const shown = 4; // places where the draft is wrong and the polished genome is not
const around = 12; // columns to each side of them

const assets = join(dirname(createRequire(import.meta.url).resolve("packed-lstm/package.json")), "examples", "polish");

function say(label: string, value: string): void {
  console.log(`${label.padEnd(38)}${value}`);
}

function grouped(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

function judged(right: number, columns: number): string {
  return `${((100 * right) / columns).toFixed(2)}% right, ${columns - right} of ${grouped(columns)} columns wrong`;
}

function countRight(classes: Int32Array, truth: Int32Array): number {
  return classes.filter((found, column) => found === truth[column]).length;
}

/** The largest difference of any score from those that PyTorch gave. */
function differenceFromTorch(scores: Tensor, { logits }: Pileup, every: number): number {
  const [recorded, classes] = logits.shape as [number, number];
  if (recorded !== Math.ceil((scores.shape[0] ?? 0) / every))
    throw new Error("pileup.pt and reference.json do not fit");
  const differences = Array.from(logits.data, (logit, i) => {
    const column = Math.floor(i / classes) * every;
    return Math.abs(scores.at(column, i % classes) - logit);
  });
  return Math.max(...differences);
}

function showMended(truth: Int32Array, draft: Int32Array, polished: Int32Array): void {
  const wrong = Array.from(truth.keys()).filter((i) => draft[i] !== truth[i] && polished[i] === truth[i]);
  const spaced = wrong.filter((_, i) => i % Math.max(1, Math.floor(wrong.length / shown)) === 0).slice(0, shown);
  for (const column of spaced) {
    const write = (classes: Int32Array): string =>
      Array.from(classes.subarray(Math.max(0, column - around), column + around + 1), (c) => symbols[c]).join("");
    console.log(`\n  true      ${write(truth)}\n  draft     ${write(draft)}\n  polished  ${write(polished)}`);
  }
}

async function main(): Promise<void> {
  const { isa, threads } = runtimeInfo();
  const reference = JSON.parse(readFileSync(join(assets, "reference.json"), "utf8")) as Reference;
  const pileup = readPileup(join(assets, "pileup.pt"));
  const polisher = new Polisher(join(assets, "model.pt"));
  const { contigs, truth } = pileup;
  const columns = truth.length;
  console.log(
    `${polisher.gru} over ${contigs.length} contigs; ${isa}, ${threads} ${threads === 1 ? "thread" : "threads"}\n`,
  );

  const scores = cat(await polisher.scores(contigs), 0);
  const polished = argmax(scores);
  const draft = vote(cat(contigs, 0));
  say("the draft, what most reads say", judged(countRight(draft, truth), columns));
  say("polished by the GRU", judged(countRight(polished, truth), columns));
  say(`PyTorch ${reference.torch}, as recorded`, judged(reference.gru, reference.columns));
  const difference = differenceFromTorch(scores, pileup, reference.every);
  say("largest difference from PyTorch", `${difference.toExponential(1)} in ${grouped(pileup.logits.size)} scores`);

  const started = performance.now();
  for (let round = 0; round < rounds; round++) await polisher.scores(contigs);
  const seconds = (performance.now() - started) / 1000;
  say("columns per second", grouped((rounds * columns) / seconds));

  console.log("\nSome of what was mended (* is no base):");
  showMended(truth, draft, polished);
}

await main();
