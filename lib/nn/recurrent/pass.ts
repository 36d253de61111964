// One pass of the addon by name: the only place that knows the order of its arguments. It judges nothing.

import type { FloatArray, JobDone, NativeJob, NativeRecurrent } from "../../../binding.js";

/**
 * T steps of B sequences. Rows lie dense (`batchFirst` or not), packed (`batchSizes`, `sortedIndices`), or joined: one
 * sequence after another, of `lengths`, `steps` being the longest and `batchFirst` true.
 */
export interface Pass {
  readonly input: FloatArray;
  /** Written. */
  readonly output: FloatArray;
  /** Null for zeros. */
  readonly h0: FloatArray | null;
  readonly c0: FloatArray | null;
  /** Written. */
  readonly hn: FloatArray;
  /** Written; null where there is no c. */
  readonly cn: FloatArray | null;
  readonly steps: number;
  readonly batch: number;
  readonly batchFirst: boolean;
  readonly batchSizes: Int32Array | null;
  readonly sortedIndices: Int32Array | null;
  readonly lengths: Int32Array | null;
}

/** Runs a pass to its end. Spelled out, as below, since a list to spread would be one more allocation a step. */
export function runPass(addon: NativeRecurrent, pass: Pass): void {
  addon.forward(
    pass.input,
    pass.output,
    pass.h0,
    pass.c0,
    pass.hn,
    pass.cn,
    pass.steps,
    pass.batch,
    pass.batchFirst,
    pass.batchSizes,
    pass.sortedIndices,
    pass.lengths,
  );
}

/** Starts a pass on other threads. */
export function startPass(addon: NativeRecurrent, pass: Pass, done: JobDone): NativeJob {
  return addon.forwardAsync(
    pass.input,
    pass.output,
    pass.h0,
    pass.c0,
    pass.hn,
    pass.cn,
    pass.steps,
    pass.batch,
    pass.batchFirst,
    pass.batchSizes,
    pass.sortedIndices,
    pass.lengths,
    done,
  );
}
