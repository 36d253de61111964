// Files to damage: the fixtures, and sequences in each format that `run` reads, written here. They are read by nobody but
// the attacks in readers.ts.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { npyHeader } from "../../lib/cli/npy.js";
import { zip } from "../support/archive.js";

/** A good file. */
export interface Seed {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Every fixture whose path under test/fixtures ends in one of `ends`. The root is where the repository lies. */
export function fixtures(root: string, ends: readonly string[]): Seed[] {
  const folder = join(root, "test", "fixtures");
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => ends.some((end) => name.endsWith(end)))
    .sort()
    .map((name) => ({ name, bytes: new Uint8Array(readFileSync(join(folder, name))) }))
    .filter(({ bytes }) => bytes.length < 2 ** 18);
}

const numbers = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => i / 8);

function npy(kind: "f4" | "i4", shape: readonly number[], data: Float32Array | Int32Array): Uint8Array {
  return Buffer.concat([npyHeader(kind, shape), new Uint8Array(data.buffer)]);
}

/** Sequences of 3 numbers a step, `lengths` 2, 3, 1 beside them where the format has a place for it. */
export const sequences: Readonly<Record<".npy" | ".npz" | ".jsonl", () => Seed[]>> = {
  ".npy": () => [
    { name: "time-major.npy", bytes: npy("f4", [4, 2, 3], numbers(24)) },
    { name: "joined.npy", bytes: npy("f4", [6, 3], numbers(18)) },
    { name: "none.npy", bytes: npy("f4", [0, 2, 3], numbers(0)) },
  ],
  ".npz": () => {
    const x = { name: "x.npy", data: npy("f4", [6, 3], numbers(18)) };
    const lengths = { name: "lengths.npy", data: npy("i4", [3], Int32Array.of(2, 3, 1)) };
    return [
      { name: "both.npz", bytes: zip([x, lengths]) },
      { name: "unchecked.npz", bytes: zip([x, lengths].map((entry) => ({ ...entry, crc: 0 }))) },
    ];
  },
  ".jsonl": () => {
    const rows = [2, 3, 1].map((n) => Array.from({ length: n }, (_, t) => [t, t + 0.5, -t]));
    const text = (line: (rows: number[][]) => unknown): Uint8Array =>
      Buffer.from(rows.map((each) => `${JSON.stringify(line(each))}\n`).join(""));
    return [
      { name: "bare.jsonl", bytes: text((each) => each) },
      { name: "records.jsonl", bytes: text((each) => ({ x: each, lengths: each.length, id: "a" })) },
      { name: "flat.jsonl", bytes: text((each) => ({ x: each.flat() })) },
    ];
  },
};
