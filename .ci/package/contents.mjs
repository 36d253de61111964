// What the tarball holds and what its manifest says: nothing that a user has no use for, and where it comes from.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pack } from "../pack.mjs";
import { targets } from "../targets.mjs";
import { must } from "./project.mjs";

/** @typedef {import("./project.mjs").Project} Project */
/** @typedef {import("../pack.mjs").Packed} Packed */

const maxPacked = 10_000_000;
const maxBinary = 1_500_000;

/** All eight together stay below the limit too, whichever are there today. @param {Packed} packed */
export function checkContents({ files, size, unpackedSize }) {
  const paths = files.map((file) => file.path);
  const entries = ["cjs", "js", "d.cts", "d.ts"].map((end) => `dist/index.${end}`);
  const texts = ["README.md", "LICENSE", "CHANGELOG.md", "CMakeLists.txt", "dist/third-party-licenses.txt"];
  for (const path of [...entries, ...texts]) must(paths.includes(path), `holds ${path}`);
  const binaries = files.filter(({ path }) => path.startsWith("prebuilds/"));
  must(binaries.length > 0 && binaries.length <= targets.length, "holds a prebuilt binary");
  must(
    binaries.every((file) => file.size <= maxBinary),
    `has no binary above ${maxBinary / 1e6} MB`,
  );
  const expected =
    /^(README\.md|LICENSE|CHANGELOG\.md|CMakeLists\.txt|package\.json|(dist|prebuilds)\/.+|native\/[\w-].*\.(cc|h|inc|map|mjs|LICENSE))$/;
  const unexpected = paths.filter((path) => !expected.test(path));
  must(unexpected.length === 0, `holds nothing else${unexpected.length > 0 ? `, but ${unexpected.join(", ")}` : ""}`);
  must(size < maxPacked, `is below ${maxPacked / 1e6} MB packed (${kB(size)}; ${kB(unpackedSize)} unpacked)`);
}

/** @param {number} bytes */
function kB(bytes) {
  return `${(bytes / 1000).toFixed()} kB`;
}

/** The scripts that are there are those that `packed-lstm build` runs, and each finds what it imports. */
export function checkScripts(/** @type {Project} */ { folder }, /** @type {Packed} */ { files }) {
  const there = files.map(({ path }) => path).filter((path) => path.startsWith("native/scripts/"));
  /** @type {Set<string>} */
  const run = new Set();
  const visit = (/** @type {string} */ path) => {
    if (run.has(path)) return;
    run.add(path);
    const text = readFileSync(join(folder, "node_modules/packed-lstm", path), "utf8");
    for (const [, name = ""] of text.matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g))
      visit(join(dirname(path), name));
  };
  visit("native/scripts/build.mjs");
  must(
    there.sort().join() === [...run].sort().join(),
    `holds the scripts that build it and no more: ${there.join(", ")}`,
  );
}

/** @param {Project} project */
const packedFiles = (project, /** @type {string} */ filename) => {
  const text = (/** @type {string} */ path) => project.run("tar", ["xzOf", filename, `package/${path}`]);
  return { manifest: JSON.parse(text("package.json")), readme: text("README.md") };
};

/** Links to what is in the repository, in prose. @param {string} readme */
function relativeLinks(readme) {
  const prose = readme.replace(/^```[\s\S]*?^```/gm, "").replace(/`[^`]*`/g, "");
  return [...prose.matchAll(/\]\((?!#|https?:)[^)]*\)/g)].length;
}

/** Who publishes it is told by the workflow that does; nobody else can. @param {Project} project */
export async function checkOrigin(project) {
  const env = { GITHUB_REPOSITORY: "someone/somewhere", GITHUB_SHA: "0123456789abcdef" };
  const { filename } = await pack(project.folder, env);
  const { manifest, readme } = packedFiles(project, filename);
  const home = "https://github.com/someone/somewhere";
  must(manifest.repository?.url === `git+${home}.git` && manifest.private === undefined, "names its repository");
  must(manifest.homepage === `${home}#readme` && manifest.bugs?.url === `${home}/issues`, "names its pages");
  must(relativeLinks(readme) === 0, "has a README whose links lead on from npm's page");
  must(readme.includes(`(https://raw.githubusercontent.com/someone/somewhere/${env.GITHUB_SHA}/`), "has its pictures");

  const anonymous = await pack(project.folder, {});
  const without = packedFiles(project, anonymous.filename);
  must(
    without.manifest.repository === undefined && relativeLinks(without.readme) > 0,
    "is packed without an origin too",
  );
  // No registry is there: npm must refuse before it asks for one.
  const registry = "--registry=http://127.0.0.1:9/";
  const publish = [
    "publish",
    `./${anonymous.filename}`,
    registry,
    "--//127.0.0.1:9/:_authToken=none",
    "--fetch-retries=0",
  ];
  const { status, stderr } = project.attempt("npm", publish);
  must(status !== 0 && /EPRIVATE/.test(stderr), "is not published without an origin");
  const { GITHUB_REPOSITORY, ...nobody } = process.env;
  const script = join(import.meta.dirname, "../pack.mjs");
  const refused = project.attempt(process.execPath, [script, "--to-publish"], nobody);
  must(refused.status === 1 && /GITHUB_REPOSITORY/.test(refused.stderr), "is not packed for publishing without one");
  return anonymous;
}

/** @param {Project} project */
export function checkManifest({ folder }) {
  const manifest = JSON.parse(readFileSync(join(folder, "node_modules/packed-lstm/package.json"), "utf8"));
  must(manifest.scripts === undefined, "has no script");
  must(Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies }).length === 0, "has no dependencies");
}
