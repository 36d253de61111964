// TypeScript examples out of text, as a reader would use them: each pasted into a file of its own, type-checked strictly
// against the package as compiled, run by Node. What one prints must be what its `// →` comments say, in order.

import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));
const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");

/** One example. */
export interface Example {
  readonly title: string;
  readonly code: string;
  /** What it promises to print. */
  readonly prints: string;
}

export function makeExample(title: string, code: string): Example {
  return { title, code, prints: [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, text = ""]) => text).join("") };
}

/** Printed and promised values are compared as text, with blanks and line breaks of no account. */
export function squeeze(text: string): string {
  return text.replace(/\s+/g, "");
}

function run(args: readonly string[], cwd: string): string {
  const env = { ...process.env, NODE_OPTIONS: "", FORCE_COLOR: "0", NO_COLOR: "1" };
  try {
    return execFileSync(process.execPath, args, { cwd, env, encoding: "utf8" });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: unknown; stderr: unknown };
    throw new Error(`${args.join(" ")}:\n${String(stdout)}${String(stderr)}`);
  }
}

/** Compiles the package and the examples. They lie inside the package, so that "packed-lstm" means this very tree. */
export function compileExamples(name: string, examples: readonly Example[]): string {
  const folder = `${root}build/${name}`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [i, { code }] of examples.entries()) writeFileSync(`${folder}/example-${i}.mts`, code);
  run([tsc, "--build", root], root); // the examples import dist/, which must be today's
  const strict = ["--strict", "--noUncheckedIndexedAccess", "--types", "node", "--lib", "es2023,esnext.disposable"];
  const files = examples.map((_, i) => `example-${i}.mts`);
  run([tsc, "--ignoreConfig", ...strict, "--target", "es2022", "--module", "nodenext", ...files], folder);
  return folder;
}

/** What an example prints. */
export function runExample(folder: string, place: number): string {
  return run([`example-${place}.mjs`], folder);
}

/** What each of many short examples prints, all in one process: starting one takes longer than they do. */
export function runTogether(folder: string, count: number): string[] {
  const mark = "-- next --";
  const code = `for (let i = 0; i < ${count}; i++) {
    try { await import("./example-" + i + ".mjs"); } catch (error) { console.log(error); }
    console.log(${JSON.stringify(mark)});
  }`;
  writeFileSync(`${folder}/all.mjs`, code);
  return run(["all.mjs"], folder).split(`${mark}\n`).slice(0, -1);
}
