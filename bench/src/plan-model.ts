// The other half of `--fit-plan`: the cost model's cycles beside measured ones, tile by tile, and what each constant of
// native/rnn/plan.cc would be on this machine. A cycle here is that of the measured peak, two fused multiply-adds of
// vectors.

import { readFileSync } from "node:fs";
import type { Roofline } from "../../dist/runtime/roofline.js";
import { readRate } from "../../dist/runtime/roofline.js";
import type { JobTask } from "./ab-job.js";
import { type Team, tellPlans, timePlans } from "./forced-plan.js";
import type { RunRecord } from "./record.js";
import type { Cell, Shape } from "./shapes.js";
import { geometricMean } from "./statistics.js";

export interface ModelPoint {
  readonly shape: Shape;
  /** Cycles of the whole pass. */
  readonly reckoned: number;
  readonly measured: number;
}

/** Lanes of a float32 vector. */
const lanes: Readonly<Record<string, number>> = { avx512: 16, avx2: 8, neon: 4, scalar: 4 };
const flopsPerLane = 4;

export function clockOf(isa: string, roof: Pick<Roofline, "flops">): number {
  return roof.flops / (flopsPerLane * (lanes[isa] ?? Number.NaN));
}

const one = { set: "model", workload: "model", layers: 1, directions: 1, dtype: "float32" } as const;

function shapeOf(cell: Cell, [steps, batch, inputSize, hiddenSize]: readonly [number, number, number, number]): Shape {
  return { ...one, ...(cell !== "lstm" && { cell }), steps, batch, inputSize, hiddenSize };
}

function points(shapes: readonly Shape[], team: Team, clock: number): ModelPoint[] {
  const threads = team.split(",").reduce((product, count) => product * Number(count), 1);
  const tasks = shapes.map((shape): JobTask => ({ shape, threads }));
  const told = tellPlans(tasks, team);
  const times = timePlans(tasks, team);
  return shapes.map((shape, i) => ({
    ...{ shape, reckoned: told[i]?.cycles ?? Number.NaN, measured: ((times[i] ?? Number.NaN) / 1e3) * clock },
  }));
}

/** Tiles of one worker: batches of 1 to 64, H of a level-1, level-2 and level-3 working set. */
export function measureModel(cells: readonly Cell[], clock: number): ModelPoint[] {
  const shapes = cells.flatMap((cell) =>
    [64, 256, 1024].flatMap((h) =>
      [1, 2, 4, 8, 16, 32, 64].map((batch) => shapeOf(cell, [h > 256 ? 6 : 30, batch, Math.min(h, 256), h])),
    ),
  );
  return points(shapes, "1,1,1", clock);
}

/** Measured over reckoned, of one cell and H: how far the model is off, and in which direction. */
export function modelReport(of: readonly ModelPoint[]): string {
  const groups = [...new Set(of.map(({ shape }) => `${shape.cell ?? "lstm"} H ${shape.hiddenSize}`))];
  const lines = groups.map((name) => {
    const own = of.filter(({ shape }) => `${shape.cell ?? "lstm"} H ${shape.hiddenSize}` === name);
    const ratios = own.map(({ measured, reckoned }) => measured / reckoned);
    const each = own.map(({ shape }, i) => `B ${shape.batch} ${ratios[i]?.toFixed(2)}`).join(", ");
    return `${name.padEnd(12)} ${geometricMean(ratios).toFixed(2)}  ${each}`;
  });
  return ["Measured over reckoned cycles, one worker: geometric mean, then by batch", ...lines].join("\n");
}

export interface Constant {
  readonly name: string;
  /** Undefined where plan.cc has none of the name. */
  readonly present: number | undefined;
  /** Undefined where this machine, or this program, cannot tell. */
  readonly here: number | undefined;
  readonly why?: string;
}

/** The numbers that plan.cc gives a name: one, or those in braces. */
export function presentConstants(source: string, name: string): number[] {
  const [, list, single] = new RegExp(`\\b${name}(?:\\[\\w+\\] = \\{([^}]+)\\}| = ([^,;]+)[,;])`).exec(source) ?? [];
  return (list ?? single)?.split(",").map(Number) ?? [];
}

const cellOrder: readonly Cell[] = ["lstm", "gru", "rnn"];

/** What an experiment of `count` units of a constant says it is, its present value being in what was reckoned. */
function corrected(present: number, { measured, reckoned }: ModelPoint, count: number): number {
  return present + (measured - reckoned) / count;
}

export function fitConstants(record: Pick<RunRecord, "machine">, isa: string, roof: Roofline): Constant[] {
  const source = readFileSync(new URL("../../native/rnn/plan.cc", import.meta.url), "utf8");
  const clock = clockOf(isa, roof);
  const unit = lanes[isa] ?? Number.NaN;
  const present = (name: string): number => presentConstants(source, name)[0] ?? Number.NaN;
  const cells = cellOrder.map((cell, i): Constant => {
    const shape = shapeOf(cell, [300, 24, 1, 4 * unit]);
    const [point] = points([shape], "1,1,1", clock);
    const known = presentConstants(source, "kCellCyclesPerLane")[i] ?? Number.NaN;
    const units = shape.steps * shape.batch * shape.hiddenSize;
    return { name: `kCellCyclesPerLane, ${cell}`, present: known, here: point && corrected(known, point, units) };
  });
  // What two workers take beyond half of one's time: at each of many steps, and once.
  const beyondHalf = (shape: Shape, team: Team): number => {
    const [[both], [alone]] = [points([shape], team, clock), points([shape], "1,1,1", clock)];
    return (both?.measured ?? Number.NaN) - (alone?.measured ?? Number.NaN) / 2;
  };
  const steps = 2000;
  const rate = (bytes: number | undefined, share: number): number | undefined =>
    bytes === undefined ? undefined : readRate(roof, share * bytes) / clock;
  const cache = (level: string): number | undefined => record.machine.caches.find(({ name }) => name === level)?.bytes;
  const l3 = cache("L3");
  const largest = roof.reads.at(-1)?.bytes ?? 0;
  return [
    ...cells,
    {
      ...{ name: "kBarrierCyclesPerWorker", present: present("kBarrierCyclesPerWorker") },
      here: beyondHalf(shapeOf("lstm", [steps, 1, 1, 8 * unit]), "1,1,2") / steps / 2,
    },
    {
      ...{ name: "kWakeCycles", present: present("kWakeCycles") },
      here: beyondHalf(shapeOf("lstm", [20, 2, 64, 64]), "2,1,1"),
    },
    { name: "kL2BytesPerCycle", present: present("kL2BytesPerCycle"), here: rate(cache("L2"), 0.4) },
    { name: "l3_bytes_per_cycle", present: undefined, here: rate(cache("L2"), 4) },
    {
      ...{ name: "kMemoryBytesPerCycle", present: present("kMemoryBytesPerCycle") },
      ...(l3 !== undefined && 2 * l3 <= largest
        ? { here: rate(largest, 1) }
        : { here: undefined, why: "the largest buffer that is read fits the last cache" }),
    },
    ...["kHoistedCost", "kSlotsInCache", "kSlotsBeyondCache", "kShows"].map((name) => ({
      ...{ name, present: present(name), here: undefined, why: "nothing forces hoisting or slots" },
    })),
  ];
}

export function constantsReport(constants: readonly Constant[], machine: RunRecord["machine"], isa: string): string {
  const lines = constants.map(({ name, present, here, why }) => {
    const figure = here === undefined ? `not fitted: ${why}` : String(Number(here.toPrecision(3)));
    return `${name.padEnd(24)} ${String(present ?? "cpu.cc").padStart(8)}  ${figure}`;
  });
  const head = `Constants of native/rnn/plan.cc: present, and on ${machine.model}, ${machine.cores} cores, ${isa}`;
  return [head, ...lines].join("\n");
}
