// A stream's step allocates nothing. On JavaScript's heap: a million steps, and not one garbage collection, nor a byte of
// growth a step, where the smallest object has sixteen. Of the C library: malloc and its kin, counted through a preloaded
// library, which is glibc's way. That both would notice an allocation, a step that makes one shows.

import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { buildPackage } from "./support/cli.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const library = `${root}build/count-allocations.so`;
const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
const isGlibc = process.platform === "linux" && report.header?.glibcVersionRuntime !== undefined;

const script = `
import { PerformanceObserver } from "node:perf_hooks";
import { LSTM, rand, setNumThreads } from "packed-lstm";
const [steps, kind] = [Number(process.argv[1]), process.argv[2]];
setNumThreads(1);
const batch = kind === "rows" ? 8 : 1;
const lstm = new LSTM(64, 64, { numLayers: kind === "layers" ? 3 : 1, projSize: kind === "layers" ? 20 : 0 });
const stream = lstm.stream({ batchSize: batch });
const rows = Int32Array.of(6, 1, 3);
const x = kind === "rows" ? rand([3, 64]) : kind === "chunk" ? rand([4, 1, 64]) : rand([1, 64]);
let last = stream.step(x, kind === "rows" ? rows : undefined);
const kept = new Array(16);
const run = (n) => {
  for (let i = 0; i < n; i++) {
    last = stream.step(x, kind === "rows" ? rows : undefined);
    if (kind === "copy") kept[i & 15] = last.slice(0);
    if (kind === "forward") last = lstm.forward(x)[0];
  }
};
run(20000);
let collections = 0;
new PerformanceObserver((list) => { collections += list.getEntries().length; }).observe({ entryTypes: ["gc"] });
globalThis.gc();
await new Promise((resolve) => setTimeout(resolve, 50));
collections = 0;
process.env.COUNT_ALLOCATIONS = "start";
const before = process.memoryUsage().heapUsed;
run(steps);
const grown = process.memoryUsage().heapUsed - before;
process.env.COUNT_ALLOCATIONS = "stop";
await new Promise((resolve) => setTimeout(resolve, 50));
console.log(JSON.stringify({ collections, grown }));
`;

interface Measured {
  /** Garbage collections during the steps. */
  collections: number;
  /** Bytes of heap per step. */
  perStep: number;
  /** Calls of the C library's allocator per step, where they are counted. */
  native: number;
}

function measure(kind: string, steps: number): Measured {
  const args = ["--expose-gc", "--input-type=module", "-e", script, String(steps), kind];
  const env = { ...process.env, NODE_OPTIONS: "", ...(isGlibc ? { LD_PRELOAD: library } : {}) };
  const out = execFileSync(process.execPath, args, { cwd: root, env, encoding: "utf8" });
  const { collections, grown } = JSON.parse(out.slice(out.indexOf("{"))) as { collections: number; grown: number };
  return { collections, perStep: grown / steps, native: Number(/allocations (\d+)/.exec(out)?.[1]) / steps };
}

beforeAll(() => {
  buildPackage();
  if (!isGlibc) return;
  mkdirSync(`${root}build`, { recursive: true });
  const source = fileURLToPath(new URL("native/count_allocations.cc", import.meta.url));
  execFileSync("c++", ["-O2", "-shared", "-fPIC", "-o", library, source, "-ldl"]);
});

describe("a step", () => {
  it.each([
    ["of one row", "row", 1_000_000],
    ["of a chunk", "chunk", 200_000],
    ["of three rows out of eight", "rows", 300_000],
    ["of three projected layers", "layers", 200_000],
  ])("%s allocates nothing", (_, kind, steps) => {
    const measured = measure(kind, steps);
    expect(measured.collections).toBe(0);
    expect(measured.perStep).toBeLessThan(1);
    if (isGlibc) expect(measured.native).toBeLessThan(1e-3);
  });
});

describe("the measurement", () => {
  it("notices a copy a step, and a forward pass", () => {
    expect(measure("copy", 100_000).collections).toBeGreaterThan(0);
    const forward = measure("forward", 50_000);
    expect(forward.collections).toBeGreaterThan(0);
    if (isGlibc) expect(forward.native).toBeGreaterThan(0.5);
  });
});
