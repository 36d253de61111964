// Plans as the environment forces them and as the core tells them: who runs a pass, and what the model in
// native/rnn/plan.cc reckons that it takes.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { JobTask } from "./ab-job.js";

/** "groups,directions,splits". */
export type Team = string;

export interface ToldPlan {
  readonly team: Team;
  /** Reckoned, of the slowest team. */
  readonly cycles: number;
}

const line = /^packed-lstm: .*groups (\d+), directions (\d+), splits (\d+),.* cycles (\d+); [\d.]+ ms$/;

/** The plans of the passes that stderr tells of, in order. */
export function toldPlans(stderr: string): ToldPlan[] {
  return stderr.split("\n").flatMap((text) => {
    const found = line.exec(text);
    return found ? [{ team: found.slice(1, 4).join(","), cycles: Number(found[4]) }] : [];
  });
}

/** Every team of at most so many workers. */
export function teamsOf(threads: number): Team[] {
  const upTo = (most: number): number[] => Array.from({ length: most }, (_, i) => i + 1);
  return upTo(Math.min(2, threads)).flatMap((directions) =>
    upTo(Math.floor(threads / directions)).flatMap((groups) =>
      upTo(Math.floor(threads / (groups * directions))).map((splits) => `${groups},${directions},${splits}`),
    ),
  );
}

function run(mode: "tell" | "time", tasks: readonly JobTask[], env: Record<string, string>) {
  const job = fileURLToPath(new URL("./plan-job.js", import.meta.url));
  const { stdout, stderr, status } = spawnSync(process.execPath, [job, mode], {
    // What the core would plan on a machine at rest, also beside other work.
    env: { ...process.env, PACKED_LSTM_ALL_THREADS: "1", ...env },
    input: JSON.stringify(tasks),
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(`the process that runs the plans failed: ${stderr.trim()}`);
  return { stdout, stderr };
}

/** What the core plans for each task, or makes of a team it is told to take; a team it cannot take it does not. */
export function tellPlans(tasks: readonly JobTask[], team?: Team): ToldPlan[] {
  const forced = team === undefined ? {} : { PACKED_LSTM_PLAN: team };
  const plans = toldPlans(run("tell", tasks, { PACKED_LSTM_VERBOSE: "1", ...forced }).stderr);
  if (plans.length !== tasks.length) throw new Error(`${tasks.length} passes told ${plans.length} plans`);
  return plans;
}

/** The time of each task in milliseconds, by a team. */
export function timePlans(tasks: readonly JobTask[], team: Team): number[] {
  return JSON.parse(run("time", tasks, { PACKED_LSTM_PLAN: team }).stdout) as number[];
}
