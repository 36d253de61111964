// The whole job: cuts the file into shards, puts them on the queue, and waits until each is done. Used by main.mjs and
// by the test.

import { fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Queue, QueueEvents } from "bullmq";
import { shardPath } from "./shard.mjs";

const workerFile = fileURLToPath(new URL("worker.mjs", import.meta.url));

/** A worker in a process of its own, ready for work. */
export async function startWorker(/** @type {number} */ port, /** @type {number} */ threads) {
  const worker = fork(workerFile, [String(port), String(threads)]);
  await once(worker, "message");
  return worker;
}

/** Puts every shard on the queue; `finished` resolves when all are done, and rejects when one fails for good. */
export async function submit(
  /** @type {number} */ port,
  /** @type {string} */ folder,
  /** @type {number} */ count,
  /** @type {number} */ size,
) {
  const connection = { host: "127.0.0.1", port, maxRetriesPerRequest: null };
  const queue = new Queue("lstm", { connection });
  const events = new QueueEvents("lstm", { connection });
  await events.waitUntilReady();
  const shards = Array.from({ length: Math.ceil(count / size) }, (_, shard) => {
    return { folder, shard, from: shard * size, to: Math.min((shard + 1) * size, count) };
  });
  /** @type {Map<string, { done: number, worker: number }>} */
  const outcomes = new Map();
  const finished = new Promise((resolve, reject) => {
    events.on("completed", ({ jobId, returnvalue }) => {
      outcomes.set(jobId, typeof returnvalue === "string" ? JSON.parse(returnvalue) : returnvalue);
      if (outcomes.size === shards.length) resolve([...outcomes.values()]);
    });
    events.on("failed", ({ jobId, failedReason }) => reject(new Error(`${jobId}: ${failedReason}`)));
  });
  finished.catch(() => undefined);
  await queue.addBulk(
    shards.map((data) => {
      // The id makes submitting twice harmless, too.
      return { name: "shard", data, opts: { jobId: `shard-${data.shard}`, attempts: 100 } };
    }),
  );
  return {
    shards,
    finished,
    completed: () => outcomes.size,
    async close() {
      await events.close();
      await queue.close();
    },
  };
}

/** All results by number of sequence; throws when one is missing or there twice. */
export function collect(
  /** @type {string} */ folder,
  /** @type {number} */ count,
  /** @type {number} */ shards,
  /** @type {number} */ width,
) {
  /** @type {(Float32Array | undefined)[]} */
  const results = new Array(count).fill(undefined);
  const record = 4 + 4 * width;
  for (let shard = 0; shard < shards; shard++) {
    const bytes = readFileSync(shardPath(folder, shard));
    for (let at = 0; at < bytes.length; at += record) {
      const index = bytes.readInt32LE(at);
      if (results[index] !== undefined) throw new Error(`sequence ${index} is there twice`);
      results[index] = new Float32Array(new Uint8Array(bytes.subarray(at + 4, at + record)).buffer);
    }
  }
  const missing = results.indexOf(undefined);
  if (missing >= 0) throw new Error(`sequence ${missing} is missing`);
  return results;
}
