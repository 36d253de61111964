// `npm run fuzz`: compiles lib/ to dist/, bundles the attacks beside it into build/fuzz and runs them on the addon of
// build/Release, or on the one that PACKED_LSTM_BINARY names. lib/ stays in its own files: it starts workers from some.

import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
const out = join(root, "build", "fuzz");

const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
const compiled = spawnSync(process.execPath, [tsc, "--build", root], { stdio: "inherit" });
if (compiled.status !== 0) process.exit(compiled.status ?? 1);

/** @type {import("esbuild").Plugin} */
const compiledLib = {
  name: "lib as it is compiled",
  setup: ({ onResolve }) =>
    onResolve({ filter: /^\.\.?\/.*lib\/.*\.js$/ }, ({ path, resolveDir }) => {
      const inLib = relative(join(root, "lib"), join(resolveDir, path));
      if (inLib.startsWith("..")) return undefined;
      return { path: relative(out, join(root, "dist", inLib)).replaceAll("\\", "/"), external: true };
    }),
};

await build({
  entryPoints: ["main.ts", "child.ts"].map((name) => join(here, name)),
  outdir: out,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  packages: "external",
  plugins: [compiledLib],
  platform: "node",
  format: "esm",
  target: "node20",
  sourcemap: true,
});

const { status, signal } = spawnSync(process.execPath, [join(out, "main.mjs"), ...process.argv.slice(2)], {
  stdio: "inherit",
  // As many threads as are asked for, on any machine: what they do to each other is what is attacked.
  env: { ...process.env, PACKED_LSTM_ROOT: root, PACKED_LSTM_ALL_THREADS: "1" },
});
if (signal) console.error(`fuzz: ended by ${signal}`);
process.exit(status ?? 1);
