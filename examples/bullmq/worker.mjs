// A worker: takes shards off the queue until it is told to stop. SIGTERM, as Kubernetes sends it, gives the shard under
// way back to the queue at once; after a SIGKILL the queue notices that the lock is no longer renewed.
// Usage: node worker.mjs REDIS_PORT [THREADS]

import { Worker } from "bullmq";
import { setNumThreads } from "packed-lstm";
import { loadModel } from "./dataset.mjs";
import { runShard } from "./shard.mjs";

const [port, threads] = process.argv.slice(2).map(Number);
if (threads) setNumThreads(threads);

/** @type {Map<string, import("packed-lstm").LSTM>} */
const models = new Map();

const worker = new Worker(
  "lstm",
  async (job, _token, signal) => {
    const { folder } = job.data;
    const lstm = models.get(folder) ?? loadModel(folder);
    models.set(folder, lstm);
    const done = await runShard(lstm, job.data, signal);
    return { done, worker: process.pid };
  },
  {
    connection: { host: "127.0.0.1", port, maxRetriesPerRequest: null },
    lockDuration: 2000, // the pass is off the event loop, so the lock is renewed while it computes
    stalledInterval: 1000,
    maxStalledCount: 10,
  },
);

worker.on("error", (error) => console.error(`worker ${process.pid}: ${error.message}`));
await worker.waitUntilReady();
process.send?.("ready");

process.once("SIGTERM", async () => {
  worker.cancelAllJobs("stopping"); // the signal stops the core at its next step; the job goes to another worker
  await worker.close();
  process.exit(0);
});
