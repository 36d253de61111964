// How the cost grows: our time against one size at a time, the others fixed, and the peak memory of a long packed job.
// No peers. The exponents are fitted where they are shown (report.ts, chart-growth.ts).

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { alone, type Effort } from "./measure.js";
import { makeOurs } from "./ours.js";
import { makeProblem } from "./problem.js";
import type { MemoryUse, Sweep } from "./record.js";
import { type Shape, spreadLengths } from "./shapes.js";

interface Plan {
  readonly name: string;
  readonly unit: string;
  readonly values: readonly number[];
  readonly shape: (x: number) => Partial<Shape>;
}

const base = { set: "growth", workload: "growth", dtype: "float32", directions: 1, layers: 1 } as const;

/** Of 64 sequences, the longest is x times the mean; there are 3200 steps in all, whatever x. */
function spread(x: number): Pick<Shape, "steps" | "lengths"> {
  const count = 64;
  const mean = 50;
  const raw = spreadLengths(count, 0, 1000, x - 1); // place^(x − 1) has the mean 1/x
  const sum = raw.reduce((a, b) => a + b, 0);
  const lengths = raw.map((length) => Math.max(1, Math.round((length * count * mean) / sum)));
  return { steps: Math.max(...lengths), lengths };
}

const plans: readonly Plan[] = [
  {
    ...{ name: "steps T", unit: "steps", values: [1, 4, 16, 64, 256, 1024, 4096] },
    shape: (steps) => ({ steps, batch: 16, inputSize: 64, hiddenSize: 64 }),
  },
  {
    ...{ name: "batch B", unit: "sequences", values: [1, 2, 3, 4, 6, 8, 12, 16, 32, 64, 128, 256] },
    shape: (batch) => ({ steps: 50, batch, inputSize: 128, hiddenSize: 128 }),
  },
  {
    ...{ name: "hidden size H, batch 1", unit: "units", values: [16, 32, 64, 128, 256, 512, 1024, 2048] },
    shape: (hiddenSize) => ({ steps: 10, batch: 1, inputSize: 64, hiddenSize }),
  },
  {
    ...{ name: "hidden size H, batch 32", unit: "units", values: [16, 32, 64, 128, 256, 512, 1024] },
    shape: (hiddenSize) => ({ steps: 10, batch: 32, inputSize: 64, hiddenSize }),
  },
  {
    ...{ name: "layers L", unit: "layers", values: [1, 2, 3, 4, 6, 8] },
    shape: (layers) => ({ steps: 50, batch: 8, inputSize: 128, hiddenSize: 128, layers }),
  },
  {
    ...{ name: "length spread", unit: "longest over mean", values: [1, 1.5, 2, 3, 4, 6, 8] },
    shape: (x) => ({ batch: 64, inputSize: 64, hiddenSize: 128, ...spread(x) }),
  },
];

/** Calls `onPoint` after every point, for whoever shows progress. */
export async function measureSweeps(
  threadCounts: readonly number[],
  effort: Effort,
  onPoint: (text: string) => void,
): Promise<Sweep[]> {
  const sweeps: Sweep[] = [];
  for (const { name, unit, values, shape } of plans) {
    for (const threads of threadCounts) {
      const points: { x: number; ms: number }[] = [];
      for (const x of values) {
        const problem = makeProblem({ steps: 1, batch: 1, inputSize: 1, hiddenSize: 1, ...base, ...shape(x) });
        const { median } = await alone(makeOurs(problem, threads), effort, "alone");
        problem.module.dispose();
        points.push({ x, ms: median });
        onPoint(`${name} ${x}, ${threads} ${threads === 1 ? "thread" : "threads"}`);
      }
      sweeps.push({ name, unit, threads, points });
    }
  }
  return sweeps;
}

export function pointsInSweeps(threadCounts: readonly number[]): number {
  return threadCounts.length * plans.reduce((sum, { values }) => sum + values.length, 0);
}

/** Jobs of one number of rows and growing length, each in a process of its own (memory-job.ts). */
export function measureMemory(): MemoryUse[] {
  const job = fileURLToPath(new URL("./memory-job.js", import.meta.url));
  return [500, 2000, 8000].map((longest) => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [job, String(longest)], { encoding: "utf8" });
    if (status !== 0) throw new Error(`the job of ${longest} steps failed: ${stderr}`);
    return JSON.parse(stdout) as MemoryUse;
  });
}
