// How far the benchmark is: a bar on a terminal, a line for every step anywhere else.

import { Presets, SingleBar } from "cli-progress";

export interface Progress {
  /** One more step is done; what it gave, in a line. */
  step(text: string): void;
  stop(): void;
}

export function startProgress(total: number): Progress {
  let done = 0;
  if (!process.stdout.isTTY) {
    const places = String(total).length;
    return {
      step: (text) => console.log(`[${String(++done).padStart(places)}/${total}] ${text}`),
      stop: () => undefined,
    };
  }
  const format = "{bar} {value}/{total} · {eta_formatted} left · {text}";
  const bar = new SingleBar({ format, hideCursor: true, barsize: 24, fps: 4 }, Presets.shades_classic);
  bar.start(total, 0, { text: "" });
  return {
    step: (text) => bar.update(++done, { text: text.slice(0, Math.max(10, (process.stdout.columns ?? 80) - 60)) }),
    stop: () => bar.stop(),
  };
}
