// `node bench/activations.mjs`: compiles activations.cc with this machine's C++ compiler ($CXX, or c++) and runs it: the error of
// sigmoid and tanh over every float32. A few minutes on two cores.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "packed-lstm-activations-"));
const program = join(folder, "activations");
const flags = [
  "-std=c++17",
  "-O3",
  "-march=native",
  "-fno-tree-vectorize",
  "-ffp-contract=off",
  "-fno-math-errno",
  "-pthread",
];
const include = `-I${join(here, "..", "native")}`;

/** @param {string} command @param {readonly string[]} args */
function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: "inherit" });
  if (error) console.error(`${command}: ${error.message}`);
  return status ?? 1;
}

const compiled = run(process.env.CXX ?? "c++", [...flags, include, join(here, "activations.cc"), "-o", program]);
const status = compiled === 0 ? run(program, []) : compiled;
rmSync(folder, { recursive: true });
process.exit(status);
