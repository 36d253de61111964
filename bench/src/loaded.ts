// The workloads beside another process, `--only loaded`: a loop that never rests, pinned to the last core that this
// process may use, while we compute on one thread and on several. A late thread should cost little: the bars are of our
// own one thread under the same load. Linux only: elsewhere nothing pins a process.

import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { makeOurs } from "./ours.js";
import { packedLSTM } from "./packed-lstm.js";
import { type Contender, makeProblem } from "./problem.js";
import { type Shape, shapes, sizesOf } from "./shapes.js";
import { medianOf, quantileOf } from "./statistics.js";

/** Milliseconds a pass. */
interface Spread {
  readonly median: number;
  readonly late: number;
}

interface LoadedOutcome {
  readonly shape: Shape;
  readonly quiet: readonly [one: Spread, several: Spread];
  readonly loaded: readonly [one: Spread, several: Spread];
}

const bars = { median: 1.25, late: 2 } as const;
const lateQuantile = 0.9;

/** The workloads and the packed batches, over all the sizes there are. */
const loadedShapes = shapes.filter(({ set }) => set === "workloads" || set === "packed");

/** @throws Error where no process can be pinned to a core of ours that leaves us another */
function lastCore(): number {
  if (process.platform !== "linux") throw new Error("--only loaded pins a process to a core, which needs Linux");
  const [, list = ""] = /Cpus_allowed_list:\s*(\S+)/.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  if (/^\d+$/.test(list)) throw new Error("--only loaded needs two cores, and this process may use one");
  return Number(/\d+$/.exec(list)?.[0]);
}

/** A process that keeps one core busy until it is killed or this one is gone. */
function busyNeighbour(core: number): ChildProcess {
  const loop = `for (;;) { for (let i = 0; i < 1e8; i++); if (process.ppid !== ${process.pid}) process.exit(); }`;
  const neighbour = spawn("taskset", ["-c", String(core), process.execPath, "-e", loop], { stdio: "ignore" });
  neighbour.on("error", ({ message }) => console.error(`bench: taskset: ${message}`));
  return neighbour;
}

function passesFor(contender: Contender, ms: number): number[] {
  const samples: number[] = [];
  const end = performance.now() + ms;
  for (let began = performance.now(); began < end || samples.length < 3; ) {
    contender.run();
    const now = performance.now();
    samples.push(now - began);
    began = now;
  }
  return samples;
}

const settle = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** One thread and several turn about, quiet and loaded. */
async function measureShape(shape: Shape, threads: number, core: number, quick: boolean): Promise<LoadedOutcome> {
  const rounds = quick ? 2 : 3;
  const problem = makeProblem(shape);
  const ours = makeOurs(problem, threads);
  const [warm = 0] = passesFor(ours, 1);
  const ms = Math.min(2000, Math.max(quick ? 100 : 250, 4 * warm));
  const counts = [1, threads] as const;
  const measured = async (): Promise<readonly [Spread, Spread]> => {
    const samples: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      for (const [i, count] of counts.entries()) {
        packedLSTM.setNumThreads(count);
        await settle(10);
        // What comes of the change of threads is not looked at.
        passesFor(ours, 1);
        samples[i]?.push(...passesFor(ours, ms));
      }
    }
    const spreadOf = (values: readonly number[]): Spread => ({
      median: medianOf(values),
      late: quantileOf(values, lateQuantile),
    });
    return [spreadOf(samples[0]), spreadOf(samples[1])];
  };
  const quiet = await measured();
  const neighbour = busyNeighbour(core);
  await settle(200);
  const loaded = await measured();
  neighbour.kill("SIGKILL");
  await ours.close();
  problem.module.dispose();
  return { shape, quiet, loaded };
}

function lineOf({ shape, quiet, loaded }: LoadedOutcome): { text: string; met: boolean } {
  const [one, several] = loaded;
  const ratios = { median: several.median / one.median, late: several.late / one.late };
  const met = ratios.median <= bars.median && ratios.late <= bars.late;
  const figures = [...quiet, ...loaded].map(({ median, late }) => `${median.toPrecision(3)} / ${late.toPrecision(3)}`);
  const verdict = `${ratios.median.toFixed(2)}× / ${ratios.late.toFixed(2)}×${met ? "" : "  OVER"}`;
  const name = `${sizesOf(shape)} ${shape.lengths ? shape.workload : ""}`;
  return { text: [name.padEnd(40), ...figures.map((text) => text.padEnd(15)), verdict].join(" "), met };
}

/** Prints a line a shape. @returns whether all are within the bars */
export async function measureLoaded(threads: number, quick: boolean): Promise<boolean> {
  const core = lastCore();
  let over = 0;
  console.log(
    `median / 90th percentile, ms; on 1 thread and on ${threads}, then beside a process that keeps one core busy`,
  );
  console.log(`bars, of our own one thread under the same load: ${bars.median}× / ${bars.late}×\n`);
  const heads = ["quiet, 1", `quiet, ${threads}`, "loaded, 1", `loaded, ${threads}`];
  console.log(["T,B,I,H,L,D".padEnd(40), ...heads.map((head) => head.padEnd(15)), "loaded, of one"].join(" "));
  for (const shape of loadedShapes) {
    const { text, met } = lineOf(await measureShape(shape, threads, core, quick));
    console.log(text);
    if (!met) over++;
  }
  console.log(over === 0 ? "\nAll are within the bars." : `\nOVER the bars: ${over} of ${loadedShapes.length}`);
  return over === 0;
}
