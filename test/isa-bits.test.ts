// Every instruction set of this machine gives PyTorch's numbers and the committed bits, each in a process of its own and
// whatever set this suite was told to run on: a kernel that only one of them has, such as AVX2's tall tile, is judged
// here too. vitest.config.ts runs the whole numeric suites on each, unless one is forced.

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { beforeAll, describe, expect, it } from "vitest";
import { runtimeInfo } from "../lib/index.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = `${root}build/isa-bits/`;
const addon = process.env.PACKED_LSTM_BINARY ?? `${root}build/Release/packed_lstm.node`;

interface Counts {
  readonly done: number;
  readonly of: number;
}

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  cpSync(`${root}test/fixtures`, `${folder}fixtures`, { recursive: true });
  const entryPoints = [`${root}test/support/smoke.ts`];
  await build({ entryPoints, outfile: `${folder}smoke/smoke.mjs`, bundle: true, platform: "node", format: "esm" });
});

describe("the committed bits", () => {
  it.each(runtimeInfo().supportedIsas)(
    "are those of %s",
    (isa) => {
      const env = { ...process.env, PACKED_LSTM_ISA: isa, PACKED_LSTM_BINARY: addon };
      const printed = execFileSync(process.execPath, [`${folder}smoke/smoke.mjs`], { env, encoding: "utf8" });
      const report = JSON.parse(printed) as Record<"parity" | "bits" | "int8", Counts> & { isa: string };
      expect(report.isa).toBe(isa);
      for (const { done, of } of [report.parity, report.bits, report.int8]) expect(done).toBe(of);
    },
    600_000,
  );
});
