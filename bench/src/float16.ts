// Weights in float16 beside our own float32: the same numbers first, to the bit, then the time of each. No peer has
// weights of that kind, so this stands apart from the comparison with them.

import { alone, better, type Effort, measure, type Timing } from "./measure.js";
import { makeOurs } from "./ours.js";
import { type Contender, makeProblem, type Results } from "./problem.js";
import { type Float16Outcome, speedUp } from "./record.js";
import { float16Shapes, type Shape } from "./shapes.js";

function expectSame(wide: Results, half: Results): void {
  for (const key of ["output", "hn", "cn"] as const) {
    const at = wide[key]?.findIndex((value, i) => !Object.is(value, half[key]?.[i])) ?? 0;
    if (at >= 0) throw new Error(`float16 weights: ${key}[${at}] is ${half[key]?.[at]}, in float32 ${wide[key]?.[at]}`);
  }
}

async function compareOne(shape: Shape, threads: number, effort: Effort): Promise<Float16Outcome> {
  const rounded = makeProblem(shape, "float16");
  const half = makeOurs(rounded, threads);
  const same = makeProblem(shape);
  same.module.loadStateDict(rounded.module.stateDict());
  const wide = makeOurs(same, threads);
  expectSame(await wide.results(), await half.results());
  const [float32, float16] = await measure([wide, half], effort, "turn about");
  if (!float32 || !float16) throw new Error("nothing was timed");
  const also = async (contender: Contender, timing: Timing) => better(timing, await alone(contender, effort, "alone"));
  return { shape, threads, float32: await also(wide, float32), float16: await also(half, float16) };
}

/** How many measurements `measureFloat16` makes. */
export function float16Steps(threadCounts: readonly number[]): number {
  return float16Shapes.length * threadCounts.length;
}

export async function measureFloat16(
  threadCounts: readonly number[],
  effort: Effort,
  step: (text: string) => void,
): Promise<Float16Outcome[]> {
  const outcomes: Float16Outcome[] = [];
  for (const shape of float16Shapes) {
    for (const threads of threadCounts) {
      const outcome = await compareOne(shape, threads, effort);
      outcomes.push(outcome);
      step(`float16 weights, ${shape.workload}, H ${shape.hiddenSize}: ${speedUp(outcome).toFixed(2)}× float32`);
    }
  }
  return outcomes;
}
