// `packed-lstm run` on a terminal, through a pseudo-terminal: the bar with its speed and what is left, Ctrl-C, one line for
// an error. And what makes a run another run, which --resume must refuse.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { progressLine } from "../lib/cli/progress.js";
import { LSTM, randn, saveSafetensors } from "../lib/index.js";
import { buildPackage, cliPath } from "./support/cli.js";
import { runFolder, untilSize, writeNpy } from "./support/run-files.js";

// Layers enough for seconds of work, so that whoever looks or types finds it under way on a fast and busy machine.
const folder = runFolder(new LSTM(8, 128, { numLayers: 8 }));
const { at } = folder;
beforeAll(() => {
  buildPackage();
  writeNpy(at("in.npy"), "f4", [160_000, 8], randn([160_000, 8]).data);
  writeFileSync(at("lengths.txt"), "20\n".repeat(8000));
});
afterAll(folder.remove);

// The util-linux one, which takes a command; the BSDs' is another.
const hasScript = process.platform === "linux" && spawnSync("script", ["--version"]).status === 0;

/** Runs the command line on a terminal of its own; what it shows, and how it ends. */
function onTerminal(
  args: readonly string[],
  use: (type: (text: string) => void, shown: () => string) => Promise<void> = async () => undefined,
) {
  const command = [process.execPath, cliPath, ...args].map((word) => `'${word}'`).join(" ");
  // A shell that waits dies of the Ctrl-C that is meant for the command (dash does, bash steps aside), hence exec.
  const env = { ...process.env, SHELL: "/bin/sh" };
  const child = spawn("script", ["-qec", `exec ${command}`, "/dev/null"], { env, stdio: ["pipe", "pipe", "inherit"] });
  let shown = "";
  child.stdout.on("data", (text) => {
    shown += text;
  });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  return Promise.all([
    ended,
    use(
      (text) => child.stdin.write(text),
      () => shown,
    ),
  ]).then(([status]) => ({ status, shown }));
}

const args = (output: string, ...more: string[]): string[] => [
  ...["run", "-m", at("model.safetensors"), "-i", at("in.npy"), "--lengths", at("lengths.txt"), "-o", at(output)],
  ...["--tokens", "400", ...more],
];

describe.skipIf(!hasScript)("run on a terminal", () => {
  it("shows how far it is, how fast, and what is left", async () => {
    const { status, shown } = await onTerminal(args("shown.npy"));
    expect(status).toBe(0);
    expect(shown).toMatch(/[█░]{30} \d+% {2}\d+ of 8000 sequences {2}\d+ sequences\/s {2}ETA \d+ s/);
    expect(shown).toContain("100%  8000 of 8000 sequences");
    expect(shown).toContain("\x1b[?25h"); // the cursor is back
    expect(shown).not.toContain("Dynamic require");
  });

  it("shows nothing when quiet", async () => {
    expect(await onTerminal(args("quiet.npy", "-q"))).toEqual({ status: 0, shown: "" });
  });

  it("stopped by Ctrl-C says how to go on, and does", async () => {
    const { status, shown } = await onTerminal(args("stopped.npy"), async (type, soFar) => {
      await untilSize(at("stopped.npy.partial"), 2 ** 20);
      while (!soFar().includes("sequences/s")) await sleep(5);
      type("\x03");
    });
    expect(status).toBe(1);
    expect(shown).toContain("packed-lstm: stopped by SIGINT; the same command with --resume goes on\r\n");
    expect(shown).toContain("\x1b[?25h");
    expect(existsSync(at("stopped.npy"))).toBe(false);
    expect((await onTerminal(args("stopped.npy", "--resume"))).status).toBe(0);
    expect(readFileSync(at("stopped.npy")).equals(readFileSync(at("shown.npy")))).toBe(true);
  });

  it("tells an error in one line", async () => {
    const { status, shown } = await onTerminal(["run", "-m", at("absent"), "-i", at("in.npy"), "-o", at("x.npy")]);
    expect({ status, shown }).toEqual({
      status: 1,
      shown: expect.stringMatching(/^packed-lstm: .*no such file[^\n]*\n$/),
    });
  });
});

describe("the line of a bar", () => {
  it.each([
    [0, 100, 0, `${"░".repeat(30)} 0%  0 of 100 sequences  0.0 sequences/s`],
    [50, 100, 2.5, `${"█".repeat(15) + "░".repeat(15)} 50%  50 of 100 sequences  2.5 sequences/s  ETA 20 s`],
    [99, 100_000, 12.3, `${"░".repeat(30)} 0%  99 of 100000 sequences  12 sequences/s  ETA 2 h 15 min`],
    [100, 100, 1, `${"█".repeat(30)} 100%  100 of 100 sequences  1.0 sequences/s  ETA 0 s`],
    [0, 0, 0, `${"█".repeat(30)} 100%  0 of 0 sequences  0.0 sequences/s`],
    [70, undefined, 35, "70 sequences  35 sequences/s"],
  ])("of %i of %s at %d a second", (value, total, rate, line) => {
    expect(progressLine(value, total, rate)).toBe(line);
  });
});

describe("--resume", () => {
  const small = runFolder(new LSTM(3, 4));
  afterAll(small.remove);
  const model = (name: string, lstm: LSTM): string => {
    saveSafetensors(small.at(name), { ...lstm.stateDict(), extra: randn([3]) });
    return small.at(name);
  };
  // Its last line is no sequence, so a run over it always leaves a .partial.
  const lines = Array.from({ length: 50 }, (_, i) =>
    JSON.stringify({ input: [[i, 1, 2]], other: [[i, 1, 3]], n: 1, id: i }),
  );

  beforeAll(() => {
    writeFileSync(small.at("in.jsonl"), [...lines, "null"].join("\n"));
    writeFileSync(small.at("other.jsonl"), [...lines, "null"].join("\n"));
    model("a.safetensors", new LSTM(3, 4));
    model("b.safetensors", new LSTM(3, 4));
  });

  const go = (...more: string[]) => {
    const options = new Map([
      ["-m", small.at("a.safetensors")],
      ["-i", small.at("in.jsonl")],
    ]);
    const rest = more.filter((word, i) => {
      if (options.has(more[i - 1] ?? "")) options.set(more[i - 1] as string, word);
      return !options.has(word) && !options.has(more[i - 1] ?? "");
    });
    const { status, stderr } = small.run(...[...options].flat(), "-o", small.at("out.npz"), "--tokens", "5", ...rest);
    expect(status).toBe(1);
    return stderr;
  };

  it("goes on with the same work, in other batches, from a file of the same weights", () => {
    const lstm = new LSTM(3, 4);
    model("a.safetensors", lstm);
    expect(go()).toContain("line 51: expected rows");
    const partial = readFileSync(small.at("out.npz.partial"));
    model("a.safetensors", lstm); // what stands beside the LSTM has changed
    for (const more of [[], ["--tokens", "7"], ["--threads", "1"]]) {
      expect(go("--resume", ...more)).toContain("line 51: expected rows");
      expect(readFileSync(small.at("out.npz.partial")).equals(partial)).toBe(true);
    }
  });

  it.each([
    ["retrained weights", () => ["-m", small.at("b.safetensors")]],
    ["--batch-first", () => ["--batch-first"]],
    ["--last", () => ["--last"]],
    ["--weight-dtype", () => ["--weight-dtype", "float16"]],
    ["--weight-dtype int8", () => ["--weight-dtype", "int8"]],
    ["another column", () => ["--column", "other"]],
    ["lengths", () => ["--lengths", "n"]],
    ["another kept column", () => ["--keep", "id"]],
    ["another input", () => ["-i", small.at("other.jsonl")]],
  ])("refuses %s, and leaves what is there", (_, more) => {
    expect(go()).toContain("line 51: expected rows");
    const partial = readFileSync(small.at("out.npz.partial"));
    expect(go("--resume", ...more())).toContain("is of another run");
    expect(readFileSync(small.at("out.npz.partial")).equals(partial)).toBe(true);
  });

  it("refuses the same file retrained in its place, and a changed file of lengths", () => {
    expect(go()).toContain("line 51: expected rows");
    model("a.safetensors", new LSTM(3, 4));
    expect(go("--resume")).toContain("is of another run");
  });
});
