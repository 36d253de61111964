// Holds the repository to its house rules, and each rule to its word: a small tree that breaks it must be caught.
// The rules themselves are in architecture.ts.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { complaintsAbout } from "./support/architecture.js";

const root = new URL("../", import.meta.url);

/** What git tracks or would track: everything but the ignored. */
function repository(): Map<string, string> {
  const args = ["ls-files", "--cached", "--others", "--exclude-standard"];
  const paths = execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim().split("\n");
  const present = paths.filter((path) => existsSync(new URL(path, root)));
  return new Map(present.map((path) => [path, readFileSync(new URL(path, root), "utf8")]));
}

const sound: readonly (readonly [path: string, text: string])[] = [
  ["binding.d.ts", "// types\n"],
  ["lib/index.ts", '// face\nexport { LSTM } from "./nn/recurrent/lstm.js";\n'],
  ["lib/nn/recurrent/lstm.ts", '// class\nimport { Tensor } from "../../tensor/tensor.js";\n'],
  ["lib/tensor/tensor.ts", '// data\nimport { native } from "../native.js";\n'],
  ["lib/native.ts", '// loader\nimport type { Binding } from "../binding.js";\n'],
  ["native/binding/addon.cc", '// exports\n#include <napi.h>\n#include "rnn/run.h"\n'],
  ["native/rnn/run.h", '// walk\n#include "kernels/set.h"\n'],
  ["native/kernels/set.h", "// table\n"],
];

/** The sound tree with one file put in or replaced. */
function complaintsWith(path: string, text: string): string[] {
  return complaintsAbout(new Map([...sound, [path, text]]));
}

describe("the house rules", () => {
  it.skipIf(!existsSync(new URL(".git", root)))("hold in this repository", () => {
    const tree = repository();
    expect(tree.size).toBeGreaterThan(10);
    expect(complaintsAbout(tree)).toEqual([]);
  });

  it("find nothing wrong with a sound tree", () => {
    expect(complaintsAbout(new Map(sound))).toEqual([]);
  });

  const breaches: readonly (readonly [rule: string, path: string, text: string, complaint: RegExp])[] = [
    [
      "an upward import",
      "lib/tensor/tensor.ts",
      '// x\nimport { LSTM } from "../nn/recurrent/lstm.js";\n',
      /tensor\.ts: imports upward/,
    ],
    [
      "an upward type import",
      "lib/native.ts",
      '// x\nimport type { T } from "./tensor/tensor.js";\n',
      /imports upward/,
    ],
    [
      "an upward re-export",
      "lib/nn/recurrent/lstm.ts",
      '// x\nexport * from "../../index.js";\n',
      /lstm\.ts: imports upward/,
    ],
    [
      "an upward dynamic import",
      "lib/tensor/tensor.ts",
      '// x\nawait import("../nn/recurrent/lstm.js");\n',
      /tensor\.ts: imports upward/,
    ],
    ["an upward include", "native/kernels/set.h", '// x\n#include "rnn/run.h"\n', /set\.h: imports upward/],
    ["an upward relative include", "native/kernels/set.h", '// x\n#include "../rnn/run.h"\n', /imports upward/],
    [
      "a cycle",
      "lib/tensor/tensor.ts",
      '// x\nimport "./tensor.js";\n',
      /cycle, lib\/tensor\/tensor\.ts → lib\/tensor\/tensor\.ts/,
    ],
    [
      "an import that leads nowhere",
      "lib/nn/recurrent/lstm.ts",
      '// x\nimport "./gone.js";\n',
      /no file of this repository/,
    ],
    [
      "an import out of lib",
      "lib/nn/recurrent/lstm.ts",
      '// x\nimport "../../../test/compare.js";\n',
      /no file of this repository/,
    ],
    ["a file on no floor", "lib/misc.ts", "// x\n", /misc\.ts: on no floor/],
    ["Node-API in the core", "native/rnn/run.h", "// x\n#include <napi.h>\n", /below native\/binding/],
    ["libuv", "native/binding/addon.cc", "// x\nuv_queue_work(loop);\n", /uses libuv/],
    ["a long file", "lib/nn/recurrent/lstm.ts", `// x\n${"f();\n".repeat(330)}`, /331 lines/],
    ["a file without an opening", "native/kernels/set.h", "#pragma once\n", /does not open/],
    ["a script without an opening", ".ci/a.mjs", "#!/usr/bin/env node\nf();\n", /does not open/],
    ["a new folder at the top", "src/a.ts", "// x\n", /src has no place/],
    ["a new file at the top", "binding.gyp", "{}\n", /binding\.gyp has no place/],
    ["a hidden folder at the top", ".tool/x.json", "{}\n", /\.tool has no place/],
  ];

  it.each(breaches)("catch %s", (_rule, path, text, complaint) => {
    const complaints = complaintsWith(path, text);
    expect(complaints.join("\n")).toMatch(complaint);
  });

  it("catch a cycle of several files once", () => {
    const tree = new Map([
      ["native/base/a.h", '// a\n#include "b.h"\n'],
      ["native/base/b.h", '// b\n#include "base/a.h"\n'],
    ]);
    expect(complaintsAbout(tree)).toEqual([
      "native/base/a.h: part of a cycle, native/base/a.h → native/base/b.h → native/base/a.h",
    ]);
  });

  it("do not read imports out of comments", () => {
    expect(
      complaintsWith("lib/tensor/tensor.ts", '// data\n// import "../nn/recurrent/lstm.js"\n/* from "./index.js" */\n'),
    ).toEqual([]);
  });
});
