// What the tarball says of where it comes from: the manifest's links and the README's, made of GITHUB_REPOSITORY alone.
// The tarball itself is judged by .ci/package.mjs.

import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { absoluteLinks, manifestFields, type Origin, originOf } from "../.ci/pack/origin.mjs";

const here = { GITHUB_REPOSITORY: "someone/some.where" };
const origin = originOf(here, "1.2.3") as Origin;
const root = new URL("../", import.meta.url);

describe("the origin", () => {
  it("is of the version's tag, or of the commit where one is named", () => {
    expect(origin.files).toBe("https://github.com/someone/some.where/blob/v1.2.3/");
    expect(originOf({ ...here, GITHUB_SHA: "abc" }, "1.2.3")?.raw).toBe(
      "https://raw.githubusercontent.com/someone/some.where/abc/",
    );
  });

  it("is not known without GITHUB_REPOSITORY, and the package is private then", () => {
    expect(originOf({}, "1.2.3")).toBeUndefined();
    expect(originOf({ GITHUB_REPOSITORY: "" }, "1.2.3")).toBeUndefined();
    expect(manifestFields(undefined)).toEqual({ private: true });
  });

  it.each(["someone", "someone/some/where", "https://github.com/someone/somewhere", "a b/c"])(
    "is refused as %s",
    (name) => {
      expect(() => originOf({ GITHUB_REPOSITORY: name }, "1.2.3")).toThrow("expected owner/name");
    },
  );

  it("gives the manifest what npm asks for", () => {
    expect(manifestFields(origin)).toEqual({
      repository: { type: "git", url: "git+https://github.com/someone/some.where.git" },
      homepage: "https://github.com/someone/some.where#readme",
      bugs: { url: "https://github.com/someone/some.where/issues" },
    });
  });
});

describe("a document's links", () => {
  const absolute = (markdown: string): string => absoluteLinks(markdown, origin, (path) => path !== "absent.md");

  it.each([
    ["[a](lib/index.ts)", `[a](${origin.files}lib/index.ts)`],
    ["[a](./lib/index.ts#L3)", `[a](${origin.files}lib/index.ts#L3)`],
    ['[a `b[0]`](x.md "title")', `[a \`b[0]\`](${origin.files}x.md "title")`],
    ["![a](.github/a.svg)", `![a](${origin.raw}.github/a.svg)`],
    ["[![a](a.svg)](x.md)", `[![a](${origin.raw}a.svg)](${origin.files}x.md)`],
    ['<img width="3" src="a.svg">', `<img width="3" src="${origin.raw}a.svg">`],
    ['<a href="x.md">', `<a href="${origin.files}x.md">`],
  ])("to files become absolute: %s", (before, after) => {
    expect(absolute(`Text ${before}, and ${before}.`)).toBe(`Text ${after}, and ${after}.`);
  });

  it.each(["[a](#shapes)", "[a](https://npmjs.com/x)", "[a](mailto:a@b.c)", "[a](//b.c/d)"])("stay: %s", (text) => {
    expect(absolute(text)).toBe(text);
  });

  it.each(["`[a](b.md)`", "``[a](`b.md`)``", "```ts\nconst c = [a](b);\n```", "~~~\n![a](b)\n~~~"])(
    "in code are none: %s",
    (text) => {
      expect(absolute(`Text\n\n${text}\n\n[a](b.md)`)).toBe(`Text\n\n${text}\n\n[a](${origin.files}b.md)`);
    },
  );

  it("to nowhere are refused", () => {
    expect(() => absolute("[a](absent.md#x)")).toThrow("leads nowhere: absent.md#x");
  });

  it("in our README all lead somewhere", () => {
    const readme = readFileSync(new URL("README.md", root), "utf8");
    const there = absoluteLinks(readme, origin, (path) => existsSync(new URL(path, root)));
    expect(there).toContain(origin.raw);
    const prose = there.replace(/^```[\s\S]*?^```/gm, "").replace(/`[^`]*`/g, "");
    expect(prose).not.toMatch(/\]\((?!#|https:)|^\[[^\]]+\]:/m);
  });
});
