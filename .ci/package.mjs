// Packs the package and uses it as a stranger would: installed in an empty project without scripts, without network,
// without a compiler in reach; imported, required, and type-checked both ways; then publint and arethetypeswrong.
// Exits with 1 at the first thing that is not as it should be.

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { pack } from "../native/scripts/pack.mjs";
import { prebuildPath, targets } from "../native/scripts/targets.mjs";
import { checkBundlers } from "./bundlers.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const require = createRequire(import.meta.url);
const project = mkdtempSync(join(tmpdir(), "packed-lstm-package-"));
const maxBytes = 6 * 1024 * 1024;

const use = `
const lstm = new LSTM(3, 4, { batchFirst: true });
const [output, [hn]] = lstm.forward(tensor([[[1, 2, 3], [4, 5, 6]]]));
if (output.shape.join() !== "1,2,4" || output.at(0, 1, 0) !== hn.at(0, 0, 0)) throw new Error("wrong result");
if (!runtimeInfo().isa) throw new Error("no instruction set");
`;
const files = {
  "package.json": '{ "name": "stranger", "private": true }',
  "import.mjs": `import { LSTM, runtimeInfo, tensor } from "packed-lstm";${use}`,
  "require.cjs": `const { LSTM, runtimeInfo, tensor } = require("packed-lstm");${use}`,
  "import.mts": `import { LSTM, runtimeInfo, tensor } from "packed-lstm";${use}`,
  "require.cts": `import { LSTM, runtimeInfo, tensor } from "packed-lstm";${use}`,
};

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {import("node:child_process").ExecFileSyncOptions} [options]
 * @returns {string}
 */
function run(command, args, options = {}) {
  return String(execFileSync(command, args, { cwd: project, stdio: ["ignore", "pipe", "inherit"], ...options }));
}

/** @param {boolean} holds @param {string} rule */
function must(holds, rule) {
  if (!holds) throw new Error(`the package ${rule}`);
  console.log(`ok: ${rule}`);
}

function checkContents(/** @type {{ path: string }[]} */ packed, /** @type {number} */ unpackedSize) {
  const paths = packed.map((file) => file.path);
  const texts = ["binding.d.ts", "README.md", "LICENSE", "CMakeLists.txt", "dist/third-party-licenses.txt"];
  for (const path of ["dist/index.js", "dist/index.d.ts", ...texts]) {
    must(paths.includes(path), `holds ${path}`);
  }
  must(
    paths.some((path) => path.startsWith("prebuilds/")),
    "holds a prebuilt binary",
  );
  must(!paths.some((path) => /binding\.gyp|^(test|bench|examples|build)|tsbuildinfo/.test(path)), "holds nothing else");
  must(
    unpackedSize < maxBytes,
    `is below ${maxBytes / 1024 / 1024} MB unpacked (${(unpackedSize / 1024).toFixed()} KB)`,
  );
}

function checkManifest() {
  const manifest = JSON.parse(readFileSync(join(project, "node_modules/packed-lstm/package.json"), "utf8"));
  must(manifest.scripts === undefined, "has no script");
  must(Object.keys(manifest.dependencies ?? {}).length === 0, "has no dependencies");
}

/** A PATH with Node on it and nothing else. */
function bareEnvironment() {
  const bin = join(project, "bin");
  mkdirSync(bin);
  symlinkSync(process.execPath, join(bin, "node"));
  return { PATH: bin };
}

/** Every command, from the installed package: its help, and a file through `run` in every format. */
function checkCommandLine(/** @type {Record<string, string>} */ env) {
  const cli = (/** @type {string[]} */ ...args) =>
    run("node", ["node_modules/packed-lstm/dist/cli/main.js", ...args], { env });
  must(/^\d+\.\d+\.\d+\n$/.test(cli("--version")), "has a command line");
  writeFileSync(
    join(project, "save.mjs"),
    'import { LSTM, saveSafetensors } from "packed-lstm"; saveSafetensors("model.safetensors", new LSTM(2, 3).stateDict());',
  );
  run("node", ["save.mjs"], { env });
  writeFileSync(join(project, "in.jsonl"), "[[1, 2], [3, 4]]\n[[5, 6]]\n");
  must(cli("inspect", "model.safetensors").includes("LSTM(2, 3)"), "inspects a model");
  const outputs = ["out.npy", "out.npz", "out.parquet", "out.jsonl"];
  for (const output of outputs) cli("run", "-m", "model.safetensors", "-i", "in.jsonl", "-o", output, "--quiet");
  must(
    outputs.every((name) => existsSync(join(project, name))),
    "runs a model over a file, into every format",
  );
}

/** The command that builds from source: says what is missing, then builds what the loader takes before a prebuilt one. */
function checkBuild(/** @type {Record<string, string>} */ bare) {
  const cli = ["node_modules/packed-lstm/dist/cli/main.js", "build"];
  const { status, stderr } = spawnSync("node", cli, { cwd: project, env: bare, encoding: "utf8" });
  must(status === 1 && /needs cmake.*compiler.*install with/.test(stderr), "says what building from source lacks");
  rmSync(join(project, "node_modules/packed-lstm/prebuilds"), { recursive: true });
  const none = spawnSync("node", ["import.mjs"], { cwd: project, env: bare, encoding: "utf8" });
  const platform = `${process.platform}-${process.arch}`;
  must(none.status === 1 && none.stderr.includes(platform), "names the platform where it has no addon");
  must(none.stderr.includes("npx packed-lstm build"), "names the command that builds one");
  run("node", cli);
  run("node", ["import.mjs"], { env: bare });
  must(true, "builds from source, offline, and runs that");
}

/** A bundler wants every binary that the loader names; a release has them all, this machine maybe its own only. */
function standInForAbsentBinaries() {
  for (const target of targets) {
    const path = join(project, "node_modules/packed-lstm", prebuildPath(target));
    mkdirSync(dirname(path), { recursive: true });
    if (!existsSync(path)) writeFileSync(path, "");
  }
}

function checkTypes() {
  const options = [
    "--strict",
    "--noEmit",
    "--target",
    "es2022",
    "--module",
    "nodenext",
    "--lib",
    "es2023,esnext.disposable",
  ];
  const types = ["--types", "node", "--typeRoots", join(root, "node_modules", "@types")];
  const tsc = require.resolve("typescript/bin/tsc");
  run(process.execPath, [tsc, ...options, ...types, "import.mts", "require.cts"], { stdio: "inherit" });
}

try {
  const { filename, files: packed, unpackedSize } = await pack(project);
  checkContents(packed, unpackedSize);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(project, name), text);
  run("npm", ["install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund", filename]);
  checkManifest();
  const env = bareEnvironment();
  run("node", ["import.mjs"], { env });
  must(true, "is imported by an ES module");
  run("node", ["--disable-warning=ExperimentalWarning", "require.cjs"], { env });
  must(true, "is required by a CommonJS module");
  checkCommandLine(env);
  checkTypes();
  must(true, "has types for both");
  const tarball = join(project, filename);
  const bin = join(root, "node_modules", ".bin");
  run(join(bin, "publint"), ["run", tarball, "--strict"], { stdio: "inherit" });
  run(join(bin, "attw"), [tarball, "--profile", "esm-only", "--no-emoji"], { stdio: "inherit" });
  standInForAbsentBinaries();
  await checkBundlers(project, "import.mjs", (path) => run("node", [path], { env, cwd: dirname(path) }), must);
  checkBuild(env);
} finally {
  rmSync(project, { recursive: true, force: true });
}
