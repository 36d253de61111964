// Three workers; one is killed in the middle of a shard, one is told to stop in the middle of another. Every sequence must
// be there exactly once, with the bits that one machine computes.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { loadModel, makeDataset, readSequences } from "./dataset.mjs";
import { startRedis } from "./redis.mjs";
import { collect, startWorker, submit } from "./run.mjs";

const count = 12_000;

test("one worker killed, one stopped: every sequence once, the same bits", { timeout: 50_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "packed-lstm-bullmq-"));
  const redis = await startRedis();
  const [killed, stopped, left] = await Promise.all([1, 2, 3].map(() => startWorker(redis.port, 1)));
  t.after(async () => {
    left.kill("SIGKILL");
    await redis.stop();
    rmSync(folder, { recursive: true });
  });
  makeDataset(folder, count);
  const job = await submit(redis.port, folder, count, 400);

  /** In the middle of a shard is when its temporary file is there. */
  async function inTheMiddle(/** @type {import("node:child_process").ChildProcess} */ worker) {
    while (!readdirSync(folder).some((name) => name.endsWith(`.bin.${worker.pid}`))) await sleep(1);
  }
  while (job.completed() < 3) await sleep(1);
  await inTheMiddle(killed);
  killed.kill("SIGKILL");
  await inTheMiddle(stopped);
  stopped.kill("SIGTERM");
  const [[, signal], [code]] = await Promise.all([once(killed, "exit"), once(stopped, "exit")]);
  assert.equal(signal, "SIGKILL");
  assert.equal(code, 0);
  const early = job.completed();
  assert.ok(early < job.shards.length, "both ended while there was work left");

  const outcomes = await job.finished;
  assert.equal(
    outcomes.reduce((sum, { done }) => sum + done, 0),
    count,
  );
  const abandoned = readdirSync(folder).filter((name) => /\.bin\.\d+$/.test(name));
  assert.deepEqual(
    abandoned.map((name) => name.split(".").at(-1)),
    [String(killed.pid)],
    "only the killed one left a file",
  );
  const results = collect(folder, count, job.shards.length, 128);
  let next = 0;
  for await (const { output } of loadModel(folder).map(readSequences(folder, 0, count), { outputs: "last" })) {
    assert.deepEqual(results[next++], output.data);
  }
  assert.equal(next, count);
  t.diagnostic(`${early} of ${job.shards.length} shards were done when two of three workers had gone`);
  left.kill("SIGTERM");
  await once(left, "exit");
  await job.close();
});
