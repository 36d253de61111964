// What a call costs from JavaScript besides the computing: what forwardAsync adds to forward, how long it holds the caller,
// and how late the event loop gets while it computes.

import { randomFill, randomFillSync } from "node:crypto";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { promisify } from "node:util";
import { LSTM, randn, setNumThreads } from "packed-lstm";
import { rest } from "./measure.js";
import type { Calls } from "./record.js";
import { medianOf } from "./statistics.js";

const fill = promisify<Uint8Array, Uint8Array>(randomFill);

async function timed(work: () => unknown): Promise<number> {
  const began = performance.now();
  const pending = work();
  if (pending instanceof Promise) await pending;
  return performance.now() - began;
}

/** The medians of the same work here and on another thread, turn about. */
async function turnAbout(runs: number, here: () => unknown, there: () => Promise<unknown>) {
  const samples: { sync: number; async: number }[] = [];
  for (let i = 0; i < runs; i++) {
    const sync = await timed(here);
    samples.push({ sync, async: await timed(there) });
  }
  const sync = medianOf(samples.map((sample) => sample.sync));
  const async = medianOf(samples.map((sample) => sample.async));
  return { sync, async, addedMicroseconds: 1000 * (async - sync) };
}

/**
 * On one thread, so that no more than the hand-over to the other thread and back is added. Node's own hand-over of as
 * long a piece of work tells what of that this machine asks of anybody.
 */
async function addedByAsync(
  runs: number,
): Promise<Pick<Calls, "sync" | "async" | "addedMicroseconds" | "nodeAddedMicroseconds">> {
  setNumThreads(1);
  using lstm = new LSTM(3, 64);
  const input = randn([150, 16, 3]);
  const forward = () => lstm.forward(input);
  const ours = await turnAbout(runs, forward, () => lstm.forwardAsync(input));
  const some = new Uint8Array(1 << 18);
  const perByte =
    (
      await turnAbout(
        9,
        () => randomFillSync(some),
        () => fill(some),
      )
    ).sync / some.length;
  const bytes = new Uint8Array(Math.max(1, Math.round(ours.sync / perByte)));
  const nodes = await turnAbout(
    runs,
    () => randomFillSync(bytes),
    () => fill(bytes),
  );
  return { ...ours, nodeAddedMicroseconds: nodes.addedMicroseconds };
}

/** The longest delay beyond the timer's own step of a millisecond, of a loop that does nothing but wait for `work`. */
async function loopDelay(work: () => Promise<unknown>): Promise<number> {
  const monitor = monitorEventLoopDelay({ resolution: 1 });
  monitor.enable();
  await work();
  monitor.disable();
  return Math.max(0, monitor.max / 1e6 - 1);
}

/** On one thread, so that a core is left for the event loop. */
async function heldByAsync(
  runs: number,
): Promise<Pick<Calls, "heldMedian" | "heldMax" | "loopDelayMax" | "loopDelayIdle">> {
  setNumThreads(1);
  using lstm = new LSTM(256, 256);
  const input = randn([50, 64, 256]);
  await lstm.forwardAsync(input);
  await rest();
  const held: number[] = [];
  const loopDelayMax = await loopDelay(async () => {
    for (let i = 0; i < runs; i++) {
      const began = performance.now();
      const pending = lstm.forwardAsync(input);
      held.push(performance.now() - began);
      await pending;
    }
  });
  const loopDelayIdle = await loopDelay(() => new Promise((resolve) => setTimeout(resolve, 10 * runs)));
  return { heldMedian: medianOf(held), heldMax: Math.max(...held), loopDelayMax, loopDelayIdle };
}

export async function measureCalls(quick: boolean): Promise<Calls> {
  const runs = quick ? 50 : 400;
  await addedByAsync(20);
  return { ...(await addedByAsync(runs)), ...(await heldByAsync(quick ? 10 : 50)) };
}
