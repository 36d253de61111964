// Makes the tarball that is published: the files that package.json lists, with modules made of lib/ and a manifest for
// those who install it. (`npm run pack`; prints the tarball's path.)
//
//   npm run pack                     GITHUB_REPOSITORY, "owner/name", says whose it is; without it npm refuses to publish it
//   npm run pack -- --to-publish     makes none without it

import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeModules } from "./pack/modules.mjs";
import { absoluteLinks, manifestFields, originOf } from "./pack/origin.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const staging = join(root, "build-pack");

/** @typedef {import("./pack/origin.mjs").Origin} Origin */
/**
 * @typedef {object} Packed
 * @property {string} filename
 * @property {{ path: string, size: number }[]} files sizes in bytes
 * @property {number} size in bytes
 * @property {number} unpackedSize in bytes
 */

/** @param {string} folder @param {readonly string[]} args @returns {Packed} */
function npmPack(folder, args) {
  const command = ["pack", "--json", "--ignore-scripts", ...args];
  return JSON.parse(
    execFileSync("npm", command, { cwd: folder, encoding: "utf8", shell: process.platform === "win32" }),
  )[0];
}

/** How the package is entered: `module` is what bundlers take, and Node does not know it. */
const entries = {
  main: "./dist/index.cjs",
  types: "./dist/index.d.cts",
  exports: {
    ".": {
      module: { types: "./dist/index.d.ts", default: "./dist/bundler.js" },
      import: { types: "./dist/index.d.ts", default: "./dist/index.js" },
      require: { types: "./dist/index.d.cts", default: "./dist/index.cjs" },
    },
    "./package.json": "./package.json",
  },
};

/** What a user's machine needs of the manifest: no scripts, no development, and what is in the modules is no dependency. */
function packedManifest(/** @type {Record<string, unknown>} */ ours, /** @type {Origin | undefined} */ origin) {
  const { scripts, allowScripts, devDependencies, dependencies, bundleDependencies, typedocOptions, ...rest } = ours;
  return { ...rest, ...manifestFields(origin), ...entries };
}

/**
 * @param {string} destination a folder
 * @param {Readonly<Record<string, string | undefined>>} [env]
 * @returns {Promise<Packed>}
 */
export async function pack(destination, env = process.env) {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const origin = originOf(env, manifest.version);
  rmSync(staging, { recursive: true, force: true });
  for (const { path } of npmPack(root, ["--dry-run"]).files) {
    if (/^(dist|node_modules)\//.test(path)) continue;
    mkdirSync(dirname(join(staging, path)), { recursive: true });
    cpSync(join(root, path), join(staging, path));
  }
  writeFileSync(join(staging, "package.json"), `${JSON.stringify(packedManifest(manifest, origin), null, 2)}\n`);
  if (origin) {
    const readme = readFileSync(join(root, "README.md"), "utf8");
    const absolute = absoluteLinks(readme, origin, (path) => existsSync(join(root, path)));
    writeFileSync(join(staging, "README.md"), absolute);
  }
  await writeModules(root, staging);
  return npmPack(staging, ["--pack-destination", destination]);
}

const withoutOrigin =
  "GITHUB_REPOSITORY (owner/name) is not set: the package names no repository, and README's links stay relative.";

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const known = Boolean(process.env.GITHUB_REPOSITORY);
  if (!known && process.argv.includes("--to-publish")) {
    console.error(`${withoutOrigin} That is not to be published.`);
    process.exit(1);
  }
  const { filename, unpackedSize } = await pack(root);
  if (!known) console.error(`${withoutOrigin} The tarball is marked private, so that npm refuses to publish it.`);
  console.log(`${filename}: ${(unpackedSize / 1000).toFixed()} kB unpacked`);
}
