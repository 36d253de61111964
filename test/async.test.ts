// forwardAsync: the same results, the copies it takes, the errors as rejections, and aborts at every moment.

import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { getNumThreads, Linear, LSTM, packPaddedSequence, rand, type Tensor } from "../lib/index.js";
import { named, stateOf } from "./support/cells.js";
import { expectSameBits } from "./support/compare.js";
import { checkCoded, rejection } from "./support/expect-coded.js";
import { detach } from "./support/odd-buffers.js";

/** A pass of some hundred milliseconds, so that there is time to stop it. */
const long = (): [LSTM, Tensor] => [new LSTM(64, 256, { numLayers: 2 }), rand([3000, 4, 64])];

type Result = [Tensor, [Tensor, Tensor]];

function expectSame([output, [hn, cn]]: Result, [wantedOutput, [wantedHn, wantedCn]]: Result): void {
  expectSameBits(output, wantedOutput);
  expectSameBits(hn, wantedHn);
  expectSameBits(cn, wantedCn);
}

const listeners = (signal: AbortSignal): number => getEventListeners(signal, "abort").length;

describe.each(named)("forwardAsync of %s", (_, cell) => {
  it("gives what forward gives, and takes an abort", async () => {
    for (const dtype of ["float32", "float64"] as const) {
      const module = cell.make(3, 5, { numLayers: 2, bidirectional: true, dtype });
      const batchFirst = cell.make(3, 5, { batchFirst: true, dtype });
      const x = rand([6, 4, 3], dtype);
      const hx = stateOf(cell.keys.slice(1).map(() => rand([4, 4, 5], dtype)));
      const packed = packPaddedSequence(x, [2, 6, 1, 6], { enforceSorted: false });
      expect(await module.forwardAsync(x, hx)).toEqual(module.forward(x, hx));
      expect(await batchFirst.forwardAsync(x)).toEqual(batchFirst.forward(x));
      expect(await module.forwardAsync(x.select(1, 2))).toEqual(module.forward(x.select(1, 2)));
      expect(await module.forwardAsync(packed, hx)).toEqual(module.forward(packed, hx));
      const stop = new AbortController();
      const coming = module.forwardAsync(rand([20_000, 4, 3], dtype), null, { signal: stop.signal });
      stop.abort("enough");
      expect(await rejection(coming)).toBe("enough");
      module.dispose();
      checkCoded(await rejection(module.forwardAsync(x)), Error, "ERR_DISPOSED", "dispose");
    }
  });

  it("reads nothing of the caller's once it has returned, though no thread was free to begin", async () => {
    const [busy, rows] = long();
    const module = cell.make(3, 40);
    const x = rand([30, 4, 3]);
    const states = cell.keys.slice(1).map(() => rand([1, 4, 40]));
    const wanted = module.forward(x, stateOf(states));
    const stop = new AbortController();
    const options = { signal: stop.signal };
    const occupied = Array.from({ length: getNumThreads() }, () => rejection(busy.forwardAsync(rows, null, options)));
    const coming = module.forwardAsync(x, stateOf(states));
    for (const { data } of [x, ...states]) data.fill(Number.NaN);
    stop.abort();
    await Promise.all(occupied);
    expect(await coming).toEqual(wanted);
  });
});

describe("forwardAsync", () => {
  it("gives what forward gives: dense, batch first, unbatched, packed, with state, float64", async () => {
    for (const dtype of ["float32", "float64"] as const) {
      const lstm = new LSTM(3, 5, { numLayers: 2, bidirectional: true, projSize: 2, dtype });
      const batchFirst = new LSTM(3, 5, { batchFirst: true, dtype });
      const x = rand([6, 4, 3], dtype);
      const hx = [rand([4, 4, 2], dtype), rand([4, 4, 5], dtype)] as const;
      const packed = packPaddedSequence(x, [2, 6, 1, 6], { enforceSorted: false });
      expect(await lstm.forwardAsync(x)).toEqual(lstm.forward(x));
      expect(await lstm.forwardAsync(x, hx)).toEqual(lstm.forward(x, hx));
      expect(await batchFirst.forwardAsync(x)).toEqual(batchFirst.forward(x));
      expect(await lstm.forwardAsync(rand([1, 3], dtype))).toHaveLength(2);
      expect(await lstm.forwardAsync(x.select(1, 2))).toEqual(lstm.forward(x.select(1, 2)));
      expect(await lstm.forwardAsync(packed, hx)).toEqual(lstm.forward(packed, hx));
    }
  });

  it("copies input, state and row description before it returns", async () => {
    const lstm = new LSTM(3, 5);
    const x = rand([50, 4, 3]);
    const packed = packPaddedSequence(x, [2, 50, 1, 6], { enforceSorted: false });
    const hx = [rand([1, 4, 5]), rand([1, 4, 5])] as const;
    const wanted = lstm.forward(packed, hx);
    const coming = lstm.forwardAsync(packed, hx);
    for (const { data } of [packed.data, ...hx]) detach(data);
    packed.batchSizes.fill(-1);
    packed.sortedIndices?.fill(-1);
    const [output, state] = await coming;
    expect([output.data, state]).toEqual([wanted[0].data, wanted[1]]);
    expect(output.batchSizes).toEqual(wanted[0].batchSizes);
  });

  it("reads nothing of the caller's once it has returned, though no thread was free to begin", async () => {
    const [busy, rows] = long();
    const options = { numLayers: 2, bidirectional: true, projSize: 3 };
    for (const dtype of ["float32", "float64"] as const) {
      const lstm = new LSTM(3, 5, { ...options, dtype });
      const linear = new Linear(3, 5, { dtype });
      const x = rand([6, 4, 3], dtype);
      const hx = [rand([4, 4, 3], dtype), rand([4, 4, 5], dtype)] as const;
      const packed = packPaddedSequence(x, [2, 6, 1, 6], { enforceSorted: false });
      const inputs = [x, ...hx, packed.data];
      const kept = inputs.map(({ data }) => data.slice());
      const wanted = { dense: lstm.forward(x, hx), packed: lstm.forward(packed, hx), linear: linear.forward(x) };
      const stop = new AbortController();
      const { signal } = stop;
      const occupied = Array.from({ length: getNumThreads() }, () =>
        rejection(busy.forwardAsync(rows, null, { signal })),
      );
      const coming = [lstm.forwardAsync(x, hx), lstm.forwardAsync(packed, hx), linear.forwardAsync(x)] as const;
      for (const { data } of inputs) data.fill(Number.NaN);
      stop.abort();
      await Promise.all(occupied);
      const [asDense, asPacked, asLinear] = await Promise.all(coming);
      expectSame(asDense, wanted.dense);
      expectSame([asPacked[0].data, asPacked[1]], [wanted.packed[0].data, wanted.packed[1]]);
      expectSameBits(asLinear, wanted.linear);
      for (const [i, { data }] of inputs.entries()) expect(data).not.toEqual(kept[i]);
    }
  });

  it("keeps the weights it started with", async () => {
    const [a, b] = [new LSTM(3, 5), new LSTM(3, 5)];
    const x = rand([200, 4, 3]);
    const wanted = a.forward(x);
    const coming = a.forwardAsync(x);
    a.loadStateDict(b.stateDict());
    expect(await coming).toEqual(wanted);
    const last = a.forwardAsync(x);
    a.dispose();
    expect(await last).toEqual(b.forward(x));
  });

  it("runs many at once, each its own", async () => {
    const lstm = new LSTM(3, 5);
    const inputs = Array.from({ length: 64 }, (_, i) => rand([1 + i, 2, 3]));
    const signal = new AbortController().signal;
    const results = await Promise.all(inputs.map((x) => lstm.forwardAsync(x, null, { signal })));
    for (const [i, x] of inputs.entries()) expect(results[i]).toEqual(lstm.forward(x));
    expect(listeners(signal)).toBe(0);
  });

  it("mixes with forward while under way", async () => {
    const [lstm, x] = long();
    const coming = lstm.forwardAsync(x);
    const small = rand([5, 4, 64]);
    const wanted = lstm.forward(small);
    expect(lstm.forward(small)).toEqual(wanted);
    expectSame(await coming, lstm.forward(x));
  });

  it("lets the event loop go on", async () => {
    const [lstm, x] = long();
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await lstm.forwardAsync(x);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(3);
  });

  it("rejects for a wrong argument and never throws", async () => {
    const lstm = new LSTM(3, 5);
    checkCoded(await rejection(lstm.forwardAsync(rand([4, 4]))), RangeError, "ERR_SHAPE", "(T, 3)");
    checkCoded(await rejection(lstm.forwardAsync(7 as never)), TypeError, "ERR_ARG_TYPE", "input");
    checkCoded(
      await rejection(lstm.forwardAsync(rand([4, 3]), [rand([1, 5])] as never)),
      TypeError,
      "ERR_ARG_TYPE",
      "hx",
    );
    const misspelt = { singal: new AbortController().signal } as never;
    checkCoded(await rejection(lstm.forwardAsync(rand([4, 3]), null, misspelt)), TypeError, "ERR_OPTION", '"signal"');
    for (const signal of [null, 3, {}, new AbortController()]) {
      const options = { signal } as never;
      checkCoded(await rejection(lstm.forwardAsync(rand([4, 3]), null, options)), TypeError, "ERR_ARG_TYPE", "signal");
    }
    checkCoded(await rejection(lstm.forwardAsync(rand([4, 3]), null, null as never)), TypeError, "ERR_ARG_TYPE");
    lstm.dispose();
    checkCoded(await rejection(lstm.forwardAsync(rand([4, 3]))), Error, "ERR_DISPOSED", "dispose");
  });
});

describe("an abort", () => {
  it("before: rejects with the reason and starts nothing", async () => {
    const lstm = new LSTM(3, 5);
    const reason = new Error("not wanted");
    const signal = AbortSignal.abort(reason);
    expect(await rejection(lstm.forwardAsync(rand([4, 3]), null, { signal }))).toBe(reason);
    expect(await rejection(lstm.forwardAsync(rand([4, 3]), null, { signal: AbortSignal.abort() }))).toMatchObject({
      name: "AbortError",
    });
    expect(listeners(signal)).toBe(0);
  });

  it("during: stops early, rejects with the reason, whatever it is, and removes its listener", async () => {
    const [lstm, x] = long();
    const whole = await timed(() => lstm.forwardAsync(x));
    const times: number[] = [];
    for (const reason of [new Error("enough"), "a string", undefined, null]) {
      const controller = new AbortController();
      const coming = lstm.forwardAsync(x, null, { signal: controller.signal });
      expect(listeners(controller.signal)).toBe(1);
      setTimeout(() => controller.abort(reason), 1);
      const stopped = await timed(() => rejection(coming));
      if (reason === undefined) expect(stopped.result).toMatchObject({ name: "AbortError" });
      else expect(stopped.result).toBe(reason);
      times.push(stopped.ms);
      expect(listeners(controller.signal)).toBe(0);
    }
    expect(Math.min(...times)).toBeLessThan(whole.ms / 2); // the least, for a busy machine may stall any one of them
    expectSame(await lstm.forwardAsync(x), whole.result);
  });

  it("in the same turn: rejects, though the call had begun", async () => {
    const [lstm, x] = long();
    const controller = new AbortController();
    const coming = lstm.forwardAsync(x, null, { signal: controller.signal });
    controller.abort("at once");
    expect(await rejection(coming)).toBe("at once");
  });

  it("of a signal that many share: one listener, and every pass stops", async () => {
    const [lstm, x] = long();
    const controller = new AbortController();
    const { signal } = controller;
    const coming = Array.from({ length: 20 }, () => rejection(lstm.forwardAsync(x, null, { signal })));
    expect(listeners(signal)).toBe(1);
    controller.abort("all of you");
    expect(await Promise.all(coming)).toEqual(new Array(20).fill("all of you"));
    expect(listeners(signal)).toBe(0);
  });

  it("by a timeout: rejects with its TimeoutError", async () => {
    const [lstm, x] = long();
    const options = { signal: AbortSignal.timeout(5) };
    expect(await rejection(lstm.forwardAsync(x, null, options))).toMatchObject({ name: "TimeoutError" });
  });

  it("of one leaves the others alone", async () => {
    const [lstm, x] = long();
    const controller = new AbortController();
    const small = rand([20, 2, 64]);
    const stopped = rejection(lstm.forwardAsync(x, null, { signal: controller.signal }));
    const others = [lstm.forwardAsync(small), lstm.forwardAsync(small, null, { signal: new AbortController().signal })];
    controller.abort("only this one");
    expect(await stopped).toBe("only this one");
    for (const other of others) expect(await other).toEqual(lstm.forward(small));
  });

  it("after: changes nothing", async () => {
    const lstm = new LSTM(3, 5);
    const controller = new AbortController();
    const x = rand([4, 3]);
    const coming = lstm.forwardAsync(x, null, { signal: controller.signal });
    const result = await coming;
    expect(listeners(controller.signal)).toBe(0);
    controller.abort("too late");
    expect(await coming).toBe(result);
    expect(result).toEqual(lstm.forward(x));
  });
});

async function timed<T>(run: () => Promise<T>): Promise<{ result: T; ms: number }> {
  const start = performance.now();
  const result = await run();
  return { result, ms: performance.now() - start };
}
