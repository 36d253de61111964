// One writer at a time, with real processes: two at once, one that was killed, one on another machine that lives or is
// silent, a process number used again, and many that find the same dead holder.

import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Lock, staleAfter } from "../lib/cli/run-lock.js";
import { thisProcess } from "../lib/cli/run-process.js";
import { LSTM, manualSeed, randn } from "../lib/index.js";
import { buildPackage } from "./support/cli.js";
import { runFolder, startCli, startNode, untilSize, writeNpy } from "./support/run-files.js";

beforeAll(buildPackage);

const folder = mkdtempSync(join(tmpdir(), "packed-lstm-lock-"));
const output = join(folder, "out.npz");
afterEach(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A lock as another process would have left it, last written `age` ms ago. */
function leave(holder: object, age = 0): void {
  const text = { ...thisProcess(), token: "left-behind", since: "then", ...holder };
  writeFileSync(`${output}.lock`, `${JSON.stringify(text)}\n`);
  const then = new Date(Date.now() - age);
  utimesSync(`${output}.lock`, then, then);
}

describe("a lock", () => {
  it("is held by one, names its holder, and is gone when released", () => {
    const lock = Lock.acquire(output);
    expect(() => Lock.acquire(output)).toThrow(`${output} is being written by process ${process.pid} on `);
    const text = JSON.parse(readFileSync(`${output}.lock`, "utf8"));
    expect(text).toMatchObject({ ...thisProcess(), token: expect.any(String), beat: expect.any(String) });
    expect(text.boot).not.toBe("");
    lock.check();
    lock.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  const { pid, started } = thisProcess();
  it.each<[string, object, number, boolean]>([
    ["of a process that has ended", { pid: 2 ** 22 + 1 }, 0, false],
    ["of this very number, begun at another time", { pid, started: "7" }, 0, false],
    ["of a process that runs", { pid, started }, 10 * staleAfter, true],
    ["of another host, heard of just now", { host: "elsewhere", pid: 2 ** 22 + 1 }, 0, true],
    ["of another host, heard of lately", { host: "elsewhere" }, staleAfter - 5000, true],
    ["of another host, silent for long", { host: "elsewhere" }, staleAfter + 1000, false],
    ["of another boot, heard of lately", { boot: "another" }, 0, true],
    ["of another boot, silent for long", { boot: "another" }, staleAfter + 1000, false],
    ["of another container, heard of lately", { space: "pid:[1]" }, 0, true],
    ["of another container, silent for long", { space: "pid:[1]" }, staleAfter + 1000, false],
  ])("%s", (_, holder, age, holds) => {
    leave(holder, age);
    if (holds) {
      expect(() => Lock.acquire(output)).toThrow("is being written by process");
      return;
    }
    const lock = Lock.acquire(output);
    expect(JSON.parse(readFileSync(`${output}.lock`, "utf8")).token).not.toBe("left-behind");
    expect(lock.tookOver).toBe(!("pid" in holder));
    lock.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each(["", "{", "null", '{"token":"../../x"}'])("that says %j counts by its age", (text) => {
    writeFileSync(`${output}.lock`, text);
    expect(() => Lock.acquire(output)).toThrow("is being written by another run; last heard of");
    const then = new Date(Date.now() - staleAfter - 1000);
    utimesSync(`${output}.lock`, then, then);
    Lock.acquire(output).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("goes by a chain of the dead, and not to whoever comes too late to it", () => {
    leave({ pid: 2 ** 22 + 1 });
    const next = { ...thisProcess(), pid: 2 ** 22 + 2, token: "second", since: "then" };
    writeFileSync(`${output}.lock.left-behind`, JSON.stringify(next));
    const lock = Lock.acquire(output);
    expect(readdirSync(folder)).toEqual(["out.npz.lock"]);
    writeFileSync(`${output}.lock.left-behind`, JSON.stringify({ ...next, pid })); // follows on one who is gone
    lock.check();
    lock.release();
    rmSync(`${output}.lock.left-behind`);
  });

  it("that was taken over tells the former holder so, who leaves the new one's alone", () => {
    const lock = Lock.acquire(output);
    leave({ host: "elsewhere" });
    expect(() => lock.check()).toThrow("has gone to another run");
    lock.release();
    expect(readdirSync(folder)).toEqual(["out.npz.lock"]);
  });
});

describe("many processes that die with the lock in hand", () => {
  // Each takes the lock when it can, proves that it is alone by a file of its own, and is killed or lets go.
  const script = `
    const { Lock } = await import(${JSON.stringify(new URL("../dist/cli/run-lock.js", import.meta.url).href)});
    const fs = await import("node:fs");
    const [output, seed] = process.argv.slice(1);
    for (let held = 0; held < 3; ) {
      let lock;
      try { lock = Lock.acquire(output); } catch (error) {
        if (!/is being written by|begin and end/.test(error.message)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 1 + Math.random() * 5));
        continue;
      }
      held++;
      fs.writeFileSync(output + "-alone", "", { flag: "wx" }); // fails where two are in here
      lock.check();
      await new Promise((resolve) => setTimeout(resolve, 3));
      lock.check();
      fs.rmSync(output + "-alone");
      if (held === 3 && Number(seed) % 2) process.kill(process.pid, "SIGKILL");
      lock.release();
    }`;

  it("are never two at once", async () => {
    const children = Array.from({ length: 8 }, (_, i) =>
      startNode(["--input-type=module", "-e", script, output, String(i)]),
    );
    for (const { status, signal, stderr } of await Promise.all(children.map(({ ended }) => ended))) {
      expect(stderr).toBe("");
      expect(status === 0 || signal === "SIGKILL").toBe(true);
    }
    Lock.acquire(output).release();
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe("runs on one output", () => {
  manualSeed(2);
  const at = runFolder(new LSTM(8, 96, { numLayers: 12 })); // a second of work at least, to be stopped in
  afterAll(at.remove);
  const args = (name: string, ...more: string[]): string[] => [
    ...["run", "-q", "-m", at.at("model.safetensors"), "-i", at.at("in.npy"), "--lengths", at.at("lengths.txt")],
    ...["-o", at.at(name), "--tokens", "800", ...more],
  ];

  beforeAll(async () => {
    writeNpy(at.at("in.npy"), "f4", [60_000, 8], randn([60_000, 8]).data);
    writeFileSync(at.at("lengths.txt"), "20\n".repeat(3000));
    expect(await startCli(args("whole.npy")).ended).toMatchObject({ status: 0, stderr: "" });
  });

  it("the second ends with an error, the first with the right bytes", async () => {
    const first = startCli(args("two.npy", "--resume"));
    await untilSize(at.at("two.npy.partial"), 2 ** 18);
    first.kill("SIGSTOP"); // it neither ends nor writes meanwhile
    for (const more of [["--resume"], []]) {
      const second = await startCli(args("two.npy", ...more)).ended;
      expect(second.status).toBe(1);
      expect(second.stderr).toMatch(/^packed-lstm: .*two\.npy is being written by process \d+ on .*\n$/);
    }
    first.kill("SIGCONT");
    expect(await first.ended).toMatchObject({ status: 0, stderr: "" });
    expect(readFileSync(at.at("two.npy")).equals(readFileSync(at.at("whole.npy")))).toBe(true);
  });

  it("one that was killed does not hold up the next, and of many that come next one goes on", async () => {
    const killed = startCli(args("many.npy"));
    await untilSize(at.at("many.npy.partial"), 2 ** 20);
    killed.kill("SIGKILL");
    await killed.ended;
    expect(readdirSync(join(at.at("."))).filter((name) => name.startsWith("many.npy.lock"))).toHaveLength(1);
    const next = await Promise.all(Array.from({ length: 4 }, () => startCli(args("many.npy", "--resume")).ended));
    const well = next.filter(({ status }) => status === 0);
    expect(well.length).toBeGreaterThanOrEqual(1);
    for (const { status, stderr } of next) {
      if (status !== 0) expect(stderr).toMatch(/is being written by|begin and end on it/);
    }
    expect(readFileSync(at.at("many.npy")).equals(readFileSync(at.at("whole.npy")))).toBe(true);
    expect(readdirSync(at.at(".")).filter((name) => /^many\.npy./.test(name))).toEqual([]);
  });
});
