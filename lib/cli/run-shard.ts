// Which share of a file is this process's, by option or by what the engine that started it says, and the name of its output.

import { extname } from "node:path";
import { UsageError } from "./command.js";

export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** The share that is asked for, or that the engine which started this process meant. @throws UsageError */
export function readShard(given: string | undefined): Shard {
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

/** out.npz becomes out.00002-of-00010.npz. */
export function shardPath(path: string, { index, count }: Shard): string {
  if (count === 1) return path;
  const end = extname(path);
  const five = (n: number): string => String(n).padStart(5, "0");
  return `${path.slice(0, path.length - end.length)}.${five(index)}-of-${five(count)}${end}`;
}
