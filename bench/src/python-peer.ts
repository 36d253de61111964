// A peer in Python: a child process of the Python that PACKED_LSTM_BENCH_PYTHON names, which reads a JSON request a line,
// times itself, so that neither the pipe nor the files between the processes are in its figures, and answers a JSON line.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Timing } from "./measure.js";
import { elements, type Problem, type Results } from "./problem.js";

interface Reply {
  readonly version?: string;
  readonly precisions?: readonly string[];
  readonly error?: string;
  readonly median?: number;
  readonly fastest?: number;
  readonly samples?: number;
}

export interface Answer {
  readonly results: Results;
  readonly timing: Timing;
}

export class PythonPeer {
  readonly name: string;
  readonly version: string;
  /** What it can compute in, where it says so. */
  readonly precisions: readonly string[];
  readonly #child: ChildProcess;
  readonly #replies: AsyncIterator<string>;
  readonly #folder = mkdtempSync(join(tmpdir(), "packed-lstm-bench-"));

  private constructor(name: string, child: ChildProcess, replies: AsyncIterator<string>, hello: Reply) {
    this.name = name;
    this.#child = child;
    this.#replies = replies;
    this.version = hello.version ?? "of unknown version";
    this.precisions = hello.precisions ?? [];
  }

  /** The peer whose script is `<name>-peer.py`, or why it cannot be had. */
  static async start(name: string, python: string | undefined): Promise<PythonPeer | string> {
    if (!python) return "PACKED_LSTM_BENCH_PYTHON names no Python";
    const root = dirname(createRequire(import.meta.url).resolve("packed-lstm/package.json"));
    const script = join(root, "bench", "src", `${name}-peer.py`);
    const child = spawn(python, ["-B", script], { stdio: ["pipe", "pipe", "inherit"] });
    try {
      await once(child, "spawn");
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    const replies = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const first = await replies.next();
    if (first.done) return `the Python of PACKED_LSTM_BENCH_PYTHON has no ${name} that loads`;
    return new PythonPeer(name, child, replies, JSON.parse(first.value) as Reply);
  }

  /**
   * @param named tensors, handed over in a file, in this order
   * @param blob more bytes, in a file of their own
   * @throws Error when the peer fails
   */
  async ask(
    request: object,
    named: Readonly<Record<string, { readonly data: unknown; readonly shape: readonly number[] }>>,
    { shape }: Problem,
    blob?: Uint8Array,
  ): Promise<Answer> {
    const files = Object.fromEntries(["tensors", "results", "model"].map((file) => [file, join(this.#folder, file)]));
    const { tensors = "", results = "", model = "" } = files;
    const parts = Object.values(named).map((tensor) => {
      const { buffer, byteOffset, byteLength } = elements(tensor);
      return new Uint8Array(buffer, byteOffset, byteLength);
    });
    writeFileSync(tensors, Buffer.concat(parts));
    if (blob) writeFileSync(model, blob);
    const entries = Object.entries(named).map(([name, tensor]) => [name, tensor.shape]);

    this.#child.stdin?.write(`${JSON.stringify({ ...request, shape, entries, ...files })}\n`);
    const line = await this.#replies.next();
    if (line.done) throw new Error(`${this.name}: the process ended`);
    const { error, median = Number.NaN, fastest = Number.NaN, samples = 0 } = JSON.parse(line.value) as Reply;
    if (error) throw new Error(`${this.name}: ${error}`);
    return { results: read(results, shape), timing: { median, fastest, samples, manner: "own process" } };
  }

  close(): void {
    this.#child.stdin?.end();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The output, hn and cn one after the other. */
function read(file: string, shape: Problem["shape"]): Results {
  const raw = Uint8Array.from(readFileSync(file));
  const all = shape.dtype === "float64" ? new Float64Array(raw.buffer) : new Float32Array(raw.buffer);
  const size = shape.layers * shape.directions * shape.batch * shape.hiddenSize;
  const output = all.length - (shape.cell ? 1 : 2) * size;
  const [hn, cn] = [all.subarray(output, output + size), all.subarray(output + size)];
  return { output: all.subarray(0, output), hn, ...(cn.length > 0 && { cn }) };
}
