// What native/rnn/plan.cc plans for 1 to 128 cores, on a processor of made-up caches (test/support/plan-table.cc): a table
// that a reader can judge, and what must hold of every plan. No pass is run.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compiler, compiles } from "./support/compiler.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "packed-lstm-plans-"));
const program = join(folder, "plan-table");
afterAll(() => rmSync(folder, { recursive: true }));

const cells = { lstm: 0, gru: 1, rnn: 2 } as const;
type Sizes = readonly [steps: number, batch: number, input: number, hidden: number, layers: number, directions: number];

interface Call {
  threads: number;
  /** Lanes of a vector: 16 is AVX-512, 8 AVX2, 4 NEON. */
  unit: number;
  cell: keyof typeof cells;
  sizes: Sizes;
}

interface Plan {
  groups: number;
  directions: number;
  splits: number;
  slots: number;
  cycles: number;
}

function plansOf(calls: readonly Call[]): Plan[] {
  const input = calls.map(({ threads, unit, cell, sizes }) => [threads, unit, cells[cell], ...sizes].join(" "));
  const lines = execFileSync(program, { input: input.join("\n"), encoding: "utf8" })
    .trim()
    .split("\n");
  expect(lines).toHaveLength(calls.length);
  return lines.map((line) => {
    const [groups, directions, splits, slots, cycles] = line.split(" ").map(Number) as [number, ...number[]];
    return { groups, directions, splits, slots, cycles } as Plan;
  });
}

const threadCounts = [1, 2, 8, 16, 64, 128];
const shapes: readonly Sizes[] = [
  [1, 1, 64, 64, 1, 1],
  [100, 1, 64, 64, 1, 1],
  [25, 1, 1024, 1024, 1, 1],
  [100, 1, 256, 512, 1, 2],
  [150, 16, 3, 64, 1, 1],
  [150, 16, 3, 64, 2, 2],
  [50, 64, 256, 256, 1, 1],
  [25, 64, 1024, 1024, 1, 1],
  [200, 256, 64, 128, 2, 2],
];

describe.skipIf(!compiles)("plans (a C++ compiler is needed)", () => {
  beforeAll(() => {
    const sources = ["test/support/plan-table.cc", "native/rnn/plan.cc", "native/gemm/matmul.cc"];
    execFileSync(compiler, ["-std=c++17", "-O1", "-Inative", ...sources, "-o", program], { cwd: root });
  }, 60_000);

  // Groups of sequences × directions at once × splits of the units, on AVX-512.
  it.each<[string, Sizes, string[]]>([
    ["one step: nobody is woken", [1, 1, 64, 64, 1, 1], ["1×1×1", "1×1×1", "1×1×1", "1×1×1", "1×1×1"]],
    ["a small signal: two at most", [100, 1, 64, 64, 1, 1], ["1×1×2", "1×1×2", "1×1×2", "1×1×2", "1×1×2"]],
    ["one sequence: units", [25, 1, 1024, 1024, 1, 1], ["1×1×2", "1×1×8", "1×1×16", "1×1×64", "1×1×64"]],
    ["both ways: directions too", [100, 1, 256, 512, 1, 2], ["1×2×1", "1×1×8", "1×2×8", "1×2×16", "1×2×16"]],
    ["windows: sequences, then units", [150, 16, 3, 64, 1, 1], ["2×1×1", "8×1×1", "16×1×1", "16×1×2", "16×1×2"]],
    ["sentences", [50, 64, 256, 256, 1, 1], ["2×1×1", "4×1×2", "4×1×4", "16×1×4", "16×1×8"]],
    ["many sequences: no barrier", [200, 256, 64, 128, 2, 2], ["2×1×1", "8×1×1", "16×1×1", "64×1×1", "64×2×1"]],
  ])("%s", (_, sizes, expected) => {
    const calls = threadCounts.slice(1).map((threads): Call => ({ threads, unit: 16, cell: "lstm", sizes }));
    const told = plansOf(calls).map(({ groups, directions, splits }) => `${groups}×${directions}×${splits}`);
    expect(told).toEqual(expected);
  });

  const calls = shapes.flatMap((sizes) =>
    (["lstm", "gru", "rnn"] as const).flatMap((cell) =>
      [4, 8, 16].flatMap((unit) => threadCounts.map((threads): Call => ({ threads, unit, cell, sizes }))),
    ),
  );

  it("are of no more workers than there are, nor of more parts than the call has", () => {
    for (const [i, { groups, directions, splits, slots }] of plansOf(calls).entries()) {
      const { threads, unit, cell, sizes } = calls[i]!;
      const [, batch, , hidden, , ways] = sizes;
      const label = JSON.stringify(calls[i]);
      expect(groups * directions * splits, label).toBeLessThanOrEqual(threads);
      expect(groups, label).toBeLessThanOrEqual(batch);
      expect(directions, label).toBeLessThanOrEqual(ways);
      expect(splits, label).toBeLessThanOrEqual(Math.ceil(hidden / (cell === "rnn" ? 4 * unit : unit)));
      expect(slots, label).toBeLessThanOrEqual(Math.ceil(batch / groups));
    }
  });

  it("never lose to fewer threads, nor gain more than there are", () => {
    const plans = plansOf(calls);
    for (let i = 0; i < calls.length; i += threadCounts.length) {
      const cycles = plans.slice(i, i + threadCounts.length).map((plan) => plan.cycles);
      for (let n = 1; n < cycles.length; n++) {
        expect(cycles[n], JSON.stringify(calls[i + n])).toBeLessThanOrEqual(cycles[n - 1]!);
        // Weights that fit no core's cache may fit those of all: half of the time more, at most.
        expect(cycles[0]! / cycles[n]!, JSON.stringify(calls[i + n])).toBeLessThanOrEqual(1.6 * threadCounts[n]!);
      }
    }
  });
});
