// What the user wants of `run`, judged before anything is opened.

import { type RNNOptions, setNumThreads, type WeightDType } from "../index.js";
import { maxThreads } from "../runtime/runtime.js";
import { type Arguments, readWhole, readWord, UsageError } from "./command.js";
import { formatOf, standard } from "./run-files.js";
import { resultNames } from "./run-results.js";
import { readShard, type Shard, shardPath } from "./run-shard.js";

export interface Settings {
  readonly model: string;
  readonly key: string | undefined;
  readonly prefix: string | undefined;
  readonly weightDtype: WeightDType | undefined;
  /** An RNN's, where the file does not say it. */
  readonly nonlinearity: RNNOptions["nonlinearity"];
  readonly input: string;
  readonly column: string;
  readonly lengths: string | undefined;
  readonly keep: readonly string[];
  readonly batchFirst: boolean;
  readonly shard: Shard;
  /** The shard's own, or "-". */
  readonly output: string;
  /** Of the output. */
  readonly format: string;
  readonly last: boolean;
  readonly tokens: number;
  readonly resume: boolean;
  /** Whether a later run could go on with this one. */
  readonly resumable: boolean;
  readonly quiet: boolean;
}

/** Sets the number of threads, too. @throws UsageError */
export function readSettings(options: Arguments["options"]): Settings {
  const text = (name: string): string | undefined => options[name] as string | undefined;
  const input = text("input") as string;
  const wanted = text("output") as string;
  const shard = readShard(text("shard"));
  const format = formatOf(wanted);
  formatOf(input);
  const resumable = input !== standard && wanted !== standard;
  const resume = options.resume === true;
  if (resume && !resumable)
    throw new UsageError("run: --resume: what comes from stdin or goes to stdout cannot be gone on with");
  if (shard.count > 1 && !resumable) throw new UsageError("run: --shard: stdin and stdout have no shards");
  if (options.threads !== undefined) setNumThreads(readWhole("run", "threads", text("threads") as string, maxThreads));
  return {
    model: text("model") as string,
    key: text("key"),
    prefix: text("prefix"),
    weightDtype: readWord("run", "weight-dtype", text("weight-dtype"), ["int8", "float16", "float32", "float64"]),
    nonlinearity: readWord("run", "nonlinearity", text("nonlinearity"), ["tanh", "relu"]),
    input,
    column: text("column") ?? "input",
    lengths: text("lengths"),
    keep: readKeep((options.keep ?? []) as readonly string[], format),
    batchFirst: options["batch-first"] === true,
    shard,
    output: wanted === standard ? wanted : shardPath(wanted, shard),
    format,
    last: options.last === true,
    tokens: readWhole("run", "tokens", text("tokens") ?? "16384", 2 ** 31 - 1),
    resume,
    resumable,
    quiet: options.quiet === true,
  };
}

function readKeep(names: readonly string[], format: string): readonly string[] {
  const keep = [...new Set(names)];
  const taken = resultNames[format];
  if (keep.length === 0) return keep;
  if (taken === undefined)
    throw new UsageError(`run: --keep: a ${format} is one array; .npz, .jsonl and .parquet have room for more`);
  const clash = keep.find((name) => taken.includes(name));
  if (clash === undefined) return keep;
  throw new UsageError(
    `run: --keep: ${JSON.stringify(clash)} is the name of a result in ${format}; rename it in the input`,
  );
}
