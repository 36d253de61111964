// What is made of a run's records, whatever file it goes to: the names of the results, a record's numbers, a line of JSON.

import { setImmediate as nextTurn } from "node:timers/promises";
import type { FloatArray } from "../../binding.js";
import { jsonOf, type KeptColumn } from "./run-keep.js";
import type { RunIdentity, Store, StoredRecord } from "./run-store.js";

/** What a run's records are made into. */
export interface Results {
  readonly store: Pick<Store, "lengths" | "done" | "bytes" | "records">;
  readonly identity: RunIdentity;
  readonly keep: readonly KeptColumn[];
  /** Ends the work when it is aborted. */
  readonly signal: AbortSignal;
}

const heardEvery = 2 ** 20;

/** The records, one by one. After every MiB a signal can be heard, for reading and writing files here blocks. */
export async function* recordsOf({ store, signal }: Pick<Results, "store" | "signal">): AsyncGenerator<StoredRecord> {
  let bytes = 0;
  for (const record of store.records()) {
    bytes += record.output.length;
    if (bytes >= heardEvery) {
      bytes = 0;
      await nextTurn();
      signal.throwIfAborted();
    }
    yield record;
  }
}

/** The states of a record, by their names. */
export function stateNames({ hiddenSize }: RunIdentity): readonly ("hn" | "cn")[] {
  return hiddenSize === 0 ? ["hn"] : ["hn", "cn"];
}

/** Names of the results themselves in each format, which no kept column can have. */
export const resultNames: Readonly<Record<string, readonly string[]>> = {
  ".npz": ["output", "lengths", "hn", "cn"],
  ".jsonl": ["output"],
  ".parquet": ["index", "length", "output", "hn", "cn"],
};

/** The floats of a record. */
export function floatsOf(bytes: Buffer, identity: RunIdentity): FloatArray {
  const aligned = new Uint8Array(bytes).buffer;
  return identity.bytes === 4 ? new Float32Array(aligned) : new Float64Array(aligned);
}

/** A line of JSON for one sequence: what was kept, then its output. */
export function lineOf(
  output: FloatArray,
  kept: readonly string[],
  keep: readonly KeptColumn[],
  identity: RunIdentity,
): string {
  const { width, last } = identity;
  const all = Array.from(output);
  const rows = Array.from({ length: all.length / width }, (_, t) => all.slice(t * width, (t + 1) * width));
  const members = keep.map(({ name, type }, i) => `${JSON.stringify(name)}:${jsonOf(type, kept[i] as string)},`);
  return `{${members.join("")}"output":${JSON.stringify(last ? all : rows)}}\n`;
}
