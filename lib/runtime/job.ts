// One asynchronous pass: a promise around the addon's job, and the abort signal that may stop it. However many passes
// share a signal, it carries one listener of ours, and none when no pass is under way.

import type { JobDone, NativeJob } from "../../binding.js";
import { describe, typeError } from "../check.js";

/** Options of the methods that compute off the event loop. */
export interface ForwardAsyncOptions {
  /** Stops the pass at its next timestep; the promise then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** The passes under way that each signal stops, and the listener that does it. */
interface Watch {
  readonly jobs: Set<NativeJob>;
  readonly stop: () => void;
}

const watches = new WeakMap<AbortSignal, Watch>();

/** @throws TypeError ERR_ARG_TYPE for what is no AbortSignal */
export function checkSignal(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (signal === undefined) return undefined;
  // By its shape, all of which is used: an AbortSignal may come from another realm or a polyfill.
  const fits =
    typeof signal?.aborted === "boolean" &&
    typeof signal.addEventListener === "function" &&
    typeof signal.removeEventListener === "function";
  if (fits) return signal;
  throw typeError("ERR_ARG_TYPE", "signal", "an AbortSignal", describe(signal));
}

/**
 * A promise around any job of the addon; settles only when the addon writes no more, whether the job ended or was stopped. What a signal that is not Node's own throws when it
 * is asked or told something is a rejection: before the job is started, or once it is over.
 */
export function runJob(start: (done: JobDone) => NativeJob, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const watched = signal === undefined ? undefined : watch(signal);
    let job: NativeJob | undefined;
    try {
      if (signal?.aborted) throw signal.reason; // since it was asked last, by its own addEventListener
      job = start((error, aborted) => {
        try {
          if (signal !== undefined) unwatch(signal, job as NativeJob);
          if (signal?.aborted) reject(signal.reason);
          else if (error !== null) reject(error);
          else if (aborted) reject(new Error("the pass was stopped"));
          else resolve();
        } catch (thrown) {
          reject(thrown);
        }
      });
      watched?.add(job);
    } finally {
      if (signal !== undefined && job === undefined) unwatch(signal);
    }
  });
}

/** The jobs that a signal stops; a job is to be added, or `unwatch` to be called. */
function watch(signal: AbortSignal): Set<NativeJob> {
  const known = watches.get(signal);
  if (known !== undefined) return known.jobs;
  const jobs = new Set<NativeJob>();
  const stop = (): void => {
    for (const each of jobs) each.abort();
  };
  watches.set(signal, { jobs, stop });
  try {
    signal.addEventListener("abort", stop, { once: true });
  } catch (thrown) {
    watches.delete(signal);
    throw thrown;
  }
  return jobs;
}

function unwatch(signal: AbortSignal, job?: NativeJob): void {
  const known = watches.get(signal);
  if (known === undefined) return;
  if (job !== undefined) known.jobs.delete(job);
  if (known.jobs.size > 0) return;
  watches.delete(signal);
  signal.removeEventListener("abort", known.stop);
}
