// What the package sets out to reach, each target judged on a record: met or missed, with the figure, and every shape that
// is slower than its best peer by name. A target whose shapes were not run says so and is neither.

import { floorShare } from "./floor.js";
import {
  allOutcomes,
  bandwidthShare,
  bestPeer,
  lstmShare,
  type Outcome,
  peakShare,
  type RunRecord,
  ratioTo,
  sameShape,
  scaling,
  speedUp,
} from "./record.js";
import { type Shape, sizesOf, titleOf } from "./shapes.js";
import { geometricMean } from "./statistics.js";

export interface Verdict {
  readonly target: string;
  readonly met: boolean | undefined;
  readonly figure: string;
  /** What falls short, one line each. */
  readonly short: readonly string[];
}

const counted = (threads: number): string => `${threads} ${threads === 1 ? "thread" : "threads"}`;
export const times = (value: number): string => `${value.toFixed(2)}×`;
const percent = (share: number): string => `${(100 * share).toFixed(0)}%`;
const named = ({ shape, threads }: Pick<Outcome, "shape" | "threads">): string =>
  `${titleOf(shape)} (${shape.workload}), ${counted(threads)}`;

/**
 * Whether all of some figures reach what they should; the figure shown is the lowest.
 * @param most what the figure would be, were nothing but the machine's measured limits in the way
 */
export function atLeast<O extends Pick<Outcome, "shape" | "threads">>(
  target: string,
  wanted: number,
  outcomes: readonly O[],
  figureOf: (outcome: O) => number,
  show: (value: number) => string,
  most?: (outcome: O) => number,
): Verdict {
  const all = outcomes
    .map((outcome) => ({ outcome, value: figureOf(outcome) }))
    .filter(({ value }) => !Number.isNaN(value));
  if (all.length === 0) return { target, met: undefined, figure: "not measured", short: [] };
  const low = all.filter(({ value }) => value < wanted).sort((a, b) => a.value - b.value);
  const lowest = Math.min(...all.map(({ value }) => value));
  return {
    target,
    met: low.length === 0,
    figure: `${all.length - low.length} of ${all.length}; lowest ${show(lowest)}`,
    short: low.map(({ outcome, value }) => {
      const limit = most?.(outcome) ?? Number.NaN;
      return `${named(outcome)}: ${show(value)}${Number.isNaN(limit) ? "" : `, at most ${show(limit)} by the machine's limits`}`;
    }),
  };
}

export function single(target: string, value: number, met: boolean, figure: string): Verdict {
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

function best(outcome: Outcome): number {
  return bestPeer(outcome)?.ratio ?? Number.NaN;
}

function cellVerdicts(record: RunRecord): Verdict[] {
  const { cells = [] } = record;
  if (cells.length === 0) return [];
  const gru = cells.filter(({ shape }) => shape.cell === "gru" && shape.batch >= 16 && shape.hiddenSize >= 128);
  return [
    atLeast(
      "no GRU or RNN shape slower than the best peer, 1 and 2 threads",
      1,
      cells,
      best,
      times,
      (outcome) => best(outcome) / floorShare(record, outcome),
    ),
    atLeast("GRU, B ≥ 16, H ≥ 128: 92% of our LSTM's GFLOP/s or more", 0.92, gru, lstmShare, percent),
  ];
}

const noise = 0.03; // of the measured limits: their best blocks differ by so much from run to run

/** Nobody is faster than what the machine can do: a figure above says that the model of the limit is wrong. */
function withinLimits(record: RunRecord): Verdict {
  const shares = allOutcomes(record)
    .flatMap((o) => [
      { o, share: floorShare(record, o) },
      { o, share: bandwidthShare(record, o) },
    ])
    .filter(({ share }) => !Number.isNaN(share));
  const above = shares.filter(({ share }) => share > 1 + noise);
  const highest = Math.max(...shares.map(({ share }) => share));
  return {
    ...single(
      `no figure above 100% of the machine's limits (${percent(noise)} are noise)`,
      shares.length > 0 ? highest : Number.NaN,
      above.length === 0,
      `highest ${percent(highest)}`,
    ),
    short: above.map(({ o, share }) => `${named(o)}: ${percent(share)}`),
  };
}

export function verdicts(record: RunRecord): Verdict[] {
  const float = record.outcomes.filter(({ shape }) => shape.dtype === "float32");
  const on = (threads: number): Outcome[] => float.filter((outcome) => outcome.threads === threads);
  const sized = (sizes: string): Outcome[] => on(2).filter(({ shape }) => sizesOf(shape) === sizes);
  const large = ({ shape }: Outcome): boolean => shape.batch >= 64 && shape.hiddenSize >= 256 && !shape.lengths;
  const step = on(1).filter(({ shape }) => shape.stepped && shape.hiddenSize === 64);
  const scaled = (outcome: Outcome): number => scaling(record, outcome.shape);
  /** A figure that grows as our time falls, at the floor of that time. */
  const atFloor = (figureOf: (outcome: Outcome) => number) => (outcome: Outcome) =>
    figureOf(outcome) / floorShare(record, outcome);
  const peak = (outcome: Outcome): number => peakShare(record, outcome);
  const toOrt = (outcome: Outcome): number => ratioTo(outcome, "onnxruntime");
  const one = denseMean(record, 1);
  const two = denseMean(record, 2);
  const { calls, growth } = record;
  const workspace = growth ? growth.memory.map(({ peakOver, data }) => Math.max(0, peakOver - data) / 2 ** 20) : [];
  return [
    atLeast("no float32 shape slower than the best peer, 1 and 2 threads", 1, float, best, times, atFloor(best)),
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
      toOrt,
      times,
      atFloor(toOrt),
    ),
    ...(
      [
        ["150,16,3,64,1,1", 2.2],
        ["150,16,3,64,2,2", 3],
      ] as const
    ).map(([sizes, wanted]) => {
      const target = `${sizes} on 2 threads: ${wanted}× the best peer or more`;
      return atLeast(target, wanted, sized(sizes), best, times, atFloor(best));
    }),
    atLeast(
      "B ≥ 64, H ≥ 256: 93% of the FMA peak or more, 1 thread",
      0.93,
      on(1).filter(large),
      peak,
      percent,
      atFloor(peak),
    ),
    atLeast("the same on 2 threads: 90% or more", 0.9, on(2).filter(large), peak, percent, atFloor(peak)),
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
      "batch 1, H ≥ 512: 90% of what the measured bandwidth, and peak for the projection, allow",
      0.9,
      float.filter(({ shape }) => shape.batch === 1 && shape.hiddenSize >= 512),
      (o) => floorShare(record, o),
      percent,
    ),
    withinLimits(record),
    atLeast("one step from JavaScript, 64 → 64: 8× onnxruntime-node or more", 8, step, toOrt, times),
    ...step.map(({ ours }) =>
      single(
        "one step from JavaScript, 64 → 64: 3 µs or less",
        ours.median,
        ours.median <= 0.003,
        `${(1000 * ours.median).toFixed(2)} µs`,
      ),
    ),
    atLeast(
      "float16 weights, batch 1, H ≥ 512: 1.7× our own float32 or more",
      1.7,
      (record.float16 ?? []).filter(({ shape }) => shape.batch === 1 && shape.hiddenSize >= 512),
      speedUp,
      times,
    ),
    ...(calls
      ? [
          single(
            "async over sync: 30 µs or less at the median",
            calls.addedMicroseconds,
            calls.addedMicroseconds <= 30,
            `${calls.addedMicroseconds.toFixed(1)} µs, where Node's own thread pool adds ${calls.nodeAddedMicroseconds.toFixed(1)}`,
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
    ...cellVerdicts(record),
  ];
}

export function findOutcome(record: RunRecord, shape: Shape, threads: number): Outcome | undefined {
  return record.outcomes.find((outcome) => outcome.threads === threads && sameShape(outcome.shape, shape));
}
