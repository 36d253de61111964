// Bundles a small app that uses the installed package with esbuild, rollup and webpack, as README's "Bundlers" says, and
// runs each bundle where nothing but the bundle can provide the addon.

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { nodeResolve } from "@rollup/plugin-node-resolve";
import { build } from "esbuild";
import { rollup } from "rollup";
import webpack from "webpack";

/** @typedef {(entry: string, folder: string) => Promise<string>} Bundle gives the bundle's path */

const compile =
  /** @type {(options: import("webpack").Configuration) => Promise<import("webpack").Stats | undefined>} */ (
    promisify(webpack)
  );

/** esbuild and rollup leave `new URL` as it is and copy no file: the app copies prebuilds/ beside its bundle. */
const copied = true;

/** @param {"esm" | "cjs"} format @returns {Bundle} */
function esbuild(format) {
  return async (entry, folder) => {
    const outfile = join(folder, format === "esm" ? "out.mjs" : "out.cjs");
    const logOverride = /** @type {const} */ ({ "empty-import-meta": "silent" });
    await build({ entryPoints: [entry], bundle: true, platform: "node", format, outfile, logOverride });
    return outfile;
  };
}

/** @type {Bundle} */
async function rollupBundle(entry, folder) {
  const file = join(folder, "out.mjs");
  const bundle = await rollup({ input: entry, external: [/^node:/], plugins: [nodeResolve()] });
  await bundle.write({ file, format: "es" });
  return file;
}

/** @type {Bundle} */
async function webpackBundle(entry, folder) {
  const output = { path: folder, filename: "out.mjs", module: true, chunkFormat: "module" };
  const experiments = { outputModule: true };
  const stats = await compile({ mode: "production", target: "node20", entry, output, experiments });
  if (stats?.hasErrors() || stats?.hasWarnings())
    throw new Error(stats.toString({ all: false, errors: true, warnings: true }));
  return join(folder, "out.mjs");
}

/** @type {readonly [name: string, bundle: Bundle, copiesPrebuilds: boolean, entry: string][]} */
const bundlers = [
  ["esbuild, ES module", esbuild("esm"), copied, "import.mjs"],
  ["esbuild, CommonJS", esbuild("cjs"), copied, "import.mjs"],
  ["rollup", rollupBundle, copied, "import.mjs"],
  ["webpack", webpackBundle, false, "import.mjs"],
  ["esbuild, imported and required", esbuild("esm"), copied, "both.mjs"],
  ["webpack, imported and required", webpackBundle, false, "both.mjs"],
];

/**
 * @param {string} project holds node_modules/packed-lstm and the apps
 * @param {(path: string) => unknown} run throws when the bundle fails
 * @param {(holds: boolean, rule: string) => void} must
 */
export async function checkBundlers(project, run, must) {
  for (const [name, bundle, copies, entry] of bundlers) {
    const folder = mkdtempSync(join(tmpdir(), "packed-lstm-bundle-"));
    try {
      const output = join(folder, "out");
      mkdirSync(output);
      const path = await bundle(join(project, entry), output);
      if (copies)
        cpSync(join(project, "node_modules/packed-lstm/prebuilds"), join(output, "prebuilds"), { recursive: true });
      must(!readFileSync(path, "utf8").includes('from "packed-lstm"'), `is bundled by ${name}`);
      run(path);
      must(true, `runs in the bundle of ${name}`);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}
