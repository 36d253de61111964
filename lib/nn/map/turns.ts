// The event loop's turns during a batch job. Where every promise is settled already, `await` comes back before timers, I/O
// and signals get to run, for as long as there is work; so the job itself asks, between items, whether a turn is due.
// One clock for the process: ten jobs side by side give as many turns as one.

import { setImmediate } from "node:timers";

/** How long, in ms, work goes on before the loop has a turn. A turn costs some microseconds. */
const longest = 5;

let lastTurn = performance.now();
let coming: Promise<void> | undefined;

/** Whether timers and I/O have waited long enough. */
export function turnIsDue(): boolean {
  return performance.now() - lastTurn >= longest;
}

/** Resolves when the event loop has been round: timers that were due have run, and what arrived has been told. */
export function turn(): Promise<void> {
  coming ??= new Promise((resolve) => {
    setImmediate(() => {
      coming = undefined;
      lastTurn = performance.now();
      resolve();
    });
  });
  return coming;
}
