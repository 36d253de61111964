// What the benchmark makes of a record: figures, verdicts, report, charts, the section of bench/README.md. Measures
// nothing and needs no peer. Where a record is kept in bench/, that section must be what the record says.

import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { growthChart } from "../bench/src/chart-growth.js";
import { ratioChart } from "../bench/src/chart-ratios.js";
import { rooflineChart } from "../bench/src/chart-roofline.js";
import { floorMs, floorShare } from "../bench/src/floor.js";
import { measuredSection, withMeasured } from "../bench/src/readme.js";
import {
  bandwidthShare,
  bestPeer,
  gflops,
  levelOf,
  type Outcome,
  peakShare,
  type RunRecord,
  ratioTo,
  scaling,
} from "../bench/src/record.js";
import { reportOf } from "../bench/src/report.js";
import {
  flopsOf,
  quickShapes,
  shapes,
  sizesOf,
  spreadLengths,
  weightTraffic,
  workingSet,
} from "../bench/src/shapes.js";
import { denseMean, type Verdict, verdicts } from "../bench/src/targets.js";
import { base, record } from "./support/bench-record.js";

const at = (i: number): Outcome => record.outcomes[i] as Outcome;

function verdict(beginning: string, of: RunRecord = record): Verdict {
  const found = verdicts(of).find(({ target }) => target.startsWith(beginning));
  if (!found) throw new Error(`no target begins ${beginning}`);
  return found;
}

describe("shapes", () => {
  it("are told apart by what they are, and each is run once", () => {
    const keys = shapes.map((shape) => JSON.stringify({ ...shape, set: "", workload: "" }));
    const named = shapes.map((shape) => `${sizesOf(shape)} ${shape.dtype} ${shape.workload}`);
    expect(new Set(named).size).toBe(shapes.length);
    expect(keys.length - new Set(keys).size).toBeLessThanOrEqual(1);
    expect(quickShapes.length).toBeGreaterThanOrEqual(7);
  });

  it("count the arithmetic of real steps alone, of every layer and direction", () => {
    expect(flopsOf(base)).toBe(10 * 64 * 2 * 4 * 256 * 512);
    expect(flopsOf({ ...base, lengths: [10, 5, 1] })).toBe(16 * 2 * 4 * 256 * 512);
    expect(flopsOf({ ...base, layers: 2, directions: 2 })).toBe(10 * 64 * 2 * 2 * 4 * 256 * (512 + 768));
  });

  it("count the weights that steps and threads go over", () => {
    expect(weightTraffic(base)).toBe(10 * 4 * 256 * 256 * 4);
    expect(workingSet({ ...base, batch: 1 }, 2)).toBe(2 * 256 * 256 * 4);
    expect(workingSet({ ...base, batch: 1, layers: 2 }, 2)).toBe(4 * 256 * 256 * 4);
    expect(workingSet({ ...base, dtype: "float64" }, 2)).toBe(4 * 256 * 256 * 8);
  });

  it("spread lengths over the whole range, the more towards the short ones the greater the power", () => {
    const [even, tail] = [spreadLengths(64, 4, 200, 1), spreadLengths(64, 4, 200, 2)];
    const mean = (of: number[]): number => of.reduce((a, b) => a + b, 0) / of.length;
    expect([Math.min(...even), Math.max(...even)]).toEqual([4, 200]);
    expect(mean(even)).toBeCloseTo(102, 0);
    expect(mean(tail)).toBeLessThan(75);
  });
});

describe("figures of a record", () => {
  it("are those worked out by hand", () => {
    expect(gflops(at(0))).toBeCloseTo(83.886, 3);
    expect(peakShare(record, at(0))).toBeCloseTo(0.83886, 5);
    expect(peakShare(record, at(1))).toBeCloseTo(0.83886, 5);
    expect(ratioTo(at(0), "onnxruntime")).toBe(2);
    expect(bestPeer(at(0))).toEqual({ name: "torch", ratio: 1.5 });
    expect(scaling(record, at(0).shape)).toBe(2);
    expect(scaling(record, { ...base, steps: 11 })).toBeNaN();
    expect(denseMean(record, 1).mean).toBeCloseTo(Math.sqrt(1.5 * 0.5), 9);
    expect(denseMean(record, 2).mean).toBeCloseTo(Math.sqrt(2), 9);
    expect(denseMean(record, 2).shapes).toBe(2);
  });

  it("count the bandwidth of one sequence alone, at the rate of the level that holds its weights", () => {
    expect(bandwidthShare(record, at(0))).toBeNaN();
    expect(bandwidthShare(record, at(2))).toBeCloseTo((10 * 4 * 1024 * 1024 * 4) / 1e-3 / 1e11, 9);
    expect([levelOf(record, at(0)), levelOf(record, at(2))]).toEqual(["L2", "L3"]);
  });

  it("have a floor: the projection at the peak, then the slower of arithmetic and reading, over the steps", () => {
    const rows = 10 * 64;
    const dense = (rows * 8 * 256 * 256 + rows * (8 * 256 * 256 + 160 * 256)) / 1e11;
    expect(floorMs(record, at(0))).toBeCloseTo(1000 * dense, 9);
    const one = (10 * 8 * 1024 * 1024 + 10 * 4 * 1024 * 1024 * 4) / 1e11;
    expect(floorMs(record, at(2))).toBeCloseTo(1000 * one, 9);
    const step: Outcome = { ...at(2), shape: { ...at(2).shape, steps: 1 } };
    expect(floorMs(record, step)).toBeCloseTo((1000 * 2 * 4 * 1024 * 1024 * 4) / 1e11, 9);
    expect(floorShare(record, at(0))).toBeCloseTo((1000 * dense) / 8, 9);
    expect(floorMs({ ...record, roofs: [] }, at(0))).toBeNaN();
  });

  it("leave out what was not timed", () => {
    expect(ratioTo(at(5), "onnxruntime")).toBeNaN();
    expect(bestPeer(at(5))).toBeUndefined();
  });
});

describe("targets", () => {
  it("name every shape that is slower than its best peer, and no other", () => {
    const { met, short, figure } = verdict("no float32 shape slower");
    expect(met).toBe(false);
    expect(figure).toBe("4 of 5; lowest 0.50×");
    expect(short).toEqual(["10,1,1024,1024,1,1 (one), 1 thread: 0.50×, at most 0.20× by the machine's limits"]);
  });

  it("are met, missed or not measured", () => {
    expect(verdict("packed shapes").met).toBe(true);
    expect(verdict("B ≥ 64, H ≥ 256").met).toBe(false);
    expect(verdict("async over sync")).toMatchObject({
      met: true,
      figure: "20.0 µs, where Node's own thread pool adds 25.0",
    });
    expect(verdict("a call holds the event loop").met).toBe(false);
    expect(verdict("float16 weights")).toMatchObject({ met: false, figure: "0 of 1; lowest 1.50×" });
    expect(verdict("150,16,3,64,1,1")).toMatchObject({ met: undefined, figure: "not measured" });
    expect(verdict("the same on 2 threads: 1.6×").met).toBe(false);
  });

  it("have no figure above the machine's limits", () => {
    expect(verdict("no figure above 100%")).toMatchObject({ met: false });
    const slower = record.outcomes.map((one) => ({ ...one, ours: { ...one.ours, median: 20 } }));
    expect(verdict("no figure above 100%", { ...record, outcomes: slower })).toMatchObject({ met: true, short: [] });
  });

  it("judge nothing on a record without outcomes", () => {
    const { calls: _calls, growth: _growth, float16: _float16, ...rest } = record;
    expect(verdicts({ ...rest, outcomes: [] }).every(({ met }) => met === undefined)).toBe(true);
  });
});

describe("the report", () => {
  it("has every shape, the failures, the fits and the verdicts", () => {
    const text = reportOf(record);
    expect(text).toMatch(/10,64,256,256,1,1 +made up +8\.00 \/ 4\.00 +83\.9 \/ 168 +84% \/ 84%/);
    expect(text).toContain("FAILED");
    expect(text).toMatch(/steps T, 1 thr\. +1 to 100 +\^1\.00/);
    expect(text).toContain("MISSED no float32 shape slower");
    expect(text).toMatch(/10,1,1024,1024,1,1 +one +0\.60 +0\.40 +1\.50/);
    expect(text).not.toMatch(/NaN|undefined/);
  });

  it("can be made without peers, growth or caches", () => {
    const { growth: _growth, calls: _calls, ...rest } = record;
    const outcomes = record.outcomes.map((one) => ({ ...one, peers: {} }));
    const bare = { ...rest, outcomes, machine: { ...record.machine, caches: [] } };
    expect(reportOf(bare)).toContain("no peer to compare with");
    expect(reportOf(bare) + ratioChart(bare) + rooflineChart(bare)).not.toMatch(/NaN|undefined/);
    expect(growthChart(bare)).toBeUndefined();
  });
});

describe("the charts", () => {
  it.each([
    ["ratios", ratioChart(record)],
    ["roofline", rooflineChart(record)],
    ["growth", growthChart(record) ?? ""],
  ])("of %s are whole SVG, escaped, for light and dark", (_name, chart) => {
    expect(chart).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
    expect(chart).not.toMatch(/NaN|undefined|<Processor>/);
    expect(chart).toContain("prefers-color-scheme:dark");
  });

  it("show every comparison once", () => {
    const marks = ratioChart(record).match(/<circle/g) ?? [];
    expect(marks.length).toBe(9 + 2 * 2); // nine times of peers, two marks a peer in the legend
  });
});

describe("the measured section", () => {
  const marked = (inside: string): string =>
    `# x\n<!-- measured: written by \`npm run bench -- --readme\`, do not edit -->\n${inside}\n<!-- /measured -->\nrest\n`;

  it("replaces what stood between its marks and leaves the rest", () => {
    const made = withMeasured(marked("old"), record);
    expect(made.startsWith("# x\n<!-- measured")).toBe(true);
    expect(made.endsWith("<!-- /measured -->\nrest\n")).toBe(true);
    expect(made).not.toContain("old");
    expect(withMeasured(made, record)).toBe(made);
    expect(() => withMeasured("# no marks", record)).toThrow(/README/);
  });

  it("says who was faster, and who was missing", () => {
    const text = measuredSection(record);
    expect(text).toContain("A peer was the faster one in 1 of 5 comparisons: 10,1,1024,1024,1,1 on 1 thread");
    expect(text).toContain("Not present in this run: TensorFlow.js, wasm.");
    expect(text).toContain("| 10, 1, 1024, 1024, 1, 1 (one) | 0.60 | 0.40 | 1.50 |");
    expect(text).not.toMatch(/NaN|undefined/);
  });

  const file = new URL("../bench/results.json", import.meta.url);
  it.skipIf(!existsSync(file))("agrees with the record that is kept, and so do the charts", () => {
    const kept = JSON.parse(readFileSync(file, "utf8")) as RunRecord;
    const readme = readFileSync(new URL("../bench/README.md", import.meta.url), "utf8");
    expect(withMeasured(readme, kept)).toBe(readme);
    const chart = (name: string): string =>
      readFileSync(new URL(`../.github/bench-${name}.svg`, import.meta.url), "utf8");
    expect(chart("ratios")).toBe(ratioChart(kept));
    expect(chart("roofline")).toBe(rooflineChart(kept));
    if (kept.growth) expect(chart("growth")).toBe(growthChart(kept));
  });
});
