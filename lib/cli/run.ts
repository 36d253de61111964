// `run`: a model over a file of sequences, into another file. The work is LSTM.map's; here are the choices a user has,
// which share of the file is this process's, and how a run stops and goes on.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { extname } from "node:path";
import type { FloatArray } from "../../binding.js";
import { LSTM, setNumThreads, type WeightDType } from "../index.js";
import { type Arguments, type Command, UsageError } from "./command.js";
import { chooseLSTM } from "./model-file.js";
import { startProgress } from "./progress.js";
import { formatOf, openInput } from "./run-input.js";
import { writeOutput } from "./run-output.js";
import { type RunIdentity, Store } from "./run-store.js";

export const command: Command = {
  usage: "--model FILE --input FILE --output FILE [OPTIONS]",
  words: 0,
  options: {
    model: { type: "string", short: "m", value: "FILE", required: true, help: "a .safetensors, .pt or .onnx file" },
    input: {
      type: "string",
      short: "i",
      value: "FILE",
      required: true,
      help: "sequences: .npy, .npz, .jsonl or .parquet",
    },
    output: {
      type: "string",
      short: "o",
      value: "FILE",
      required: true,
      help: "results: .npy, .npz, .jsonl or .parquet",
    },
    prefix: { type: "string", value: "NAME", help: "which LSTM of the model file, as `inspect` names them" },
    key: { type: "string", value: "KEY", help: "where in a torch checkpoint the state dict lies" },
    column: { type: "string", value: "NAME", help: 'the array, key or column of the sequences; "input" unless given' },
    lengths: { type: "string", value: "WHAT", help: "their lengths: a file, or an array, key or column beside them" },
    "batch-first": { type: "boolean", help: "3-D arrays are (B, T, I) instead of (T, B, I)" },
    last: { type: "boolean", help: "keep of each output only the last layer's final h, (D·R)" },
    "weight-dtype": {
      type: "string",
      value: "DTYPE",
      help: "float16 stores the weights in half the memory, rounded; as the file's dtype unless given",
    },
    threads: { type: "string", value: "N", help: "compute threads; all cores unless given" },
    tokens: { type: "string", value: "N", help: "steps of a batch; 16384 unless given" },
    shard: { type: "string", value: "I/N", help: "only the I-th of N equal shares, I from 0" },
    resume: { type: "boolean", help: "go on where a run that was stopped or killed left off" },
    quiet: { type: "boolean", short: "q", help: "no progress" },
  },
  details: [
    "Input:\n  .npy      (T, I) one sequence; (rows, I) with --lengths, sequence after sequence; (T, B, I);\n            (B, T, I) with --batch-first; padded ones with --lengths\n  .npz      the same as array `input`, its lengths as array `lengths`\n  .jsonl    a line a sequence: [[…], …], or an object with it under `input`\n  .parquet  a row a sequence, in column `input`: a list of rows, or of all their numbers",
    "Output:\n  .npy      (rows, D·R), sequence after sequence; (N, D·R) with --last\n  .npz      output as above, lengths (N,), hn (N, L·D, R), cn (N, L·D, H)\n  .jsonl    a line a sequence, { output }\n  .parquet  a row a sequence: index, length, output, hn, cn",
    "The output appears whole or not at all. Until then OUTPUT.partial holds what is done; after a kill, the same command\nwith --resume goes on from there, to the same bytes.",
    "Shards: without --shard, I and N are those of a Kubernetes Indexed Job (JOB_COMPLETION_INDEX, and PACKED_LSTM_SHARDS\nfor N, which Kubernetes does not tell) or of an AWS Batch array job (AWS_BATCH_JOB_ARRAY_INDEX and _SIZE). Each writes a\nfile of its own: out.npz becomes out.00002-of-00010.npz.",
    "Example:\n  packed-lstm run --model model.safetensors --input days.npz --output states.npz --last",
  ],
  run: async ({ options }) => {
    await run(options);
  },
};

type Options = Arguments["options"];

async function run(options: Options): Promise<void> {
  const text = (name: string): string | undefined => options[name] as string | undefined;
  const modelPath = text("model") as string;
  const inputPath = text("input") as string;
  const shard = readShard(text("shard"));
  const output = shardPath(text("output") as string, shard);
  formatOf(output);
  formatOf(inputPath);
  if (options.threads !== undefined) setNumThreads(whole("threads", text("threads") as string, 1024));
  const maxBatchTokens = whole("tokens", text("tokens") ?? "16384", 2 ** 31 - 1);
  const weightDtype = readWeightDType(text("weight-dtype"));
  const quiet = options.quiet === true;
  if (options.resume && existsSync(output) && !existsSync(`${output}.partial`)) {
    if (!quiet) process.stderr.write(`${output} is there already\n`);
    return;
  }

  const { config, stateDict } = chooseLSTM("run", modelPath, text("key"), text("prefix"));
  using lstm = LSTM.fromStateDict(stateDict, { weightDtype });
  const input = await openInput(inputPath, {
    dtype: config.dtype,
    inputSize: config.inputSize,
    batchFirst: options["batch-first"] === true,
    column: text("column") ?? "input",
    lengths: text("lengths"),
  });
  const from = Math.floor((input.count * shard.index) / shard.count);
  const to = Math.floor((input.count * (shard.index + 1)) / shard.count);

  const { size, mtimeMs } = statSync(inputPath);
  const identity: RunIdentity = {
    model: createHash("sha256").update(readFileSync(modelPath)).digest("hex"),
    input: `${inputPath} ${size} ${mtimeMs}`,
    options: JSON.stringify([
      options.prefix,
      options.key,
      options.column,
      options.lengths,
      options["batch-first"],
      weightDtype,
      from,
      to,
    ]),
    last: options.last === true,
    width: (config.projSize || config.hiddenSize) * (config.bidirectional ? 2 : 1),
    states: config.numLayers * (config.bidirectional ? 2 : 1),
    real: config.projSize || config.hiddenSize,
    hiddenSize: config.hiddenSize,
    bytes: config.dtype === "float32" ? 4 : 8,
  };
  const store = new Store(`${output}.partial`, identity, options.resume === true);
  const progress = await startProgress(to - from, store.done, quiet);
  const interrupted = watchSignals();
  const results = lstm.map(input.sequences(from + store.done, to), {
    maxBatchTokens,
    outputs: identity.last ? "last" : "all",
    signal: interrupted.signal,
  });
  const first = from + store.done;
  try {
    for await (const { item, output: rows, hn, cn } of results) {
      store.append(item.shape[0] as number, [rows.data as FloatArray, hn.data as FloatArray, cn.data as FloatArray]);
      progress.update(store.done);
    }
  } catch (error) {
    const { code, index, cause } = error as { code?: string; index?: number; cause?: Error };
    if (code !== "ERR_ITEM") throw error;
    throw new Error(`${inputPath}: sequence ${first + (index ?? 0)}: ${cause?.message}`, { cause: error });
  } finally {
    store.flush();
    progress.end();
    interrupted.stop();
  }
  await writeOutput(output, store, identity);
  store.remove();
}

function readWeightDType(value: string | undefined): WeightDType | undefined {
  if (value === undefined || value === "float16" || value === "float32" || value === "float64") return value;
  throw new UsageError(`run: --weight-dtype: expected float16, float32 or float64, but got ${JSON.stringify(value)}`);
}

function whole(name: string, value: string, max: number): number {
  const number = Number(value);
  if (/^\d+$/.test(value) && number >= 1 && number <= max) return number;
  throw new UsageError(`run: --${name}: expected a whole number from 1 to ${max}, but got ${JSON.stringify(value)}`);
}

interface Shard {
  readonly index: number;
  readonly count: number;
}

/** The share that is asked for, or that the engine which started this process meant. */
function readShard(given: string | undefined): Shard {
  const { JOB_COMPLETION_INDEX: k8s, PACKED_LSTM_SHARDS: shards } = process.env;
  const { AWS_BATCH_JOB_ARRAY_INDEX: batch, AWS_BATCH_JOB_ARRAY_SIZE: size } = process.env;
  const fromEngine = k8s !== undefined && shards !== undefined ? `${k8s}/${shards}` : undefined;
  const fromBatch = batch !== undefined && size !== undefined ? `${batch}/${size}` : undefined;
  const value = given ?? fromEngine ?? fromBatch ?? "0/1";
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(value) ?? [];
  if (index === undefined || Number(index) >= Number(count)) {
    throw new UsageError(`run: --shard: expected I/N with I from 0 to N - 1, but got ${JSON.stringify(value)}`);
  }
  return { index: Number(index), count: Number(count) };
}

function shardPath(path: string, { index, count }: Shard): string {
  if (count === 1) return path;
  const end = extname(path);
  const five = (n: number): string => String(n).padStart(5, "0");
  return `${path.slice(0, path.length - end.length)}.${five(index)}-of-${five(count)}${end}`;
}

/** A polite stop, by Ctrl-C or the engine: what is done is kept. A second one ends the process at once. */
function watchSignals(): { signal: AbortSignal; stop: () => void } {
  const controller = new AbortController();
  const stopped = (name: NodeJS.Signals): void => {
    controller.abort(new Error(`stopped by ${name}; the same command with --resume goes on`));
  };
  process.once("SIGINT", stopped).once("SIGTERM", stopped);
  const stop = (): void => {
    process.off("SIGINT", stopped).off("SIGTERM", stopped);
  };
  return { signal: controller.signal, stop };
}
