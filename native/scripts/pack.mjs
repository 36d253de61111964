// Makes the tarball that is published: the files that package.json lists, with lib/ as a few modules rather than forty,
// for Node spends most of an import on finding and reading files. (`npm run pack`; prints the tarball's path.)

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const staging = join(root, "build-pack");

/**
 * @typedef {object} Packed
 * @property {string} filename
 * @property {{ path: string }[]} files
 * @property {number} unpackedSize in bytes
 */

/** @param {string} folder @param {readonly string[]} args @returns {Packed} */
function npmPack(folder, args) {
  const command = ["pack", "--json", "--ignore-scripts", ...args];
  return JSON.parse(
    execFileSync("npm", command, { cwd: folder, encoding: "utf8", shell: process.platform === "win32" }),
  )[0];
}

/** What a user's machine needs of the manifest: no scripts, no development, and what is in the modules is no dependency. */
function writeManifest() {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const ours = ["scripts", "allowScripts", "devDependencies", "dependencies", "bundleDependencies", "typedocOptions"];
  for (const key of ours) delete manifest[key];
  writeFileSync(join(staging, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** The licenses of the libraries whose code is in the modules. @param {Iterable<string>} inputs paths of modules */
function writeLicenses(inputs) {
  const names = new Set([...inputs].flatMap((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []));
  const texts = [...names].sort().map((name) => {
    const folder = join(root, "node_modules", name);
    const license = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file));
    if (license === undefined) throw new Error(`${name} is bundled and has no license file`);
    return `${name}\n${"=".repeat(name.length)}\n\n${readFileSync(join(folder, license), "utf8").trim()}\n`;
  });
  writeFileSync(join(staging, "dist", "third-party-licenses.txt"), texts.join("\n\n"));
}

/** Modules shared by the library and the command line stay shared, so that there is one addon and one Tensor. */
async function bundle() {
  const { metafile } = await build({
    entryPoints: [join(root, "lib/index.ts"), join(root, "lib/cli/main.ts"), join(root, "lib/cli/build.ts")],
    outdir: join(staging, "dist"),
    outbase: join(root, "lib"),
    bundle: true,
    splitting: true,
    chunkNames: "[name]-[hash]",
    platform: "node",
    target: "node20.19",
    format: "esm",
    // A third is left. The names of functions and classes stay, for stack traces.
    minify: true,
    keepNames: true,
    logLevel: "warning",
    metafile: true,
    absWorkingDir: root,
  });
  writeLicenses(Object.keys(metafile.inputs));
}

/** @param {string} destination a folder @returns {Promise<Packed>} */
export async function pack(destination) {
  rmSync(staging, { recursive: true, force: true });
  for (const { path } of npmPack(root, ["--dry-run"]).files) {
    if (/^(dist\/.*\.js$|node_modules\/)/.test(path)) continue;
    mkdirSync(dirname(join(staging, path)), { recursive: true });
    cpSync(join(root, path), join(staging, path));
  }
  writeManifest();
  await bundle();
  return npmPack(staging, ["--pack-destination", destination]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { filename, unpackedSize } = await pack(root);
  console.log(`${filename}: ${(unpackedSize / 1000).toFixed()} kB unpacked`);
}
