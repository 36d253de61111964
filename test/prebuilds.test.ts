// The inspection of prebuilt binaries: the addon built here passes where it should and fails wherever it is made wrong,
// byte by byte. The binaries of other targets are judged where they are made (npm run prebuild).

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { complaints, nodeApi, readBinary } from "../.ci/inspect/rules.mjs";
import { hostTarget, prebuildPath, targets } from "../.ci/targets.mjs";

const root = new URL("../", import.meta.url);
const text = (path: string): string => readFileSync(new URL(path, root), "utf8");
const addon =
  process.env.PACKED_LSTM_BINARY ?? fileURLToPath(new URL("../build/Release/packed_lstm.node", import.meta.url));
const bytes = (): Buffer => readFileSync(addon);
const here = hostTarget();

/** A developer's build is neither stripped nor free of the C++ runtime, and may be large: only a prebuilt one must be. */
const wrong = (target: (typeof targets)[number], file: Uint8Array): string[] =>
  complaints(target, file).filter((complaint) => !/stripped|^needs|bytes; |_Z|_Unwind|__cxa|__gxx/.test(complaint));

describe("the inspection of a binary", () => {
  it("takes this machine's own", () => {
    expect(wrong(here, bytes())).toEqual([]);
    expect(readBinary(bytes()).exports).toContain("napi_register_module_v1");
  });

  it.each(targets.filter(({ platform, arch }) => platform !== here.platform || arch !== here.arch))(
    "refuses it in the place of $name",
    (target) => {
      const said = `is for ${here.platform}-${here.arch}, not ${target.platform}-${target.arch}`;
      expect(complaints(target, bytes())).toContain(said);
    },
  );

  it.runIf(here.platform === "linux")("refuses a symbol of another library, a newer libc, an unknown library", () => {
    const spoiled = (from: string, to: string): string[] => {
      const file = bytes();
      expect(file.includes(from)).toBe(true);
      expect(to.length).toBe(from.length);
      for (let at = file.indexOf(from); at >= 0; at = file.indexOf(from, at + 1)) file.write(to, at, "latin1");
      return complaints(here, file);
    };
    expect(spoiled("napi_get_element", "napi_get_elephan").join()).toContain("napi_get_elephan");
    expect(spoiled("napi_get_element", "uv_default_loop\0").join()).toContain("uv_default_loop");
    expect(spoiled("GLIBC_2.", "GLIBC_3.").join()).toMatch(/needs glibc 3\.\d/);
    expect(spoiled("libc.so.6", "libz.so.6").join()).toContain("needs libz.so.6");
    expect(spoiled("napi_register_module_v1", "napi_register_module_v2").join()).toContain("exports no entry point");
  });

  it("refuses what is no binary, or half of one", () => {
    expect(complaints(here, new Uint8Array(100)).join()).toContain("cannot be read");
    expect(complaints(here, bytes().subarray(0, 2000)).join()).toContain("cannot be read");
    expect(complaints(here, Buffer.concat([bytes(), Buffer.alloc(1_500_000)])).join()).toContain("bytes; ");
  });
});

describe("the list of targets", () => {
  it("is the one that the loader has", () => {
    const loader = text("lib/native.ts");
    const named = [...loader.matchAll(/"(?:\.\.\/)(prebuilds\/[^"]+)"/g)].map(([, path]) => path);
    expect([...new Set(named)].sort()).toEqual(targets.map(prebuildPath).sort());
  });
});

describe("Windows' table of Node-API", () => {
  const listed = [...text("native/binding/host_symbols.cc").matchAll(/X\((napi_\w+)\)/g)].map(([, name]) => name!);

  it("has every function that the addon here imports, and none beyond version 8", () => {
    const imported = readBinary(bytes()).imports.filter(({ name }) => /^napi_/.test(name));
    expect(imported.length).toBeGreaterThan(20);
    expect(listed).toEqual(expect.arrayContaining(imported.map(({ name }) => name)));
    expect(listed.filter((name) => !nodeApi.has(name))).toEqual([]);
  });
});
