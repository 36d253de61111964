// How far a command has come, as a bar on a terminal, with its speed and the time that is left; nothing on a pipe, in a
// log, or when it is over before anyone looks.

import type { Options, Params } from "cli-progress";

export interface Progress {
  update(done: number): void;
  end(): void;
}

const silent: Progress = { update: () => undefined, end: () => undefined };
const showAfter = 500; // ms
const showEvery = 100;
const barWidth = 30;

function duration(seconds: number): string {
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}

/** The line for a number of sequences: of `total`, when that is known, and at `rate` a second. */
export function progressLine(value: number, total: number | undefined, rate: number): string {
  const speed = `${rate >= 10 ? Math.round(rate) : rate.toPrecision(2)} sequences/s`;
  if (total === undefined) return `${value} sequences  ${speed}`;
  const share = total === 0 ? 1 : value / total;
  const full = Math.floor(share * barWidth);
  const bar = "█".repeat(full) + "░".repeat(barWidth - full);
  const left = rate > 0 ? `  ETA ${duration((total - value) / rate)}` : "";
  return `${bar} ${Math.floor(100 * share)}%  ${value} of ${total} sequences  ${speed}${left}`;
}

/**
 * @param total how many there are; undefined when nobody knows
 * @param done how many were done before
 */
export async function startProgress(total: number | undefined, done: number, quiet: boolean): Promise<Progress> {
  if (quiet || !process.stderr.isTTY) return silent;
  const { default: cliProgress } = await import("cli-progress");
  const started = performance.now();
  const format = (_: Options, { value }: Params): string => {
    return progressLine(value, total, (1000 * (value - done)) / Math.max(performance.now() - started, 1));
  };
  const bar = new cliProgress.SingleBar({ format, hideCursor: true, gracefulExit: false, stream: process.stderr });
  let value = done;
  let shown = false;
  let last = started + showAfter - showEvery;
  return {
    update(now) {
      value = now;
      if (performance.now() - last < showEvery) return;
      last = performance.now();
      if (!shown) bar.start(total ?? now, now);
      shown = true;
      bar.update(now);
    },
    end() {
      if (!shown) return;
      bar.update(value);
      bar.stop();
    },
  };
}
