// What can be known of Electron without its binary: the example's model answers in a plain process, its packaging keeps
// the addon out of the archive, and the package holds nothing that Electron's tools would try to rebuild.

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { describe, expect, it } from "vitest";
import { buildPackage } from "./support/cli.js";
import { withFolder } from "./support/with-folder.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const example = join(root, "examples", "electron");
const text = (path: string): string => readFileSync(join(root, path), "utf8");

describe("the Electron example", () => {
  it("counts the syllables of what is typed", { timeout: 60_000 }, () => {
    buildPackage();
    withFolder((folder) => {
      const app = join(folder, "app");
      cpSync(join(example, "app"), app, { recursive: true });
      const external = ["packed-lstm"];
      const entryPoints = [join(root, "examples", "syllables", "counter.ts")];
      const outfile = join(app, "counter.mjs");
      buildSync({ entryPoints, outfile, external, bundle: true, platform: "node", format: "esm" });
      cpSync(join(root, "examples", "syllables", "model.safetensors"), join(app, "model.safetensors"));
      mkdirSync(join(folder, "node_modules"));
      symlinkSync(root, join(folder, "node_modules", "packed-lstm"), "junction");
      const script = `import { countSyllables } from "./app/syllables.mjs";
        console.log(JSON.stringify([await countSyllables("Banana, cat! \\u{1F600}"), await countSyllables(" ")]))`;
      const args = ["--input-type=module", "-e", script];
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
      expect(status, stderr).toBe(0);
      const [words, none] = JSON.parse(stdout) as { word: string; syllables: number; chance: number }[][];
      expect(words?.map(({ word, syllables }) => [word, syllables])).toEqual([
        ["banana", 3],
        ["cat", 1],
      ]);
      for (const { chance } of words!) expect(chance).toBeGreaterThan(0.9);
      expect(none).toEqual([]);
    });
  });

  it("keeps the addon out of the archive, and compiles nothing", () => {
    const config = text("examples/electron/electron-builder.yml");
    expect(config).toMatch(/asarUnpack:\n\s+- "\*\*\/node_modules\/packed-lstm\/prebuilds\/\*\*"/);
    expect(config).toContain("npmRebuild: false");
  });
});

describe("the package", () => {
  it("has no binding.gyp, and is compiled without external buffers", () => {
    expect(existsSync(join(root, "binding.gyp"))).toBe(false);
    expect(text("CMakeLists.txt")).toContain("NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED");
  });
});
