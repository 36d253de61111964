// PyTorch as a peer: the child process of torch-peer.py under the Python that PACKED_LSTM_BENCH_PYTHON names. It times
// itself, so neither the pipe nor the files between the processes are in its figures.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Effort, Timing } from "./measure.js";
import { elements, type Problem, type Results, statesOf } from "./problem.js";

interface Reply {
  readonly version?: string;
  readonly error?: string;
  readonly median?: number;
  readonly fastest?: number;
  readonly samples?: number;
}

export class Torch {
  readonly version: string;
  readonly #child: ChildProcess;
  readonly #replies: AsyncIterator<string>;
  readonly #folder = mkdtempSync(join(tmpdir(), "packed-lstm-bench-"));

  private constructor(child: ChildProcess, replies: AsyncIterator<string>, version: string) {
    this.#child = child;
    this.#replies = replies;
    this.version = version;
  }

  /** The peer, or why it cannot be had. */
  static async start(python: string | undefined): Promise<Torch | string> {
    if (!python) return "PACKED_LSTM_BENCH_PYTHON names no Python";
    const root = dirname(createRequire(import.meta.url).resolve("packed-lstm/package.json"));
    const script = join(root, "bench", "src", "torch-peer.py");
    const child = spawn(python, [script], { stdio: ["pipe", "pipe", "inherit"] });
    try {
      await once(child, "spawn");
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    const replies = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const first = await replies.next();
    if (first.done) return "the Python of PACKED_LSTM_BENCH_PYTHON has no torch that loads";
    const { version = "of unknown version" } = JSON.parse(first.value) as Reply;
    return new Torch(child, replies, version);
  }

  /** Runs and times a problem. @throws Error when torch fails */
  async measure(problem: Problem, threads: number, effort: Effort): Promise<{ results: Results; timing: Timing }> {
    const { shape, module, input, state } = problem;
    const [h0, c0] = statesOf(state);
    const named = { ...module.stateDict(), input, ...(h0 && { h0 }), ...(c0 && { c0 }) };
    const files = { tensors: join(this.#folder, "tensors"), results: join(this.#folder, "results") };
    const parts = Object.values(named).map((tensor) => {
      const { buffer, byteOffset, byteLength } = elements(tensor);
      return new Uint8Array(buffer, byteOffset, byteLength);
    });
    writeFileSync(files.tensors, Buffer.concat(parts));
    const entries = Object.entries(named).map(([name, tensor]) => [name, tensor.shape]);

    this.#child.stdin?.write(`${JSON.stringify({ shape, threads, entries, ...files, ...effort })}\n`);
    const line = await this.#replies.next();
    if (line.done) throw new Error("torch: the process ended");
    const { error, median = Number.NaN, fastest = Number.NaN, samples = 0 } = JSON.parse(line.value) as Reply;
    if (error) throw new Error(`torch: ${error}`);
    return { results: this.#read(files.results, problem), timing: { median, fastest, samples, manner: "own process" } };
  }

  #read(file: string, { shape }: Problem): Results {
    const raw = Uint8Array.from(readFileSync(file));
    const all = shape.dtype === "float64" ? new Float64Array(raw.buffer) : new Float32Array(raw.buffer);
    const size = shape.layers * shape.directions * shape.batch * shape.hiddenSize;
    const output = all.length - (shape.cell ? 1 : 2) * size;
    const [hn, cn] = [all.subarray(output, output + size), all.subarray(output + size)];
    return { output: all.subarray(0, output), hn, ...(cn.length > 0 && { cn }) };
  }

  close(): void {
    this.#child.stdin?.end();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
