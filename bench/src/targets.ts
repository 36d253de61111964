// What the package sets out to reach, each target judged on a record: met or missed, with the figure, and every shape that
// is slower than its best peer by name. A target whose shapes were not run says so and is neither.

import {
  bandwidthShare,
  bestPeer,
  type Outcome,
  peakShare,
  type RunRecord,
  ratioTo,
  sameShape,
  scaling,
} from "./record.js";
import { type Shape, sizesOf } from "./shapes.js";
import { geometricMean } from "./statistics.js";

export interface Verdict {
  readonly target: string;
  readonly met: boolean | undefined;
  readonly figure: string;
  /** What falls short, one line each. */
  readonly short: readonly string[];
}

const counted = (threads: number): string => `${threads} ${threads === 1 ? "thread" : "threads"}`;
const times = (value: number): string => `${value.toFixed(2)}×`;
const percent = (share: number): string => `${(100 * share).toFixed(0)}%`;
const named = ({ shape, threads }: Outcome): string => `${sizesOf(shape)} (${shape.workload}), ${counted(threads)}`;

/** Whether all of some figures reach a floor; the figure shown is the lowest. */
function atLeast(
  target: string,
  floor: number,
  outcomes: readonly Outcome[],
  figureOf: (outcome: Outcome) => number,
  show: (value: number) => string,
): Verdict {
  const all = outcomes
    .map((outcome) => ({ outcome, value: figureOf(outcome) }))
    .filter(({ value }) => !Number.isNaN(value));
  if (all.length === 0) return { target, met: undefined, figure: "not measured", short: [] };
  const low = all.filter(({ value }) => value < floor).sort((a, b) => a.value - b.value);
  const lowest = Math.min(...all.map(({ value }) => value));
  return {
    target,
    met: low.length === 0,
    figure: `${all.length - low.length} of ${all.length}; lowest ${show(lowest)}`,
    short: low.map(({ outcome, value }) => `${named(outcome)}: ${show(value)}`),
  };
}

function single(target: string, value: number, met: boolean, figure: string): Verdict {
  return {
    target,
    met: Number.isNaN(value) ? undefined : met,
    figure: Number.isNaN(value) ? "not measured" : figure,
    short: [],
  };
}

/** The geometric mean of the best peer's time over ours on dense float32 shapes, and over how many. */
export function denseMean(record: RunRecord, threads: number): { readonly mean: number; readonly shapes: number } {
  const ratios = record.outcomes
    .filter(({ shape, threads: t }) => t === threads && !shape.lengths && shape.dtype === "float32")
    .flatMap((outcome) => bestPeer(outcome)?.ratio ?? []);
  return { mean: geometricMean(ratios), shapes: ratios.length };
}

function parallel({ batch, layers, directions }: Shape): number {
  return batch * layers * directions;
}

export function verdicts(record: RunRecord): Verdict[] {
  const float = record.outcomes.filter(({ shape }) => shape.dtype === "float32");
  const on = (threads: number): Outcome[] => float.filter((outcome) => outcome.threads === threads);
  const best = (outcome: Outcome): number => bestPeer(outcome)?.ratio ?? Number.NaN;
  const sized = (sizes: string): Outcome[] => on(2).filter(({ shape }) => sizesOf(shape) === sizes);
  const large = ({ shape }: Outcome): boolean => shape.batch >= 64 && shape.hiddenSize >= 256 && !shape.lengths;
  const step = on(1).filter(({ shape }) => shape.steps === 1 && shape.hiddenSize === 64);
  const scaled = (outcome: Outcome): number => scaling(record, outcome.shape);
  const one = denseMean(record, 1);
  const two = denseMean(record, 2);
  const { calls, growth } = record;
  const workspace = growth ? growth.memory.map(({ peakOver, data }) => Math.max(0, peakOver - data) / 2 ** 20) : [];
  return [
    atLeast("no float32 shape slower than the best peer, 1 and 2 threads", 1, float, best, times),
    single(
      "geometric mean over dense shapes against the best peer, 1 thread",
      one.mean,
      one.mean >= 1,
      `${times(one.mean)} over ${one.shapes} shapes`,
    ),
    single(
      "the same on 2 threads: 1.6× or more",
      two.mean,
      two.mean >= 1.6,
      `${times(two.mean)} over ${two.shapes} shapes`,
    ),
    atLeast(
      "packed shapes 3× onnxruntime-node or more",
      3,
      float.filter(({ shape }) => shape.lengths),
      (o) => ratioTo(o, "onnxruntime"),
      times,
    ),
    atLeast("150,16,3,64,1,1 on 2 threads: 2.2× the best peer or more", 2.2, sized("150,16,3,64,1,1"), best, times),
    atLeast("150,16,3,64,2,2 on 2 threads: 3× the best peer or more", 3, sized("150,16,3,64,2,2"), best, times),
    atLeast(
      "B ≥ 64, H ≥ 256: 93% of the FMA peak or more, 1 thread",
      0.93,
      on(1).filter(large),
      (o) => peakShare(record, o),
      percent,
    ),
    atLeast("the same on 2 threads: 90% or more", 0.9, on(2).filter(large), (o) => peakShare(record, o), percent),
    atLeast(
      "2 threads over 1, B ≥ 12: 1.85× or more",
      1.85,
      on(2).filter(({ shape }) => shape.batch >= 12),
      scaled,
      times,
    ),
    atLeast(
      "2 threads over 1, more than one sequence, direction or layer: 1.5× or more",
      1.5,
      on(2).filter(({ shape }) => shape.steps > 1 && parallel(shape) > 1),
      scaled,
      times,
    ),
    atLeast(
      "batch 1, H ≥ 512: 90% of the measured cache bandwidth or more",
      0.9,
      float.filter(({ shape }) => shape.batch === 1 && shape.hiddenSize >= 512),
      (o) => bandwidthShare(record, o),
      percent,
    ),
    atLeast(
      "one step from JavaScript, 64 → 64: 8× onnxruntime-node or more",
      8,
      step,
      (o) => ratioTo(o, "onnxruntime"),
      times,
    ),
    ...step.map(({ ours }) =>
      single(
        "one step from JavaScript, 64 → 64: 3 µs or less",
        ours.median,
        ours.median <= 0.003,
        `${(1000 * ours.median).toFixed(2)} µs`,
      ),
    ),
    ...(calls
      ? [
          single(
            "async over sync: 30 µs or less at the median",
            calls.addedMicroseconds,
            calls.addedMicroseconds <= 30,
            `${calls.addedMicroseconds.toFixed(1)} µs`,
          ),
          single(
            "a call holds the event loop for 1 ms at most",
            calls.heldMax,
            calls.heldMax <= 1,
            `the call itself ${calls.heldMedian.toFixed(2)} ms at the median, ${calls.heldMax.toFixed(2)} ms at most; the loop late by ${calls.loopDelayMax.toFixed(2)} ms at most, ${calls.loopDelayIdle.toFixed(2)} ms with nothing running`,
          ),
        ]
      : []),
    ...(workspace.length > 0
      ? [
          single(
            "workspace of a packed job does not grow with T: within 8 MiB",
            1,
            Math.max(...workspace) <= 8,
            `${workspace.map((mib) => mib.toFixed(1)).join(", ")} MiB above the data at ${growth?.memory.map(({ longest }) => longest).join(", ")} steps`,
          ),
        ]
      : []),
  ];
}

export function findOutcome(record: RunRecord, shape: Shape, threads: number): Outcome | undefined {
  return record.outcomes.find((outcome) => outcome.threads === threads && sameShape(outcome.shape, shape));
}
