// What the environment decides (instruction set, threads) and how the addon leaves it: each case in a process of its own,
// which loads the bare addon. Workers are ended, and processes exited, in the middle of a pass.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { runtimeInfo } from "../lib/index.js";

const addon =
  process.env.PACKED_LSTM_BINARY ?? fileURLToPath(new URL("../build/Release/packed_lstm.node", import.meta.url));

function run(code: string, env: Record<string, string> = {}) {
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, ["-e", code], {
    env: { ...process.env, ADDON: addon, ...env },
    encoding: "utf8",
    timeout: 50_000,
  });
  return { status, signal, stdout: stdout.trim(), stderr };
}

const show = (what: string): string => `console.log(require(process.env.ADDON).${what})`;

describe("PACKED_LSTM_ISA", () => {
  it.each(runtimeInfo().supportedIsas)("forces %s", (isa) => {
    expect(run(show("runtimeInfo().isa"), { PACKED_LSTM_ISA: isa }).stdout).toBe(isa);
  });

  it("that is unknown fails while loading and names what there is", () => {
    const { status, stderr } = run(show("runtimeInfo().isa"), { PACKED_LSTM_ISA: "sse9" });
    expect(status).toBe(1);
    expect(stderr).toContain('PACKED_LSTM_ISA: expected the name of an instruction set, but got "sse9"');
    expect(stderr).toContain("scalar");
  });
});

describe("PACKED_LSTM_VERBOSE", () => {
  const pass = `
    const { Recurrent } = require(process.env.ADDON);
    const sizes = { cell: "lstm", inputSize: 2, hiddenSize: 3, projSize: 0, numLayers: 1, bidirectional: false, bias: false };
    const lstm = new Recurrent({ ...sizes, dtype: "float32" });
    lstm.load([new Float32Array(24), new Float32Array(36)]);
    const array = (n) => new Float32Array(n);
    lstm.forward(array(16), array(24), null, null, array(6), array(6), 4, 2, false, null, null, null);
    lstm.forward(array(12), array(18), null, null, array(6), array(6), 4, 2, false, Int32Array.of(2, 2, 1, 1), null, null);`;

  it("prints a line a pass: sizes, plan and time", () => {
    const floats = runtimeInfo()
      .isa.replace("avx_vnni", "avx2")
      .replace(/_vnni|_dotprod/, "");
    const lines = run(pass, { PACKED_LSTM_VERBOSE: "1" }).stderr.trim().split("\n");
    const sizes = String.raw`I 2, H 3, P 0, L 1, D 1; groups 1, directions 1, splits 1, slots 2, .*; \d+\.\d+ ms$`;
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(new RegExp(`^packed-lstm: lstm float32 ${floats}, dense T 4, B 2, 8 rows, ${sizes}`));
    expect(lines[1]).toMatch(new RegExp(`^packed-lstm: lstm float32 ${floats}, packed T 4, B 2, 6 rows, ${sizes}`));
  });

  it.each(["", "0"])('prints nothing when "%s"', (value) => {
    expect(run(pass, { PACKED_LSTM_VERBOSE: value }).stderr).toBe("");
  });
});

describe("PACKED_LSTM_NUM_THREADS", () => {
  it("sets the threads", () => {
    expect(run(show("getNumThreads()"), { PACKED_LSTM_NUM_THREADS: "3" }).stdout).toBe("3");
  });

  it.each(["0", "zero", "1025", "2.5"])("of %s fails while loading", (text) => {
    const { status, stderr } = run(show("getNumThreads()"), { PACKED_LSTM_NUM_THREADS: text });
    expect(status).toBe(1);
    expect(stderr).toContain(`PACKED_LSTM_NUM_THREADS: expected an integer from 1 to 1024, but got "${text}"`);
  });
});

/** Starts `n` long asynchronous passes. */
const passes = `
  const { Recurrent } = require(process.env.ADDON);
  const H = 128, T = 400, B = 8;
  const lstm = new Recurrent({ cell: "lstm", inputSize: H, hiddenSize: H, projSize: 0, numLayers: 1, bidirectional: false, bias: false, dtype: "float32" });
  lstm.load([new Float32Array(4 * H * H).fill(0.01), new Float32Array(4 * H * H).fill(0.01)]);
  const start = (n, done = () => {}) => {
    for (let i = 0; i < n; i++) lstm.forwardAsync(new Float32Array(T * B * H), new Float32Array(T * B * H), null, null,
      new Float32Array(B * H), new Float32Array(B * H), T, B, false, null, null, null, done);
  };`;

describe("leaving in the middle of a pass", () => {
  it("process.exit keeps its own status", () => {
    const { status, signal } = run(`${passes} start(50); setTimeout(() => process.exit(7), 20);`);
    expect({ status, signal }).toEqual({ status: 7, signal: null });
  });

  it("the process otherwise stays for all its passes", () => {
    const { stdout } = run(
      `${passes} let ended = 0; start(5, () => ended++); process.on("exit", () => console.log(ended));`,
    );
    expect(stdout).toBe("5");
  });

  it("100 workers can be terminated, one after the other, in an async and in a sync pass, and leak nothing", () => {
    const { status, stdout, stderr } = run(`
      const { Worker } = require("node:worker_threads");
      const work = ${JSON.stringify(passes)} + "start(20); require('node:worker_threads').parentPort.postMessage(0);";
      const sync = "const I = new Float32Array(T * B * H), S = new Float32Array(B * H);" +
        "for (;;) lstm.forward(I, I.slice(), null, null, S, S.slice(), T, B, false, null, null, null);";
      (async () => {
        let before = 0;
        for (let i = 0; i < 100; i++) {
          if (i === 30) before = process.memoryUsage().rss; // by then the pool and the allocator have settled
          const worker = new Worker(work + (i % 2 ? sync : "setInterval(() => {}, 1000);"), { eval: true });
          await new Promise((resolve) => worker.once("message", resolve));
          await new Promise((resolve) => setTimeout(resolve, i % 5));
          await worker.terminate();
        }
        const threads = require("node:fs").existsSync("/proc/self/task") ? require("node:fs").readdirSync("/proc/self/task").length : 0;
        console.log(JSON.stringify({ grown: (process.memoryUsage().rss - before) / 2 ** 20, threads }));
      })();`);
    expect(status, stderr).toBe(0);
    const { grown, threads } = JSON.parse(stdout) as { grown: number; threads: number };
    // A worker's passes hold 20 times 3.2 MB, so 70 workers that leaked them would hold gigabytes.
    expect(grown).toBeLessThan(200);
    expect(threads).toBeLessThan(40);
  });

  it("16 workers at once share one pool and all get the same numbers", () => {
    const { status, stdout, stderr } = run(
      `
      const { Worker } = require("node:worker_threads");
      const work = ${JSON.stringify(passes)} + "const I = new Float32Array(T * B * H).fill(0.5), O = new Float32Array(T * B * H);" +
        "lstm.forwardAsync(I, O, null, null, new Float32Array(B * H), new Float32Array(B * H), T, B, false, null, null, null, " +
        "(error) => { if (error) throw error; require('node:worker_threads').parentPort.postMessage(O.reduce((a, b) => a + b)); });";
      const sums = [];
      let most = 0;
      const count = () => require("node:fs").readdirSync("/proc/self/task").length;
      const base = process.platform === "linux" ? count() : 0;
      const workers = Array.from({ length: 16 }, () => new Worker(work, { eval: true }));
      for (const worker of workers) worker.on("message", (sum) => {
        if (process.platform === "linux") most = Math.max(most, count() - base);
        sums.push(sum);
        if (sums.length === 16) console.log(JSON.stringify({ sums: new Set(sums).size, nonzero: sums[0] !== 0, most }));
      });`,
      { PACKED_LSTM_NUM_THREADS: "4" },
    );
    expect(status, stderr).toBe(0);
    const { sums, nonzero, most } = JSON.parse(stdout) as { sums: number; nonzero: boolean; most: number };
    expect({ sums, nonzero }).toEqual({ sums: 1, nonzero: true });
    // 16 threads of their own and the pool's four helpers; a pool for each worker would make 80.
    expect(most).toBeLessThanOrEqual(16 + 4);
  });

  it("the main thread may end first, its workers still computing", () => {
    const { status, signal } = run(`
      const { Worker } = require("node:worker_threads");
      const work = ${JSON.stringify(passes)} + "start(50); require('node:worker_threads').parentPort.postMessage(0);";
      for (let i = 0; i < 4; i++) {
        const worker = new Worker(work, { eval: true });
        worker.once("message", () => { if (--waiting === 0) process.exit(5); });
      }
      let waiting = 4;`);
    expect({ status, signal }).toEqual({ status: 5, signal: null });
  });
});

it("runtimeInfo().version is the package's", () => {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  expect(runtimeInfo().version).toBe(version);
});
