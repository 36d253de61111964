// How vitest runs the suite. The addon's instruction set is chosen once per process from the environment, so each file
// has a process of its own, and the suites that judge numbers run once for every set this processor has: all files on
// the best (or on PACKED_LSTM_ISA), the numeric ones again on the others. An absent set cannot run and is not listed.

import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import type { Binding } from "../binding.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const numeric = [
  "parity",
  "exactness",
  "law",
  "float16-weights",
  "int8-weights",
  "int8-law",
  "int8-exactness",
  "accuracy",
  "extremes",
  "relations-structures",
  "relations-lengths",
  "lstm",
  "linear",
  "stream",
];

const forced = process.env.PACKED_LSTM_ISA;
const addon = process.env.PACKED_LSTM_BINARY ?? `${root}/build/Release/packed_lstm.node`;
const { isa, supportedIsas } = (createRequire(import.meta.url)(addon) as Binding).runtimeInfo();
const others = forced ? [] : supportedIsas.filter((name) => name !== isa);
// A longer name has the float kernels of a shorter one, and its own for int8 alone.
const floatsOf = (name: string) => name.replace("avx_vnni", "avx2").replace(/_vnni|_dotprod/, "");
const tests = (name: string) =>
  (floatsOf(name) === floatsOf(isa) ? numeric.filter((file) => file.startsWith("int8")) : numeric).map(
    (file) => `test/${file}.test.ts`,
  );

// The examples import the package by its name; under test that is lib/, not whatever was last compiled.
const self = { find: /^packed-lstm$/, replacement: `${root}lib/index.ts` };

function project(name: string, include: string[], env: Record<string, string>) {
  // As many threads as a test asks for, whatever cores there are and however busy they are.
  const threads = { PACKED_LSTM_ALL_THREADS: "1" };
  return {
    root,
    resolve: { alias: [self] },
    test: {
      name,
      include,
      env: { ...threads, ...env },
      pool: "forks" as const,
      testTimeout: 60_000,
      hookTimeout: 60_000,
    },
  };
}

export default defineConfig({
  root,
  test: {
    projects: [
      project(isa, ["test/**/*.test.ts"], {}),
      ...others.map((name) => project(name, tests(name), { PACKED_LSTM_ISA: name })),
    ],
  },
});
