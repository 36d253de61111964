// One side of `--ab`, in a process of its own: the package at PACKED_LSTM_BENCH_ROOT over the shapes that come on stdin,
// the time of each and a digest of what it gave. What that package lacks is said in the place of a time.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { measure } from "./measure.js";
import { makeOurs } from "./ours.js";
import { recurrentClass } from "./packed-lstm.js";
import { makeProblem, type Results } from "./problem.js";
import { cellOf, type Shape } from "./shapes.js";

export interface JobTask {
  readonly shape: Shape;
  readonly threads: number;
}

export type JobResult = { readonly ms: number; readonly bits: string } | { readonly lacks: string };

function digest(results: Results): string {
  const hash = createHash("sha256");
  for (const part of [results.output, results.hn, results.cn]) {
    if (part) hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  }
  return hash.digest("hex");
}

async function run({ shape, threads }: JobTask): Promise<JobResult> {
  const cell = cellOf(shape);
  if (!recurrentClass(cell)) return { lacks: cell };
  const problem = makeProblem(shape);
  const ours = makeOurs(problem, threads);
  const bits = digest(await ours.results());
  const [timing] = await measure([ours], { runs: 5, seconds: 0.1 }, "alone");
  await ours.close();
  problem.module.dispose();
  return { ms: timing?.median ?? Number.NaN, bits };
}

const results: JobResult[] = [];
for (const task of JSON.parse(readFileSync(0, "utf8")) as JobTask[]) results.push(await run(task));
console.log(JSON.stringify(results));
