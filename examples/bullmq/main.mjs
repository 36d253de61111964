// Runs the example: a Redis, a file of sequences, and one, then two workers over it, one thread each.
// Usage: node main.mjs [SEQUENCES]

import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeDataset } from "./dataset.mjs";
import { startRedis } from "./redis.mjs";
import { collect, startWorker, submit } from "./run.mjs";

const count = Number(process.argv[2] ?? 20_000);
const shardSize = 500;

for (const workers of [1, 2]) {
  const folder = mkdtempSync(join(tmpdir(), "packed-lstm-bullmq-"));
  const redis = await startRedis();
  try {
    makeDataset(folder, count);
    const running = await Promise.all(Array.from({ length: workers }, () => startWorker(redis.port, 1)));
    const started = performance.now();
    const job = await submit(redis.port, folder, count, shardSize);
    await job.finished;
    const seconds = (performance.now() - started) / 1000;
    collect(folder, count, job.shards.length, 128);
    console.log(
      `${workers} worker${workers === 1 ? " " : "s"}: ${count} sequences in ${job.shards.length} shards, ${seconds.toFixed(2)} s, ` +
        `${Math.round(count / seconds)} sequences/s`,
    );
    for (const worker of running) worker.kill("SIGTERM");
    await Promise.all(running.map((worker) => once(worker, "exit")));
    await job.close();
  } finally {
    await redis.stop();
    rmSync(folder, { recursive: true });
  }
}
