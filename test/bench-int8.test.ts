// int8 in the benchmark: the ONNX model that is built for onnxruntime holds the very integers of ours, results of different
// roundings are told from wrong ones, and table, chart, means and bars are what a made-up record says.

import { describe, expect, it } from "vitest";
import { int8Chart, ratioChart } from "../bench/src/chart-ratios.js";
import { int8Rows, int8Verdicts } from "../bench/src/int8-report.js";
import { onnxModel } from "../bench/src/onnx-model.js";
import { makeProblem } from "../bench/src/problem.js";
import { measuredSection } from "../bench/src/readme.js";
import type { Int8Outcome, RunRecord } from "../bench/src/record.js";
import { reportOf } from "../bench/src/report.js";
import { compareRounded } from "../bench/src/rounded.js";
import { int8Shapes, type Shape, sizesOf } from "../bench/src/shapes.js";
import { LSTM, loadOnnx } from "../lib/index.js";
import { base, outcome, record } from "./support/bench-record.js";

const own = (
  threads: number,
  ours: number,
  float32: number,
  peers: Record<string, number>,
  shape: Partial<Shape> = {},
) => {
  const made = outcome(threads, ours, peers, { set: "int8", ...shape });
  return { ...made, float32: { ...made.ours, median: float32 } } satisfies Int8Outcome;
};

const lengths = { lengths: [10, 5, 1], batch: 3, workload: "packed", steps: 10 } as const;
const outcomes = [
  own(1, 2, 6, { onnxruntime: 4, openvinoBf16: 3 }),
  own(2, 1, 2, { onnxruntime: 2, openvinoBf16: 0.5 }),
  own(1, 1, 3, { onnxruntime: 2 }, lengths),
  own(1, 1, 4, { onnxruntime: 0.5 }, { steps: 1, batch: 1, hiddenSize: 1024, inputSize: 1024, stepped: true }),
];

const eighths: RunRecord = {
  ...record,
  int8: {
    ...{ date: "2026-11-27T00:00:00.000Z", isa: "avx512_vnni", versions: { onnxruntime: "1.30.0" } },
    ...{ missing: { torch: "none" }, peaks: [{ threads: 1, operations: 5e11 }], outcomes },
  },
};

function met(beginning: string, of: RunRecord = eighths): boolean | undefined {
  const found = int8Verdicts(of).find(({ target }) => target.startsWith(beginning));
  if (!found) throw new Error(`no bar begins ${beginning}`);
  return found.met;
}

it("has the shapes that were asked for, apart from the float32 sets", () => {
  expect(int8Shapes.map(sizesOf)).toEqual([
    ...["150,16,3,64,1,1", "150,16,3,64,2,2", "100,1,128,256,2,1", "50,64,256,256,1,1", "50,128,512,512,1,1"],
    ...["25,1,1024,1024,1,1", "4..200,64,128,256,1,1", "4..200,64,128,256,1,1"],
    ...["1,1,256,256,1,1", "1,1,1024,1024,1,1"],
  ]);
  expect(new Set(int8Shapes.map(({ set }) => set))).toEqual(new Set(["int8"]));
});

it("builds a DynamicQuantizeLSTM of the integers and scales that our own int8 model has", () => {
  const shape: Shape = { ...base, inputSize: 24, hiddenSize: 8, directions: 2, stateful: true };
  const problem = makeProblem(shape, "int8");
  const [node] = loadOnnx(onnxModel(problem, "int8"));
  const read = node?.stateDict ?? {};
  for (const [name, { data }] of Object.entries(problem.module.stateDict())) {
    expect(read[name]?.data, name).toEqual(data);
  }
  expect(LSTM.fromStateDict(read).hiddenSize).toBe(8);
});

describe("results that were rounded differently", () => {
  const of = (value: number, count = 100) => ({ output: new Float32Array(count).fill(value) });
  it("may be a little apart", () => expect(compareRounded("x", of(0), of(0.005))).toBeCloseTo(0.005, 7));
  it("may not be apart in one element by much, nor in all of them by less", () => {
    const one = of(0);
    one.output[3] = 0.11;
    expect(() => compareRounded("x", of(0), one)).toThrow(/output\[3\]/);
    expect(() => compareRounded("x", of(0), of(0.011))).toThrow(/rms/);
    expect(() => compareRounded("x", of(0), of(Number.NaN))).toThrow();
  });
});

describe("the section", () => {
  it("has a row a shape: ours, GOP/s beside the peak, our own float32, the peers", () => {
    const [head, dense, packed] = int8Rows(eighths);
    expect(head?.slice(-2)).toEqual(["onnxruntime-node, ×", "OpenVINO, bf16, ×"]);
    expect(dense).toEqual([
      "10, 64, 256, 256, 1, 1",
      "made up",
      "2.00 / 1.00",
      "336 / 671",
      "67% / –",
      "3.00 / 2.00",
      "2.00 / 2.00",
      "1.50 / 0.50",
    ]);
    expect(packed?.at(-1)).toBe("–");
  });

  it("stands apart in report, README and charts, and nowhere where it was not measured", () => {
    const section = measuredSection(eighths);
    expect(section).toContain("bench-int8.svg");
    expect(section).toContain("Not present: PyTorch.");
    expect(section).toContain("| 10, 64, 256, 256, 1, 1 (made up) | 2.00 / 1.00 | 336 / 671 |");
    expect(reportOf(eighths)).toContain("Geometric means without streams, 1 / 2 threads: our float32 3.00× / 2.00×");
    expect(section + reportOf(eighths)).not.toMatch(/NaN|undefined/);
    expect(measuredSection(record)).not.toContain("int8");
    expect(reportOf(record)).not.toContain("int8");
    expect(ratioChart(eighths)).toBe(ratioChart(record));
    expect(int8Chart(record)).toBeUndefined();
    const marks = int8Chart(eighths)?.match(/<circle/g) ?? [];
    expect(marks.length).toBe(4 + 2 + 4 + 2 * 3); // onnxruntime, bf16, our float32, and the legend
  });

  it("judges the bars", () => {
    expect(met("int8: no shape slower than onnxruntime's")).toBe(true);
    expect(met("int8, geometric mean over onnxruntime's, 1 thread")).toBe(true);
    expect(met("the same on packed shapes, 1 thread")).toBe(false);
    expect(met("the same on packed shapes, 2 threads")).toBeUndefined();
    expect(met("int8, B ≥ 32, H ≥ 256")).toBe(false);
    expect(met("int8, batch 1, H ≥ 512")).toBe(true);
    expect(met("int8, stream.step at H 1024")).toBe(false);
    expect(met("int8: no shape slower than OpenVINO in bf16")).toBe(false);
    expect(int8Verdicts(record)).toEqual([]);
  });

  it("asks less of a processor without dot products", () => {
    const plain = { ...eighths, int8: { ...(eighths.int8 as NonNullable<RunRecord["int8"]>), isa: "avx2" } };
    expect(int8Verdicts(plain).map(({ met: is }) => is)).toEqual([true]);
  });
});
