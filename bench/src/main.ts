// The benchmark, `npm run bench`: what it is asked for on the command line, the order in which things are measured, and
// where the record goes. The record is written after every shape, so a run that is cut short loses nothing.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { loadavg } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { runtimeInfo } from "packed-lstm";
import { abReport, compareCheckouts } from "./ab.js";
import { measureCalls } from "./calls.js";
import { cellLine, chosenCellShapes, contestCell } from "./cells.js";
import { growthChart } from "./chart-growth.js";
import { int8Chart, ratioChart } from "./chart-ratios.js";
import { rooflineChart } from "./chart-roofline.js";
import { contest, lineOf, messageOf } from "./contest.js";
import { fitRounds, planReport, weighPlans } from "./fit-plan.js";
import { float16Steps, measureFloat16 } from "./float16.js";
import { measureMemory, measureSweeps, pointsInSweeps } from "./growth.js";
import { int8Steps, measureInt8 } from "./int8.js";
import { measureLoaded } from "./loaded.js";
import { betterRoofs, machineNow, measureRoofs } from "./machine.js";
import { findPeers, peerChoices } from "./peers.js";
import { clockOf, constantsReport, fitConstants, measureModel, modelReport } from "./plan-model.js";
import { startProgress } from "./progress.js";
import { withMeasured } from "./readme.js";
import { allOutcomes, type RunRecord } from "./record.js";
import { reportOf } from "./report.js";
import { cells as allCells, type Cell, quickShapes, type Shape, shapes, sizesOf } from "./shapes.js";

const usage = `npm run bench -- [OPTIONS]
  --quick           one shape of each kind, briefly: under a minute
  --only TEXT       the shapes whose sizes, workload or set contain TEXT; float16, int8 for those weights alone,
                    loaded for the workloads beside a busy process (Linux)
  --cell LIST       of lstm, gru, rnn; or all. lstm unless given, with --fit-plan all
  --threads LIST    thread counts, such as 1,2 (the default)
  --peers LIST      of onnxruntime, torch, openvino, tfjs; or none. PACKED_LSTM_BENCH_PYTHON names the Python that
                    has torch and openvino
  --growth          also how time grows with each size, and the memory of long packed jobs
  --json FILE       where the record goes, after every shape (build/bench/results.json); --only int8 puts its part
                    into the record that is there
  --readme          draws the charts into .github and writes the section of bench/README.md
  --ab ROOT         this checkout against the built one at ROOT: bits, then time; --only small for a call's own cost
  --fit-plan        how well the plan's model of this machine chooses, and what its constants are here
  --from FILE       measures nothing: reports, and with --readme draws, a record that is there
  --help`;

const root = dirname(createRequire(import.meta.url).resolve("packed-lstm/package.json"));

interface Options {
  readonly cells: readonly Cell[];
  readonly quick: boolean;
  readonly only: string;
  readonly threads: readonly number[];
  readonly peers: readonly string[];
  readonly growth: boolean;
  readonly json: string;
}

function chosenShapes({ cells, quick, only }: Options): readonly Shape[] {
  if (!cells.includes("lstm")) return [];
  return (quick && only === "" ? quickShapes : shapes).filter((shape) =>
    `${sizesOf(shape)} ${shape.workload} ${shape.set}`.includes(only),
  );
}

function write(file: string, content: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

async function measureAll(options: Options): Promise<RunRecord> {
  const { cells, quick, only, threads, growth, json } = options;
  const { version, isa, compiler } = runtimeInfo();
  const chosen = chosenShapes(options);
  const others = chosenCellShapes(cells, quick && only === "", only);
  if (chosen.length + others.length === 0 && only !== "float16" && only !== "int8") {
    throw new Error(`no shape has "${only}" in its sizes, workload or set`);
  }
  const { peers, versions, missing } = await findPeers(options.peers);
  console.log(`packed-lstm ${version} (${isa}, ${compiler}), node ${process.version}`);
  for (const [name, text] of Object.entries(versions)) console.log(`${name} ${text}`);
  for (const [name, why] of Object.entries(missing)) console.log(`${name} is missing: ${why}`);
  console.log(`load average ${loadavg()[0]?.toFixed(1)}; other work on this machine makes every figure worse\n`);

  const effort = quick ? { runs: 3, seconds: 0.06 } : { runs: 7, seconds: 0.4 };
  const machine = machineNow();
  let record: RunRecord = {
    ...{ date: new Date().toISOString(), quick, machine, isa, compiler },
    ...{ versions: { "packed-lstm": version, node: process.versions.node, ...versions }, missing },
    ...{ roofs: [], outcomes: [] },
  };
  if (only === "int8" && existsSync(json)) record = JSON.parse(readFileSync(json, "utf8")) as RunRecord;
  const keep = (more: Partial<RunRecord>): void => {
    const load = [...record.machine.load.slice(0, 1), loadavg()];
    record = { ...record, ...more, machine: { ...record.machine, load } };
    write(json, `${JSON.stringify(record, null, 1)}\n`);
  };
  const lstm = cells.includes("lstm");
  const points = growth ? pointsInSweeps(threads) + 1 : 0;
  const halves = lstm && (only === "" || only === "float16") ? float16Steps(threads) : 0;
  const shapesInAll = (chosen.length + others.length) * threads.length;
  const eighths = lstm && (only === "" || only === "int8") ? int8Steps(threads, quick && only === "") : 0;
  const progress = startProgress(only === "int8" ? eighths : (lstm ? 3 : 2) + shapesInAll + halves + eighths + points);
  const int8 = async (): Promise<void> => {
    const about = { date: new Date().toISOString(), isa, versions, missing };
    const run = { threadCounts: threads, quick: quick && only === "", effort, peers, step: progress.step };
    await measureInt8({ ...run, keep: (part) => keep({ int8: { ...about, ...part } }) });
  };
  const closeAll = (): void => {
    peers.torch?.close();
    peers.openvino?.close();
  };
  if (only === "int8") {
    await int8();
    progress.stop();
    closeAll();
    return record;
  }
  keep({ roofs: measureRoofs(threads, quick, [...chosen, ...others]) });
  progress.step("the machine's limits");
  for (const shape of chosen) {
    for (const count of threads) {
      const outcome = await contest(shape, count, peers, effort);
      keep({ outcomes: [...record.outcomes, outcome] });
      progress.step(lineOf(outcome));
    }
  }
  for (const shape of others) {
    for (const count of threads) {
      const outcome = await contestCell(shape, count, peers, effort);
      keep({ cells: [...(record.cells ?? []), outcome] });
      progress.step(cellLine(outcome));
    }
  }
  if (lstm) {
    keep({ calls: await measureCalls(quick) });
    progress.step("the cost of a call");
  }
  if (halves > 0) keep({ float16: await measureFloat16(threads, effort, progress.step) });
  if (eighths > 0) await int8();
  if (growth) {
    const brief = { runs: 3, seconds: quick ? 0.03 : 0.15 };
    const sweeps = await measureSweeps(threads, brief, progress.step);
    keep({ growth: { sweeps, memory: [] } });
    keep({ growth: { sweeps, memory: measureMemory() } });
    progress.step("memory");
  }
  // At both ends of the run: other work on the machine took a third of one thread count's peak in one of them once.
  keep({ roofs: betterRoofs(record.roofs, measureRoofs(threads, quick, [...chosen, ...others])) });
  progress.step("the machine's limits again");
  progress.stop();
  closeAll();
  return record;
}

function draw(record: RunRecord): void {
  const growth = growthChart(record);
  const int8 = int8Chart(record);
  write(join(root, ".github", "bench-ratios.svg"), ratioChart(record));
  write(join(root, ".github", "bench-roofline.svg"), rooflineChart(record));
  if (int8) write(join(root, ".github", "bench-int8.svg"), int8);
  if (growth) write(join(root, ".github", "bench-growth.svg"), growth);
  const readme = join(root, "bench", "README.md");
  writeFileSync(readme, withMeasured(readFileSync(readme, "utf8"), record));
}

/** How the plan chooses, how far its model is off, and what its constants would be: one after the other, as they come. */
function fitPlan(cells: readonly Cell[], threads: number): void {
  const { isa } = runtimeInfo();
  const machine = machineNow();
  const [roof] = measureRoofs([1], false);
  if (!roof) throw new Error("no roof was measured");
  console.log(`${constantsReport(fitConstants({ machine }, isa, roof), machine, isa)}\n`);
  console.log(`${modelReport(measureModel(cells, clockOf(isa, roof)))}\n`);
  const progress = startProgress(fitRounds);
  const { text, met } = planReport(weighPlans(cells, threads, progress));
  progress.stop();
  console.log(`\n${text}`);
  if (!met) process.exitCode = 1;
}

function list(option: string, text: string, known: (item: string) => boolean): string[] {
  const items = text.split(",").map((item) => item.trim());
  const odd = items.find((item) => !known(item));
  if (odd !== undefined) throw new Error(`--${option}: ${JSON.stringify(odd)} is none; see --help`);
  return items;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      cell: { type: "string" },
      ab: { type: "string" },
      "fit-plan": { type: "boolean", default: false },
      only: { type: "string", default: "" },
      threads: { type: "string", default: "1,2" },
      peers: { type: "string", default: peerChoices.join(",") },
      growth: { type: "boolean", default: false },
      json: { type: "string", default: join(root, "build", "bench", "results.json") },
      readme: { type: "boolean", default: false },
      from: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(usage);
  const threads = list("threads", values.threads, (item) => /^[1-9]\d{0,2}$/.test(item)).map(Number);
  const isPeer = (item: string): boolean => (peerChoices as readonly string[]).includes(item);
  const peers = values.peers === "none" ? [] : list("peers", values.peers, isPeer);
  const { quick, only, growth, from } = values;
  const isCell = (item: string): boolean => (allCells as readonly string[]).includes(item);
  const asked = values.cell ?? (values["fit-plan"] ? "all" : "lstm");
  const cells = asked === "all" ? allCells : (list("cell", asked, isCell) as Cell[]);
  if (values.ab !== undefined) {
    const { text, clean } = abReport(compareCheckouts(root, resolve(values.ab), { cells, only, threads, quick }));
    console.log(`\n${text}`);
    if (!clean) process.exitCode = 1;
    return;
  }
  if (values["fit-plan"]) return fitPlan(cells, Math.max(...threads));
  if (only === "loaded") {
    if (!(await measureLoaded(Math.max(...threads), quick))) process.exitCode = 1;
    return;
  }
  const json = resolve(values.json);
  const record = from
    ? (JSON.parse(readFileSync(from, "utf8")) as RunRecord)
    : await measureAll({ cells, quick, only, threads, peers, growth, json });
  console.log(`\n${reportOf(record)}`);
  if (!from) console.log(`\nThe record is in ${json}; --from ${values.json} reports and draws it again.`);
  if (values.readme) draw(record);
  const failures = [...allOutcomes(record), ...(record.int8?.outcomes ?? [])].flatMap((outcome) =>
    Object.values(outcome.peers).filter((peer) => "failure" in peer),
  );
  if (failures.length > 0) {
    console.error(`\nFAILED: ${failures.length} of the comparisons above`);
    process.exitCode = 1;
  }
}

try {
  await main();
} catch (error) {
  console.error(`bench: ${messageOf(error)}`);
  process.exitCode = 2;
}
