// How far the work is: a bar on a terminal, a plain line per quarter anywhere else.

import { Presets, SingleBar } from "cli-progress";

export interface Progress {
  update(done: number): void;
  stop(): void;
}

export function startProgress(label: string, total: number): Progress {
  return process.stdout.isTTY ? bar(label, total) : lines(label, total);
}

function bar(label: string, total: number): Progress {
  const format = `${label} {bar} {percentage}% · {value} of {total} words`;
  const shown = new SingleBar(
    { format, stream: process.stdout, hideCursor: true, barsize: 32 },
    Presets.shades_classic,
  );
  shown.start(total, 0);
  return { update: (done) => shown.update(done), stop: () => shown.stop() };
}

function lines(label: string, total: number): Progress {
  let quarter = 0;
  return {
    update(done) {
      const reached = Math.floor((4 * done) / total);
      if (reached > quarter) console.log(`${label} ${Math.round((100 * done) / total)}% · ${done} of ${total} words`);
      quarter = Math.max(quarter, reached);
    },
    stop() {},
  };
}
