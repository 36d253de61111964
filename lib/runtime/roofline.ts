// What this machine can do at most, measured by the addon: the two lines of a roofline. No model, no tensor; what they
// leave for a pass is worked out in floor.ts.

import type { RecurrentConfig } from "../../binding.js";
import { native } from "../native.js";

/** The roof over a number of threads, in one dtype, in the instruction set in use. */
export interface Roofline {
  readonly dtype: RecurrentConfig["dtype"];
  readonly threads: number;
  /** Floating-point operations a second, by fused multiply-adds in registers alone. */
  readonly flops: number;
  /** Bytes a second that all threads together read, to and fro, each from a buffer of its own of `bytes`, ascending. */
  readonly reads: readonly { readonly bytes: number; readonly rate: number }[];
}

export interface RooflineOptions {
  readonly dtype?: RecurrentConfig["dtype"];
  /** Sizes of the buffers to read, in bytes; `defaultSizes` unless given. */
  readonly sizes?: readonly number[];
  /** How long one block lasts, and how many there are of each kind; the fastest counts. */
  readonly milliseconds?: number;
  readonly blocks?: number;
}

/** From 16 KiB to 256 MiB, each twice the one before. */
export const defaultSizes: readonly number[] = Array.from({ length: 15 }, (_, i) => 2 ** (14 + i));

// A shared cache learns what to keep: two times 16 MB, of 32, were read at 66 GB/s in blocks of 15 ms and at 100 in blocks
// of 60 and 200, and a model that runs for long has all of it.
const settles = 2 ** 21; // bytes; a block over a larger buffer lasts longer in proportion
const longest = 8; // times

/** Measures the roof over the threads that compute now (setNumThreads). Blocks for about two seconds by default. */
export function measureRoofline(options: RooflineOptions = {}): Roofline {
  const { dtype = "float32", sizes = defaultSizes, milliseconds = 10, blocks = 4 } = options;
  const best = (bytes: number): number => {
    const each = Math.round(milliseconds * Math.min(longest, Math.max(1, bytes / settles)));
    return Math.max(...Array.from({ length: blocks }, () => native.probe(dtype, bytes, each)));
  };
  return {
    dtype,
    threads: native.getNumThreads(),
    flops: best(0),
    reads: [...new Set(sizes)].sort((a, b) => a - b).map((bytes) => ({ bytes, rate: best(bytes) })),
  };
}

/** Multiplications and additions of 8 bits a second, in registers alone, by the kernels that int8 weights are taken by. */
export function measureInt8Peak({
  milliseconds = 10,
  blocks = 4,
}: Omit<RooflineOptions, "dtype" | "sizes"> = {}): number {
  return Math.max(...Array.from({ length: blocks }, () => native.probe("int8", 0, milliseconds)));
}

/** Of two measurements of the same roof the better figures: a limit is what was reached at any time. */
export function betterRoofline(one: Roofline, other: Roofline): Roofline {
  const again = new Map(other.reads.map(({ bytes, rate }) => [bytes, rate]));
  const reads = one.reads.map(({ bytes, rate }) => ({ bytes, rate: Math.max(rate, again.get(bytes) ?? 0) }));
  return { ...one, flops: Math.max(one.flops, other.flops), reads };
}

/**
 * Bytes a second that a thread's working set of `bytes` can be read at: between two measured sizes, by their logarithms, and
 * never less than what a larger one was read at.
 */
export function readRate({ reads }: Pick<Roofline, "reads">, bytes: number): number {
  const upper = reads.findIndex((read) => read.bytes >= bytes);
  if (upper < 0) return reads.at(-1)?.rate ?? Number.NaN;
  const most = Math.max(...reads.slice(upper).map(({ rate }) => rate));
  const [above, below] = [reads[upper], reads[upper - 1]];
  if (!above || !below) return most;
  const share = Math.log(bytes / below.bytes) / Math.log(above.bytes / below.bytes);
  return Math.max(most, below.rate * (above.rate / below.rate) ** share);
}
