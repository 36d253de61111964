// Makes prebuilt binaries under prebuilds/, through prebuildify driving cmake-js, and inspects what it made:
//
//   npm run prebuild                     this machine's own, with its own compiler and for its own glibc
//   npm run prebuild -- --all            all of targets.mjs, with zig
//   npm run prebuild -- win32-x64 …      some of them, with zig
//   npm run prebuild -- --if-missing     this machine's own, unless it is there: `npm pack` makes no tarball without one
//   npm run prebuild -- --check          builds nothing, inspects what is there
//   npm run prebuild -- --check --all    the same, and none may be missing
//
// It builds in build-prebuild/ so that the developer's own build/ stays as it is.

import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { missingTools } from "../native/scripts/toolchain.mjs";
import { copyHeaders } from "./headers.mjs";
import { complaints } from "./inspect/rules.mjs";
import { hostGlibc, hostTarget, prebuildPath, targets } from "./targets.mjs";
import { findZig, howToGetZig } from "./zig.mjs";

const scripts = dirname(fileURLToPath(import.meta.url));
const root = join(scripts, "..");
const prebuildify = promisify(createRequire(import.meta.url)("prebuildify"));

/** @typedef {import("./targets.mjs").Target} Target */

/** @param {string} message @returns {never} */
function fail(message) {
  console.error(message);
  process.exit(1);
}

/**
 * What the linker is told. The C++ runtime goes in, so that the binary asks nothing of the machine but its C library;
 * zig always puts it in, and knows the target's format where the machine's own `strip` would not.
 * @param {Target} target @param {string | undefined} zig
 */
function linkerFlags(target, zig) {
  // Its linker leaves a Mach-O's local symbols in, 320 KB of names, unless they are named.
  if (zig) return target.platform === "darwin" ? "-s -Wl,-x" : "-s";
  return target.platform === "linux" ? "-static-libstdc++ -static-libgcc" : "";
}

/** @param {Target} target */
function stagingFolder(target) {
  return join(root, "build-prebuild", target.name);
}

/** @param {Target} target @param {string | undefined} zig */
function cmakeArguments(target, zig) {
  const flags = linkerFlags(target, zig);
  const args = flags ? [`--CDCMAKE_SHARED_LINKER_FLAGS=${flags}`] : [];
  if (!zig) return args;
  const toolchain = `--CDCMAKE_TOOLCHAIN_FILE=${join(scripts, "zig.cmake")}`;
  // To CMake a DLL is a program, whose folder cmake-js names on Windows only.
  const folder = `--CDCMAKE_RUNTIME_OUTPUT_DIRECTORY=${join(stagingFolder(target), "build", "Release")}`;
  return [...args, toolchain, folder, `--CDPACKED_LSTM_ZIG=${zig}`, `--CDPACKED_LSTM_ZIG_TARGET=${target.zig}`];
}

/** @param {Target} target @param {string} [zig] */
async function build(target, zig) {
  const staging = stagingFolder(target);
  mkdirSync(staging, { recursive: true });
  process.env.PACKED_LSTM_ROOT = root;
  process.env.PACKED_LSTM_CMAKE_ARGS = JSON.stringify(cmakeArguments(target, zig));
  const shim = join(scripts, "gyp-shim.mjs");
  await prebuildify({
    cwd: staging,
    out: root,
    name: "packed-lstm",
    napi: true,
    strip: zig === undefined,
    platform: target.platform,
    arch: target.arch,
    tagLibc: target.libc !== undefined,
    libc: target.libc ?? "",
    nodeGyp: process.platform === "win32" ? `node "${shim}"` : shim,
  });
}

/**
 * Whether a target's binary is as it must be; says so either way.
 * @param {Target} target @param {string} [glibc] the newest version that it may need, where not that of a release
 */
function inspect(target, glibc) {
  const path = prebuildPath(target);
  if (!existsSync(join(root, path))) {
    console.error(`${path}: is missing`);
    return false;
  }
  const bytes = readFileSync(join(root, path));
  const wrong = complaints(target, bytes, glibc);
  for (const complaint of wrong) console.error(`${path}: ${complaint}`);
  if (wrong.length === 0) console.log(`${path}: ${(bytes.length / 1000).toFixed()} kB, as it should be`);
  return wrong.length === 0;
}

/** @param {string} name */
function targetNamed(name) {
  const names = targets.map((target) => target.name);
  return targets.find((target) => target.name === name) ?? fail(`no target ${name}; there are ${names.join(", ")}`);
}

const { values, positionals } = parseArgs({
  options: {
    all: { type: "boolean", default: false },
    check: { type: "boolean", default: false },
    "if-missing": { type: "boolean", default: false },
  },
  allowPositionals: true,
});
const named = values.all ? targets : positionals.map(targetNamed);

if (values.check) {
  const found = named.length > 0 ? named : targets.filter((target) => existsSync(join(root, prebuildPath(target))));
  if (found.length === 0) fail("prebuilds/ holds no binary; `npm run prebuild` makes this machine's.");
  if (!found.map((target) => inspect(target)).every(Boolean)) process.exit(1);
} else if (!values["if-missing"] || !existsSync(join(root, prebuildPath(hostTarget())))) {
  const zig = named.length > 0 ? (findZig() ?? fail(`packed-lstm: ${howToGetZig}`)) : undefined;
  const missing = zig ? undefined : missingTools();
  if (missing) fail(missing);
  copyHeaders();
  const wanted = zig ? named : [hostTarget()];
  for (const target of wanted) await build(target, zig);
  if (!wanted.map((target) => inspect(target, zig ? undefined : hostGlibc())).every(Boolean)) process.exit(1);
}
