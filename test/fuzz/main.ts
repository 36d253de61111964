// `npm run fuzz [-- --minutes N] [--seed S] [--only NAME,NAME] [--case N]`: attacks every target for its part of the time
// and says how many cases there were and what they found. Each finding goes to build/fuzz/failures.jsonl with the command
// that runs it again, and the files it was made of beside it. Ends with 1 if there is any.

import { appendFileSync, cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { native } from "../../lib/native.js";
import { type Finding, runTarget, type Tally } from "./family.js";
import type { Target } from "./target.js";
import { targets } from "./targets.js";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "2" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    only: { type: "string" },
    case: { type: "string" },
  },
});

const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
const only = values.only?.split(",");
const unknown = only?.find((name) => !targets.some((target) => target.name === name));
if (!(minutes > 0) || !Number.isInteger(seed) || unknown !== undefined) {
  const names = targets.map(({ name, what }) => `  ${name.padEnd(12)} ${what}`).join("\n");
  console.error(`usage: npm run fuzz -- [--minutes N] [--seed S] [--only NAME,NAME] [--case N]\n${names}`);
  process.exit(2);
}

const root = process.env.PACKED_LSTM_ROOT as string;
const chosen = targets.filter(({ name }) => only === undefined || only.includes(name));
const shares = chosen.reduce((sum, { share }) => sum + share, 0);
const failures = join(root, "build", "fuzz", "failures");

function keep(target: Target, isa: string, finding: Finding, folder: string): void {
  const again = `npm run fuzz -- --only ${target.name} --seed ${seed} --case ${finding.case}`;
  const files = join(failures, `${target.name}-${seed}-${finding.case}`);
  mkdirSync(files, { recursive: true });
  cpSync(folder, files, { recursive: true });
  const entry = { target: target.name, seed, isa, ...finding, again, files };
  appendFileSync(`${failures}.jsonl`, `${JSON.stringify(entry)}\n`);
  console.log(
    `FOUND by ${target.name}, case ${finding.case}${isa && ` on ${isa}`}: ${finding.what}\n  again: ${again}`,
  );
}

/** The target's cases, on every instruction set if it wants that: then no case may have other bits on another one. */
async function attack(target: Target): Promise<{ tally: Tally; isas: readonly string[] }> {
  const number = values.case === undefined ? undefined : Number(values.case);
  const isas = target.everyIsa ? native.runtimeInfo().supportedIsas : [""];
  const tallies: Tally[] = [];
  for (const isa of isas) {
    const run = {
      ...{ root, seed, first: number ?? 0, last: number ?? Number.MAX_SAFE_INTEGER },
      milliseconds: number === undefined ? (minutes * 60_000 * target.share) / shares / isas.length : 600_000,
      env: isa === "" ? {} : { PACKED_LSTM_ISA: isa },
      keep: (finding: Finding, folder: string) => keep(target, isa, finding, folder),
    };
    tallies.push(await runTarget(target, run));
  }
  const [first, ...others] = tallies as [Tally, ...Tally[]];
  for (const [i, other] of others.entries()) {
    for (const [number, bits] of other.bits) {
      if (first.bits.get(number) === bits || !first.bits.has(number)) continue;
      const finding = { case: number, what: `other bits on ${isas[i + 1]} than on ${isas[0]}` };
      first.findings.push(finding);
      appendFileSync(`${failures}.jsonl`, `${JSON.stringify({ target: target.name, seed, ...finding })}\n`);
      console.log(`FOUND by ${target.name}: ${finding.what}, case ${number}`);
    }
    first.cases += other.cases;
    first.findings.push(...other.findings);
    for (const [kind, count] of other.kinds) first.kinds.set(kind, (first.kinds.get(kind) ?? 0) + count);
  }
  return { tally: first, isas };
}

mkdirSync(failures, { recursive: true });
console.log(`fuzz: seed ${seed}, ${minutes} minutes`);
let [cases, found] = [0, 0];
for (const target of chosen) {
  const began = performance.now();
  const { tally, isas } = await attack(target);
  const kinds = [...tally.kinds].map(([kind, count]) => `${count} ${kind}`).join(", ");
  const where = isas.length > 1 ? ` on ${isas.join(" and ")}` : "";
  const took = ((performance.now() - began) / 1000).toFixed(0);
  console.log(
    `${target.name}: ${tally.cases} cases${where} in ${took} s: ${kinds || "none"}; ${tally.findings.length} found`,
  );
  cases += tally.cases;
  found += tally.findings.length;
  if (tally.cases === 0) {
    console.log(`FOUND by ${target.name}: it ran no case at all`);
    found++;
  }
}
console.log(`fuzz: ${cases} cases, ${found} found${found > 0 ? `; see ${failures}.jsonl` : ""}`);
process.exit(found > 0 ? 1 : 0);
