// What a run leaves behind, as it stands in the JSON file, and every figure that follows from it. Tables, charts, the
// README and the targets are all made of this and of nothing else.

import type { Roofline } from "../../dist/runtime/roofline.js";
import { readRate } from "../../dist/runtime/roofline.js";
import type { Timing } from "./measure.js";
import { asLSTM, flopsOf, recurrentBytes, type Shape, weightTraffic, workingSet } from "./shapes.js";

export const peerTitles: Readonly<Record<string, string>> = {
  onnxruntime: "onnxruntime-node",
  torch: "PyTorch",
  openvino: "OpenVINO",
  openvinoBf16: "OpenVINO, bf16",
  tfjs: "TensorFlow.js, wasm",
};

/** One peer on one shape: its time and how far its numbers are from ours, or why there is neither. */
export type PeerOutcome =
  | { readonly timing: Timing; readonly difference: number }
  | { readonly failure: string }
  | { readonly unsupported: string };

/** One shape at one thread count. */
export interface Outcome {
  readonly shape: Shape;
  readonly threads: number;
  readonly ours: Timing;
  readonly peers: Readonly<Record<string, PeerOutcome>>;
}

/** What a call costs besides computing, in milliseconds unless it says otherwise. */
export interface Calls {
  /** Medians of forward and of an awaited forwardAsync, turn about, and of their difference in microseconds. */
  readonly sync: number;
  readonly async: number;
  readonly addedMicroseconds: number;
  /** What Node's own thread pool adds where it works as long: crypto.randomFill over randomFillSync, in microseconds. */
  readonly nodeAddedMicroseconds: number;
  /** How long forwardAsync itself holds the caller on a large shape (50,64,256,256,1,1): the median, and at most. */
  readonly heldMedian: number;
  readonly heldMax: number;
  /** The longest delay of the event loop while such passes run on one other thread. */
  readonly loopDelayMax: number;
  /** The same, with nothing running. */
  readonly loopDelayIdle: number;
}

/** Our own two times on one shape at one thread count, with weights stored in either type and the same results. */
export interface Float16Outcome {
  readonly shape: Shape;
  readonly threads: number;
  readonly float32: Timing;
  readonly float16: Timing;
}

/** A shape with int8 weights, its peers' too; and our own float32, turn about. */
export interface Int8Outcome extends Outcome {
  readonly float32: Timing;
}

/** Weights of 8 bits, which may have been measured in a run of their own. */
export interface Int8Section {
  readonly date: string;
  readonly isa: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly missing: Readonly<Record<string, string>>;
  /** Multiplications and additions of 8 bits a second, in registers alone. */
  readonly peaks: readonly { readonly threads: number; readonly operations: number }[];
  readonly outcomes: readonly Int8Outcome[];
}

/** A GRU's or an RNN's shape, also turn about with our own LSTM of the same sizes. */
export interface CellOutcome extends Outcome {
  readonly beside: { readonly own: Timing; readonly lstm: Timing };
}

/** Time against one size, the others fixed. */
export interface Sweep {
  readonly name: string;
  readonly unit: string;
  readonly threads: number;
  readonly points: readonly { readonly x: number; readonly ms: number }[];
}

/** The memory of a long packed job in a process of its own. Bytes. */
export interface MemoryUse {
  readonly sequences: number;
  readonly rows: number;
  readonly longest: number;
  readonly data: number;
  readonly peakOver: number;
}

export interface RunRecord {
  readonly date: string;
  readonly quick: boolean;
  readonly machine: {
    readonly model: string;
    readonly cores: number;
    readonly memory: number;
    readonly platform: string;
    readonly arch: string;
    /** Load averages before the first and after the last measurement. */
    readonly load: readonly (readonly number[])[];
    /** Data caches from the nearest on, in bytes; empty where the system does not tell. */
    readonly caches: readonly { readonly name: string; readonly bytes: number }[];
  };
  readonly isa: string;
  readonly compiler: string;
  readonly versions: Readonly<Record<string, string>>;
  /** The peers that could not be had, and why. */
  readonly missing: Readonly<Record<string, string>>;
  readonly roofs: readonly Roofline[];
  readonly outcomes: readonly Outcome[];
  readonly calls?: Calls;
  readonly float16?: readonly Float16Outcome[];
  readonly int8?: Int8Section;
  /** GRU and RNN, apart from `outcomes`, which are the LSTM's. */
  readonly cells?: readonly CellOutcome[];
  readonly growth?: { readonly sweeps: readonly Sweep[]; readonly memory: readonly MemoryUse[] };
}

export function gflops({ shape, ours }: Outcome): number {
  return flopsOf(shape) / ours.median / 1e6;
}

export function roofOf(record: RunRecord, { shape, threads }: Outcome): Roofline | undefined {
  return record.roofs.find((roof) => roof.threads === threads && roof.dtype === shape.dtype);
}

/** The share of the measured FMA peak, 0 to 1. */
export function peakShare(record: RunRecord, outcome: Outcome): number {
  return (1e9 * gflops(outcome)) / (roofOf(record, outcome)?.flops ?? Number.NaN);
}

/** The share of the bandwidth that the floor reckons with, for one sequence, whose steps each read all weights; otherwise NaN. */
export function bandwidthShare(record: RunRecord, outcome: Outcome): number {
  const { shape, threads, ours } = outcome;
  const roof = roofOf(record, outcome);
  if (!roof || shape.batch > 1 || shape.steps === 1) return Number.NaN;
  return weightTraffic(shape) / (ours.median / 1e3) / readRate(roof, recurrentBytes(shape) / threads / 2);
}

/** The nearest cache that holds what a thread reads each step, or "memory"; "?" where the caches are not known. */
export function levelOf({ machine }: RunRecord, { shape, threads }: Outcome): string {
  if (machine.caches.length === 0) return "?";
  const bytes = workingSet(shape, threads);
  return machine.caches.find((cache) => bytes <= cache.bytes)?.name ?? "memory";
}

/** A peer's time over ours, or NaN. */
export function ratioTo(outcome: Outcome, peer: string): number {
  const found = outcome.peers[peer];
  return found && "timing" in found ? found.timing.median / outcome.ours.median : Number.NaN;
}

/** The fastest peer's name and its time over ours; undefined where no peer was timed. */
export function bestPeer(outcome: Outcome): { readonly name: string; readonly ratio: number } | undefined {
  const all = Object.keys(outcome.peers).map((name) => ({ name, ratio: ratioTo(outcome, name) }));
  return all.filter(({ ratio }) => !Number.isNaN(ratio)).sort((a, b) => a.ratio - b.ratio)[0];
}

/** Every shape at every thread count that met the peers in float, of whatever cell. */
export function allOutcomes({ outcomes, cells = [] }: RunRecord): readonly Outcome[] {
  return [...outcomes, ...cells];
}

/** Our own float32 time over that with float16 weights. */
export function speedUp({ float32, float16 }: Float16Outcome): number {
  return float32.median / float16.median;
}

/** Our GFLOP/s over our LSTM's of the same sizes. */
export function lstmShare({ shape, beside: { own, lstm } }: CellOutcome): number {
  return (flopsOf(shape) / own.median) * (lstm.median / flopsOf(asLSTM(shape)));
}

/** The time on one thread over that on two, of the same shape; NaN where one of them was not run. */
export function scaling(record: RunRecord, shape: Shape): number {
  const time = (threads: number): number =>
    record.outcomes.find((o) => o.threads === threads && sameShape(o.shape, shape))?.ours.median ?? Number.NaN;
  return time(1) / time(2);
}

export function sameShape(a: Shape, b: Shape): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
