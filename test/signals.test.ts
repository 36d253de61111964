// Signals that are not Node's own: whatever is wrong with one, a pass settles, and it is refused or rejects with what the
// signal threw. What an addon's callback throws is an uncaught exception, and holds up no other job.

import { spawnSync } from "node:child_process";
import { getEventListeners } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Linear, LSTM, rand } from "../lib/index.js";
import { checkCoded, rejection } from "./support/expect-coded.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const addon = process.env.PACKED_LSTM_BINARY ?? `${root}build/Release/packed_lstm.node`;

type Call = (signal: unknown) => Promise<unknown>;
const passes: [string, Call][] = [
  ["LSTM", (signal) => new LSTM(3, 8).forwardAsync(rand([3, 2, 3]), undefined, { signal } as never)],
  ["Linear", (signal) => new Linear(3, 8).forwardAsync(rand([3, 2, 3]), { signal } as never)],
];

const listener = (): void => {};
const whole = { aborted: false, reason: "why", addEventListener: listener, removeEventListener: listener };
const bomb = (): never => {
  throw new Error("from the signal");
};

describe.each(passes)("a pass of %s", (_, run) => {
  it.each(["aborted", "addEventListener", "removeEventListener"] as const)(
    "refuses a signal without %s",
    async (key) => {
      for (const value of [undefined, null, 3, {}]) {
        checkCoded(await rejection(run({ ...whole, [key]: value })), TypeError, "ERR_ARG_TYPE", "signal");
      }
      const { [key]: _gone, ...rest } = whole;
      checkCoded(await rejection(run(rest)), TypeError, "ERR_ARG_TYPE", "signal");
    },
  );

  it("takes one that has what is used of it", async () => {
    await expect(run(whole)).resolves.toBeDefined();
  });

  it.each(["addEventListener", "removeEventListener"])("rejects with what its %s throws", async (key) => {
    const signal = { ...whole, [key]: bomb };
    expect(await rejection(run(signal))).toMatchObject({ message: "from the signal" });
    expect(await rejection(run(signal))).toMatchObject({ message: "from the signal" }); // nothing of it is left behind
    await expect(run(Object.assign(signal, whole))).resolves.toBeDefined();
  });

  it("rejects with what its properties throw, whenever they do", async () => {
    for (const key of ["aborted", "reason", "addEventListener", "removeEventListener"]) {
      for (let reads = 0; reads < 6; reads++) {
        let left = reads;
        const value = Reflect.get(whole, key);
        const aborted = key === "reason" || whole.aborted;
        const signal = Object.defineProperty({ ...whole, aborted }, key, { get: () => (left-- > 0 ? value : bomb()) });
        const settled = await run(signal).then(
          () => "over",
          (error: unknown) => error,
        );
        expect(settled === "over" || settled === "why" || (settled as Error).message === "from the signal").toBe(true);
      }
    }
  });

  it("is stopped by one that is aborted by its own addEventListener", async () => {
    const late = { ...whole, addEventListener: () => Object.assign(late, { aborted: true }) };
    expect(await rejection(run(late))).toBe("why");
  });
});

describe("a signal", () => {
  it("stops the second pass under it as it would the first", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const small = new LSTM(3, 8);
    for (let i = 0; i < 3; i++) {
      const coming = small.forwardAsync(rand([3, 2, 3]), null, { signal });
      expect(getEventListeners(signal, "abort")).toHaveLength(1);
      await coming;
      expect(getEventListeners(signal, "abort")).toHaveLength(0);
    }
    const lstm = new LSTM(64, 256, { numLayers: 2 });
    const coming = rejection(lstm.forwardAsync(rand([3000, 4, 64]), null, { signal }));
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    controller.abort("enough");
    expect(await coming).toBe("enough");
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });
});

describe("a callback of the raw addon that throws", () => {
  const script = `
    const native = require(process.argv[1]);
    const linear = new native.Linear({ inFeatures: 2, outFeatures: 2, bias: false, dtype: "float32" });
    linear.load([new Float32Array(4)]);
    const seen = [];
    if (process.argv[2] === "handled") process.on("uncaughtException", (error) => seen.push(error.message));
    for (let i = 0; i < 8; i++) {
      linear.forwardAsync(new Float32Array(2), new Float32Array(2), 1, () => {
        seen.push(i);
        if (i % 2 === 0) throw new Error("from callback " + i);
      });
    }
    process.on("exit", () => console.log(JSON.stringify(seen.map(String).sort())));
  `;
  const run = (how: string) =>
    spawnSync(process.execPath, ["-e", script, addon, how], { encoding: "utf8", timeout: 30_000 });

  it("is an uncaught exception, and the other callbacks come", () => {
    const { stdout, status, stderr } = run("handled");
    const wanted = [
      ...Array.from({ length: 8 }, (_, i) => String(i)),
      ...[0, 2, 4, 6].map((i) => `from callback ${i}`),
    ];
    expect(JSON.parse(stdout), stderr).toEqual(wanted.sort());
    expect(status).toBe(0);
    expect(stderr).toBe("");
  });

  it("ends the process that does not handle it", () => {
    const { status, stderr } = run("not");
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/from callback \d/);
  });
});
