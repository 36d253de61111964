// What this machine can do at most, measured by the addon: the two lines of a roofline. No model, no tensor; what a
// model reaches of it is for whoever asks to work out.

import type { RecurrentConfig } from "../../binding.js";
import { native } from "../native.js";

/** The roof over a number of threads, in one dtype, in the instruction set in use. */
export interface Roofline {
  readonly dtype: RecurrentConfig["dtype"];
  readonly threads: number;
  /** Floating-point operations a second, by fused multiply-adds in registers alone. */
  readonly flops: number;
  /** Bytes a second that all threads together read in order, each from a buffer of its own of `bytes`, ascending. */
  readonly reads: readonly { readonly bytes: number; readonly rate: number }[];
}

export interface RooflineOptions {
  readonly dtype?: RecurrentConfig["dtype"];
  /** Sizes of the buffers to read, in bytes; by default from 16 KiB to 256 MiB, each twice the one before. */
  readonly sizes?: readonly number[];
  /** How long one block lasts, and how many there are of each kind; the fastest counts. */
  readonly milliseconds?: number;
  readonly blocks?: number;
}

const defaultSizes = Array.from({ length: 15 }, (_, i) => 2 ** (14 + i));

/** Measures the roof over the threads that compute now (setNumThreads). Blocks for about a second by default. */
export function measureRoofline(options: RooflineOptions = {}): Roofline {
  const { dtype = "float32", sizes = defaultSizes, milliseconds = 10, blocks = 4 } = options;
  const best = (bytes: number): number =>
    Math.max(...Array.from({ length: blocks }, () => native.probe(dtype, bytes, milliseconds)));
  return {
    dtype,
    threads: native.getNumThreads(),
    flops: best(0),
    reads: sizes.toSorted((a, b) => a - b).map((bytes) => ({ bytes, rate: best(bytes) })),
  };
}

/** Bytes a second that a thread's working set of `bytes` can be read at: between two measured sizes, by their logarithms. */
export function readRate({ reads }: Roofline, bytes: number): number {
  const upper = reads.findIndex((read) => read.bytes >= bytes);
  if (upper < 0) return reads.at(-1)?.rate ?? Number.NaN;
  const [above, below] = [reads[upper], reads[upper - 1]];
  if (!above || !below) return above?.rate ?? Number.NaN;
  const share = Math.log(bytes / below.bytes) / Math.log(above.bytes / below.bytes);
  return below.rate * (above.rate / below.rate) ** share;
}
