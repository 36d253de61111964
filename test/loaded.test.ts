// Workers that come late: more threads than cores, beside processes that keep every core busy. The bits are those of one
// thread, every pass ends, an aborted one soon, and threads beyond the cores cost nothing.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { getNumThreads, LSTM, manualSeed, packPaddedSequence, rand, setNumThreads } from "../lib/index.js";
import { expectSameBits } from "./support/compare.js";
import { rejection } from "./support/expect-coded.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const threadsBefore = getNumThreads();
afterEach(() => setNumThreads(threadsBefore));

describe("beside a busy process a core", () => {
  const neighbours: ChildProcess[] = [];
  beforeAll(() => {
    for (let i = 0; i < availableParallelism(); i++) {
      neighbours.push(spawn(process.execPath, ["-e", "for(;;);"], { stdio: "ignore" }));
    }
  });
  afterAll(() => {
    for (const neighbour of neighbours) neighbour.kill("SIGKILL");
  });

  // One sequence: its units are split, and all meet at every step, twice with a projection.
  it.each([
    { what: "one sequence", batch: 1, numLayers: 2, bidirectional: false, projSize: 0 },
    { what: "one sequence, two directions, a projection", batch: 1, numLayers: 2, bidirectional: true, projSize: 40 },
    { what: "unequal lengths", batch: 9, numLayers: 2, bidirectional: true, projSize: 0 },
  ])("$what: the bits of one thread", ({ what: _, batch, ...options }) => {
    manualSeed(3);
    const lstm = new LSTM(24, 160, options);
    const lengths = Array.from({ length: batch }, (_, i) => 40 - 4 * i);
    const input = packPaddedSequence(rand([40, batch, 24]), lengths);
    setNumThreads(1);
    const [wanted, [hn, cn]] = lstm.forward(input);
    for (const threads of [2, 3, 8]) {
      setNumThreads(threads);
      for (let i = 0; i < 10; i++) {
        const [output, [h, c]] = lstm.forward(input);
        expectSameBits(output.data, wanted.data, `${threads} threads`);
        expectSameBits(h, hn);
        expectSameBits(c, cn);
      }
    }
  });

  it("an aborted pass ends soon, and the next one is whole", async () => {
    manualSeed(4);
    const lstm = new LSTM(64, 512);
    const [long, short] = [rand([20_000, 1, 64]), rand([20, 1, 64])];
    setNumThreads(1);
    const [wanted] = lstm.forward(short);
    setNumThreads(4);
    for (let i = 0; i < 5; i++) {
      const coming = lstm.forwardAsync(long, null, { signal: AbortSignal.timeout(5 + 10 * i) });
      const began = performance.now();
      await rejection(coming);
      expect(performance.now() - began).toBeLessThan(2000);
      expectSameBits(lstm.forward(short)[0], wanted);
    }
  });
});

describe("threads beyond the cores", () => {
  const script = `
    const module = { exports: {} };
    process.dlopen(module, process.argv[1]);
    const { Recurrent, setNumThreads } = module.exports;
    const zeros = (n) => new Float32Array(n);
    const [T, B, I, H] = [150, 16, 3, 64];
    const lstm = new Recurrent({ cell: "lstm", inputSize: I, hiddenSize: H, projSize: 0, numLayers: 1, bidirectional: false, bias: false, dtype: "float32" });
    lstm.load([zeros(4 * H * I), zeros(4 * H * H)]);
    const [x, y, h, c] = [zeros(T * B * I), zeros(T * B * H), zeros(B * H), zeros(B * H)];
    const pass = () => {
      const began = performance.now();
      lstm.forward(x, y, null, null, h, c, T, B, false, null, null, null);
      return performance.now() - began;
    };
    const median = (threads) => {
      setNumThreads(threads);
      return Array.from({ length: 100 }, pass).sort((a, b) => a - b)[50];
    };
    console.log(JSON.stringify([1, 64, 1, 64].map(median)));`;

  // 64 threads on two cores took 4 to 6 times as long as one while each had a share.
  it("take no longer than one", () => {
    const addon = process.env.PACKED_LSTM_BINARY ?? `${root}build/Release/packed_lstm.node`;
    const { PACKED_LSTM_ALL_THREADS: _, ...env } = process.env;
    const { stdout, stderr, status } = spawnSync(process.execPath, ["-e", script, addon], { env, encoding: "utf8" });
    expect(status, stderr).toBe(0);
    const [one = 0, many = 0, oneAgain = 0, manyAgain = 0] = JSON.parse(stdout) as number[];
    expect(Math.min(many, manyAgain)).toBeLessThan(2 * Math.max(one, oneAgain));
  });
});
