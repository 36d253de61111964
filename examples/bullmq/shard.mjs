// One shard, from sequences to a file of final states. Doing it twice, or on two machines at once, does no harm: the same
// shard has the same bytes, and its file appears whole or not at all. The queue's AbortSignal goes through to the core.

import { closeSync, existsSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { readSequences } from "./dataset.mjs";

/** @typedef {{ folder: string, shard: number, from: number, to: number }} Shard */

/** Where the results of a shard lie: of each sequence its number in the file, then the last layer's final h. */
export function shardPath(/** @type {string} */ folder, /** @type {number} */ shard) {
  return join(folder, `shard-${String(shard).padStart(5, "0")}.bin`);
}

/**
 * @param {import("packed-lstm").LSTM} lstm
 * @param {Shard} shard
 * @param {AbortSignal} [signal]
 * @returns {Promise<number>} how many sequences were computed; 0 when somebody had done it
 */
export async function runShard(lstm, { folder, shard, from, to }, signal) {
  const path = shardPath(folder, shard);
  if (existsSync(path)) return 0;
  const temporary = `${path}.${process.pid}`;
  const file = openSync(temporary, "w");
  try {
    for await (const { index, output } of lstm.map(readSequences(folder, from, to), { outputs: "last", signal })) {
      writeSync(file, Int32Array.of(from + index));
      writeSync(file, /** @type {Float32Array} */ (output.data));
    }
    closeSync(file);
  } catch (error) {
    closeSync(file);
    rmSync(temporary);
    throw error;
  }
  renameSync(temporary, path);
  return to - from;
}
