// Builds the addon with sanitizers (GCC, Linux) in a folder of its own and attacks it, their library loaded ahead of Node.
// Any finding ends the run. Node itself is not instrumented: leaks are not counted, and of races only those that the
// addon's own code has a part in are seen.
//
//   sanitize.mjs address [ARGUMENT…]   the test suite; arguments go on to vitest
//   sanitize.mjs thread [ARGUMENT…]    the stress of test/fuzz; arguments go on to it
//   sanitize.mjs KIND fuzz ARGUMENT…   what test/fuzz offers, as `npm run fuzz` takes it
//   sanitize.mjs thread --prove        puts races into a copy, one at a time, and fails unless the stress finds each

import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import { missingTools } from "../native/scripts/toolchain.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const require = createRequire(import.meta.url);
const compiler = process.env.CXX ?? "g++";

/**
 * @typedef {{ name: string, folder: string, libraries: string[], env: Record<string, string> }} Sanitizer
 * @type {Readonly<Record<string, Sanitizer>>}
 */
const sanitizers = {
  address: {
    name: "test:asan",
    folder: "build-asan",
    libraries: ["libasan.so", "libstdc++.so.6"],
    env: {
      ASAN_OPTIONS: "detect_leaks=0:halt_on_error=1:quarantine_size_mb=64",
      UBSAN_OPTIONS: "halt_on_error=1:print_stacktrace=1",
    },
  },
  thread: {
    name: "test:tsan",
    folder: "build-tsan",
    libraries: ["libtsan.so"],
    // V8 hands memory from thread to thread by means that no interceptor sees: what it frees or copies is not judged.
    env: { TSAN_OPTIONS: "ignore_noninstrumented_modules=1:report_thread_leaks=0:halt_on_error=1:exitcode=66" },
  },
};

/**
 * Races to be found: the order of a store, a lock left out, a thread that may not. Each is a text and what takes its place.
 * @type {readonly (readonly [what: string, file: string, text: string, instead: string])[]}
 */
const races = [
  [
    "the barrier opens without saying what was written before it",
    "native/base/spin.h",
    "phase_.store(phase + 1, std::memory_order_release);",
    "phase_.store(phase + 1, std::memory_order_relaxed);",
  ],
  [
    "a job is taken without the lock",
    "native/base/pool.cc",
    "std::lock_guard<std::mutex> lock(mutex_);\n  if (jobs_.empty()) return false;",
    "if (jobs_.empty()) return false;",
  ],
  [
    "a job that is over is handed back without the lock",
    "native/binding/job.cc",
    "job->state.store(Job::kOver);\n  std::lock_guard<std::mutex> lock(mutex_);",
    "job->state.store(Job::kOver);",
  ],
  [
    "references go with the job, on whatever thread lets go of it last",
    "native/binding/job.cc",
    "    job->kept.clear();\n    job->run = nullptr;\n",
    "",
  ],
];

const [kind = "", ...given] = process.argv.slice(2);
const sanitizer = sanitizers[kind];
if (sanitizer === undefined) {
  console.error(`sanitize: expected one of ${Object.keys(sanitizers).join(", ")}, but got "${kind}"`);
  process.exit(2);
}
const { name: title, folder, libraries, env } = sanitizer;

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  console.error(`${title}: ${message}`);
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
 * @param {Record<string, string>} [more]
 * @returns {number} the exit status
 */
function node(args, more = {}) {
  const child = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit", env: { ...process.env, ...more } });
  return child.status ?? 1;
}

/**
 * Builds what lies in `source` and gives the addon.
 * @param {string} source
 */
function build(source) {
  const out = join(source, folder);
  const status = node([
    program("cmake-js", "bin/cmake-js"),
    ...["compile", "--directory", source, "--out", out, "--config", "RelWithDebInfo", "--log-level", "warn"],
    `--CDPACKED_LSTM_SANITIZE=${kind}`,
    `--CDCMAKE_CXX_COMPILER=${compiler}`,
  ]);
  if (status !== 0) process.exit(status);
  return join(out, "RelWithDebInfo", "packed_lstm.node");
}

/**
 * @param {string} addon
 * @param {readonly string[]} args
 */
function attack(addon, args) {
  const preload = libraries.map(library).join(":");
  return node(args, { ...env, PACKED_LSTM_BINARY: addon, LD_PRELOAD: preload });
}

const fuzz = join("test", "fuzz", "run.mjs");

/**
 * Makes `copy` like `original`. What is the same already is not touched, so that only what differs is compiled again.
 * @param {string} original
 * @param {string} copy
 */
function mirror(original, copy) {
  mkdirSync(copy, { recursive: true });
  for (const entry of readdirSync(original, { withFileTypes: true })) {
    const [from, to] = [join(original, entry.name), join(copy, entry.name)];
    if (entry.isDirectory()) mirror(from, to);
    else if (!existsSync(to) || !readFileSync(from).equals(readFileSync(to))) writeFileSync(to, readFileSync(from));
  }
}

/** @param {string} source */
const stressFinds = (source) =>
  attack(build(source), [fuzz, "--only", "stress", "--minutes", "1", "--seed", "1"]) !== 0;

function prove() {
  const copy = join(root, folder, "races");
  for (const part of ["native", "test/native"]) mirror(join(root, part), join(copy, part));
  for (const file of ["CMakeLists.txt", "package.json"]) copyFileSync(join(root, file), join(copy, file));
  if (stressFinds(copy)) fail("the stress finds something before any race is put in.");
  let lost = 0;
  for (const [what, file, text, instead] of races) {
    const path = join(copy, file);
    const whole = readFileSync(path, "utf8");
    if (!whole.includes(text)) fail(`${file} no longer has the text that the race "${what}" replaces`);
    writeFileSync(path, whole.replace(text, instead));
    const found = stressFinds(copy);
    if (!found) lost++;
    console.log(`${title}: ${found ? "found" : "NOT FOUND"}: ${what}`);
    writeFileSync(path, whole);
  }
  process.exit(lost === 0 ? 0 : 1);
}

if (process.platform !== "linux") fail("runs on Linux with GCC only.");
const missing = missingTools();
if (missing) fail(missing);

if (kind === "thread" && given[0] === "--prove") prove();
const addon = build(root);
const vitest = [program("vitest", "vitest.mjs"), "run", "--config", "test/vitest.config.ts"];
const args =
  given[0] === "fuzz"
    ? [fuzz, ...given.slice(1)]
    : kind === "thread"
      ? [fuzz, "--only", "stress", ...given]
      : [...vitest, ...given];
process.exit(attack(addon, args));
