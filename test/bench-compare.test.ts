// What `npm run bench -- --ab` and `--fit-plan` make of their measurements, and what they read off the core: the line of
// PACKED_LSTM_VERBOSE and the constants of plan.cc. Nothing is timed here.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { abReport, abShapes, type Comparison, markOf } from "../bench/src/ab.js";
import { contested, lossOf, planReport, planShapes } from "../bench/src/fit-plan.js";
import { teamsOf, toldPlans } from "../bench/src/forced-plan.js";
import { clockOf, constantsReport, modelReport, presentConstants } from "../bench/src/plan-model.js";
import { medianRange } from "../bench/src/statistics.js";
import { base, record } from "./support/bench-record.js";

describe("where the median lies", () => {
  it("is between the ends of few values, and within those of many", () => {
    expect(medianRange([3, 1, 2])).toEqual([1, 3]);
    expect(medianRange([5, 4, 3, 2, 1])).toEqual([1, 5]);
    // Fifteen values: 1 - 2·P(at most 3 of 15 below) = 0.965, with one less left out 0.993.
    expect(medianRange(Array.from({ length: 15 }, (_, i) => i + 1))).toEqual([4, 12]);
    expect(medianRange([])).toEqual([Number.NaN, Number.NaN]);
  });
});

describe("--ab", () => {
  const sure = [1.02, 1.03, 1.04, 1.03, 1.02];
  const comparison = (more: Partial<Comparison>): Comparison => ({
    ...{ shape: base, threads: 2, sameBits: true, ours: 1.1, theirs: 1, ratios: [1, 1, 1, 1, 1] },
    ...more,
  });

  it.each<[string, readonly number[], boolean, string]>([
    ["no slower", [0.9, 1, 1.2, 1, 1], true, ""],
    ["1% slower, which is allowed", [1.01, 1.01, 1.01, 1.01, 1.01], true, ""],
    ["surely slower", sure, true, "SLOWER"],
    ["slower at the median", [0.99, 1.02, 1.02, 1.02, 1.02], true, "SLOWER?"],
    ["of other bits", [1, 1, 1, 1, 1], false, "OTHER BITS"],
    ["both", sure, false, "OTHER BITS, SLOWER"],
  ])("marks what is %s", (_, ratios, sameBits, mark) => {
    expect(markOf({ ratios, sameBits })).toBe(mark);
  });

  it("reports a line each, and is clean when none is marked", () => {
    expect(abReport([comparison({})]).clean).toBe(true);
    const { text, clean } = abReport([comparison({}), comparison({ ratios: sure })]);
    expect(clean).toBe(false);
    expect(text).toMatch(
      /lstm 10,64,256,256,1,1, made up +2 +1\.00 +1\.10 {2}1\.030 \(1\.020 to 1\.040, 5 pairs\) {2}SLOWER$/,
    );
  });

  it("takes the small calls alone, of the cells asked for", () => {
    const small = abShapes({ cells: ["lstm", "gru"], only: "small", quick: false });
    expect(small.map(({ cell, workload, out = false }) => [cell, workload, out])).toEqual([
      [undefined, "stream.step", false],
      [undefined, "one step by forward", false],
      [undefined, "one step by forward, out", true],
      ["gru", "stream.step", false],
      ["gru", "one step by forward", false],
      ["gru", "one step by forward, out", true],
    ]);
    expect(abShapes({ cells: ["lstm"], only: "", quick: false }).length).toBeGreaterThan(60);
    expect(abShapes({ cells: ["rnn"], only: "", quick: true }).every(({ cell }) => cell === "rnn")).toBe(true);
  });
});

describe("--fit-plan", () => {
  it("reads the plan off the core's own line, forced or not", () => {
    const program = `import { LSTM, randn, setNumThreads } from "packed-lstm";
      setNumThreads(4);
      new LSTM(8, 64, { bidirectional: true }).forward(randn([30, 6, 8]));`;
    const plansWith = (env: Record<string, string>) => {
      const args = ["--input-type=module", "-e", program];
      const { stderr } = spawnSync(process.execPath, args, {
        encoding: "utf8",
        env: { ...process.env, PACKED_LSTM_VERBOSE: "1", ...env },
      });
      return toldPlans(stderr);
    };
    const [free, ...rest] = plansWith({});
    expect(rest).toEqual([]);
    expect(teamsOf(4)).toContain(free?.team);
    const [forced] = plansWith({ PACKED_LSTM_PLAN: "1,2,2" });
    expect(forced?.team).toBe("1,2,2");
    expect(forced?.cycles).toBeGreaterThan(0);
    expect(forced?.cycles === free?.cycles).toBe(forced?.team === free?.team);
  });

  it("weighs the teams that the core weighs", () => {
    expect(teamsOf(1)).toEqual(["1,1,1"]);
    expect(teamsOf(2)).toEqual(["1,1,1", "1,1,2", "2,1,1", "1,2,1"]);
    expect(planShapes(["gru"]).every(({ steps, cell }) => steps > 1 && cell === "gru")).toBe(true);
  });

  const times = new Map([
    ["1,1,1", 1.04],
    ["2,1,1", 1],
    ["1,1,2", 1.2],
  ]);

  it("times again what is near the best, unless the best was chosen", () => {
    expect(contested({ chosen: "2,1,1", times })).toEqual([]);
    expect(contested({ chosen: "1,1,1", times })).toEqual(["1,1,1", "2,1,1"]);
    expect(contested({ chosen: "1,1,2", times })).toEqual(["1,1,1", "2,1,1", "1,1,2"]);
    expect(lossOf({ chosen: "1,1,2", times })).toBe(1.2);
  });

  it("misses the bar above 3%, and says by which plan", () => {
    const choice = (chosen: string) => ({ shape: base, threads: 2, chosen, times });
    expect(planReport([choice("2,1,1")])).toEqual({
      text: "The plan is the best of those it weighs on 1 of 1 shapes; the bar is 3%.",
      met: true,
    });
    const { text, met } = planReport([choice("2,1,1"), choice("1,1,1")]);
    expect(met).toBe(false);
    expect(text).toMatch(
      /MISSED {3}4\.0% {2}lstm 10,64,256,256,1,1, 2 threads +chose 1,1,1; 2,1,1 1\.00 ms, 1,1,1 1\.04 ms/,
    );
  });

  it("reads the constants off plan.cc", () => {
    const source = readFileSync(new URL("../native/rnn/plan.cc", import.meta.url), "utf8");
    expect(presentConstants(source, "kCellCyclesPerLane")).toHaveLength(4);
    const single = ["kBarrierCyclesPerWorker", "kWakeCycles", "kL2BytesPerCycle", "kMemoryBytesPerCycle"];
    for (const name of [...single, "kHoistedCost", "kSlotsInCache", "kSlotsBeyondCache", "kShows"]) {
      expect(presentConstants(source, name), name).not.toEqual([]);
    }
    expect(presentConstants("constexpr double kA = 2, kB = 0.5;", "kB")).toEqual([0.5]);
    expect(presentConstants("constexpr double kA = 2;", "kB")).toEqual([]);
  });

  it("shows the clock, the model and the constants", () => {
    expect(clockOf("avx2", { flops: 96e9 })).toBe(3e9);
    const points = [1, 4].map((batch) => ({
      shape: { ...base, batch },
      reckoned: 100,
      measured: batch === 1 ? 50 : 200,
    }));
    expect(modelReport(points)).toContain("lstm H 256   1.00  B 1 0.50, B 4 2.00");
    const constants = [
      { name: "kBarrierCycles", present: 700, here: 1234.5 },
      { name: "kShows", present: 0.2, here: undefined, why: "nothing forces it" },
    ];
    const lines = constantsReport(constants, record.machine, "avx2").split("\n");
    expect(lines[0]).toContain("A <Processor>, 2 cores, avx2");
    expect(lines[1]).toMatch(/^kBarrierCycles +700 {2}1230$/);
    expect(lines[2]).toMatch(/^kShows +0\.2 {2}not fitted: nothing forces it$/);
  });
});
