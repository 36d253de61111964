// What models cost, as the operating system counts it, in processes of their own: a loop that never comes back to the event
// loop frees what it drops, a model holds its weights once, and worker threads share one copy.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { buildPackage } from "./support/cli.js";

const root = fileURLToPath(new URL("..", import.meta.url));

beforeAll(buildPackage);

/** Runs a script that has the package's names, and gives back what it says: numbers, in MiB. */
function measure<T>(script: string, args: readonly (string | number)[] = []): T {
  const head = `
    import * as lib from "packed-lstm";
    const { Embedding, LSTM, Linear, rand, setNumThreads, zeros } = lib;
    const rss = () => process.memoryUsage.rss() / 2 ** 20;
    const settle = async () => {
      for (let i = 0; i < 4; i++) { globalThis.gc(); await new Promise((resolve) => setTimeout(resolve, 20)); }
    };
    const say = (value) => console.log(JSON.stringify(value));`;
  const command = ["--expose-gc", "--input-type=module", "-e", head + script, ...args.map(String)];
  const env = { ...process.env, NODE_OPTIONS: "", MALLOC_ARENA_MAX: "2" };
  return JSON.parse(
    execFileSync(process.execPath, command, { cwd: root, env, encoding: "utf8", timeout: 50_000 }),
  ) as T;
}

describe("a synchronous loop", () => {
  // Every round drops at least 8 MiB, one of int8 2, so that all rounds together are a multiple of what is allowed.
  it.each<[string, string, number]>([
    ["models", "new LSTM(512, 512)", 60],
    ["models of a state dict", "LSTM.fromStateDict(dict)", 80],
    ["models with float16 weights", "LSTM.fromStateDict(dict, { weightDtype: 'float16' })", 80],
    ["models with int8 weights", "LSTM.fromStateDict(dict, { weightDtype: 'int8' })", 240],
    ["Linears", "Linear.fromStateDict(linear)", 80],
    ["weights that others replace", "lstm.loadStateDict(dict)", 80],
    ["streams", "wide.stream({ batchSize: 8192 })", 80],
    ["streams that were stepped", "wide.stream({ batchSize: 8192 }).step(frames)", 60],
    ["models that a stream was made of", "LSTM.fromStateDict(dict).stream()", 80],
    ["state dicts", "lstm.stateDict()", 80],
    ["results", "small.forward(many)", 60],
  ])("frees the %s that it drops", (_, round, rounds) => {
    const { grown, total } = measure<{ grown: number; total: number }>(
      `
      const lstm = new LSTM(512, 512), dict = lstm.stateDict(), linear = new Linear(2048, 1024).stateDict();
      const wide = new LSTM(2, 128), frames = zeros([8192, 2]), small = new LSTM(2, 128), many = zeros([1, 16384, 2]);
      const round = () => ${round};
      round();
      globalThis.gc();
      const before = rss();
      let most = 0;
      const rounds = Number(process.argv[1]);
      for (let i = 0; i < rounds; i++) { round(); if (i % 5 === 0) most = Math.max(most, rss()); }
      say({ grown: most - before, total: rounds * 8 });`,
      [rounds],
    );
    expect(total).toBeGreaterThan(450);
    expect(grown).toBeLessThan(250);
  });
});

describe("a loaded model", () => {
  const grown = (make: string, bytesEach: number): number => {
    const { mib, parameters } = measure<{ mib: number; parameters: number }>(`
      const count = (dict) => Object.values(dict).reduce((sum, { size }) => sum + size, 0);
      const load = (dict) => ${make};
      const first = load(null); // what the process needs for any
      const dict = first.stateDict();
      const parameters = count(dict);
      const again = load(dict);
      again.dispose();
      first.dispose();
      await settle();
      const before = rss();
      const model = load(dict);
      await settle();
      say({ mib: rss() - before, parameters, model: model.constructor.name });`);
    return mib / ((parameters * bytesEach) / 2 ** 20);
  };

  it.each<[string, string, number]>([
    ["an LSTM of 1024 units", "dict ? LSTM.fromStateDict(dict) : new LSTM(1024, 1024)", 4],
    ["an LSTM of 256 units, deep", "dict ? LSTM.fromStateDict(dict) : new LSTM(256, 256, { numLayers: 12 })", 4],
    ["an LSTM of 272 units, deep", "dict ? LSTM.fromStateDict(dict) : new LSTM(272, 272, { numLayers: 12 })", 4],
    [
      "an LSTM in float64",
      "dict ? LSTM.fromStateDict(dict) : new LSTM(512, 512, { numLayers: 2, dtype: 'float64' })",
      8,
    ],
    [
      "float16 weights, of half the size",
      "dict ? LSTM.fromStateDict(dict, { weightDtype: 'float16' }) : new LSTM(1024, 1024)",
      2,
    ],
    [
      "int8 weights, of a quarter",
      "dict ? LSTM.fromStateDict(dict, { weightDtype: 'int8' }) : new LSTM(512, 512, { numLayers: 12 })",
      1,
    ],
    ["a Linear", "dict ? Linear.fromStateDict(dict) : new Linear(2048, 2048)", 4],
    ["an Embedding", "dict ? Embedding.fromStateDict(dict) : new Embedding(20000, 256)", 4],
  ])("holds its weights once: %s", (_, make, bytesEach) => {
    const ratio = grown(make, bytesEach);
    expect(ratio).toBeLessThan(1.2);
    expect(ratio).toBeGreaterThan(0.8); // else nothing was measured
  });

  it("that is disposed of gives them back at once", () => {
    const [before, loaded, after] = measure<[number, number, number]>(`
      const dict = new LSTM(1024, 1024).stateDict();
      await settle();
      const before = rss();
      const model = LSTM.fromStateDict(dict);
      const loaded = rss();
      model.dispose();
      say([before, loaded, rss()]);`);
    expect(loaded - before).toBeGreaterThan(30);
    expect(after - before).toBeLessThan(3);
  });
});

describe("four workers", () => {
  it("have one copy of a model of 96 MiB", () => {
    const run = (hand: string): number =>
      measure<number>(
        `
        import { Worker } from "node:worker_threads";
        const script = \`
          const { parentPort, workerData } = require("node:worker_threads");
          import("packed-lstm").then(({ LSTM, zeros }) => {
            const { handle, dict } = workerData;
            globalThis.model = handle ? LSTM.fromShared(handle) : dict ? LSTM.fromStateDict(dict) : new LSTM(4, 4);
            globalThis.model.forward(zeros([2, 1, globalThis.model.inputSize]));
            parentPort.postMessage("ready");
            parentPort.once("message", () => process.exit());
          });\`;
        setNumThreads(1);
        const lstm = new LSTM(1024, 1024, { numLayers: 3 });
        const workerData = { ${hand} };
        if (!workerData.handle) lstm.dispose();
        await settle();
        const workers = Array.from({ length: 4 }, () => new Worker(script, { eval: true, execArgv: [], workerData }));
        await Promise.all(workers.map((worker) => new Promise((resolve, reject) => {
          worker.once("message", resolve).once("error", reject);
        })));
        await settle();
        say(rss());
        for (const worker of workers) worker.postMessage("end");`,
      );
    const without = run("");
    const shared = run("handle: lstm.share()");
    expect(shared - without).toBeLessThan(160);
    expect(shared - without).toBeGreaterThan(80); // else nothing was measured
  });
});
