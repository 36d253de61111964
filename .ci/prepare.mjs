// npm runs this after `npm ci` in a clone (never in an installed package): it compiles the addon and the
// TypeScript, and is quiet unless something fails. An up-to-date build costs a second; nothing is cleaned.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { missingTools } from "../native/scripts/toolchain.mjs";
import { copyHeaders } from "./headers.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const require = createRequire(import.meta.url);

/** @param {string} message */
function fail(message) {
  console.error(message);
  process.exit(1);
}

/**
 * Runs a development dependency's program in this process's Node, showing its output only when it fails.
 * @param {string} what
 * @param {string} script
 * @param {readonly string[]} args
 */
function run(what, script, args) {
  const child = spawnSync(process.execPath, [script, ...args], { cwd: root, encoding: "utf8" });
  if (child.status === 0) return;
  fail(`${child.stdout}${child.stderr}packed-lstm: ${what} failed; its output is above.`);
}

/** @param {string} name @param {string} path */
function program(name, path) {
  return join(dirname(require.resolve(`${name}/package.json`)), path);
}

if (!existsSync(join(root, "node_modules", "cmake-js"))) {
  fail("packed-lstm: the development dependencies are not installed; run `npm ci` without --omit=dev.");
}
const missing = missingTools();
if (missing) fail(missing);
copyHeaders();
run("compiling the native core", program("cmake-js", "bin/cmake-js"), ["compile", "--log-level", "warn"]);
run("compiling the TypeScript", program("typescript", "bin/tsc"), ["--project", "tsconfig.json"]);
