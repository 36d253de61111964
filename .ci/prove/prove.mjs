// Proves the prebuilt binaries: packs the package, installs the tarball in an empty project, and runs test/support/smoke.ts
// there under every runtime of matrix.mjs that this machine can run, emulators included. Prints a table.
//
//   npm run prove                        the whole matrix
//   npm run prove -- win32 "Node 22"     the rows whose binary or runtime holds one of these words
//   npm run prove -- --seconds=40        the time a row may take; what did not fit is in the counts

import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, cpSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { pack } from "../pack.mjs";
import { matrix, unproven } from "./matrix.mjs";
import { prepare } from "./runtimes.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const home = join(root, "build-prove");
const project = join(home, "project");

/** The smoke test as one file of plain JavaScript that imports nothing but the installed package. */
async function bundleSmoke() {
  await build({
    entryPoints: [join(root, "test", "support", "smoke.ts")],
    outfile: join(project, "smoke", "smoke.mjs"),
    bundle: true,
    format: "esm",
    platform: "node",
    logLevel: "warning",
    plugins: [
      {
        name: "the installed package",
        setup: ({ onResolve }) =>
          onResolve({ filter: /\/lib\/index\.js$/ }, () => ({ path: "packed-lstm", external: true })),
      },
    ],
  });
  for (const name of [
    "parity.json",
    "parity.bin",
    "parity-cells.json",
    "parity-cells.bin",
    "bits.json",
    "int8-bits.json",
  ]) {
    cpSync(join(root, "test", "fixtures", name), join(project, "fixtures", name));
  }
}

async function installTarball() {
  rmSync(project, { recursive: true, force: true });
  mkdirSync(project, { recursive: true });
  writeFileSync(join(project, "package.json"), '{ "name": "prove", "private": true, "type": "module" }\n');
  const { filename } = await pack(project);
  const install = ["install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", `./${filename}`];
  execFileSync("npm", install, { cwd: project, stdio: "inherit" });
  await bundleSmoke();
}

/**
 * Runs a script with its output in a file: Node on wine cannot write to the sockets that stand in for pipes.
 * @param {string[]} command @param {Record<string, string>} env
 */
function run([program = "", ...args], env) {
  const path = join(project, "output.txt");
  const output = openSync(path, "w+");
  const stdio = /** @type {const} */ (["ignore", output, output]);
  const { status } = spawnSync(program, args, { cwd: project, env: { ...process.env, ...env }, stdio: [...stdio] });
  closeSync(output);
  return { status, output: readFileSync(path, "utf8") };
}

/** @param {import("./matrix.mjs").Row} row @param {string} seconds */
function prove(row, seconds) {
  const ready = prepare(row, join(home, "runtimes"));
  if ("lacking" in ready) return { outcome: `not run: ${ready.lacking}`, failed: false };
  const { status, output } = run([...ready.command, "smoke/smoke.mjs", seconds], ready.env);
  const line = output.split("\n").find((text) => text.startsWith("{"));
  if (status !== 0 || !line) return { outcome: `FAILED (${status}): ${output.trim().slice(-1500)}`, failed: true };
  const { isa, compiler, parity, bits, int8, seconds: took } = JSON.parse(line);
  const numbers = `parity ${parity.done}/${parity.of}, bits ${bits.done}/${bits.of}, int8 ${int8.done}/${int8.of}, ${took} s (${compiler})`;
  return { outcome: isa === row.isa ? numbers : `FAILED: ran ${isa}; ${numbers}`, failed: isa !== row.isa };
}

/** @param {import("./matrix.mjs").Row} row */
function nameOf({ binary, runtime, renamed, under, isa, forced }) {
  const host = [runtime, renamed && `as ${renamed}`, under && `under ${under.join(" ")}`].filter(Boolean).join(" ");
  return `${binary.padEnd(18)} ${host.padEnd(48)} ${forced ? `${isa}, forced` : isa}`;
}

const { values, positionals } = parseArgs({
  options: { seconds: { type: "string", default: "90" } },
  allowPositionals: true,
});
await installTarball();
const addon = join(root, "build", "Release", "packed_lstm.node");
const best = createRequire(import.meta.url)(addon).runtimeInfo().supportedIsas[0];
const rows = matrix(best).filter((row) => positionals.every((word) => nameOf(row).includes(word)));
let failures = 0;
for (const row of rows) {
  const { outcome, failed } = prove(row, values.seconds);
  console.log(`${nameOf(row).padEnd(88)} ${outcome}`);
  if (failed) failures++;
}
if (positionals.length === 0)
  for (const [target, why] of Object.entries(unproven)) console.log(`${target.padEnd(88)} ${why}`);
if (failures > 0 || rows.length === 0) process.exit(1);
