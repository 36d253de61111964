// The `@example` blocks of lib/'s docstrings: each is run, with what it names of the package imported, and prints what it
// says. Every function and class that the package exports has one, and so has every method of the classes named below.

import { copyFileSync, readdirSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import * as face from "../lib/index.js";
import { compileExamples, makeExample, root, runTogether, squeeze } from "./support/runnable.js";

const exported = Object.entries(face).filter(([, value]) => typeof value === "function");
const names = exported.map(([name]) => name);

interface Documented {
  readonly file: string;
  /** "sort", or "Tensor.slice" for a method. */
  readonly name: string;
  readonly docs: string;
}

const declaration =
  /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n(export (?:async )?(?:function|class) (\w+)| {2}(?:static )?(?:async )?(\w+)[(<])/g;

/** Everything in a file that has a docstring and can be called. */
function documentedIn(file: string): Documented[] {
  let owner = "";
  return [...readFileSync(`${root}lib/${file}`, "utf8").matchAll(declaration)].map((match) => {
    const [, docs = "", head = "", outer, method = ""] = match;
    if (outer !== undefined) owner = head.includes("class") ? outer : "";
    return { file, name: outer ?? `${owner}.${method}`, docs: docs.replace(/^ *\* ?/gm, "") };
  });
}

const files = readdirSync(`${root}lib`, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ts"));
const documented = files.flatMap(documentedIn);

function examplesOf({ docs }: Documented): string[] {
  return docs
    .split(/^@example/m)
    .slice(1)
    .map((part) => /^```ts\n([\s\S]*?)^```$/m.exec(part)?.[1] ?? "");
}

function withImports(code: string): string {
  const used = names.filter((name) => new RegExp(`\\b${name}\\b`).test(code));
  return `import { ${used.join(", ")} } from "packed-lstm";\n${code}`;
}

const examples = documented.flatMap((each) =>
  examplesOf(each).map((code) => makeExample(`${each.file}: ${each.name}`, withImports(code))),
);

describe("an @example", () => {
  const has = new Set(documented.filter((each) => examplesOf(each).length > 0).map(({ name }) => name));

  it.each(names)("is there for %s", (name) => {
    expect([...has]).toContain(name);
  });

  it.each(["Tensor", "Linear", "Embedding"])("is there for each method of %s that is documented", (owner) => {
    const methods = documented.filter(({ name }) => name.startsWith(`${owner}.`)).map(({ name }) => name);
    const plain = ["constructor", "dispose"].map((name) => `${owner}.${name}`); // the class's own example shows the first
    const spoken = ["Linear.toString", "Embedding.toString"]; // their docstrings are examples
    const wanting = methods.filter((name) => !has.has(name) && ![...plain, ...spoken].includes(name));
    expect(methods.length).toBeGreaterThan(3);
    expect(wanting).toEqual([]);
  });

  it("is code that prints something", () => {
    expect(examples.length).toBeGreaterThan(50);
    for (const { title, prints } of examples) expect(prints, title).not.toBe("");
  });
});

describe("examples of docstrings", () => {
  let printed: string[] = [];
  beforeAll(() => {
    const folder = compileExamples("docstrings", examples);
    const weights = `${root}test/fixtures/weights`;
    copyFileSync(`${weights}/torch-2.15/lstm.pt`, `${folder}/lstm.pt`);
    copyFileSync(`${weights}/onnx/forward.onnx`, `${folder}/lstm.onnx`);
    copyFileSync(`${weights}/keras-3.15/sequence.keras`, `${folder}/model.keras`);
    printed = runTogether(folder, examples.length);
  }, 240_000); // the compiler runs twice, perhaps beside everything else

  it.each(examples.map(({ title, prints }, i) => ({ title, prints, i })))("$title", ({ prints, i }) => {
    expect(squeeze(printed[i] ?? "")).toBe(squeeze(prints));
  });
});
