// How a batch job ends before its time: left early, aborted, a bad item, a bad source, a model disposed of. Each time the
// source is closed, nothing goes on behind, no listener stays, and what came before was handed out.

import { getEventListeners } from "node:events";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { LSTM, type MapOptions, rand, Tensor } from "../lib/index.js";
import { checkCoded, expectCoded, rejection } from "./support/expect-coded.js";
import { detach } from "./support/odd-buffers.js";

const lstm = new LSTM(3, 5);
const any = (value: unknown): never => value as never;
const listeners = (signal: AbortSignal): number => getEventListeners(signal, "abort").length;

/** A source without end that tells what becomes of it. */
function endless(wait = false) {
  const state = { read: 0, closed: 0 };
  async function* waiting(): AsyncGenerator<Tensor> {
    try {
      for (;;) {
        await sleep(1);
        state.read++;
        yield rand([2, 3]);
      }
    } finally {
      state.closed++;
    }
  }
  function* at_once(): Generator<Tensor> {
    try {
      for (;;) {
        state.read++;
        yield rand([2, 3]);
      }
    } finally {
      state.closed++;
    }
  }
  return { state, source: wait ? waiting() : at_once() };
}

async function take(count: number, results: AsyncIterable<unknown>): Promise<number> {
  let taken = 0;
  for await (const _ of results) if (++taken === count) break;
  return taken;
}

describe("leaving the loop", () => {
  it.each([false, true])("closes the source and stops reading (a waiting one: %s)", async (wait) => {
    const { state, source } = endless(wait);
    expect(await take(5, lstm.map(source, { maxBatchTokens: 6 }))).toBe(5);
    if (!wait) expect(state.closed).toBe(1);
    const { read } = state;
    await sleep(20);
    expect(state.closed).toBe(1);
    expect(state.read).toBeLessThanOrEqual(read + 1);
  });

  it("by a signal that throws when it is let go of, once all that was under way has ended", async () => {
    const signal = {
      aborted: false,
      addEventListener: () => {},
      removeEventListener: () => {
        throw new Error("odd");
      },
    };
    let closed = false;
    function* source() {
      try {
        for (;;) yield rand([2, 3]);
      } finally {
        closed = true;
      }
    }
    const results = lstm.map(source(), { maxBatchTokens: 6, signal: signal as never });
    await results.next();
    await expect(results.return()).rejects.toThrow("odd");
    expect(closed).toBe(true);
  });

  it("gives up a pass that is being computed, rather than wait for it", async () => {
    const model = new LSTM(64, 512);
    const short = rand([1, 64]);
    const started = performance.now();
    const alone = model.forwardAsync(rand([4000, 64]));
    await alone;
    const whole = performance.now() - started;
    const again = performance.now();
    await take(
      1,
      model.map([short, ...Array.from({ length: 8 }, () => rand([4000, 64]))], { maxBatchTokens: 1, concurrency: 8 }),
    );
    expect(performance.now() - again).toBeLessThan(whole * 2);
  });

  it("destroys a stream that is waiting for data", async () => {
    const stream = new Readable({ objectMode: true, read: () => undefined });
    for (let i = 0; i < 4; i++) stream.push(rand([2, 3]));
    await take(2, lstm.map(stream, { maxBatchTokens: 4, concurrency: 3 }));
    expect(stream.destroyed).toBe(true);
  });

  it("is not held up by a source that never answers", async () => {
    let asked = 0;
    const source: AsyncIterable<Tensor> = {
      [Symbol.asyncIterator]: () => ({
        next: () =>
          asked++ < 4 ? Promise.resolve({ done: false, value: rand([2, 3]) }) : new Promise(() => undefined),
        return: () => new Promise(() => undefined),
      }),
    };
    expect(await take(2, lstm.map(source, { maxBatchTokens: 4 }))).toBe(2);
  });
});

describe("an abort", () => {
  it("before: rejects with the reason and does not open the source", async () => {
    const { state, source } = endless();
    const signal = AbortSignal.abort("not wanted");
    expect(await rejection(lstm.map(source, { signal }).next())).toBe("not wanted");
    expect(state).toEqual({ read: 0, closed: 0 });
  });

  it.each([false, true])("between results: throws the reason at the next one (a waiting source: %s)", async (wait) => {
    const { state, source } = endless(wait);
    const controller = new AbortController();
    const results = lstm.map(source, { maxBatchTokens: 6, signal: controller.signal });
    await results.next();
    const reason = new Error("enough");
    controller.abort(reason);
    expect(await rejection(results.next())).toBe(reason);
    await sleep(10);
    expect(state.closed).toBe(1);
    expect(await results.next()).toEqual({ done: true, value: undefined });
    expect(listeners(controller.signal)).toBe(0);
  });

  it("while computing: gives the pass up", async () => {
    const model = new LSTM(64, 512);
    const controller = new AbortController();
    const results = model.map([rand([20000, 64])], { signal: controller.signal });
    setTimeout(() => controller.abort("enough"), 5);
    const started = performance.now();
    expect(await rejection(results.next())).toBe("enough");
    expect(performance.now() - started).toBeLessThan(1000);
    expect(listeners(controller.signal)).toBe(0);
  });

  it("while a source keeps it waiting: does not wait", async () => {
    const controller = new AbortController();
    const stream = new Readable({ objectMode: true, read: () => undefined });
    const results = lstm.map(stream, { signal: controller.signal });
    setTimeout(() => controller.abort("enough"), 5);
    expect(await rejection(results.next())).toBe("enough");
    expect(stream.destroyed).toBe(true);
  });

  it("leaves no listener after a job that ran to its end, and holds one meanwhile", async () => {
    const { signal } = new AbortController();
    const results = lstm.map([rand([2, 3])], { signal });
    await results.next();
    expect(listeners(signal)).toBe(1);
    await results.next();
    expect(listeners(signal)).toBe(0);
  });
});

describe("a bad item", () => {
  const good = (): Tensor => rand([2, 3]);
  it.each<[string, () => unknown, string, string]>([
    ["no tensor", () => 7, "ERR_ARG_TYPE", "expected a tensor"],
    ["nothing", () => undefined, "ERR_ARG_TYPE", "undefined"],
    ["another width", () => rand([2, 4]), "ERR_SHAPE", "(T, 3)"],
    ["another rank", () => rand([2, 1, 3]), "ERR_SHAPE", "(2, 1, 3)"],
    ["no steps", () => new Tensor(new Float32Array(0), [0, 3]), "ERR_SHAPE", "(0, 3)"],
    ["another dtype", () => rand([2, 3], "float64"), "ERR_DTYPE", "float64"],
    [
      "a detached one",
      () => {
        const tensor = good();
        detach(tensor.data);
        return tensor;
      },
      "ERR_SHAPE",
      "detached",
    ],
  ])("%s is named by its index, after all before it", async (_, bad, code, piece) => {
    const { state, source } = endless();
    function* mixed(): Generator<Tensor> {
      let i = 0;
      for (const item of source as Generator<Tensor>) yield i++ === 7 ? any(bad()) : item;
    }
    for (const maxBatchTokens of [1, 5, 100]) {
      const seen: number[] = [];
      const job = async () => {
        for await (const { index } of lstm.map(mixed(), { maxBatchTokens })) seen.push(index);
      };
      if (state.closed > 0) break; // one source, one job
      const error = checkCoded(await rejection(job()), Error, "ERR_ITEM", "map: item 7: ");
      expect(error).toMatchObject({ index: 7, cause: { code } });
      expect(error.message).toContain(piece);
      expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6]);
      expect(state.closed).toBe(1);
    }
  });

  it.each<[string, MapOptions<number>["features"]]>([
    ["throws", (item) => (item === 2 ? fail() : good())],
    ["rejects", (item) => (item === 2 ? Promise.reject(new Error("no features")) : good())],
    ["gives no tensor", (item) => (item === 2 ? any("text") : good())],
  ])("is one at which features %s", async (_, features) => {
    const results = lstm.map([0, 1, 2, 3], { features: any(features) });
    expect((await results.next()).value).toMatchObject({ index: 0, item: 0 });
    expect((await results.next()).value).toMatchObject({ index: 1, item: 1 });
    checkCoded(await rejection(results.next()), Error, "ERR_ITEM", "map: item 2: ");
    expect(await results.next()).toEqual({ done: true, value: undefined });
  });

  function fail(): never {
    throw new Error("no features");
  }
});

describe("a bad source", () => {
  it("that throws: its own error, after all before it, and it is not closed again", async () => {
    let closed = 0;
    let asked = 0;
    const trouble = new Error("disk gone");
    for (const async of [false, true]) {
      asked = 0;
      const next = () => {
        if (asked++ < 3) return { done: false, value: rand([2, 3]) };
        throw trouble;
      };
      const iterator = {
        next: async ? async () => await Promise.resolve().then(next) : next,
        return: () => ({ done: true, value: closed++ }),
      };
      const source = { [async ? Symbol.asyncIterator : Symbol.iterator]: () => iterator };
      const results = lstm.map<Tensor>(any(source));
      for (let i = 0; i < 3; i++) expect((await results.next()).value).toMatchObject({ index: i });
      expect(await rejection(results.next())).toBe(trouble);
    }
    expect(closed).toBe(0);
  });

  it("that fails while being closed does not hide why", async () => {
    function* source(): Generator<Tensor> {
      try {
        for (;;) yield rand([2, 4]);
      } finally {
        // biome-ignore lint/correctness/noUnsafeFinally: a source that misbehaves is what is tested
        throw new Error("while closing");
      }
    }
    checkCoded(await rejection(lstm.map(source()).next()), Error, "ERR_ITEM", "item 0");
  });
});

describe("wrong arguments are refused at once", () => {
  it.each<[string, unknown, unknown, typeof TypeError, string, string]>([
    ["no source", undefined, {}, TypeError, "ERR_ARG_TYPE", "source"],
    ["a number", 3, {}, TypeError, "ERR_ARG_TYPE", "source"],
    ["a string", "abc", {}, TypeError, "ERR_ARG_TYPE", '"abc"'],
    ["a tensor", rand([2, 3]), {}, TypeError, "ERR_ARG_TYPE", "(2, 3)"],
    ["a typed array", new Float32Array(6), {}, TypeError, "ERR_ARG_TYPE", "Float32Array"],
    ["a promise", Promise.resolve([]), {}, TypeError, "ERR_ARG_TYPE", "Promise"],
    ["options that are none", [], 3, TypeError, "ERR_ARG_TYPE", "map options"],
    ["a misspelt option", [], { maxBatchTokes: 3 }, TypeError, "ERR_OPTION", '"maxBatchTokens"'],
    ["a budget of 0", [], { maxBatchTokens: 0 }, RangeError, "ERR_ARG_VALUE", "maxBatchTokens"],
    ["a fractional budget", [], { maxBatchTokens: 1.5 }, RangeError, "ERR_ARG_VALUE", "1.5"],
    ["a budget as text", [], { maxBatchTokens: "9" }, TypeError, "ERR_ARG_TYPE", "maxBatchTokens"],
    ["a concurrency of 0", [], { concurrency: 0 }, RangeError, "ERR_ARG_VALUE", "concurrency"],
    ["other outputs", [], { outputs: "none" }, RangeError, "ERR_ARG_VALUE", '"all" or "last"'],
    ["outputs of another kind", [], { outputs: 1 }, TypeError, "ERR_ARG_TYPE", "outputs"],
    ["features that are no function", [], { features: {} }, TypeError, "ERR_ARG_TYPE", "features"],
    ["an onProgress that is none", [], { onProgress: 1 }, TypeError, "ERR_ARG_TYPE", "onProgress"],
    ["a signal that is none", [], { signal: {} }, TypeError, "ERR_ARG_TYPE", "signal"],
  ])("%s", (_, source, options, kind, code, piece) => {
    expectCoded(() => lstm.map(any(source), any(options)), kind, code, piece);
  });
});

describe("other ends", () => {
  it("an onProgress that throws ends the job with what it threw", async () => {
    const { state, source } = endless();
    const onProgress = (): never => {
      throw new Error("no bar");
    };
    expect(await rejection(lstm.map(source, { onProgress, maxBatchTokens: 10 }).next())).toMatchObject({
      message: "no bar",
    });
    expect(state.closed).toBe(1);
  });

  it("a model disposed of ends the job at its next batch, and refuses another", async () => {
    const model = new LSTM(3, 5);
    const results = model.map(endless().source, { maxBatchTokens: 2, concurrency: 1 });
    await results.next();
    model.dispose();
    const job = async () => {
      for await (const _ of results);
    };
    checkCoded(await rejection(job()), Error, "ERR_DISPOSED", "dispose");
    expectCoded(() => model.map([]), Error, "ERR_DISPOSED", "dispose");
  });
});
