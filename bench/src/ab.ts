// This checkout against another one that is built: `--ab ROOT`. A process a side (ab-job.ts), the sides turn about, since
// one pair of processes alone can be off by a fifth; their results must be the same to the bit.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { JobResult, JobTask } from "./ab-job.js";
import { startProgress } from "./progress.js";
import { type Cell, cellShapes, type Shape, shapes, sizesOf } from "./shapes.js";
import { medianOf, medianRange } from "./statistics.js";

export interface ABOptions {
  readonly cells: readonly Cell[];
  readonly only: string;
  readonly threads: readonly number[];
  readonly quick: boolean;
}

/** A shape at a thread count, and this checkout's time over the other's, a pair of processes each. */
export interface Comparison {
  readonly shape: Shape;
  readonly threads: number;
  readonly sameBits: boolean;
  /** Medians, ms. */
  readonly ours: number;
  readonly theirs: number;
  readonly ratios: readonly number[];
}

const pairs = 5;
const morePairs = 10;
/** What a change may cost. */
const allowed = 1.01;

const stepSizes = { steps: 1, batch: 1, inputSize: 64, hiddenSize: 64, layers: 1, directions: 1 } as const;
const small = { ...stepSizes, set: "small", dtype: "float32", stateful: true } as const;

/** What a call costs beside its arithmetic. */
const smallShapes: readonly Shape[] = [
  { ...small, workload: "stream.step", stepped: true },
  { ...small, workload: "one step by forward" },
  { ...small, workload: "one step by forward, out", out: true },
];

export function abShapes({ cells, only, quick }: Pick<ABOptions, "cells" | "only" | "quick">): Shape[] {
  const of = (cell: Cell): readonly Shape[] => (cell === "lstm" ? shapes : cellShapes(cell));
  const workloads = new Set(["workloads", "packed", "streaming", "cells"]);
  const all = only === "small" ? [] : cells.flatMap(of).filter(({ set }) => !quick || workloads.has(set));
  const steps = cells.flatMap((cell) => smallShapes.map((shape) => (cell === "lstm" ? shape : { ...shape, cell })));
  return [...steps, ...all].filter(({ cell = "lstm", ...shape }) =>
    `${cell} ${sizesOf(shape)} ${shape.workload} ${shape.set}`.includes(only),
  );
}

function runSide(root: string, tasks: readonly JobTask[]): JobResult[] {
  const { PACKED_LSTM_BINARY: _, ...env } = process.env;
  const { stdout, stderr, status } = spawnSync(process.execPath, [join(here, "ab-job.js")], {
    env: { ...env, PACKED_LSTM_BENCH_ROOT: root },
    input: JSON.stringify(tasks),
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(`${root}: the process that measures it failed: ${stderr.trim()}`);
  return JSON.parse(stdout) as JobResult[];
}

const here = fileURLToPath(new URL(".", import.meta.url));

/** One pair of processes, this side first or the other. */
function runPair(own: string, other: string, tasks: readonly JobTask[], ownFirst: boolean): JobResult[][] {
  const first = runSide(ownFirst ? own : other, tasks);
  const second = runSide(ownFirst ? other : own, tasks);
  return ownFirst ? [first, second] : [second, first];
}

/** Compares; what is found for each shape that both sides have, in order. */
export function compareCheckouts(own: string, other: string, options: ABOptions): Comparison[] {
  const addon = join("build", "Release", "packed_lstm.node");
  for (const file of [join("dist", "index.js"), addon]) {
    if (!existsSync(join(other, file))) throw new Error(`--ab: ${other} has no ${file}; build it there first`);
  }
  const tasks = abShapes(options).flatMap((shape) => options.threads.map((threads): JobTask => ({ shape, threads })));
  if (tasks.length === 0) throw new Error(`no shape has "${options.only}" in its sizes, workload or set`);
  const found = new Map<JobTask, [JobResult, JobResult][]>(tasks.map((task) => [task, []]));
  const add = (of: readonly JobTask[], count: number, step: (text: string) => void): void => {
    for (let pair = 0; pair < count; pair++) {
      const [mine = [], its = []] = runPair(own, other, of, pair % 2 === 0);
      for (const [i, task] of of.entries()) {
        const [a, b] = [mine[i], its[i]];
        if (a && b && !("lacks" in a) && !("lacks" in b)) found.get(task)?.push([a, b]);
      }
      step(`pair ${pair + 1} of ${count}, ${of.length} timings a side`);
    }
  };
  const progress = startProgress(pairs + morePairs);
  add(tasks, pairs, progress.step);
  const doubtful = tasks.filter((task) => medianOf(ratiosOf(found.get(task) ?? [])) > allowed);
  if (doubtful.length > 0) add(doubtful, morePairs, progress.step);
  progress.stop();
  return tasks.flatMap((task) => {
    const results = found.get(task) ?? [];
    if (results.length === 0) return [];
    const times = (side: 0 | 1): number[] => results.map((pair) => timeOf(pair[side]));
    const sameBits = results.every(([a, b]) => "bits" in a && "bits" in b && a.bits === b.bits);
    return [{ ...task, sameBits, ours: medianOf(times(0)), theirs: medianOf(times(1)), ratios: ratiosOf(results) }];
  });
}

function timeOf(result: JobResult): number {
  return "ms" in result ? result.ms : Number.NaN;
}

function ratiosOf(results: readonly (readonly [JobResult, JobResult])[]): number[] {
  return results.map(([a, b]) => timeOf(a) / timeOf(b));
}

/** What is wrong with it: other bits; "SLOWER" when surely so, "SLOWER?" when the median alone says so. */
export function markOf({ sameBits, ratios }: Pick<Comparison, "sameBits" | "ratios">): string {
  const slower = medianOf(ratios) > allowed ? [medianRange(ratios)[0] > 1 ? "SLOWER" : "SLOWER?"] : [];
  return [...(sameBits ? [] : ["OTHER BITS"]), ...slower].join(", ");
}

/** The table, and whether nothing in it is marked. */
export function abReport(comparisons: readonly Comparison[]): { readonly text: string; readonly clean: boolean } {
  const lines = comparisons.map((comparison) => {
    const { shape, threads, ours, theirs, ratios } = comparison;
    const [low, high] = medianRange(ratios);
    const name = `${shape.cell ?? "lstm"} ${sizesOf(shape)}, ${shape.workload}${shape.dtype === "float64" ? ", float64" : ""}`;
    const figures = [theirs, ours].map((ms) => ms.toPrecision(3).padStart(8)).join(" ");
    const span = `${medianOf(ratios).toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)}, ${ratios.length} pairs)`;
    return `${name.padEnd(60)} ${threads}  ${figures}  ${span}  ${markOf(comparison)}`.trimEnd();
  });
  const head = `${"cell T,B,I,H,layers,directions, workload".padEnd(60)} threads, ms there, ms here, here over there`;
  return { text: [head, ...lines].join("\n"), clean: comparisons.every((comparison) => markOf(comparison) === "") };
}
