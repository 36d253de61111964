// `npm version minor` runs this between raising the version in package.json and committing: the changelog's "Unreleased"
// becomes that version with today's date, and lib/native.ts carries it. With --check TAG it only says whether the three
// agree with the tag.

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const unreleased = "## [Unreleased]\n";
const constant = /(export const version = )"[^"]*"/;

/** @param {string} path @param {(text: string) => string} change */
function edit(path, change) {
  const before = readFileSync(join(root, path), "utf8");
  const after = change(before);
  if (after === before) throw new Error(`${path}: nothing to change for version ${version}`);
  writeFileSync(join(root, path), after);
}

if (process.argv[2] === "--check") {
  const wrong = [];
  if (process.argv[3] !== `v${version}`) wrong.push(`the tag is ${process.argv[3]}`);
  if (!readFileSync(join(root, "CHANGELOG.md"), "utf8").includes(`## [${version}] - `))
    wrong.push("CHANGELOG.md lacks it");
  if (!readFileSync(join(root, "lib/native.ts"), "utf8").includes(`"${version}"`)) wrong.push("lib/native.ts lacks it");
  if (wrong.length > 0) throw new Error(`version ${version}: ${wrong.join("; ")}`);
} else {
  const today = new Date().toISOString().slice(0, 10);
  edit("CHANGELOG.md", (text) => text.replace(unreleased, `${unreleased}\n## [${version}] - ${today}\n`));
  edit("lib/native.ts", (text) => text.replace(constant, `$1"${version}"`));
  execFileSync("git", ["add", "CHANGELOG.md", "lib/native.ts"], { cwd: root });
}
