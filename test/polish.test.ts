// The polishing example: the pileup is what train.py says, and the GRU gives PyTorch's recorded scores and its accuracy.

import { readFileSync, statSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readPileup, shares, symbols, vote } from "../examples/polish/pileup.js";
import { argmax, Polisher } from "../examples/polish/polisher.js";
import { cat, stack, Tensor } from "../lib/index.js";
import { expectClose } from "./support/compare.js";

const asset = (name: string): URL => new URL(`../examples/polish/${name}`, import.meta.url);

interface Reference {
  readonly columns: number;
  readonly vote: number;
  readonly gru: number;
  readonly every: number;
}

const reference = JSON.parse(readFileSync(asset("reference.json"), "utf8")) as Reference;
const { contigs, truth, logits } = readPileup(asset("pileup.pt"));
const polisher = new Polisher(asset("model.pt"));
const countRight = (classes: Int32Array): number => classes.filter((found, i) => found === truth[i]).length;

describe("the pileup", () => {
  it("is as small as it may be, and has a true class a column", () => {
    expect(statSync(asset("model.pt")).size).toBeLessThan(500_000);
    expect(statSync(asset("pileup.pt")).size).toBeLessThan(400_000);
    expect(truth.length).toBe(reference.columns);
    expect(contigs.reduce((sum, contig) => sum + (contig.shape[0] ?? 0), 0)).toBe(reference.columns);
    expect(new Set(contigs.map(({ shape }) => shape[0])).size).toBeGreaterThan(10);
  });

  it("is counted per strand, and the majority is of both together", () => {
    const counts = new Tensor(Int32Array.from([3, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2]), [2, 10]);
    expect(shares(counts).toArray()).toEqual(
      [
        [3, 0, 0, 0, 0, 0, 0, 0, 2, 0],
        [0, 1, 0, 0, 0, 2, 0, 0, 0, 2],
      ].map((row) => row.map((count) => Math.fround(count / 5))),
    );
    expect(Array.from(vote(counts), (found) => symbols[found])).toEqual(["A", "C"]);
    expect(countRight(vote(cat(contigs, 0)))).toBe(reference.vote);
  });
});

describe("the polisher", () => {
  it("gives the scores that PyTorch recorded", async () => {
    const scores = cat(await polisher.scores(contigs), 0);
    const recorded = Array.from({ length: logits.shape[0] ?? 0 }, (_, i) => scores.select(0, i * reference.every));
    expectClose(stack(recorded), logits, { atol: 1e-4, rtol: 0, label: "logits" });
  });

  it("is right on as many columns as it was in PyTorch, and errs a tenth as often as the majority", async () => {
    const right = countRight(argmax(cat(await polisher.scores(contigs), 0)));
    expect(right).toBe(reference.gru);
    expect(10 * (truth.length - right)).toBeLessThan(truth.length - reference.vote);
  });
});
