// The numbers of the suite without the suite: parity with PyTorch and the committed bits, for runtimes and emulators
// that cannot run vitest. .ci/prove.mjs bundles it, with the package itself left out, and runs it beside an
// installed tarball. Prints one line of JSON; ends with 1 at the first number that is wrong.
//
//   smoke.mjs [seconds]    stops after so long; what it left out is in the counts

import { readFileSync, writeSync } from "node:fs";
import { runtimeInfo, setNumThreads } from "../../lib/index.js";
import { cellOf, cells } from "./cells.js";
import { expectClose } from "./compare.js";
import * as passes from "./exactness-passes.js";
import { shapesOf } from "./exactness-shapes.js";
import { bars, readFixture, rebuild, run } from "./fixture.js";

const DTYPES = ["float32", "float64"] as const;

const started = performance.now();
const budget = Number(process.argv[2] ?? "600") * 1000;
const spent = (share: number): boolean => performance.now() - started > budget * share;

/** Goes through a list in steps of a third of it, so that a run cut short has seen some of everything. */
function spread<T>(list: readonly T[]): T[] {
  const stride = 3;
  return Array.from({ length: stride }, (_, first) => list.filter((__, k) => k % stride === first)).flat();
}

function parity(): { done: number; of: number; worst: number } {
  const fixtures = [readFixture("parity"), readFixture("parity-cells")];
  const cases = fixtures.flatMap(({ cases: of, tensor }) => of.map((c) => [c, tensor] as const));
  let [done, worst] = [0, 0];
  for (const [c, tensor] of spread(cases)) {
    if (spent(0.5)) break;
    const result = run(c, rebuild(c));
    for (const key of cellOf(c.cell).keys) {
      const tolerance = { ...bars(c), label: `${c.name}, ${key}` };
      const error = expectClose(result[key]!, tensor(c[key]!), tolerance);
      if (c.dtype === "float32" && c.cell !== "rnn_relu") worst = Math.max(worst, error);
    }
    done++;
  }
  return { done, of: cases.length, worst };
}

/** @param name of the file of digests in test/fixtures, of what is stored as `storages` say */
async function bits(
  name: string,
  storages: readonly ((typeof DTYPES)[number] | "int8")[],
  share: number,
): Promise<{ done: number; of: number }> {
  const file = new URL(`../fixtures/${name}`, import.meta.url);
  const committed = JSON.parse(readFileSync(file, "utf8")) as Record<string, string>;
  let done = 0;
  for (const [cell, shape] of spread(cells.flatMap((cell) => shapesOf(cell).map((shape) => [cell, shape] as const)))) {
    for (const storage of storages) {
      if (spent(share)) break;
      const name = passes.bitsName(cell, shape, storage);
      const drawn = passes.setUp(cell, shape, storage === "int8" ? "float32" : storage);
      const setup = storage === "int8" ? passes.storedAs(storage, cell, drawn) : drawn;
      setNumThreads(1);
      const ways = { alone: passes.alone(setup), packed: passes.packed(setup) };
      setNumThreads(2);
      const all = { ...ways, "packed, async": await passes.packedAsync(setup) };
      for (const [way, results] of Object.entries(all)) {
        const digest = passes.digest(results);
        if (digest !== committed[name]) throw new Error(`${name}, ${way}: bits ${digest}, not ${committed[name]}`);
      }
      done++;
    }
  }
  return { done, of: Object.keys(committed).filter((key) => !key.startsWith("Linear")).length };
}

const report = {
  parity: parity(),
  bits: await bits("bits.json", DTYPES, 0.8),
  int8: await bits("int8-bits.json", ["int8"], 1),
};
if (Object.values(report).some(({ done }) => done === 0)) throw new Error("no time for a single number");
const { isa, supportedIsas, compiler } = runtimeInfo();
const seconds = Number(((performance.now() - started) / 1000).toFixed(1));
writeSync(1, `${JSON.stringify({ isa, supportedIsas, compiler, ...report, seconds })}\n`);
