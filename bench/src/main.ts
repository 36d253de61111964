// The benchmark, `npm run bench`: runs every shape here and in each peer that is present, compares the results first
// and the times then, and prints the table. Options: --quick (fewer repeats), --only TEXT (the shapes whose sizes or
// workload contain it), --json FILE.

import { writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { runtimeInfo } from "packed-lstm";
import { better, type Effort, measure, rest, type Timing } from "./measure.js";
import { loadOrt, makeOrt, type Ort } from "./onnxruntime.js";
import { makeOurs } from "./ours.js";
import { type Contender, compare, makeProblem, type Problem, type Results } from "./problem.js";
import { machine, means, type Outcome, type PeerOutcome, record, table } from "./report.js";
import { type Shape, shapes, sizesOf } from "./shapes.js";
import { Torch } from "./torch.js";

interface Peers {
  readonly ort: Ort | undefined;
  readonly torch: Torch | undefined;
}

const threadCounts = [1, 2];

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** In a block of its own, with quiet before and after. */
async function alone(contender: Contender, effort: Effort, manner: string): Promise<Timing> {
  await rest();
  const [timing] = await measure([contender], effort, manner);
  await rest();
  if (!timing) throw new Error(`${contender.name} was not timed`);
  return timing;
}

/** onnxruntime beside us: turn about with its threads asleep between passes, then each alone, its threads spinning. */
async function againstOrt(
  ort: Ort,
  problem: Problem,
  threads: number,
  effort: Effort,
  ours: Contender,
  expected: Results,
): Promise<{ ours: Timing; peer: PeerOutcome }> {
  const quiet = await makeOrt(ort, problem, threads, false);
  try {
    const difference = compare(quiet.name, expected, await quiet.results());
    const [mine, its] = await measure([ours, quiet], effort, "turn about");
    if (!mine || !its) throw new Error("nothing was timed");
    const spinning = await makeOrt(ort, problem, threads, true);
    let block: Timing;
    try {
      block = await alone(spinning, effort, "alone, spinning");
    } finally {
      await spinning.close();
    }
    const own = await alone(ours, effort, "alone");
    return { ours: better(mine, own), peer: { timing: better(its, block), difference } };
  } finally {
    await quiet.close();
  }
}

async function runShape(shape: Shape, threads: number, peers: Peers, effort: Effort): Promise<Outcome> {
  const problem = makeProblem(shape);
  const contender = makeOurs(problem, threads);
  const expected = await contender.results();
  const outcomes: Record<string, PeerOutcome> = {};
  let ours: Timing | undefined;
  if (peers.ort) {
    try {
      const both = await againstOrt(peers.ort, problem, threads, effort, contender, expected);
      ours = both.ours;
      outcomes.onnxruntime = both.peer;
    } catch (error) {
      outcomes.onnxruntime = { failure: messageOf(error) };
    }
  }
  ours ??= await alone(contender, effort, "alone");
  if (peers.torch) {
    try {
      const { results, timing } = await peers.torch.measure(problem, threads, effort);
      outcomes.torch = { timing, difference: compare("torch", expected, results) };
    } catch (error) {
      outcomes.torch = { failure: messageOf(error) };
    }
  }
  problem.lstm.dispose();
  return { shape, threads, ours, peers: outcomes };
}

function sayShape({ shape, threads, ours, peers }: Outcome, done: number, total: number): void {
  const parts = [`packed-lstm ${ours.median.toPrecision(3)} ms`];
  for (const [name, peer] of Object.entries(peers)) {
    if ("failure" in peer) parts.push(`FAILED: ${peer.failure}`);
    else parts.push(`${name} ${peer.timing.median.toPrecision(3)} ms, differs by ${peer.difference.toExponential(0)}`);
  }
  const counted = `${threads} ${threads === 1 ? "thread " : "threads"}`;
  console.log(`[${String(done).padStart(2)}/${total}] ${sizesOf(shape)}, ${counted}  ${parts.join(" | ")}`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { quick: { type: "boolean", default: false }, only: { type: "string" }, json: { type: "string" } },
  });
  const { only = "", quick } = values;
  const effort = quick ? { runs: 3, seconds: 0.1 } : { runs: 7, seconds: 0.5 };
  const chosen = shapes.filter((shape) => `${sizesOf(shape)} ${shape.workload}`.includes(only));
  if (chosen.length === 0) throw new Error(`no shape has "${only}" in its sizes or workload`);

  const ort = loadOrt();
  const torch = await Torch.start(process.env.PACKED_LSTM_BENCH_PYTHON);
  const peers = {
    ort: typeof ort === "string" ? undefined : ort,
    torch: typeof torch === "string" ? undefined : torch,
  };
  const versions = { onnxruntime: peers.ort?.env.versions.node, torch: peers.torch?.version };
  console.log(`packed-lstm ${runtimeInfo().version} on ${machine()}`);
  console.log(
    typeof ort === "string" ? `onnxruntime-node is missing: ${ort}` : `onnxruntime-node ${versions.onnxruntime}`,
  );
  console.log(typeof torch === "string" ? `PyTorch is missing: ${torch}` : `PyTorch ${versions.torch}`);
  console.log(`load average ${loadavg()[0]?.toFixed(1)}; other work on this machine makes every figure worse\n`);

  const outcomes: Outcome[] = [];
  const total = chosen.length * threadCounts.length;
  for (const shape of chosen) {
    for (const threads of threadCounts) {
      const outcome = await runShape(shape, threads, peers, effort);
      outcomes.push(outcome);
      sayShape(outcome, outcomes.length, total);
    }
  }
  peers.torch?.close();

  const present = Object.entries(versions).flatMap(([name, version]) => (version === undefined ? [] : [name]));
  console.log(
    `\nfloat32, median ms of a pass, ${threadCounts.join(" / ")} threads; × ours is a peer's time over ours\n`,
  );
  console.log(table(outcomes, present));
  console.log(`\nGeometric means: ${means(outcomes, present).join("; ") || "no peer to compare with"}`);
  console.log(
    "onnxruntime and we are timed turn about (its threads not spinning) and alone (spinning, its default), torch twice alone;\n" +
      "the better median counts, for each.",
  );
  if (values.json) writeFileSync(values.json, `${JSON.stringify(record(outcomes, versions, quick), null, 2)}\n`);

  const failures = outcomes.flatMap(({ peers: of }) => Object.values(of).filter((peer) => "failure" in peer));
  if (failures.length > 0) {
    console.error(`\nFAILED: ${failures.length} of the comparisons above`);
    process.exitCode = 1;
  }
}

await main();
