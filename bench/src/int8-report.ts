// What a record says of weights of 8 bits: the rows of its table, the means, and whether the bars are met. What is
// measured is in int8.ts.

import { gflops, type Int8Outcome, peerTitles, type RunRecord, ratioTo } from "./record.js";
import { byShape, digits, peerNames } from "./report.js";
import { sizesOf } from "./shapes.js";
import { geometricMean } from "./statistics.js";
import { atLeast, single, times, type Verdict } from "./targets.js";

const counted = (threads: number): string => `${threads} ${threads === 1 ? "thread" : "threads"}`;

export function int8Outcomes({ int8 }: RunRecord): readonly Int8Outcome[] {
  return int8?.outcomes ?? [];
}

/** Our own float32 time over that with int8 weights. */
export function overFloat32({ float32, ours }: Int8Outcome): number {
  return float32.median / ours.median;
}

function peak({ int8 }: RunRecord, threads: number): number {
  return int8?.peaks.find((of) => of.threads === threads)?.operations ?? Number.NaN;
}

/** A head, and one row a shape, its figures for each thread count. */
export function int8Rows(record: RunRecord): string[][] {
  const outcomes = int8Outcomes(record);
  if (outcomes.length === 0) return [];
  const peers = peerNames(outcomes);
  const head = [
    "T, B, I, H, layers, directions",
    "workload",
    "int8, ms",
    "GOP/s",
    "of the int8 peak",
    "our float32, ×",
  ];
  const rows = byShape(outcomes).map((group) => {
    const [{ shape }] = group as [Int8Outcome];
    const cell = (what: (outcome: Int8Outcome) => string): string => group.map(what).join(" / ");
    return [
      ...[sizesOf(shape).replaceAll(",", ", "), shape.workload, cell(({ ours }) => digits(ours.median))],
      cell((outcome) => digits(gflops(outcome))),
      cell((outcome) => {
        const share = (1e9 * gflops(outcome)) / peak(record, outcome.threads);
        return Number.isNaN(share) ? "–" : `${(100 * share).toFixed(0)}%`;
      }),
      cell((outcome) => digits(overFloat32(outcome))),
      ...peers.map((peer) => cell((outcome) => digits(ratioTo(outcome, peer)))),
    ];
  });
  return [[...head, ...peers.map((peer) => `${peerTitles[peer] ?? peer}, ×`)], ...rows];
}

/** What × and the peak are. */
export function int8Caption({ int8 }: RunRecord): string {
  const peaks = (int8?.peaks ?? []).map(({ threads, operations }) => {
    return `${(operations / 1e9).toFixed(0)} GOP/s on ${counted(threads)}`;
  });
  return `× is a time over our int8's; the measured int8 peak (${int8?.isa}) is ${peaks.join(", ")}`;
}

/** The geometric mean of each peer's time over ours, streams apart. */
export function int8Means(record: RunRecord): string[] {
  const outcomes = int8Outcomes(record);
  const threadCounts = [...new Set(outcomes.map(({ threads }) => threads))];
  const mean = (of: readonly Int8Outcome[], figure: (outcome: Int8Outcome) => number): string => {
    const values = of.map(figure).filter((value) => !Number.isNaN(value));
    return values.length === 0 ? "–" : times(geometricMean(values));
  };
  const over = (figure: (outcome: Int8Outcome) => number): string =>
    threadCounts
      .map((threads) =>
        mean(
          outcomes.filter((o) => o.threads === threads && !o.shape.stepped),
          figure,
        ),
      )
      .join(" / ");
  if (outcomes.length === 0) return [];
  return [
    `our float32 ${over(overFloat32)}`,
    ...peerNames(outcomes).map((peer) => `${peerTitles[peer] ?? peer} ${over((o) => ratioTo(o, peer))}`),
  ];
}

/** Where a whole dot product is one instruction (VNNI, SDOT); AVX2 does it by products of 16 bits, with half the peak. */
function hasDots({ int8 }: RunRecord): boolean {
  return /vnni|dotprod/.test(int8?.isa ?? "");
}

function meanVerdict(target: string, wanted: number, outcomes: readonly Int8Outcome[]): Verdict {
  const ratios = outcomes.map((outcome) => ratioTo(outcome, "onnxruntime")).filter((ratio) => !Number.isNaN(ratio));
  const mean = geometricMean(ratios);
  return single(target, mean, mean >= wanted, `${times(mean)} over ${ratios.length} shapes`);
}

export function int8Verdicts(record: RunRecord): Verdict[] {
  const outcomes = int8Outcomes(record);
  if (outcomes.length === 0) return [];
  const large = outcomes.filter(({ shape }) => shape.batch >= 32 && shape.hiddenSize >= 256);
  if (!hasDots(record)) {
    return [
      atLeast("int8 without VNNI, B ≥ 32, H ≥ 256: 1.5× our own float32 or more", 1.5, large, overFloat32, times),
    ];
  }
  const toOrt = (outcome: Int8Outcome): number => ratioTo(outcome, "onnxruntime");
  const passes = outcomes.filter(({ shape }) => !shape.stepped);
  const one = outcomes.filter(({ shape }) => shape.batch === 1 && shape.hiddenSize >= 512);
  const steps = outcomes.filter(({ shape }) => shape.stepped && shape.hiddenSize === 1024);
  const threadCounts = [...new Set(outcomes.map(({ threads }) => threads))];
  return [
    atLeast("int8: no shape slower than onnxruntime's int8", 1, passes, toOrt, times),
    ...threadCounts.flatMap((threads) => {
      const on = passes.filter((outcome) => outcome.threads === threads);
      const lengths = on.filter(({ shape }) => shape.lengths);
      return [
        meanVerdict(`int8, geometric mean over onnxruntime's, ${counted(threads)}: 1.6× or more`, 1.6, on),
        meanVerdict(`the same on packed shapes, ${counted(threads)}: 2.5× or more`, 2.5, lengths),
      ];
    }),
    atLeast("int8, B ≥ 32, H ≥ 256: 2.5× our own float32 or more", 2.5, large, overFloat32, times),
    atLeast("int8, batch 1, H ≥ 512: 3× our own float32 or more", 3, one, overFloat32, times),
    atLeast("int8, stream.step at H 1024: no slower than onnxruntime's int8 step", 1, steps, toOrt, times),
    atLeast("int8: no shape slower than OpenVINO in bf16", 1, passes, (o) => ratioTo(o, "openvinoBf16"), times),
  ];
}
