// What the plan decides can be seen from outside in two ways: whatever it is, the bits are those of each sequence alone,
// and PACKED_LSTM_VERBOSE says it. Here are the batches that fill the plan's and the walker's fixed room to its end, and the
// limits that a plan must keep.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  Embedding,
  getNumThreads,
  LSTM,
  manualSeed,
  packPaddedSequence,
  padPackedSequence,
  rand,
  setNumThreads,
  type Tensor,
} from "../lib/index.js";
import { buildPackage } from "./support/cli.js";
import { expectSameBits } from "./support/compare.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const threadsBefore = getNumThreads();
afterEach(() => setNumThreads(threadsBefore));

describe("a batch of more sequences than there are slots", () => {
  // Weights beyond the caches take the most slots there are, 64; 65 to 128 equal sequences go in two waves, 70 would not fit.
  it.each([
    [64, 1024],
    [65, 1024],
    [70, 1024],
    [130, 600],
  ])("%i, of %i units, have the bits of each alone", (batch, hiddenSize) => {
    manualSeed(5);
    const lstm = new LSTM(8, hiddenSize);
    const x = rand([2, batch, 8]);
    for (const threads of [1, 2]) {
      setNumThreads(threads);
      const [output, [hn]] = lstm.forward(x);
      expect(output.shape).toEqual([2, batch, hiddenSize]);
      for (const b of [0, batch - 1]) {
        const [own, [h]] = lstm.forward(x.select(1, b));
        expectSameBits(output.select(1, b), own, `sequence ${b} on ${threads} threads`);
        expectSameBits(hn.select(1, b), h, `hn of ${b}`);
      }
    }
  });
});

describe("passes that fill what is made once to its end", () => {
  it.each([
    // 17 sequences a block, but 16 in the last of one thread's; 13 and 12 on two: the largest block is not the last.
    { what: "layers in blocks of unequal size", batch: 50, steps: 10, inputSize: 9, hiddenSize: 64, numLayers: 2 },
    // 128 steps of 4 sequences, 256 rows at a time: hoisted, since the weights do not fit the level-2 cache.
    { what: "a projection of more rows than are made at once", batch: 4, steps: 130, inputSize: 600, hiddenSize: 128 },
  ])("have the bits of each sequence alone: $what", ({ batch, steps, inputSize, hiddenSize, numLayers = 1 }) => {
    manualSeed(6);
    const lstm = new LSTM(inputSize, hiddenSize, { numLayers });
    const x = rand([steps, batch, inputSize]);
    setNumThreads(1);
    const alone = Array.from({ length: batch }, (_, b) => lstm.forward(x.select(1, b))[0]);
    for (const threads of [1, 2, 3]) {
      setNumThreads(threads);
      for (let again = 0; again < 3; again++) {
        const [output] = lstm.forward(x);
        for (const [b, own] of alone.entries()) expectSameBits(output.select(1, b), own, `${b} on ${threads} threads`);
      }
    }
  });
});

describe("the workers of a plan", () => {
  // As raw calls, since a process that prints its plans has no need of lib/.
  const script = `
    const module = { exports: {} };
    process.dlopen(module, process.argv[1]);
    const { Recurrent, setNumThreads } = module.exports;
    const zeros = (n) => new Float32Array(n);
    const [I, H] = [16, 256];
    for (const threads of [1, 2, 3, 5]) {
      setNumThreads(threads);
      for (const [batch, bidirectional] of [[1, false], [1, true], [40, false], [7, true]]) {
        const [T, D] = [20, bidirectional ? 2 : 1];
        const lstm = new Recurrent({ cell: "lstm", inputSize: I, hiddenSize: H, projSize: 0, numLayers: 1, bidirectional, bias: false, dtype: "float32" });
        lstm.load(Array.from({ length: 2 * D }, (_, i) => zeros(4 * H * (i % 2 ? H : I))));
        const state = () => zeros(D * batch * H);
        process.stderr.write("threads " + threads + ": ");
        lstm.forward(zeros(T * batch * I), zeros(T * batch * D * H), null, null, state(), state(), T, batch, false, null, null, null);
      }
    }`;

  it("are at most as many as setNumThreads allows, and more than one where there is work", () => {
    const addon = process.env.PACKED_LSTM_BINARY ?? `${root}build/Release/packed_lstm.node`;
    const env = { ...process.env, PACKED_LSTM_VERBOSE: "1" };
    const { stderr, status } = spawnSync(process.execPath, ["-e", script, addon], { env, encoding: "utf8" });
    expect(status, stderr).toBe(0);
    const pattern = /threads (\d+): .*groups (\d+), directions (\d+), splits (\d+), slots (\d+)/g;
    const plans = [...stderr.matchAll(pattern)].map((match) => match.slice(1).map(Number));
    expect(plans).toHaveLength(16);
    for (const [threads = 0, groups = 0, directions = 0, splits = 0, slots = 0] of plans) {
      expect(groups * directions * splits).toBeLessThanOrEqual(threads);
      expect(slots).toBeLessThanOrEqual(64);
      if (threads > 1) expect(groups * directions * splits).toBeGreaterThan(1);
    }
  });
});

describe("copies that are shared out", () => {
  // Half a megabyte and more a thread, of a number of rows that no number of threads divides.
  it.each([2, 3, 4])("copy every row on %i threads", (threads) => {
    const [steps, batch, width] = [331, 13, 167];
    const x = rand([steps, batch, width]);
    const lengths = Array.from({ length: batch }, (_, b) => steps - b * 2 - (b % 3));
    setNumThreads(1);
    const wanted = packPaddedSequence(x, lengths, { enforceSorted: false });
    const [padded] = padPackedSequence(wanted);
    const embedding = new Embedding(50, width);
    const indices = Int32Array.from({ length: 4999 }, (_, i) => (i * 7) % 50);
    const rows = embedding.forward(indices);
    setNumThreads(threads);
    expectSameBits(packPaddedSequence(x, lengths, { enforceSorted: false }).data, wanted.data, "packed");
    expectSameBits(padPackedSequence(wanted)[0], padded, "padded");
    expectSameBits(embedding.forward(indices), rows, "looked up");
    for (const i of [0, 2499, 4998])
      expectSameBits(rows.select(0, i), (embedding.stateDict().weight as Tensor).select(0, indices[i]!), `${i}`);
    expect([wanted.data.size * 4, rows.size * 4].every((bytes) => bytes > threads * 2 ** 19)).toBe(true);
  });
});

describe.skipIf(process.platform !== "linux")("what a process is seen to use", () => {
  /** Runs a script on dist/'s package and gives what it prints. */
  const seen = (script: string, before: readonly string[] = []): number[] => {
    const [command = "", ...args] = [...before, process.execPath, "--input-type=module", "-e", script];
    const { stdout, stderr, status } = spawnSync(command, args, { encoding: "utf8", cwd: root });
    expect(status, stderr).toBe(0);
    return JSON.parse(stdout) as number[];
  };

  beforeAll(buildPackage);

  it("is no thread beside the caller's after setNumThreads(1), and some after setNumThreads(3)", () => {
    const counts = seen(`
      import { readdirSync } from "node:fs";
      import { Embedding, Linear, LSTM, packPaddedSequence, padPackedSequence, rand, setNumThreads } from "packed-lstm";
      const threads = () => readdirSync("/proc/self/task").length;
      const [x, lengths] = [rand([300, 40, 64]), new Array(40).fill(299)];
      const [lstm, linear, embedding] = [new LSTM(64, 128), new Linear(64, 400), new Embedding(9, 512)];
      const all = () => {
        lstm.forward(x);
        linear.forward(x);
        embedding.forward(new Int32Array(4000));
        padPackedSequence(packPaddedSequence(x, lengths));
      };
      const before = threads();
      setNumThreads(1);
      all();
      const one = threads() - before;
      setNumThreads(3);
      all();
      console.log(JSON.stringify([one, threads() - before]));`);
    expect(counts).toEqual([0, 2]);
  });

  it("is as many threads as its affinity mask has cores", (context) => {
    if (spawnSync("taskset", ["-V"]).status !== 0) context.skip("there is no taskset");
    const script = 'import { getNumThreads } from "packed-lstm"; console.log(JSON.stringify([getNumThreads()]));';
    expect(seen(script, ["taskset", "-c", "0"])).toEqual([1]);
  });

  // The rows between two layers, 32 MB of them, go back when the pass is over.
  it("is no more memory after a large pass than before it", () => {
    const [grown = 0] = seen(`
      import { LSTM, rand, setNumThreads } from "packed-lstm";
      setNumThreads(1);
      const lstm = new LSTM(8, 256, { numLayers: 2 });
      const [x, out] = [rand([2000, 16, 8]), rand([2000, 16, 256])];
      const state = [rand([2, 16, 256]), rand([2, 16, 256])];
      lstm.forward(x.slice(0, 0, 4));
      const before = process.memoryUsage().rss;
      lstm.forward(x, undefined, { out: [out, state] });
      console.log(JSON.stringify([(process.memoryUsage().rss - before) / 2 ** 20]));`);
    expect(grown).toBeLessThan(16);
  });
});
