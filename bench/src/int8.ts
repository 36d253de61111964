// Weights of 8 bits beside the peers' int8 LSTMs, beside OpenVINO in float32 and bf16, and turn about with our own float32: a
// section of its own, for what is compared here has been rounded by each in its own way.

import { setNumThreads } from "packed-lstm";
import { measureInt8Peak } from "../../dist/runtime/roofline.js";
import { contest, lineOf, type Peers } from "./contest.js";
import { overFloat32 } from "./int8-report.js";
import { alone, better, type Effort, measure } from "./measure.js";
import { makeOurs } from "./ours.js";
import { makeProblem } from "./problem.js";
import type { Int8Outcome, Int8Section } from "./record.js";
import { compareRounded } from "./rounded.js";
import { int8Shapes, quickShapes, type Shape } from "./shapes.js";

/** With `quick` alone those that stand for the others. */
export function chosenInt8Shapes(quick: boolean): readonly Shape[] {
  const brief = new Set(quickShapes.map(({ workload }) => workload));
  return int8Shapes.filter(({ workload }) => !quick || brief.has(workload));
}

/** How many measurements `measureInt8` makes. */
export function int8Steps(threadCounts: readonly number[], quick: boolean): number {
  return chosenInt8Shapes(quick).length * threadCounts.length;
}

export interface Int8Run {
  readonly threadCounts: readonly number[];
  readonly quick: boolean;
  readonly effort: Effort;
  readonly peers: Peers;
  readonly step: (text: string) => void;
  /** Told after every shape, so that a run that is cut short loses nothing. */
  readonly keep: (part: Pick<Int8Section, "peaks" | "outcomes">) => void;
}

/** The peaks at both ends of it, the better one each. */
export async function measureInt8({ threadCounts, quick, effort, peers, step, keep }: Int8Run): Promise<void> {
  const measurePeaks = (): number[] =>
    threadCounts.map((threads) => {
      setNumThreads(threads);
      return measureInt8Peak();
    });
  const peaksOf = (all: readonly number[]) => threadCounts.map((threads, i) => ({ threads, operations: all[i] ?? 0 }));
  const before = measurePeaks();
  const outcomes: Int8Outcome[] = [];
  for (const shape of chosenInt8Shapes(quick)) {
    for (const threads of threadCounts) {
      const outcome = await contestInt8(shape, threads, peers, effort);
      outcomes.push(outcome);
      keep({ peaks: peaksOf(before), outcomes });
      step(`int8 weights, ${lineOf(outcome)} | our float32 ${overFloat32(outcome).toFixed(2)}×`);
    }
  }
  const after = measurePeaks();
  keep({ peaks: peaksOf(before.map((one, i) => Math.max(one, after[i] ?? 0))), outcomes });
}

async function contestInt8(shape: Shape, threads: number, peers: Peers, effort: Effort): Promise<Int8Outcome> {
  const rounding = { weights: "int8", compare: compareRounded } as const;
  const outcome = await contest(shape, threads, peers, effort, rounding);
  const problems = [makeProblem(shape), makeProblem(shape, "int8")] as const;
  const [wide, narrow] = [makeOurs(problems[0], threads), makeOurs(problems[1], threads)];
  const [float32, int8] = await measure([wide, narrow], effort, "turn about");
  if (!float32 || !int8) throw new Error("nothing was timed");
  const own = better(float32, await alone(wide, effort, "alone"));
  const ours = better(outcome.ours, int8);
  for (const { close } of [wide, narrow]) await close();
  for (const { module } of problems) module.dispose();
  return { ...outcome, ours, float32: own };
}
