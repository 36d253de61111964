// Which instruction set runs: each one that this processor has can be forced, in a process of its own, and is then the
// one in use; any other name is an error. Those it lacks are skipped by name. vitest.config.ts runs the numbers on each.

import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import type { RuntimeInfo } from "../binding.js";
import { runtimeInfo } from "../lib/index.js";

const known = ["avx512_vnni", "avx512", "avx_vnni", "avx2", "neon_dotprod", "neon", "scalar"];
const { supportedIsas } = runtimeInfo();
const addon =
  process.env.PACKED_LSTM_BINARY ?? createRequire(import.meta.url).resolve("../build/Release/packed_lstm.node");

/** What a new process reports when this name is forced on it. */
function force(isa: string): { status: number | null; info?: RuntimeInfo; error: string } {
  const script = `console.log(JSON.stringify(require(${JSON.stringify(addon)}).runtimeInfo()))`;
  const env = { ...process.env, PACKED_LSTM_ISA: isa };
  const { status, stdout, stderr } = spawnSync(process.execPath, ["-e", script], { env, encoding: "utf8" });
  return status === 0 ? { status, info: JSON.parse(stdout) as RuntimeInfo, error: stderr } : { status, error: stderr };
}

describe("instruction sets", () => {
  it("are known by name, scalar always among them", () => {
    expect(known).toEqual(expect.arrayContaining(supportedIsas));
    expect(supportedIsas.at(-1)).toBe("scalar");
  });

  for (const isa of known) {
    const here = supportedIsas.includes(isa);
    it.skipIf(!here)(`${isa}${here ? "" : " (this processor lacks it)"} is in use when forced`, () => {
      const { info, error } = force(isa);
      expect(info?.isa, error).toBe(isa);
    });
    if (here) continue;
    it(`${isa} is refused, as this processor lacks it`, () => expectRefused(isa));
  }

  it.each(["avx1024", "AVX2", "none"])("%s is refused, as there is no such one", expectRefused);
});

/** The process ends by an error that names what was asked for, not by a signal. */
function expectRefused(isa: string): void {
  const { status, error } = force(isa);
  expect(status, error).toBe(1);
  expect(error).toContain(isa);
}
