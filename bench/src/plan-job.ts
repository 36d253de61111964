// Passes whose plan the environment may force, in a process of its own: over the shapes that come on stdin either one
// pass each, of which PACKED_LSTM_VERBOSE tells the plan on stderr, or the time of each in milliseconds.

import { readFileSync } from "node:fs";
import type { JobTask } from "./ab-job.js";
import { measure } from "./measure.js";
import { makeOurs } from "./ours.js";
import { makeProblem } from "./problem.js";

const timed = process.argv[2] === "time";
const times: number[] = [];
for (const { shape, threads } of JSON.parse(readFileSync(0, "utf8")) as JobTask[]) {
  const problem = makeProblem(shape);
  const ours = makeOurs(problem, threads);
  if (timed) {
    const [timing] = await measure([ours], { runs: 5, seconds: 0.08 }, "alone");
    times.push(timing?.median ?? Number.NaN);
  } else {
    ours.run();
  }
  problem.module.dispose();
}
console.log(JSON.stringify(times));
