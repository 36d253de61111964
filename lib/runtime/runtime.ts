// The process-wide side of the addon: how many threads compute, and what it runs on. No model, no tensor.

import type { RuntimeInfo as NativeInfo } from "../../binding.js";
import { checkInt } from "../check.js";
import { native, version } from "../native.js";

/** What {@link runtimeInfo} gives. */
export interface RuntimeInfo extends NativeInfo {
  /** The version of packed-lstm. */
  version: string;
}

/** The largest number of threads that can be set. */
export const maxThreads = native.maxThreads;

/**
 * Sets how many threads compute, the calling one included, for the whole process. The results do not depend on it, to
 * the bit. The default is the environment's PACKED_LSTM_NUM_THREADS, or else the least of the processors
 * this process may run on, the CPU quota of its container, rounded up, and the physical cores.
 *
 * @param n from 1 to 1024
 * @throws TypeError ERR_ARG_TYPE, RangeError ERR_ARG_VALUE
 * @see https://docs.pytorch.org/docs/stable/generated/torch.set_num_threads.html
 * @example
 * ```ts
 * setNumThreads(1); // one thread, where requests are answered side by side in several processes
 * console.log(getNumThreads()); // → 1
 * ```
 */
export function setNumThreads(n: number): void {
  native.setNumThreads(checkInt("setNumThreads: n", n, { min: 1, max: maxThreads }));
}

/**
 * How many threads compute, the calling one included.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.get_num_threads.html
 * @example
 * ```ts
 * console.log(getNumThreads() >= 1); // → true
 * ```
 */
export function getNumThreads(): number {
  return native.getNumThreads();
}

/**
 * The instruction set in use and those this processor has, the threads and what their number follows from, the
 * compiler, the version.
 * @example
 * ```ts
 * const { isa, supportedIsas } = runtimeInfo();
 * console.log(supportedIsas.includes(isa)); // → true
 * ```
 */
export function runtimeInfo(): RuntimeInfo {
  return { version, ...native.runtimeInfo() };
}
