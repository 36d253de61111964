// The event loop during a batch job: however slow the consumer, the features or the source's own work, and wherever the
// sequences come from, timers and I/O have their turn between items, and a signal stops the job within a batch.

import { readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { LSTM, type MapOptions, rand, type Tensor } from "../lib/index.js";
import { rejection } from "./support/expect-coded.js";

const lstm = new LSTM(2, 3);
const sequence = rand([2, 2]);
const count = 150;
const work = 2; // ms of the caller's own for each sequence, in which nothing else runs
const turnsWithin = 50; // ms

let sinceTick = 0; // sequences worked on since timers last ran: unlike time, not to be taken by other processes

function busy(): void {
  sinceTick++;
  const end = performance.now() + work;
  while (performance.now() < end);
}

type Source = Iterable<Tensor> | AsyncIterable<Tensor>;

function* generated(): Generator<Tensor> {
  for (let i = 0; i < count; i++) yield sequence;
}

async function* generatedAsync(): AsyncGenerator<Tensor> {
  yield* generated();
}

const sources: [string, () => Source][] = [
  ["an array", () => Array.from(generated())],
  ["a generator", generated],
  ["an async generator", generatedAsync],
  ["a Node stream", () => Readable.from(generated())],
  ["a web stream", () => Readable.toWeb(Readable.from(generated())) as unknown as AsyncIterable<Tensor>],
];

/** How many sequences at most were worked on between two turns of the timers, and how many reads of a file ended meanwhile. */
async function watched(job: () => Promise<void>): Promise<{ between: number; ticks: number; reads: number }> {
  const seen = { between: 0, ticks: 0, reads: 0 };
  sinceTick = 0;
  const tick = (): void => {
    seen.between = Math.max(seen.between, sinceTick);
    seen.ticks++;
    sinceTick = 0;
  };
  const timer = setInterval(tick, 1);
  let over = false;
  const reading = (async () => {
    for (; !over; seen.reads++) await readFile(fileURLToPath(import.meta.url));
  })();
  await job();
  const { reads } = seen;
  tick();
  over = true;
  clearInterval(timer);
  await reading;
  return { ...seen, reads };
}

const slowConsumer = (options: MapOptions<Tensor>) => async (source: Source) => {
  for await (const _ of lstm.map(source, options)) busy();
};

const features = (item: Tensor): Tensor => {
  busy();
  return item;
};

const slowFeatures = async (source: Source) => {
  for await (const _ of lstm.map(source, { features }));
};

describe("timers and I/O have their turn", () => {
  describe.each<[string, (source: Source) => Promise<void>]>([
    ["beside a slow consumer", slowConsumer({})],
    ["beside a slow consumer of small batches", slowConsumer({ maxBatchTokens: 50 })],
    ["with concurrency 1", slowConsumer({ concurrency: 1, maxBatchTokens: 200 })],
    ["beside slow features", slowFeatures],
  ])("%s", (_, job) => {
    it.each(sources)("%s", async (_name, source) => {
      const { between, ticks, reads } = await watched(() => job(source()));
      expect(between).toBeLessThanOrEqual(turnsWithin / work);
      expect(ticks).toBeGreaterThan((count * work) / turnsWithin);
      expect(reads).toBeGreaterThan(0);
    });
  });

  it("of several jobs side by side, as often as of one", async () => {
    const jobs = async () => {
      await Promise.all([1, 2, 3, 4].map(() => slowConsumer({})(generated())));
    };
    expect((await watched(jobs)).between).toBeLessThanOrEqual(turnsWithin / work);
  });
});

describe("a signal's timeout", () => {
  describe.each<[string, (source: Source, signal: AbortSignal) => Promise<void>]>([
    [
      "stops a job whose consumer is slow",
      async (source, signal) => {
        for await (const _ of lstm.map(source, { signal })) busy();
      },
    ],
    [
      "stops a job whose features are slow",
      async (source, signal) => {
        for await (const _ of lstm.map(source, { signal, features, concurrency: 1 }));
      },
    ],
  ])("%s", (_, job) => {
    it.each(sources)("%s", async (_name, source) => {
      sinceTick = 0; // nothing resets it here
      expect(await rejection(job(source(), AbortSignal.timeout(50)))).toMatchObject({ name: "TimeoutError" });
      expect(sinceTick).toBeLessThan(count / 2);
    });
  });

  it("while a batch fills from a source that never waits leaves nothing reading on, long before its end", async () => {
    let read = 0;
    function* long(): Generator<Tensor> {
      for (let i = 0; i < 10 * count; i++) {
        read++;
        busy();
        yield sequence;
      }
    }
    const results = lstm.map(long(), { signal: AbortSignal.timeout(30), maxBatchTokens: 2 ** 30 });
    expect(await rejection(results.next())).toMatchObject({ name: "TimeoutError" });
    const before = read;
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(read).toBe(before);
  });
});
