// What the terminal shows of a record: the table of all shapes, the roofs, the means, the targets and the growth. It
// measures nothing and works nothing out that record.ts, targets.ts or statistics.ts has not.

import { floorShare } from "./floor.js";
import { int8Caption, int8Means, int8Rows, int8Verdicts } from "./int8-report.js";
import {
  bandwidthShare,
  bestPeer,
  type CellOutcome,
  type Float16Outcome,
  gflops,
  levelOf,
  lstmShare,
  type Outcome,
  peakShare,
  peerTitles,
  type RunRecord,
  ratioTo,
  sameShape,
  speedUp,
} from "./record.js";
import { sizesOf, titleOf } from "./shapes.js";
import { fitPowerLaw, geometricMean } from "./statistics.js";
import { verdicts } from "./targets.js";

export function digits(value: number): string {
  if (Number.isNaN(value)) return "–";
  if (value >= 100) return value.toFixed(0);
  return value >= 1 ? value.toPrecision(3) : value.toPrecision(2);
}

function percent(share: number): string {
  return Number.isNaN(share) ? "–" : `${(100 * share).toFixed(0)}%`;
}

export function peerNames(outcomes: readonly Outcome[]): string[] {
  return [...new Set(outcomes.flatMap(({ peers }) => Object.keys(peers)))];
}

function timeOf(outcome: Outcome, peer: string): string {
  const found = outcome.peers[peer];
  if (!found || "unsupported" in found) return "–";
  return "timing" in found ? digits(found.timing.median) : "FAILED";
}

function aligned(rows: readonly (readonly string[])[], left: number): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, c) => (c < left ? cell.padEnd(widths[c] ?? 0) : cell.padStart(widths[c] ?? 0)))
      .join("  ")
      .trimEnd();
  return rows.map(line).join("\n");
}

/** The outcomes of one shape together, in the order they were run. */
export function byShape<O extends Outcome>(outcomes: readonly O[]): O[][] {
  const groups: O[][] = [];
  for (const outcome of outcomes) {
    const group = groups.find(([first]) => first && sameShape(first.shape, outcome.shape));
    if (group) group.push(outcome);
    else groups.push([outcome]);
  }
  return groups;
}

function table(record: RunRecord): string {
  const peers = peerNames(record.outcomes);
  const limits = ["GFLOP/s", "of peak", "bandwidth", "from", "of floor"];
  const head = ["T,B,I,H,layers,directions", "workload", "ours ms", ...limits];
  const rows = [[...head, ...peers.flatMap((peer) => [`${peer} ms`, "× ours"]), "best peer ×"]];
  for (const group of byShape(record.outcomes)) {
    const [first] = group;
    if (!first) continue;
    const cell = (what: (outcome: Outcome) => string): string => group.map(what).join(" / ");
    rows.push([
      ...[sizesOf(first.shape), first.shape.workload, cell(({ ours }) => digits(ours.median))],
      cell((outcome) => digits(gflops(outcome))),
      cell((outcome) => percent(peakShare(record, outcome))),
      cell((outcome) => percent(bandwidthShare(record, outcome))),
      cell((outcome) => levelOf(record, outcome)),
      cell((outcome) => percent(floorShare(record, outcome))),
      ...peers.flatMap((peer) => [cell((o) => timeOf(o, peer)), cell((o) => digits(ratioTo(o, peer)))]),
      cell((outcome) => digits(bestPeer(outcome)?.ratio ?? Number.NaN)),
    ]);
  }
  return aligned(rows, 2);
}

/** The geometric mean of each peer's time over ours at each thread count, over the dense float32 shapes it was timed on. */
function means(record: RunRecord): string[] {
  const threads = [...new Set(record.outcomes.map((outcome) => outcome.threads))];
  return peerNames(record.outcomes).flatMap((peer) =>
    threads.flatMap((count) => {
      const of = record.outcomes.filter(
        ({ threads: t, shape }) => t === count && !shape.lengths && shape.dtype === "float32",
      );
      const ratios = of.map((outcome) => ratioTo(outcome, peer)).filter((ratio) => !Number.isNaN(ratio));
      if (ratios.length === 0) return [];
      const mean = digits(geometricMean(ratios));
      return [`${peer}, ${count} ${count === 1 ? "thread" : "threads"}: ${mean}× our time over ${ratios.length} dense`];
    }),
  );
}

function roofLines({ roofs }: RunRecord): string[] {
  return roofs.map(({ dtype, threads, flops, reads }) => {
    const at = [32, 512, 1024, 2048, 8192, 16384, 262144].flatMap((kib) => {
      const read = reads.find(({ bytes }) => bytes === 1024 * kib);
      const size = kib < 1024 ? `${kib} KiB` : `${kib / 1024} MiB`;
      return read ? `${(read.rate / 1e9).toFixed(0)} (${size})` : [];
    });
    const counted = `${threads} ${threads === 1 ? "thread" : "threads"}`;
    return `${dtype}, ${counted}: ${(flops / 1e9).toFixed(0)} GFLOP/s; reads, GB/s: ${at.join(", ")}`;
  });
}

/** The outcomes of one shape in a row; what a figure is, for each thread count. */
export function float16Rows({ float16 = [] }: RunRecord): string[][] {
  return [...new Set(float16.map(({ shape }) => JSON.stringify(shape)))].map((key) => {
    const group = float16.filter(({ shape }) => JSON.stringify(shape) === key);
    const [first] = group as [Float16Outcome];
    const cell = (what: (outcome: Float16Outcome) => number): string => group.map((o) => digits(what(o))).join(" / ");
    return [
      ...[sizesOf(first.shape), first.shape.workload],
      ...[cell(({ float32 }) => float32.median), cell(({ float16: half }) => half.median), cell(speedUp)],
    ];
  });
}

function float16Lines(record: RunRecord): string[] {
  const rows = float16Rows(record);
  if (rows.length === 0) return [];
  const head = ["T,B,I,H,layers,directions", "workload", "float32 ms", "float16 ms", "×"];
  return ["", "Our own weights in float16 (the bits of the same weights in float32)", aligned([head, ...rows], 2)];
}

/** GRU and RNN: one row a shape; a peer's time over ours, and our GFLOP/s over our LSTM's. */
export function cellRows(record: RunRecord): { readonly peers: string[]; readonly rows: string[][] } {
  const { cells = [] } = record;
  const peers = [...new Set(cells.flatMap(({ peers: of }) => Object.keys(of)))].filter((peer) =>
    cells.some((outcome) => !Number.isNaN(ratioTo(outcome, peer))),
  );
  const rows = [...new Set(cells.map(({ shape }) => JSON.stringify(shape)))].map((key) => {
    const group = cells.filter(({ shape }) => JSON.stringify(shape) === key);
    const [{ shape }] = group as [CellOutcome];
    const cell = (what: (outcome: CellOutcome) => string): string => group.map(what).join(" / ");
    return [
      ...[shape.cell?.toUpperCase() ?? "", sizesOf(shape), shape.workload, cell(({ ours }) => digits(ours.median))],
      ...peers.map((peer) => cell((outcome) => digits(ratioTo(outcome, peer)))),
      cell((outcome) => percent(lstmShare(outcome))),
    ];
  });
  return { peers, rows };
}

/** Where a peer was the faster one, by name; nothing where no peer was timed. */
export function lostLines(outcomes: readonly Outcome[]): string[] {
  const all = outcomes.flatMap((outcome) => {
    const best = bestPeer(outcome);
    return best ? [{ outcome, ...best }] : [];
  });
  const lost = all.filter(({ ratio }) => ratio < 1);
  if (all.length === 0) return [];
  if (lost.length === 0) return [`No peer was the faster one in any of the ${all.length} comparisons.`];
  const named = lost.map(({ outcome, name, ratio }) => {
    const threads = `${outcome.threads} ${outcome.threads === 1 ? "thread" : "threads"}`;
    return `${titleOf(outcome.shape)} on ${threads} (${peerTitles[name] ?? name}, ${ratio.toFixed(2)}×)`;
  });
  return [`A peer was the faster one in ${lost.length} of ${all.length} comparisons: ${named.join("; ")}.`];
}

function cellLines(record: RunRecord): string[] {
  const { peers, rows } = cellRows(record);
  if (rows.length === 0) return [];
  const head = ["cell", "T,B,I,H,layers,directions", "workload", "ours ms", ...peers.map((peer) => `${peer} × ours`)];
  return [
    "",
    "GRU and RNN",
    aligned([[...head, "of our LSTM's GFLOP/s"], ...rows], 3),
    ...lostLines(record.cells ?? []),
  ];
}

function growthLines({ growth }: RunRecord): string[] {
  if (!growth) return [];
  const sweeps = growth.sweeps.map(({ name, threads, points }) => {
    const law = fitPowerLaw(points.map(({ x, ms }) => ({ x, y: ms })));
    const upper = fitPowerLaw(points.slice(points.length >> 1).map(({ x, ms }) => ({ x, y: ms })));
    const span = `${points[0]?.x} to ${points.at(-1)?.x}`;
    return [`${name}, ${threads} thr.`, span, `^${law.exponent.toFixed(2)}`, `^${upper.exponent.toFixed(2)}`];
  });
  const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  const memory = growth.memory.map(
    ({ sequences, rows, longest, data, peakOver }) =>
      `${sequences} sequences up to ${longest} steps, ${rows} rows: peak ${mib(peakOver)} above before, results ${mib(data)}`,
  );
  const head = ["time grows with", "from … to", "exponent", "upper half"];
  return ["", "How the cost grows", aligned([head, ...sweeps], 2), "", ...memory];
}

function int8Lines(record: RunRecord): string[] {
  const rows = int8Rows(record);
  if (rows.length === 0) return [];
  const means = `Geometric means without streams, 1 / 2 threads: ${int8Means(record).join("; ")}`;
  return ["", `int8 weights; ${int8Caption(record)}`, aligned(rows, 2), means];
}

function verdictLines(record: RunRecord): string[] {
  const mark = (met: boolean | undefined): string => (met === undefined ? "  –   " : met ? "met   " : "MISSED");
  return [...verdicts(record), ...int8Verdicts(record)].flatMap(({ target, met, figure, short }) => [
    `${mark(met)} ${target}: ${figure}`,
    ...short.map((line) => `         ${line}`),
  ]);
}

/** All of it, as text. */
export function reportOf(record: RunRecord): string {
  return [
    "Median ms of a pass, 1 / 2 threads; × ours is a peer's time over ours; bandwidth is that of one sequence's weights;",
    "the floor is the time that this machine's measured peak and bandwidth leave (bench/src/floor.ts).",
    "",
    ...(record.outcomes.length > 0 ? [table(record), ""] : []),
    "Measured limits of this machine",
    ...roofLines(record),
    "",
    `Geometric means: ${means(record).join("; ") || "no peer to compare with"}`,
    ...float16Lines(record),
    ...int8Lines(record),
    ...cellLines(record),
    ...growthLines(record),
    "",
    "Targets",
    ...verdictLines(record),
    "",
    "onnxruntime and we are timed turn about (its threads not spinning) and alone (spinning, its default), torch twice",
    "alone in a process of its own under inference_mode; the better median counts, for each.",
  ].join("\n");
}
