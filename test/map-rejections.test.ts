// No promise of a batch job may reject with nobody to hear it: in Node that ends the process. Each case lets something fail
// while the job looks elsewhere, and watches the process itself, rather than trust the test runner to.

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { LSTM, rand, type Tensor } from "../lib/index.js";

const unheard: unknown[] = [];
const hear = (reason: unknown): void => {
  unheard.push(reason);
};

beforeAll(() => {
  process.on("unhandledRejection", hear);
});
afterAll(() => {
  process.off("unhandledRejection", hear);
});
beforeEach(() => {
  unheard.length = 0;
});

const slow = new LSTM(64, 512);
const [short, long] = [rand([1, 64]), rand([4000, 64])];
const item = rand([2, 64]);

/** A source of four sequences that then waits until `fail` is called, whatever becomes of the job. */
function failing() {
  let fail = (): void => undefined;
  const trouble = new Promise<never>((_, reject) => {
    fail = () => reject(new Error("too late"));
  });
  trouble.catch(() => undefined); // it may never be asked for; what the job makes of it is what is watched
  let asked = 0;
  const source: AsyncIterable<Tensor> = {
    [Symbol.asyncIterator]: () => ({
      next: () => (asked++ < 4 ? Promise.resolve({ done: false, value: item }) : trouble),
      return: () => Promise.reject(new Error("cannot close")),
    }),
  };
  return { source, fail: () => fail() };
}

describe("nothing is left unheard", () => {
  it("of passes that are stopped while the caller has an earlier result in hand", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const results = slow.map([short, long, long, long], { maxBatchTokens: 1, concurrency: 4, signal });
    await results.next();
    controller.abort(new Error("enough"));
    await sleep(200); // the passes are stopped now, and it is only at the next result that the job looks at them
    expect(unheard).toEqual([]);
    await expect(results.next()).rejects.toThrow("enough");
    await sleep(20);
    expect(unheard).toEqual([]);
  });

  it("of a pass that could not begin, the model being gone", async () => {
    const model = new LSTM(64, 8);
    function* source(): Generator<Tensor> {
      yield item;
      yield item;
      model.dispose();
      for (let i = 0; i < 4; i++) yield item;
    }
    const results = model.map(source(), { maxBatchTokens: 2, concurrency: 4 });
    await results.next();
    await sleep(50);
    expect(unheard).toEqual([]);
    await results.return();
    await sleep(20);
    expect(unheard).toEqual([]);
  });

  it("of a source that fails while it is not asked, after the loop was left", async () => {
    const { source, fail } = failing();
    const results = slow.map(source, { maxBatchTokens: 4 });
    await results.next();
    await results.return();
    fail();
    await sleep(20);
    expect(unheard).toEqual([]);
  });

  it("of a source that fails between two results", async () => {
    const { source, fail } = failing();
    const results = slow.map(source, { maxBatchTokens: 2, concurrency: 8 });
    await results.next();
    fail();
    await sleep(50);
    expect(unheard).toEqual([]);
    for (let i = 1; i < 4; i++) await results.next();
    await expect(results.next()).rejects.toThrow("too late");
    expect(unheard).toEqual([]);
  });

  it("of features that fail after an abort", async () => {
    const controller = new AbortController();
    let fail = (_: Error): void => undefined;
    const features = (_: number, index: number): Tensor | Promise<Tensor> =>
      index === 0
        ? item
        : new Promise<Tensor>((_, reject) => {
            fail = reject;
          });
    const results = slow.map([0, 1], { features, maxBatchTokens: 2, signal: controller.signal });
    await results.next();
    controller.abort(new Error("enough"));
    await expect(results.next()).rejects.toThrow("enough");
    fail(new Error("too late"));
    await sleep(20);
    expect(unheard).toEqual([]);
  });
});
