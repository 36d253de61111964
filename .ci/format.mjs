// Formats the C++ under native/ with clang-format, or with --check only says which files differ.
// clang-format comes from npm as WebAssembly, one pinned version, so every machine formats alike and
// none needs it installed. Style: native/.clang-format. TypeScript is Biome's business, not this file's.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { format } from "@wasm-fmt/clang-format";

const nativeDir = join(dirname(fileURLToPath(import.meta.url)), "..", "native");
const style = readFileSync(join(nativeDir, ".clang-format"), "utf8");
const check = process.argv.includes("--check");

const sources = readdirSync(nativeDir, { recursive: true, encoding: "utf8" })
  .filter((name) => /\.(cc|h|inc)$/.test(name) && !name.startsWith("headers"))
  .sort();

let differing = 0;
for (const name of sources) {
  const path = join(nativeDir, name);
  const before = readFileSync(path, "utf8");
  const after = format(before, name, style);
  if (after === before) continue;
  differing++;
  const line = before.split("\n").findIndex((text, index) => text !== after.split("\n")[index]) + 1;
  const shown = relative(process.cwd(), path);
  if (check) console.error(`${shown}:${line}: not as clang-format would write it (npm run format)`);
  else {
    writeFileSync(path, after);
    console.log(`formatted ${shown}`);
  }
}
if (check && differing > 0) process.exit(1);
if (check) console.log(`clang-format: ${sources.length} files as they should be`);
