// How far a command has come, on stderr: a bar on a terminal, a plain line now and then elsewhere, nothing when quiet.

export interface Progress {
  update(done: number): void;
  end(): void;
}

const lineEvery = 10_000; // ms

export async function startProgress(total: number, done: number, quiet: boolean): Promise<Progress> {
  if (quiet) return { update: () => undefined, end: () => undefined };
  if (process.stderr.isTTY) {
    const { default: cliProgress } = await import("cli-progress");
    const bar = new cliProgress.SingleBar({
      format: "{bar} {percentage}%  {value} of {total} sequences  {eta_formatted} left",
      barCompleteChar: "█",
      barIncompleteChar: "░",
      etaBuffer: 50,
    });
    bar.start(total, done);
    return { update: (value) => bar.update(value), end: () => bar.stop() };
  }
  const started = Date.now();
  let last = started;
  let value = done;
  const say = (): void => {
    const seconds = ((Date.now() - started) / 1000).toFixed();
    process.stderr.write(`${value} of ${total} sequences, ${seconds} s\n`);
  };
  return {
    update(now) {
      value = now;
      if (Date.now() - last < lineEvery) return;
      last = Date.now();
      say();
    },
    end: say,
  };
}
