#!/usr/bin/env node
// Stands in for node-gyp under prebuildify, which can call nothing else: takes node-gyp's arguments and runs cmake-js
// on the project named by PACKED_LSTM_ROOT, building into the current folder's build/. PACKED_LSTM_CMAKE_ARGS holds
// further cmake-js arguments as a JSON list.

import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const cmakeJs = dirname(createRequire(import.meta.url).resolve("cmake-js/package.json"));
const arch = process.argv.find((argument) => argument.startsWith("--arch="))?.slice("--arch=".length) ?? process.arch;
const root = process.env.PACKED_LSTM_ROOT;
if (!root) throw new Error("gyp-shim.mjs is run by prebuild.mjs only");

const args = ["rebuild", "--config", "Release", "--log-level", "warn", "--arch", arch];
const more = /** @type {string[]} */ (JSON.parse(process.env.PACKED_LSTM_CMAKE_ARGS ?? "[]"));
const command = [join(cmakeJs, "bin", "cmake-js"), ...args, "--directory", root, "--out", join(process.cwd(), "build")];
process.exit(spawnSync(process.execPath, [...command, ...more], { stdio: "inherit" }).status ?? 1);
