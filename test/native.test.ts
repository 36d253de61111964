// What lib/native.ts does where the addon cannot be loaded: which remedy it names, and that it names none that is of no
// use. Each case is a process of its own, with the loader alone, bundled; where the package's files lie is for
// .ci/package.mjs to try.

import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = `${root}build/native-test`;
const addon = process.env.PACKED_LSTM_BINARY ?? `${root}build/Release/packed_lstm.node`;
const permission = ["--permission", "--experimental-permission"].find((flag) =>
  process.allowedNodeEnvironmentFlags.has(flag),
) as string;

beforeAll(async () => {
  await build({
    entryPoints: [`${root}lib/native.ts`],
    outfile: `${folder}/native.mjs`,
    bundle: true,
    platform: "node",
    format: "esm",
  });
  writeFileSync(
    `${folder}/main.mjs`,
    'try { console.log((await import("./native.mjs")).native.runtimeInfo().isa); } catch (e) { console.log(e.code, e.message); }',
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function load(flags: readonly string[], binary = addon): string {
  const { stdout } = spawnSync(process.execPath, [...flags, "--no-warnings", "main.mjs"], {
    cwd: folder,
    env: { PATH: process.env.PATH, PACKED_LSTM_BINARY: binary },
    encoding: "utf8",
  });
  return stdout.trim();
}

const loaded = /^(avx512(_vnni)?|avx2|avx_vnni|neon(_dotprod)?|scalar)$/;
const remedy = "npx packed-lstm build";

describe("loading the addon", () => {
  it("works", () => {
    expect(load([])).toMatch(loaded);
  });

  it("names --allow-addons under the permission model, and no build", () => {
    const said = load([permission, "--allow-fs-read=*"]);
    expect(said).toMatch(/^ERR_NATIVE /);
    expect(said).toContain("needs --allow-addons");
    expect(said).not.toContain(remedy);
  });

  it("works under it with that permission, read it or not", () => {
    expect(load([permission, "--allow-addons", "--allow-fs-read=*"])).toMatch(loaded);
    expect(load([permission, "--allow-addons", `--allow-fs-read=${folder}/*`])).toMatch(loaded);
  });

  it("names --no-addons where that was given", () => {
    const said = load(["--no-addons"]);
    expect(said).toMatch(/^ERR_NATIVE .*--no-addons/);
    expect(said).not.toMatch(/--allow-addons|npx packed-lstm build/);
  });

  it.each([`${root}package.json`, `${root}absent.node`])("names the build for %s", (path) => {
    const said = load([], path);
    expect(said).toMatch(/^ERR_NATIVE /);
    expect(said).toContain(remedy);
    expect(said).toContain(path);
  });
});
