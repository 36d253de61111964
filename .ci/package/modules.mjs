// The package as a module: an ES module and a CommonJS module get one and the same, on their own, in one process, in
// threads and in Jest; what goes wrong is readable; and TypeScript has types for each.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { must } from "./project.mjs";

/** @typedef {import("./project.mjs").Project} Project */

const root = join(import.meta.dirname, "../..");
const require = createRequire(import.meta.url);
const maxErrorBytes = 2000;

const use = `
const lstm = new LSTM(3, 4, { batchFirst: true });
const [output, [hn]] = lstm.forward(tensor([[[1, 2, 3], [4, 5, 6]]]));
if (output.shape.join() !== "1,2,4" || output.at(0, 1, 0) !== hn.at(0, 0, 0)) throw new Error("wrong result");
if (!runtimeInfo().isa) throw new Error("no instruction set");
`;

const esm = 'import * as esm from "packed-lstm";\n';
const both = `${esm}import { createRequire } from "node:module";
const cjs = createRequire(import.meta.url)("packed-lstm");
`;

/** Every class and function through both, and what only one copy of them can do. */
const oneProcess = `${both}
const equal = (a, b, what) => { if (!Object.is(a, b)) throw new Error(what + ": " + a + " and " + b); };
equal(Object.keys(esm).sort().join(), Object.keys(cjs).sort().join(), "names");
for (const name of Object.keys(esm)) equal(esm[name], cjs[name], name);
for (const [a, b] of [[esm, cjs], [cjs, esm]]) {
  a.manualSeed(7);
  const first = a.rand([3]).data.join();
  b.manualSeed(7);
  equal(a.rand([3]).data.join(), first, "manualSeed");
  equal(b.Tensor.isTensor(a.zeros([2])), true, "isTensor");
  equal(a.zeros([2]) instanceof b.Tensor, true, "instanceof");
  const lstm = new a.LSTM(2, 3);
  const packed = b.packSequence([b.ones([4, 2]), b.ones([2, 2])]);
  equal(lstm.forward(packed)[0] instanceof b.PackedSequence, true, "a packed sequence");
  equal(b.LSTM.fromStateDict(lstm.stateDict()).forward(a.ones([4, 2]))[0].at(3, 2), lstm.forward(b.ones([4, 2]))[0].at(3, 2), "bits");
  a.setNumThreads(1);
  equal(b.getNumThreads(), 1, "threads");
  equal((await lstm.forwardAsync(b.ones([4, 2])))[0].at(0, 0), lstm.forward(a.ones([4, 2]))[0].at(0, 0), "async");
}
const addons = process.report.getReport().sharedObjects.filter((path) => /packed.lstm[^/]*\\.node$/.test(path));
equal(new Set(addons).size, 1, "addons loaded");
`;

const threads = `
const { Worker, isMainThread, parentPort } = require("node:worker_threads");
const { LSTM, manualSeed, rand } = require("packed-lstm");
manualSeed(1);
const sum = new LSTM(2, 3).forward(rand([5, 2]))[0].data.join();
if (!isMainThread) parentPort.postMessage(sum);
else for (const file of [__filename, require("node:path").join(__dirname, "thread.mjs")])
  new Worker(file).once("message", (text) => { if (text !== sum) throw new Error(file + ": " + text); });
`;
const thread = `
import { parentPort } from "node:worker_threads";
import { LSTM, manualSeed, rand } from "packed-lstm";
manualSeed(1);
parentPort.postMessage(new LSTM(2, 3).forward(rand([5, 2]))[0].data.join());
`;

const jestTest = (/** @type {string} */ entry) => `${entry}
test("a pass, sync and async, and its errors", async () => {
  const lstm = new LSTM(3, 4, { batchFirst: true });
  const input = tensor([[[1, 2, 3], [4, 5, 6]]]);
  const [output, [hn]] = lstm.forward(input);
  expect(output.shape).toEqual([1, 2, 4]);
  expect(output.at(0, 1, 0)).toBe(hn.at(0, 0, 0));
  expect((await lstm.forwardAsync(input))[0].data).toEqual(output.data);
  expect(lstm.forward({ data: new Float32Array(6), dims: [1, 2, 3] })[0].shape).toEqual([1, 2, 4]);
  expect(new Tensor(new Float32Array(2), [2]).size).toBe(2);
  let items = 0;
  for await (const { item } of lstm.map([tensor([[1, 2, 3]])])) items += item.size;
  expect(items).toBe(3);
  expect(() => lstm.forward(tensor([1]))).toThrow(expect.objectContaining({ code: "ERR_SHAPE" }));
});
`;
const names = "{ LSTM, Tensor, tensor }";

const brand = 'if (!Tensor.isTensor(ones([2]))) throw new Error("two copies in one bundle");\n';
const wrong = "new LSTM(3, 64).forward(zeros([150, 16, 5]));\n";
const construct = "new Tensor(new Float32Array(3), [4]);\n";

/** @type {Readonly<Record<string, string>>} */
export const files = {
  "import.mjs": `import { LSTM, runtimeInfo, tensor } from "packed-lstm";${use}`,
  "require.cjs": `const { LSTM, runtimeInfo, tensor } = require("packed-lstm");${use}`,
  "import.mts": `import { LSTM, runtimeInfo, tensor } from "packed-lstm";${use}`,
  "require.cts": `import { LSTM, runtimeInfo, tensor } from "packed-lstm";${use}`,
  "size.cts":
    'import type { Tensor } from "packed-lstm";\nexport const sizeOf = (tensor: Tensor): number => tensor.size;\n',
  "size.mts": 'import { ones } from "packed-lstm";\nimport { sizeOf } from "./size.cjs";\nsizeOf(ones([2]));\n',
  "one.mjs": oneProcess,
  "both.mjs": `import { Tensor } from "packed-lstm";\nimport { ones } from "./ones.cjs";\n${brand}`,
  "ones.cjs": 'exports.ones = require("packed-lstm").ones;\n',
  "threads.cjs": threads,
  "thread.mjs": thread,
  "jest/require.test.js": jestTest(`const ${names} = require("packed-lstm");`),
  "jest/import.test.mjs": jestTest(`import ${names} from "packed-lstm";`),
  "jest/jest.config.json": '{ "testMatch": ["**/*.test.*js"] }',
  "wrong.mjs": `import { LSTM, zeros } from "packed-lstm";\n${wrong}`,
  "wrong.cjs": `const { LSTM, zeros } = require("packed-lstm");\n${wrong}`,
  "construct.mjs": `import { Tensor } from "packed-lstm";\n${construct}`,
  "construct.cjs": `const { Tensor } = require("packed-lstm");\n${construct}`,
};

/** @param {Project} project @param {Record<string, string>} env */
export function checkModules(project, env) {
  project.run("node", ["import.mjs"], { env });
  must(true, "is imported by an ES module");
  project.run("node", ["--no-experimental-require-module", "require.cjs"], { env });
  must(true, "is required by a CommonJS module, without require(esm)");
  project.run("node", ["one.mjs"], { env });
  must(true, "is one package to both in one process");
  project.run("node", ["threads.cjs"], { env });
  must(true, "is the same in worker threads of both kinds");
  const flags = process.allowedNodeEnvironmentFlags;
  const permission = flags.has("--permission") ? "--permission" : "--experimental-permission";
  const refused = project.attempt("node", [permission, "--allow-fs-read=*", "import.mjs"], env);
  must(refused.status === 1 && /needs --allow-addons/.test(refused.stderr), "names the permission that it lacks");
  project.run("node", [permission, "--no-warnings", "--allow-fs-read=*", "--allow-addons", "import.mjs"], { env });
  must(true, "needs no other permission");
}

/** What Node prints of an uncaught error: the line it was thrown in, the message, and frames that can be read. */
export function checkErrors(/** @type {Project} */ project, /** @type {Record<string, string>} */ env) {
  const frames = { wrong: "LSTM.forward", construct: "new Tensor" };
  for (const [name, frame] of Object.entries(frames)) {
    for (const end of ["mjs", "cjs"]) {
      const { status, stderr } = project.attempt("node", [`${name}.${end}`], env);
      must(status === 1 && stderr.includes("RangeError: "), `throws in ${name}.${end}`);
      must(stderr.length < maxErrorBytes, `prints ${stderr.length} bytes of it, below ${maxErrorBytes}`);
      must(stderr.includes(`at ${frame} (`), `names ${frame} in its frames`);
      must(!/at (new |async )?[\w$]{1,2} \(/.test(stderr), "has no minified name there");
    }
  }
}

/** Jest gives modules a realm of their own and, on Node 20, a `require` that knows no ES modules. */
export function checkJest(/** @type {Project} */ project) {
  const jest = [require.resolve("jest/bin/jest"), "--rootDir", "jest", "--config", "jest/jest.config.json"];
  const { status, stderr } = project.attempt(process.execPath, ["--experimental-vm-modules", ...jest], {
    ...process.env,
    NODE_OPTIONS: "--no-experimental-require-module --no-warnings",
  });
  must(status === 0 && /2 passed, 2 total/.test(stderr), `runs in Jest${status === 0 ? "" : `, which says ${stderr}`}`);
}

/** @param {Project} project @param {string} tarball */
export function checkTypes(project, tarball) {
  const tsc = require.resolve("typescript/bin/tsc");
  const types = ["--types", "node", "--typeRoots", join(root, "node_modules", "@types")];
  const options = ["--strict", "--noEmit", "--target", "es2022", "--lib", "es2023,esnext.disposable", ...types];
  const sources = ["import.mts", "require.cts", "size.cts", "size.mts"];
  for (const module of ["node16", "node18", "node20", "nodenext"]) {
    project.run(process.execPath, [tsc, ...options, "--module", module, ...sources], { stdio: "inherit" });
  }
  const bundled = ["--module", "preserve", "--moduleResolution", "bundler", "import.mts"];
  project.run(process.execPath, [tsc, ...options, ...bundled], { stdio: "inherit" });
  must(true, "has types for both, under every kind of resolution");
  const declared = readFileSync(join(project.folder, "node_modules/packed-lstm/dist/index.d.ts"), "utf8");
  must(declared.trim() === 'export * from "./index.cjs";', "declares each class once");
  const bin = join(root, "node_modules", ".bin");
  project.run(join(bin, "publint"), ["run", tarball, "--strict"], { stdio: "inherit" });
  project.run(join(bin, "attw"), [tarball, "--no-emoji"], { stdio: "inherit" });
}
