// `packed-lstm run`: every format in and out with the same bits as forward, shards that join to the whole, and runs that
// are stopped or killed and go on to the very bytes of one that was not.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parquetReadObjects } from "hyparquet";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { npyHeader } from "../lib/cli/npy.js";
import { cat, LSTM, manualSeed, randn, saveSafetensors, stack, type Tensor, zeros } from "../lib/index.js";
import { buildPackage, cliPath, runCli } from "./support/cli.js";

const folder = mkdtempSync(join(tmpdir(), "packed-lstm-run-"));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true }));

manualSeed(5);
const lstm = new LSTM(3, 6, { numLayers: 2, bidirectional: true, projSize: 4 });
const lengths = Array.from({ length: 90 }, (_, i) => 1 + ((i * 37) % 23));
const sequences = lengths.map((length) => randn([length, 3]));
const alone = sequences.map((sequence) => lstm.forward(sequence));
const bytesOf = (...tensors: Tensor[]): Buffer =>
  Buffer.concat(tensors.map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength)));
const outputs = bytesOf(...alone.map(([output]) => output));
const lasts = bytesOf(...alone.map(([, [hn]]) => hn.slice(0, 2)));

/** What stands behind the header of a .npy. */
function elements(path: string): Buffer {
  const bytes = readFileSync(path);
  return bytes.subarray(10 + bytes.readUInt16LE(8));
}

function writeNpy(name: string, array: Tensor): void {
  writeFileSync(at(name), Buffer.concat([npyHeader("f4", array.shape), bytesOf(array)]));
}

const padded = stack(sequences.map((sequence) => cat([sequence, zeros([23 - (sequence.shape[0] as number), 3])])));

function run(...args: string[]) {
  return runCli(["run", "--model", at("model.safetensors"), "--quiet", ...args]);
}

function runWell(...args: string[]): void {
  expect(run(...args)).toEqual({ status: 0, stdout: "", stderr: "" });
}

beforeAll(() => {
  buildPackage();
  saveSafetensors(at("model.safetensors"), {
    ...Object.fromEntries(Object.entries(lstm.stateDict()).map(([name, value]) => [`enc.${name}`, value])),
    "fc.weight": zeros([2, 2]),
  });
  writeNpy("rows.npy", cat(sequences));
  writeNpy("batch-first.npy", padded);
  writeNpy("time-major.npy", padded.transpose(0, 1));
  writeFileSync(at("lengths.txt"), lengths.join("\n"));
  const line = (sequence: Tensor, i: number) =>
    JSON.stringify(i % 2 ? sequence.toArray() : { input: sequence.toArray() });
  writeFileSync(at("in.jsonl"), `${sequences.map(line).join("\n")}\n\n`);
});

describe("run", () => {
  it.each([
    ["rows.npy", "--lengths", at("lengths.txt")],
    ["batch-first.npy", "--batch-first", "--lengths", at("lengths.txt")],
    ["time-major.npy", "--lengths", at("lengths.txt")],
    ["in.jsonl"],
  ])("reads %s", (input, ...options) => {
    runWell("-i", at(input), "-o", at("out.npy"), "--tokens", "50", ...options);
    expect(elements(at("out.npy")).equals(outputs)).toBe(true);
    runWell("-i", at(input), "-o", at("last.npy"), "--last", "--threads", "1", ...options);
    expect(elements(at("last.npy")).equals(lasts)).toBe(true);
  });

  it("reads its own .npz and .parquet, and writes JSON lines", async () => {
    const from = ["-i", at("in.jsonl")];
    runWell(...from, "-o", at("all.npz"));
    runWell(...from, "-o", at("all.parquet"));
    runWell(...from, "-o", at("all.jsonl"));
    const rows = readFileSync(at("all.jsonl"), "utf8").trim().split("\n");
    const flat = rows.flatMap((row) => (JSON.parse(row) as { output: number[][] }).output.flat());
    expect(bytesOf({ data: Float32Array.from(flat) } as Tensor).equals(outputs)).toBe(true);
    const file = readFileSync(at("all.parquet"));
    const records = await parquetReadObjects({ file: new Uint8Array(file).buffer });
    expect(records.map(({ index, length }) => [index, length])).toEqual(lengths.map((length, i) => [i, length]));
    expect(records.map(({ hn }) => hn)).toEqual(alone.map(([, [hn]]) => Array.from(hn.data)));

    // The outputs, 8 wide, are sequences for a model that takes 8.
    const next = new LSTM(8, 2);
    saveSafetensors(at("next.safetensors"), next.stateDict());
    const wanted = bytesOf(...alone.map(([output]) => next.forward(output)[0]));
    for (const input of ["all.npz", "all.parquet"]) {
      const args = [
        "run",
        "-m",
        at("next.safetensors"),
        "-i",
        at(input),
        "-o",
        at("next.npy"),
        "--column",
        "output",
        "-q",
      ];
      expect(runCli(args)).toEqual({ status: 0, stdout: "", stderr: "" });
      expect(elements(at("next.npy")).equals(wanted)).toBe(true);
    }
  });

  it("stores the weights in float16 or int8 when asked to, and in nothing that it does not know", () => {
    const args = ["-i", at("in.jsonl"), "-o", at("half.npy"), "--weight-dtype"];
    for (const weightDtype of ["float16", "int8"] as const) {
      const narrow = LSTM.fromStateDict(lstm.stateDict(), { weightDtype });
      const rounded = bytesOf(...sequences.map((sequence) => narrow.forward(sequence)[0]));
      expect(rounded.equals(outputs)).toBe(false);
      runWell(...args, weightDtype);
      expect(elements(at("half.npy")).equals(rounded)).toBe(true);
    }
    runWell(...args, "float32");
    expect(elements(at("half.npy")).equals(outputs)).toBe(true);
    const stderr = expect.stringContaining(
      '--weight-dtype: expected int8, float16, float32 or float64, but got "int4"',
    );
    expect(run(...args, "int4")).toMatchObject({ status: 2, stderr });
  });

  it("splits into shards that join to the whole, by option or by what the engine says", () => {
    const from = ["-i", at("in.jsonl")];
    const shards: [string[], Record<string, string>][] = [
      [["--shard", "0/3"], {}],
      [[], { JOB_COMPLETION_INDEX: "1", PACKED_LSTM_SHARDS: "3" }],
      [[], { AWS_BATCH_JOB_ARRAY_INDEX: "2", AWS_BATCH_JOB_ARRAY_SIZE: "3" }],
    ];
    const parts = shards.map(([options, env], i) => {
      const args = ["run", "-m", at("model.safetensors"), ...from, "-o", at("shard.npy"), "-q", ...options];
      expect(runCli(args, env)).toEqual({ status: 0, stdout: "", stderr: "" });
      return elements(at(`shard.0000${i}-of-00003.npy`));
    });
    expect(parts.every(({ length }) => length > 0)).toBe(true);
    expect(Buffer.concat(parts).equals(outputs)).toBe(true);
  });

  it("says nothing of how far it is where there is no terminal", () => {
    const args = ["run", "-m", at("model.safetensors"), "-i", at("in.jsonl"), "-o", at("told.npy")];
    expect(runCli(args)).toEqual({ status: 0, stdout: "", stderr: "" });
  });

  it.each<[string, number, string[], string]>([
    ["no model", 2, ["run", "-i", "a.npy", "-o", "b.npy"], "--model is missing"],
    ["an unknown format", 2, ["run", "-m", "m", "-i", "a.csv", "-o", "b.npy"], ".parquet"],
    ["a shard beyond", 2, ["run", "-m", "m", "-i", "a.npy", "-o", "b.npy", "--shard", "3/3"], "--shard"],
    ["no threads", 2, ["run", "-m", "m", "-i", "a.npy", "-o", "b.npy", "--threads", "0"], "--threads"],
    [
      "a model that is not there",
      1,
      ["run", "-m", at("absent"), "-i", at("rows.npy"), "-o", at("b.npy")],
      "no such file",
    ],
    [
      "another prefix",
      1,
      ["run", "-m", at("model.safetensors"), "--prefix", "ecn.", "-i", at("rows.npy"), "-o", at("b.npy")],
      'did you mean "enc."?',
    ],
    [
      "lengths that do not fit",
      1,
      [
        "run",
        "-m",
        at("model.safetensors"),
        "-i",
        at("time-major.npy"),
        "--lengths",
        at("rows.npy"),
        "-o",
        at("b.npy"),
      ],
      "whole numbers",
    ],
  ])("%s: exit code %i", (_, status, args, piece) => {
    const result = runCli(args);
    expect({ ...result, stderr: "" }).toEqual({ status, stdout: "", stderr: "" });
    expect(result.stderr).toContain(piece);
    expect(existsSync(at("b.npy"))).toBe(false);
  });

  it("names a bad sequence by its number in the file, also in a shard, and leaves no output", () => {
    const rows = sequences.map((sequence) => JSON.stringify(sequence.toArray())).with(70, "[[1, 2]]");
    writeFileSync(at("bad.jsonl"), rows.join("\n"));
    for (const shard of ["0/1", "1/2"]) {
      const { status, stderr } = run("-i", at("bad.jsonl"), "-o", at("bad.npy"), "--shard", shard);
      expect(status).toBe(1);
      expect(stderr).toContain("bad.jsonl: sequence 70: ");
    }
    expect(readdirSync(folder).filter((name) => /^bad.*\.npy$/.test(name))).toEqual([]);
  });
});

describe("a run that ends before its time", () => {
  // Layers enough for seconds of work: the signal has to come before its end on a fast and busy machine, too.
  const model = new LSTM(16, 160, { numLayers: 8 });
  const rows = randn([60_000, 16]);
  const many = Array.from({ length: 3000 }, () => 20);
  const args = (output: string, ...more: string[]): string[] => [
    ...["run", "-m", at("large.safetensors"), "-i", at("many.npy"), "--lengths", at("many.txt"), "-o", at(output)],
    ...["--tokens", "400", "--quiet", ...more],
  ];

  beforeAll(() => {
    saveSafetensors(at("large.safetensors"), model.stateDict());
    writeNpy("many.npy", rows);
    writeFileSync(at("many.txt"), many.join("\n"));
    expect(runCli(args("whole.npz"))).toEqual({ status: 0, stdout: "", stderr: "" });
  });

  /** Ends a run with a signal when its partial file has grown by a megabyte or so. */
  async function interrupt(signal: NodeJS.Signals, output: string, ...more: string[]) {
    const partial = at(`${output}.partial`);
    const size = (): number => (existsSync(partial) ? statSync(partial).size : 0);
    const before = more.includes("--resume") ? size() : 0;
    const child = spawn(process.execPath, [cliPath, ...args(output, ...more)], { stdio: ["ignore", "ignore", "pipe"] });
    let stderr = "";
    child.stderr.on("data", (text) => {
      stderr += text;
    });
    const ended = new Promise<number | null>((resolve) => child.on("exit", resolve));
    while (size() < before + 2 ** 20 && child.exitCode === null) await sleep(1);
    child.kill(signal);
    const status = await ended;
    expect(child.exitCode === 0).toBe(false); // else it was too fast to be interrupted
    return { status, stderr };
  }

  it.each(["killed.npz", "killed.npy"])("killed twice: goes on to the same bytes, %s", async (output) => {
    const whole = output.replace("killed", "whole");
    if (!existsSync(at(whole))) expect(runCli(args(whole)).status).toBe(0);
    await interrupt("SIGKILL", output);
    const first = statSync(at(`${output}.partial`)).size;
    await interrupt("SIGKILL", output, "--resume");
    expect(statSync(at(`${output}.partial`)).size).toBeGreaterThan(first);
    expect(existsSync(at(output))).toBe(false);
    expect(runCli(args(output, "--resume"))).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(readFileSync(at(output)).equals(readFileSync(at(whole)))).toBe(true);
    expect(readdirSync(folder).filter((name) => /partial|writing/.test(name) && name.startsWith("killed"))).toEqual([]);
  });

  it("stopped politely: says how to go on, and does", async () => {
    const { status, stderr } = await interrupt("SIGTERM", "stopped.npz");
    expect(status).toBe(1);
    expect(stderr).toContain("stopped by SIGTERM; the same command with --resume goes on");
    expect(runCli(args("stopped.npz", "--resume")).status).toBe(0);
    expect(readFileSync(at("stopped.npz")).equals(readFileSync(at("whole.npz")))).toBe(true);
  });

  it("does not go on with another model, and has nothing to do when it was done", async () => {
    await interrupt("SIGKILL", "other.npz");
    const { status, stderr } = runCli([...args("other.npz", "--resume"), "--last"]);
    expect(status).toBe(1);
    expect(stderr).toContain("of another run");
    expect(runCli(args("whole.npz", "--resume"))).toEqual({ status: 0, stdout: "", stderr: "" });
  });
});
