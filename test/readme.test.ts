// Runs every TypeScript example of the README as a reader would: pasted into a file of its own, type-checked strictly,
// run by Node. What it prints must be what the README's `// →` comments say, in order.

import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = `${root}build/readme`; // inside the package, so that "packed-lstm" means this very tree
const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");

interface Example {
  readonly title: string;
  readonly code: string;
  readonly prints: readonly string[];
}

function readExamples(markdown: string): Example[] {
  const sections = markdown.split(/^## /m);
  return sections.flatMap((section) => {
    const heading = section.split("\n", 1)[0] ?? "";
    const blocks = [...section.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = ""]) => code);
    return blocks.map((code, i) => ({
      title: blocks.length > 1 ? `${heading} (${i + 1})` : heading,
      code,
      prints: [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, text = ""]) => text),
    }));
  });
}

/** Printed and promised values are compared as text, with blanks and line breaks of no account. */
function squeeze(text: string): string {
  return text.replace(/\s+/g, "");
}

function run(args: readonly string[], cwd: string): string {
  const env = { ...process.env, NODE_OPTIONS: "", FORCE_COLOR: "0", NO_COLOR: "1" };
  return execFileSync(process.execPath, args, { cwd, env, encoding: "utf8" });
}

const examples = readExamples(readFileSync(`${root}README.md`, "utf8"));

describe("the README's examples", () => {
  beforeAll(() => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    copyFileSync(`${root}examples/syllables/model.safetensors`, `${folder}/syllables.safetensors`);
    for (const [i, { code }] of examples.entries()) writeFileSync(`${folder}/example-${i}.mts`, code);
    run([tsc, "--build", root], root); // the examples import dist/, which must be today's
    const strict = ["--strict", "--noUncheckedIndexedAccess", "--types", "node", "--lib", "es2023,esnext.disposable"];
    const files = examples.map((_, i) => `example-${i}.mts`);
    run([tsc, "--ignoreConfig", ...strict, "--target", "es2022", "--module", "nodenext", ...files], folder);
  });

  it("are there", () => {
    expect(examples.length).toBeGreaterThanOrEqual(7);
    expect(examples.every(({ prints }) => prints.length > 0)).toBe(true);
  });

  it.each(examples.map(({ title, prints }, i) => ({ title, prints, i })))("$title", ({ prints, i }) => {
    expect(squeeze(run([`example-${i}.mjs`], folder))).toBe(squeeze(prints.join("")));
  });
});
