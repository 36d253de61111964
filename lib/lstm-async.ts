// One asynchronous pass: a promise around the addon's job, and the abort signal that may stop it. However many passes
// share a signal, it carries one listener of ours, and none when no pass is under way. What a call is, lstm-call knows.

import type { JobDone, NativeJob, NativeLSTM } from "../binding.js";
import { describe, typeError } from "./check.js";
import type { Call } from "./lstm-call.js";

/** The passes under way that each signal stops, and the listener that does it. */
interface Watch {
  readonly jobs: Set<NativeJob>;
  readonly stop: () => void;
}

const watches = new WeakMap<AbortSignal, Watch>();

/** @throws TypeError ERR_ARG_TYPE for what is no AbortSignal */
export function checkSignal(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (signal === undefined) return undefined;
  // By its shape: an AbortSignal may come from another realm or a polyfill.
  if (typeof signal?.aborted === "boolean" && typeof signal.addEventListener === "function") return signal;
  throw typeError("ERR_ARG_TYPE", "signal", "an AbortSignal", describe(signal));
}

/** Runs a call of an LSTM. Settles only when the addon writes no more, whether the pass ended or was stopped. */
export function runAsync(addon: NativeLSTM, call: Call, signal: AbortSignal | undefined): Promise<void> {
  return runJob(
    (done) =>
      addon.forwardAsync(
        call.input,
        call.output,
        call.h0,
        call.c0,
        call.hn,
        call.cn,
        call.steps,
        call.batch,
        call.batchFirst,
        call.batchSizes,
        call.sortedIndices,
        done,
      ),
    signal,
  );
}

/** A promise around any job of the addon; settles as `runAsync` does. */
export function runJob(start: (done: JobDone) => NativeJob, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const job: NativeJob = start((error, aborted) => {
      if (signal !== undefined) unwatch(signal, job);
      if (signal?.aborted) reject(signal.reason);
      else if (error !== null) reject(error);
      else if (aborted) reject(new Error("the pass was stopped"));
      else resolve();
    });
    if (signal !== undefined) watch(signal, job);
  });
}

function watch(signal: AbortSignal, job: NativeJob): void {
  const known = watches.get(signal);
  if (known !== undefined) {
    known.jobs.add(job);
    return;
  }
  const jobs = new Set([job]);
  const stop = (): void => {
    for (const each of jobs) each.abort();
  };
  watches.set(signal, { jobs, stop });
  signal.addEventListener("abort", stop, { once: true });
}

function unwatch(signal: AbortSignal, job: NativeJob): void {
  const known = watches.get(signal);
  if (known === undefined || !known.jobs.delete(job) || known.jobs.size > 0) return;
  watches.delete(signal);
  signal.removeEventListener("abort", known.stop);
}
