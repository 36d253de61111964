// `npm run bench`: fetches the peers that bench/ alone depends on when they are missing, compiles bench/src and runs it.
// It measures nothing itself. Without a network it goes on, and the benchmark says which peer is absent.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);

function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: "inherit", ...options });
  if (error) console.error(`${command}: ${error.message}`);
  return status ?? 1;
}

const peers = ["onnxruntime-node", "@tensorflow/tfjs-backend-wasm"];
const withoutPeers = ["--ab", "--fit-plan", "--from", "--help"];
const asked = process.argv.slice(2).map((argument) => argument.replace(/=.*/, ""));
// `--only loaded` compares us with ourselves.
const wanted =
  !asked.some((argument) => withoutPeers.includes(argument)) && !/only[ =]loaded/.test(process.argv.join(" "));
if (wanted && peers.some((peer) => !existsSync(join(here, "node_modules", peer)))) {
  console.error("bench: installing the peers into bench/node_modules (about 400 MB)");
  // The install script of onnxruntime-node would fetch the CUDA build; the CPU's is in the package.
  const install = ["ci", "--prefix", "bench", "--ignore-scripts", "--no-audit", "--no-fund"];
  if (run("npm", install, { shell: process.platform === "win32" }) !== 0) {
    console.error("bench: the peers could not be installed; going on without them");
  }
}

const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
if (run(process.execPath, [tsc, "-b", "bench"]) !== 0) process.exit(1);
process.exit(run(process.execPath, [join(root, "build", "bench", "main.js"), ...process.argv.slice(2)]));
