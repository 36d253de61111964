// `npm run demo:stream [-- STREAMS SECONDS]`: live sources at 100 frames a second, all on one model in one process, and
// how long their frames waited.

import { getNumThreads, runtimeInfo } from "packed-lstm";
import { percentile, serve } from "./server.js";

const [streams = 1000, seconds = 10] = process.argv.slice(2).map(Number);
const shares = [0.5, 0.9, 0.99, 1];

function line(label: string, values: Float64Array): void {
  const columns = shares.map((share) => `${percentile(values, share).toFixed(2).padStart(8)}`);
  console.log(`${label.padEnd(42)}${columns.join("")}`);
}

await serve({ streams, seconds: 1, meanFrames: 200 }); // so that what is measured is compiled
const report = await serve({ streams, seconds, meanFrames: 200 });
const perSecond = Math.round(report.frames / seconds).toLocaleString("en-US");
console.log(
  `${streams} streams of 100 frames a second for ${seconds} s; ${runtimeInfo().isa}, ${getNumThreads()} threads`,
);
console.log(`${perSecond} frames a second in ${report.steps} batches; ${report.left} sources left and others joined`);
console.log(`computing for ${(100 * report.busy).toFixed(0)}% of the time\n`);
console.log(`${"ms".padEnd(42)}     p50     p90     p99     max`);
line("from a frame's arrival to its scores", report.latencies);
line("of which the models, for the whole batch", report.work);
