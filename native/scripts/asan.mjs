// Runs the test suite in an addon built with the address and undefined-behaviour sanitizers (GCC, Linux): a
// build folder of its own, libasan loaded ahead of Node, any finding ends the run. Node itself is not
// instrumented, so leaks are not counted. Arguments go on to vitest.

import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import { missingTools } from "./toolchain.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const require = createRequire(import.meta.url);
const compiler = process.env.CXX ?? "g++";

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  console.error(`test:asan: ${message}`);
  process.exit(1);
}

/**
 * The sanitizer's runtime as the compiler that builds the addon knows it.
 * @param {string} name
 */
function library(name) {
  const found = spawnSync(compiler, [`-print-file-name=${name}`], { encoding: "utf8" }).stdout?.trim() ?? "";
  if (!isAbsolute(found)) fail(`${compiler} has no ${name}; install GCC with its sanitizer libraries.`);
  return found;
}

/**
 * @param {string} name
 * @param {string} path
 */
function program(name, path) {
  return join(dirname(require.resolve(`${name}/package.json`)), path);
}

/**
 * @param {readonly string[]} args
 * @param {Record<string, string>} [env]
 */
function node(args, env = {}) {
  const child = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit", env: { ...process.env, ...env } });
  if (child.status !== 0) process.exit(child.status ?? 1);
}

if (process.platform !== "linux") fail("runs on Linux with GCC only.");
const missing = missingTools();
if (missing) fail(missing);

const build = ["compile", "--out", "build-asan", "--config", "RelWithDebInfo", "--log-level", "warn"];
node([
  program("cmake-js", "bin/cmake-js"),
  ...build,
  "--CDPACKED_LSTM_SANITIZE=ON",
  `--CDCMAKE_CXX_COMPILER=${compiler}`,
]);

node([program("vitest", "vitest.mjs"), "run", "--config", "test/vitest.config.ts", ...process.argv.slice(2)], {
  PACKED_LSTM_BINARY: join(root, "build-asan", "RelWithDebInfo", "packed_lstm.node"),
  LD_PRELOAD: [library("libasan.so"), library("libstdc++.so.6")].join(":"),
  ASAN_OPTIONS: "detect_leaks=0:halt_on_error=1:quarantine_size_mb=64",
  UBSAN_OPTIONS: "halt_on_error=1:print_stacktrace=1",
});
