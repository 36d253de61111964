// Makes the tarball's dist/ of lib/: one implementation, in CommonJS, which `require` gives and which the ES module beside
// it hands on, so that a process has one Tensor, one generator and one addon whichever way it was asked; the same code as
// ES modules for bundlers, which alone follow its URLs, and for the command line; and the declarations of the public face.
// Few modules rather than sixty, for Node spends most of an import on finding and reading files. They are not minified:
// what goes wrong shows the line that it went wrong in, and frames have the names that the source has.

import { chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import * as rollupCommonjs from "@rollup/plugin-commonjs";
import { nodeResolve } from "@rollup/plugin-node-resolve";
import { transform } from "esbuild";
import { rollup } from "rollup";
import { dts } from "rollup-plugin-dts";

/** @typedef {import("rollup").Plugin} Plugin */

/** Its types are those of a CommonJS module, which it is not. */
const commonjs = /** @type {() => Plugin} */ (/** @type {unknown} */ (rollupCommonjs.default));

/** @param {string} path with the separators of this machine */
const slashed = (path) => path.replaceAll("\\", "/");

/**
 * `new URL(literal, import.meta.url)` as CommonJS says it, so that tracers of deployed files follow it there too.
 * @param {string} code @param {string} folder that the module had, from where it will be
 */
function withDirname(code, folder) {
  const literal = /new URL\("([^"]+)", import\.meta\.url\)/g;
  const named = code.replace(
    literal,
    (_, to) => `fileUrl(joined(__dirname, ${JSON.stringify(slashed(join(folder, to)))}))`,
  );
  if (named === code) return code;
  return `import { join as joined } from "node:path";\nimport { pathToFileURL as fileUrl } from "node:url";\n${named}`;
}

/**
 * lib/ as rollup reads it. Where a module lies is part of what it says with `import.meta.url`: one that is moved says
 * where it was, and one that is not keeps the literal that bundlers look for.
 * @param {string} root @param {"cjs" | "es"} format @returns {Plugin}
 */
function sources(root, format) {
  const lib = join(root, "lib");
  return {
    name: "lib",
    resolveId(source, importer) {
      if (!importer?.startsWith(lib) || !source.startsWith(".")) return null;
      return resolve(dirname(importer), source.replace(/\.js$/, ".ts"));
    },
    async transform(text, id) {
      if (!id.endsWith(".ts")) return null;
      const { code } = await transform(text, { loader: "ts", target: "node20.19" });
      return { code: format === "cjs" ? withDirname(code, relative(lib, dirname(id))) : code, map: null };
    },
    resolveImportMeta(property, { chunkId, moduleId }) {
      if (property !== "url") return null;
      const here = format === "cjs" ? 'require("node:url").pathToFileURL(__filename).href' : "import.meta.url";
      const was = slashed(relative(dirname(chunkId), relative(lib, moduleId))).replace(/\.ts$/, ".js");
      return was.includes("/") ? `new URL("${was}", ${here}).href` : here;
    },
  };
}

/** Libraries may import each other in circles and the like; ours may not, nor anything that is not there. */
function refuse(/** @type {import("rollup").RollupLog} */ { code, id, ids = id === undefined ? [] : [id], message }) {
  const theirs = ids.length > 0 && ids.every((path) => slashed(path).includes("/node_modules/"));
  if (!theirs || code === "UNRESOLVED_IMPORT") throw new Error(message);
}

/**
 * @param {string} root @param {string} staging @param {Readonly<Record<string, string>>} input @param {"cjs" | "es"} format
 * @returns {Promise<import("rollup").OutputChunk[]>}
 */
async function bundle(root, staging, input, format) {
  const modules = await rollup({
    input: Object.fromEntries(Object.entries(input).map(([name, path]) => [name, join(root, path)])),
    external: /^node:/,
    plugins: [sources(root, format), nodeResolve({ preferBuiltins: true, exportConditions: ["node"] }), commonjs()],
    onwarn: refuse,
  });
  const { output } = await modules.write({
    dir: join(staging, "dist"),
    format,
    entryFileNames: format === "cjs" ? "[name].cjs" : "[name].js",
    chunkFileNames: "[name]-[hash].js",
    generatedCode: { preset: "es2015", symbols: false },
  });
  return output.filter((file) => file.type === "chunk");
}

/** What `import` gives. By `createRequire`, for an `import` of CommonJS has Node search the text for its names first. */
function writeWrapper(/** @type {string} */ staging, /** @type {readonly string[]} */ names) {
  const text = `// The ES module's face of the one implementation, which CommonJS shares.
import { createRequire } from "node:module";

const implementation = createRequire(import.meta.url)("./index.cjs");

export const {
${names.map((name) => `  ${name},\n`).join("")}} = implementation;
`;
  writeFileSync(join(staging, "dist", "index.js"), text);
}

/**
 * Modules that are started by their URL, as processes or threads of their own, stay files of their own: those that others
 * name, and those that name themselves. @param {string} root
 */
function startedByUrl(root) {
  const started = readdirSync(join(root, "lib/cli")).flatMap((file) => {
    const text = readFileSync(join(root, "lib/cli", file), "utf8");
    const named = [...text.matchAll(/new URL\("\.\/([^"]+)\.js", import\.meta\.url\)/g)].map(([, name = ""]) => name);
    return /(?<!", )import\.meta\.url/.test(text) ? [...named, file.replace(/\.ts$/, "")] : named;
  });
  return Object.fromEntries(started.map((name) => [`cli/${name}`, `lib/cli/${name}.ts`]));
}

/** One declaration of each class, for both kinds of module: a class with a private field is no other's equal. */
async function writeDeclarations(/** @type {string} */ root, /** @type {string} */ staging) {
  const declarations = await rollup({
    input: join(root, "lib/index.ts"),
    external: /^node:/,
    plugins: [dts({ tsconfig: join(root, "tsconfig.json") })],
    onwarn: refuse,
  });
  await declarations.write({ file: join(staging, "dist/index.d.cts"), format: "es" });
  writeFileSync(join(staging, "dist/index.d.ts"), 'export * from "./index.cjs";\n');
}

/** The licenses of the libraries whose code is in the modules. */
function writeLicenses(/** @type {string} */ root, /** @type {string} */ staging, /** @type {string[]} */ modules) {
  const names = new Set(
    modules.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(slashed(path))?.[1] ?? []),
  );
  const texts = [...names].sort().map((name) => {
    const folder = join(root, "node_modules", name);
    const license = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file));
    if (license === undefined) throw new Error(`${name} is bundled and has no license file`);
    return `${name}\n${"=".repeat(name.length)}\n\n${readFileSync(join(folder, license), "utf8").trim()}\n`;
  });
  writeFileSync(join(staging, "dist", "third-party-licenses.txt"), texts.join("\n\n"));
}

/**
 * Writes dist/ of the package in `staging`.
 * @param {string} root the repository @param {string} staging
 */
export async function writeModules(root, staging) {
  const required = await bundle(root, staging, { index: "lib/index.ts" }, "cjs");
  const entries = { bundler: "lib/index.ts", "cli/main": "lib/cli/main.ts", ...startedByUrl(root) };
  const imported = await bundle(root, staging, entries, "es");
  writeWrapper(staging, required.find(({ name }) => name === "index")?.exports ?? []);
  await writeDeclarations(root, staging);
  writeLicenses(
    root,
    staging,
    [...required, ...imported].flatMap(({ moduleIds }) => moduleIds),
  );
  chmodSync(join(staging, "dist/cli/main.js"), 0o755);
}
