// Runs every TypeScript example of the README and of the guides as a reader would: pasted into a file of its own,
// type-checked strictly, run by Node. What it prints must be what its `// →` comments say, in order. And what the README
// says in figures must be what the benchmark's record says.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { bestPeer, type RunRecord } from "../bench/src/record.js";
import { compileExamples, type Example, makeExample, root, runExample, squeeze } from "./support/runnable.js";

const guides = ".github/docs/";

function readExamples(path: string): Example[] {
  const sections = readFileSync(`${root}${path}`, "utf8").split(/^##? /m);
  return sections.flatMap((section) => {
    const heading = section.split("\n", 1)[0] ?? "";
    const blocks = [...section.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = ""]) => code);
    return blocks.map((code, i) => makeExample(blocks.length > 1 ? `${heading} (${i + 1})` : heading, code));
  });
}

const pages = ["README.md", ...readdirSync(`${root}${guides}`).map((name) => `${guides}${name}`)];
const examples = pages.flatMap((path) =>
  readExamples(path).map((example) => ({ ...example, title: `${path}, ${example.title}` })),
);

describe("the examples of the README and the guides", () => {
  let folder = "";
  beforeAll(() => {
    folder = compileExamples("readme", examples);
  });

  it("are there", () => {
    expect(examples.filter(({ title }) => title.startsWith("README")).length).toBeGreaterThanOrEqual(7);
    expect(examples.every(({ prints }) => prints.length > 0)).toBe(true);
  });

  it.each(examples.map(({ title, prints }, i) => ({ title, prints, i })))("$title", ({ prints, i }) => {
    expect(squeeze(runExample(folder, i))).toBe(squeeze(prints));
  });
});

describe("the README", () => {
  const readme = readFileSync(`${root}README.md`, "utf8");

  it("is short enough to be read", () => {
    expect(readme.split("\n").length).toBeLessThan(250);
  });

  it("leads to files that are there, and so do the guides", () => {
    const links = pages.flatMap((path) =>
      [...readFileSync(`${root}${path}`, "utf8").matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, to = ""]) =>
        fileURLToPath(new URL(to, new URL(path, `file://${root}`))),
      ),
    );
    expect(links.length).toBeGreaterThan(10);
    expect(links.filter((path) => !existsSync(path))).toEqual([]);
  });

  it("says how many comparisons a peer won, as the record has it", () => {
    const { outcomes } = JSON.parse(readFileSync(`${root}bench/results.json`, "utf8")) as RunRecord;
    const ratios = outcomes.flatMap((outcome) => bestPeer(outcome)?.ratio ?? []);
    const won = ratios.filter((ratio) => ratio < 1).length;
    expect(squeeze(readme)).toContain(squeeze(`was the faster one in ${won} of ${ratios.length} comparisons`));
  });
});
