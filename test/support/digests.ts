// Committed digests of bits, a file of them. PACKED_LSTM_WRITE_BITS=1 writes them anew, when the arithmetic is meant to change.

import { readFileSync, writeFileSync } from "node:fs";
import { expect } from "vitest";
import { runtimeInfo } from "../../lib/index.js";
import { digest } from "./exactness-passes.js";

/** Tensors, whatever they are called. */
export type Bits = Parameters<typeof digest>[0][number];

export interface Digests {
  judge(name: string, results: readonly Bits[]): void;
  /** After the last one. */
  finish(): void;
}

/** @param name of the file in test/fixtures */
export function committedDigests(name: string): Digests {
  const file = new URL(`../fixtures/${name}`, import.meta.url);
  const writing = process.env.PACKED_LSTM_WRITE_BITS === "1";
  const committed: Record<string, string> = writing ? {} : JSON.parse(readFileSync(file, "utf8"));
  return {
    judge(of, results) {
      const found = digest(results);
      if (writing) committed[of] = found;
      const tell = `${of}: other bits on ${runtimeInfo().isa} than test/fixtures/${name} has`;
      expect(found, tell).toBe(committed[of]);
    },
    finish() {
      if (writing) writeFileSync(file, `${JSON.stringify(committed, null, 2)}\n`);
    },
  };
}
