// `run`: a model over a file of sequences, into another file. The work is `map`'s; here are the choices a user has,
// which share of the file is this process's, and how a run stops and goes on.

import { existsSync } from "node:fs";
import type { FloatArray } from "../../binding.js";
import type { GRU, LSTM, MapResult, RNN } from "../index.js";
import type { Command } from "./command.js";
import { chooseModel, type FoundModel } from "./model-file.js";
import { startProgress } from "./progress.js";
import { checkRegular, standard } from "./run-files.js";
import { hashTensors, identify } from "./run-identity.js";
import { openInput } from "./run-input.js";
import type { Input, Item } from "./run-items.js";
import { type KeptColumn, KeptWatch } from "./run-keep.js";
import { Lock } from "./run-lock.js";
import { buildModel } from "./run-model.js";
import { writeOutput } from "./run-output.js";
import { lineOf } from "./run-results.js";
import { readSettings, type Settings } from "./run-settings.js";
import { type RunIdentity, Store } from "./run-store.js";

export const command: Command = {
  usage: "--model FILE --input FILE --output FILE [OPTIONS]",
  words: 0,
  options: {
    model: {
      type: "string",
      short: "m",
      value: "FILE",
      required: true,
      help: "weights: safetensors, torch, ONNX, Keras",
    },
    input: {
      type: "string",
      short: "i",
      value: "FILE",
      required: true,
      help: "sequences: .npy, .npz, .jsonl or .parquet; - for JSON lines from stdin",
    },
    output: {
      type: "string",
      short: "o",
      value: "FILE",
      required: true,
      help: "results: .npy, .npz, .jsonl or .parquet; - for JSON lines to stdout",
    },
    prefix: { type: "string", value: "NAME", help: "which layer of the model file, as `inspect` names them" },
    key: { type: "string", value: "KEY", help: "where in a torch checkpoint the state dict lies" },
    column: { type: "string", value: "NAME", help: 'the array, key or column of the sequences; "input" unless given' },
    lengths: { type: "string", value: "WHAT", help: "their lengths: a file, or an array, key or column beside them" },
    keep: {
      type: "string",
      value: "NAME",
      multiple: true,
      help: "carry this array, key or column through to the results: ids, labels; may be repeated",
    },
    "batch-first": { type: "boolean", help: "3-D arrays are (B, T, I) instead of (T, B, I)" },
    last: { type: "boolean", help: "keep of each output only the last layer's final h, (D·R)" },
    "weight-dtype": {
      type: "string",
      value: "DTYPE",
      help: "int8: a quarter of the memory, and faster; float16: half of it; as the file's dtype unless given",
    },
    nonlinearity: {
      type: "string",
      value: "NAME",
      help: "tanh or relu, of an RNN whose file does not say it; tanh unless given",
    },
    threads: { type: "string", value: "N", help: "compute threads; what cores and quota allow unless given" },
    tokens: { type: "string", value: "N", help: "steps of a batch; 16384 unless given" },
    shard: { type: "string", value: "I/N", help: "only the I-th of N equal shares, I from 0" },
    resume: { type: "boolean", help: "go on where a run that was stopped or killed left off" },
    quiet: { type: "boolean", short: "q", help: "no progress, which else is shown on a terminal" },
  },
  details: [
    "Input:\n  .npy      (T, I) one sequence; (rows, I) with --lengths, sequence after sequence; (T, B, I);\n            (B, T, I) with --batch-first; padded ones with --lengths\n  .npz      the same as array `input`, its lengths as array `lengths`\n  .jsonl    a line a sequence: [[…], …], or an object with it under `input`\n  .parquet  a row a sequence, in column `input`: a list of rows, or of all their numbers; floats, doubles, halfs\n            or integers, compressed with snappy, zstd, gzip, brotli, lz4 or not at all\nA length is a whole number from 1 to the steps that there are.",
    "Output:\n  .npy      (rows, D·R), sequence after sequence; (N, D·R) with --last\n  .npz      output as above, lengths (N,), hn (N, L·D, R), and of an LSTM cn (N, L·D, H)\n  .jsonl    a line a sequence, { output }\n  .parquet  a row a sequence: index, length, output, hn, and of an LSTM cn\nWith --keep, .jsonl and .parquet hold the kept columns before these, and .npz an array (N,) of each. JSON lines carry\nany value as it stands; Parquet strings, integers, floats, booleans and nulls, in their types; .npz the same but nulls.",
    "The output appears whole or not at all. Until then OUTPUT.partial holds what is done; after a kill, the same command\nwith --resume goes on from there, to the same bytes. One run at a time: OUTPUT.lock tells others that one is at work. What comes from\nstdin or goes to stdout cannot be gone on with.",
    "Shards: without --shard, I and N are those of a Kubernetes Indexed Job (JOB_COMPLETION_INDEX, and PACKED_LSTM_SHARDS\nfor N, which Kubernetes does not tell) or of an AWS Batch array job (AWS_BATCH_JOB_ARRAY_INDEX and _SIZE). Each writes a\nfile of its own: out.npz becomes out.00002-of-00010.npz.",
    "Example:\n  packed-lstm run --model model.safetensors --input days.npz --output states.npz --last\n  zcat days.jsonl.gz | packed-lstm run -m model.pt -i - -o - --keep id | gzip > states.jsonl.gz",
  ],
  run: async ({ options }) => {
    await run(readSettings(options));
  },
};

async function run(settings: Settings): Promise<void> {
  const { output, resume } = settings;
  if (resume && isDone(settings)) return;
  if (existsSync(output)) checkRegular(output, ", which a file cannot take the place of");
  checkRegular(settings.model);
  const { built, ...found } = openModel(settings);
  using model = built;
  const { dtype, inputSize } = model;
  const { batchFirst, column, lengths, keep } = settings;
  const input = await openInput(settings.input, { dtype, inputSize, batchFirst, column, lengths, keep });
  const columns = keep.map((name, i): KeptColumn => ({ name, type: input.kept[i] ?? "json" }));
  const { index, count } = settings.shard;
  const total = input.count;
  const from = total === undefined ? 0 : Math.floor((total * index) / count);
  const to = total === undefined ? Number.POSITIVE_INFINITY : Math.floor((total * (index + 1)) / count);
  const work: Work = { settings, model, input, columns, from, to, identity: identify(settings, found, from, to) };
  if (output === standard) await toStdout(work);
  else await toFile(work);
}

/** The model, whose weights are then held but once, and what is told of it by them. */
function openModel({ model: path, key, prefix, nonlinearity, weightDtype }: Settings): {
  built: LSTM | GRU | RNN;
  config: FoundModel["config"];
  hash: string;
} {
  const found = chooseModel("run", { path, key, prefix, nonlinearity });
  return { built: buildModel(found, weightDtype), config: found.config, hash: hashTensors(found.stateDict) };
}

function isDone({ output, quiet }: Settings): boolean {
  if (!existsSync(output) || existsSync(`${output}.partial`)) return false;
  if (!quiet) process.stderr.write(`${output} is there already\n`);
  return true;
}

/** What there is to do. */
interface Work {
  readonly settings: Settings;
  readonly model: LSTM | GRU | RNN;
  readonly input: Input;
  readonly columns: readonly KeptColumn[];
  readonly from: number;
  readonly to: number;
  readonly identity: RunIdentity;
}

/** Into a file, by way of a store, so that it can be gone on with. */
async function toFile(work: Work): Promise<void> {
  const { settings, identity, columns } = work;
  const { output, quiet, resume } = settings;
  const lock = Lock.acquire(output);
  try {
    if (resume && isDone(settings)) return;
    const warn = (what: string): void => {
      if (!quiet) process.stderr.write(`${what}\n`);
    };
    const store = new Store(`${output}.partial`, identity, { resume, copy: lock.tookOver, owner: lock, warn });
    const interrupted = watchSignals(settings.resumable);
    try {
      const take = ({ length, arrays, kept }: Result): void => store.append(length, arrays, kept);
      await compute(work, { done: store.done, signal: interrupted.signal, take });
      lock.check();
      await writeOutput(output, { store, identity, keep: columns, signal: interrupted.signal });
    } catch (error) {
      giveUp(store);
      throw error;
    } finally {
      interrupted.stop();
    }
    store.remove();
  } finally {
    lock.release();
  }
}

/** Leaves what was done for a run that goes on; what cannot be written now is computed again then. */
function giveUp(store: Store): void {
  if (store.done === 0) {
    store.remove();
    return;
  }
  try {
    store.sync();
  } catch {
    // The error that led here tells more.
  } finally {
    store.close();
  }
}

/** Line by line to stdout, as the results come. */
async function toStdout(work: Work): Promise<void> {
  const { settings, identity, columns } = work;
  const take = async ({ arrays, kept }: Result): Promise<void> => {
    const line = lineOf(arrays[0] as FloatArray, kept, columns, identity);
    if (process.stdout.write(line)) return;
    await new Promise((resolve) => process.stdout.once("drain", resolve));
  };
  const interrupted = watchSignals(settings.resumable);
  try {
    await compute(work, { done: 0, signal: interrupted.signal, take });
  } finally {
    interrupted.stop();
  }
}

/** One sequence's results: output, hn, and of an LSTM cn. */
interface Result {
  readonly length: number;
  readonly arrays: readonly FloatArray[];
  readonly kept: readonly string[];
}

/** Where the work begins and ends, and who takes what it gives. */
interface Course {
  /** How many sequences were done before. */
  readonly done: number;
  readonly signal: AbortSignal;
  readonly take: (result: Result) => void | Promise<void>;
}

/** What `map` of any of the modules yields. */
type SomeResult = Omit<MapResult<Item>, "cn"> & Partial<Pick<MapResult<Item>, "cn">>;

/** Hands out the results of the sequences after the first `done`, in order. */
async function compute(work: Work, { done, signal, take }: Course): Promise<void> {
  const { settings, model, input, columns, from, to, identity } = work;
  const where = settings.input === standard ? "stdin" : settings.input;
  const watches = columns.map((column) => new KeptWatch(column, settings.format));
  const progress = await startProgress(Number.isFinite(to) ? to - from : undefined, done, settings.quiet);
  // Else the stop would wait for whoever writes to end, or to write more.
  if (settings.input === standard) signal.addEventListener("abort", () => process.stdin.destroy());
  const results: AsyncGenerator<SomeResult> = (model as GRU).map<Item>(input.sequences(from + done, to), {
    features: ({ sequence }) => sequence,
    maxBatchTokens: settings.tokens,
    outputs: identity.last ? "last" : "all",
    signal,
  });
  let number = from + done;
  try {
    for await (const { item, output, hn, cn } of results) {
      const { sequence, kept } = item;
      for (const [i, watch] of watches.entries()) watch.see(`${where}: sequence ${number}`, kept[i] as string);
      const arrays = [output, hn, ...(cn === undefined ? [] : [cn])].map(({ data }) => data as FloatArray);
      await take({ length: sequence.shape[0] as number, arrays, kept });
      number++;
      progress.update(number - from);
    }
  } catch (error) {
    const { code, index, cause } = error as { code?: string; index?: number; cause?: Error & { code?: string } };
    if (code !== "ERR_ITEM") throw error;
    const message = `${where}: sequence ${from + done + (index ?? 0)}: ${cause?.message}`;
    throw Object.assign(new Error(message, { cause: error }), { code: cause?.code ?? code });
  } finally {
    progress.end();
  }
}

/** A polite stop, by Ctrl-C or the engine: what is done is kept. A second one ends the process at once. */
function watchSignals(resumable: boolean): { signal: AbortSignal; stop: () => void } {
  const controller = new AbortController();
  const stopped = (name: NodeJS.Signals): void => {
    const hint = resumable ? "; the same command with --resume goes on" : "";
    controller.abort(new Error(`stopped by ${name}${hint}`));
  };
  process.once("SIGINT", stopped).once("SIGTERM", stopped);
  const stop = (): void => {
    process.off("SIGINT", stopped).off("SIGTERM", stopped);
  };
  return { signal: controller.signal, stop };
}
