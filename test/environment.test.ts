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
  const { LSTM } = require(process.env.ADDON);
  const H = 128, T = 400, B = 8;
  const lstm = new LSTM({ inputSize: H, hiddenSize: H, projSize: 0, numLayers: 1, bidirectional: false, bias: false, dtype: "float32" });
  lstm.load([new Float32Array(4 * H * H).fill(0.01), new Float32Array(4 * H * H).fill(0.01)]);
  const start = (n, done = () => {}) => {
    for (let i = 0; i < n; i++) lstm.forwardAsync(new Float32Array(T * B * H), new Float32Array(T * B * H), null, null,
      new Float32Array(B * H), new Float32Array(B * H), T, B, false, null, null, done);
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

  it("workers can be terminated, one after the other, in an async and in a sync pass", () => {
    const { status, stdout, stderr } = run(`
      const { Worker } = require("node:worker_threads");
      const work = ${JSON.stringify(passes)} + "start(20); require('node:worker_threads').parentPort.postMessage(0);";
      const sync = "const I = new Float32Array(T * B * H), S = new Float32Array(B * H);" +
        "for (;;) lstm.forward(I, I.slice(), null, null, S, S.slice(), T, B, false, null, null);";
      (async () => {
        for (let i = 0; i < 20; i++) {
          const worker = new Worker(work + (i % 2 ? sync : "setInterval(() => {}, 1000);"), { eval: true });
          await new Promise((resolve) => worker.once("message", resolve));
          await new Promise((resolve) => setTimeout(resolve, i % 5));
          await worker.terminate();
        }
        console.log("ended");
      })();`);
    expect({ status, stdout }, stderr).toEqual({ status: 0, stdout: "ended" });
  });
});

it("runtimeInfo().version is the package's", () => {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  expect(runtimeInfo().version).toBe(version);
});
