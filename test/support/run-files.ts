// Helpers for the tests of `packed-lstm run`: a folder with a model, its sequences, and the results that any run must give.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { npyHeader } from "../../lib/cli/npy.js";
import { type LSTM, saveSafetensors, type Tensor } from "../../lib/index.js";
import { cliPath, type Finished } from "./cli.js";

export interface RunFolder {
  at(name: string): string;
  /** `packed-lstm run` with this folder's model, quietly. */
  run(...args: string[]): Finished;
  remove(): void;
}

/** A new folder with `model` in it. */
export function runFolder(model: LSTM): RunFolder {
  const folder = mkdtempSync(join(tmpdir(), "packed-lstm-run-"));
  const at = (name: string): string => join(folder, name);
  saveSafetensors(at("model.safetensors"), model.stateDict());
  return {
    at,
    run: (...args) => runIn("run", "-m", at("model.safetensors"), "-q", ...args),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

function runIn(...args: string[]): Finished {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cliPath, ...args], {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    timeout: 50_000,
  });
  return { status, stdout, stderr };
}

export const bytesOf = (...tensors: Tensor[]): Buffer =>
  Buffer.concat(tensors.map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength)));

/** What stands behind the header of a .npy. */
export function elements(path: string): Buffer {
  const bytes = readFileSync(path);
  return bytes.subarray(10 + bytes.readUInt16LE(8));
}

/** Writes an array as .npy. */
export function writeNpy(
  path: string,
  kind: Parameters<typeof npyHeader>[0],
  shape: number[],
  data: ArrayBufferView,
): void {
  writeFileSync(
    path,
    Buffer.concat([npyHeader(kind, shape), Buffer.from(data.buffer, data.byteOffset, data.byteLength)]),
  );
}

/** A command under way. */
export interface Running {
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<Finished & { readonly signal: NodeJS.Signals | null }>;
}

/** Starts `packed-lstm` and does not wait for it. */
export function startCli(args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  return startNode([cliPath, ...args], env);
}

/** Starts node and does not wait for it. */
export function startNode(args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (text) => {
    stdout += text;
  });
  child.stderr.on("data", (text) => {
    stderr += text;
  });
  const ended = new Promise<Finished & { signal: NodeJS.Signals | null }>((resolve) => {
    child.on("close", (status, signal) => resolve({ status, stdout, stderr, signal }));
  });
  return { pid: child.pid as number, kill: (signal) => child.kill(signal), ended };
}

/** Waits until a file has so many bytes. @throws Error when it never has */
export async function untilSize(path: string, bytes: number): Promise<void> {
  const until = performance.now() + 50_000;
  while (!existsSync(path) || statSync(path).size < bytes) {
    if (performance.now() > until) throw new Error(`${path} does not grow to ${bytes} bytes`);
    await sleep(2);
  }
}
