// `packed-lstm run` between pipes: JSON lines through standard input and output, readers and writers that go away, and pipes
// under a name, which are refused.

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LSTM } from "../lib/index.js";
import { buildPackage, cliPath } from "./support/cli.js";
import { runFolder, writeNpy } from "./support/run-files.js";

const folder = runFolder(new LSTM(3, 2));
const { at } = folder;
beforeAll(buildPackage);
afterAll(folder.remove);

describe("standard input and output", () => {
  const lines = Array.from({ length: 300 }, (_, i) => JSON.stringify({ id: i, input: [[i, i / 7, 1]] })).join("\n");
  const model = (): string[] => ["run", "-m", at("model.safetensors")];
  const pipe = (args: string[], input = lines) =>
    spawnSync(process.execPath, [cliPath, ...model(), ...args], { input, encoding: "utf8", timeout: 50_000 });

  it("carry JSON lines, with nothing else on either", () => {
    writeFileSync(at("std.jsonl"), lines);
    expect(folder.run("-i", at("std.jsonl"), "-o", at("std.out.jsonl"), "--keep", "id").status).toBe(0);
    const wanted = readFileSync(at("std.out.jsonl"), "utf8");
    for (const [input, output] of [
      ["-", "-"],
      [at("std.jsonl"), "-"],
      ["-", at("other.jsonl")],
    ] as const) {
      const { status, stdout, stderr } = pipe(["-i", input, "-o", output, "--keep", "id"]);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(output === "-" ? stdout : readFileSync(output, "utf8")).toBe(wanted);
    }
    const { status, stdout } = pipe(["-i", "-", "-o", "-"], "");
    expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
  });

  it("name the line that is at fault, after the results before it", () => {
    const { status, stdout, stderr } = pipe(["-i", "-", "-o", "-"], "[[1,2,3]]\n\nnull\n");
    expect(status).toBe(1);
    expect(stdout.split("\n").length).toBe(2);
    expect(stderr).toMatch(/^packed-lstm: stdin: sequence 1: line 3: expected rows .* but got null \[ERR_FILE\]\n$/);
  });

  it("quote no control characters of a line to a terminal", () => {
    const { status, stderr } = pipe(["-i", "-", "-o", "-"], "\0\x1b[2J\r\n");
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringMatching(/^[\x20-\x7e]+\n$/) });
  });

  it.each([
    [["-i", "-", "-o", "a.npz", "--resume"], "--resume"],
    [["-i", "a.npy", "-o", "-", "--resume"], "--resume"],
    [["-i", "-", "-o", "-", "--shard", "0/2"], "--shard"],
  ])("refuse %j", (args, what) => {
    const { status, stderr } = pipe(args, "");
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining(what) });
  });

  it("end well when the reader has had enough", async () => {
    const child = spawn(process.execPath, [cliPath, ...model(), "-i", "-", "-o", "-", "--tokens", "1"]);
    child.stdin.on("error", () => undefined);
    child.stdin.write(`${lines}\n`.repeat(2000));
    let stderr = "";
    child.stderr.on("data", (text) => {
      stderr += text;
    });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    child.stdout.destroy();
    const status = await new Promise((resolve) => child.on("exit", resolve));
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });

  it("stop at a signal though nothing more comes", async () => {
    const child = spawn(process.execPath, [cliPath, ...model(), "-i", "-", "-o", "-", "--tokens", "1"]);
    child.stdin.write("[[1,2,3]]\n[[1,2,3]]\n[[1,2,3]]\n");
    let stderr = "";
    child.stderr.on("data", (text) => {
      stderr += text;
    });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    child.kill("SIGTERM");
    const status = await new Promise((resolve) => child.on("exit", resolve));
    expect({ status, stderr }).toEqual({ status: 1, stderr: "packed-lstm: stopped by SIGTERM\n" });
  });

  it.skipIf(process.platform === "win32")("are the way for pipes, which are refused at once under a name", () => {
    execFileSync("mkfifo", [at("pipe.jsonl"), at("pipe.npy"), at("pipe.pt"), at("pipe.out.jsonl"), at("pipe.txt")]);
    writeFileSync(at("std.jsonl"), lines);
    writeNpy(at("rows.npy"), "f4", [2, 3], new Float32Array(6));
    for (const args of [
      ["-i", at("pipe.jsonl"), "-o", at("x.jsonl")],
      ["-i", at("pipe.npy"), "-o", at("x.jsonl")],
      ["-i", at("std.jsonl"), "-o", at("pipe.out.jsonl")],
      ["-m", at("pipe.pt"), "-i", at("std.jsonl"), "-o", at("x.jsonl")],
      ["-i", at("rows.npy"), "-o", at("x.jsonl"), "--lengths", at("pipe.npy")],
      ["-i", at("rows.npy"), "-o", at("x.jsonl"), "--lengths", at("pipe.txt")],
    ]) {
      const { status, stderr } = folder.run(...args);
      expect({ status, stderr }).toEqual({
        status: 1,
        stderr: expect.stringMatching(/expected a file, but got a pipe.*\n$/),
      });
    }
    expect(folder.run("-i", at("pipe.jsonl"), "-o", at("x.jsonl")).stderr).toContain("--input -");
  });
});
