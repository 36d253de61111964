// What the benchmark says: the table of all shapes, the means, and the JSON record. It measures nothing.

import { availableParallelism, cpus, loadavg, totalmem } from "node:os";
import { runtimeInfo } from "packed-lstm";
import type { Timing } from "./measure.js";
import { flopsOf, type Shape, sizesOf } from "./shapes.js";

/** One peer on one shape: its time and how far its numbers are from ours, or why there is neither. */
export type PeerOutcome = { readonly timing: Timing; readonly difference: number } | { readonly failure: string };

/** One shape at one thread count. */
export interface Outcome {
  readonly shape: Shape;
  readonly threads: number;
  readonly ours: Timing;
  readonly peers: Readonly<Record<string, PeerOutcome>>;
}

/** The name of each peer → its version, or undefined where it is missing. */
export type Versions = Readonly<Record<string, string | undefined>>;

function digits(value: number): string {
  if (Number.isNaN(value)) return "–";
  if (value >= 100) return value.toFixed(0);
  return value >= 1 ? value.toPrecision(3) : value.toPrecision(2);
}

function ratioOf(outcome: Outcome, peer: string): number {
  const found = outcome.peers[peer];
  return found && "timing" in found ? found.timing.median / outcome.ours.median : Number.NaN;
}

function timeOf(outcome: Outcome, peer: string): string {
  const found = outcome.peers[peer];
  if (!found) return "–";
  return "timing" in found ? digits(found.timing.median) : "FAILED";
}

function gflops({ shape, ours }: Outcome): number {
  return flopsOf(shape) / ours.median / 1e6;
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row.map((cell, c) => (c < 2 ? cell.padEnd(widths[c] ?? 0) : cell.padStart(widths[c] ?? 0))).join("  ");
  return rows.map(line).join("\n");
}

/** One row a shape; the figures of the thread counts stand in one cell. */
export function table(outcomes: readonly Outcome[], peers: readonly string[]): string {
  const head = ["T,B,I,H,layers,directions", "workload", "ours ms", "GFLOP/s"];
  const rows = [[...head, ...peers.flatMap((peer) => [`${peer} ms`, "× ours"])]];
  for (const shape of new Set(outcomes.map((outcome) => outcome.shape))) {
    const of = outcomes.filter((outcome) => outcome.shape === shape);
    const cell = (what: (outcome: Outcome) => string) => of.map(what).join(" / ");
    const ours = [cell(({ ours }) => digits(ours.median)), cell((outcome) => digits(gflops(outcome)))];
    const theirs = peers.flatMap((peer) => [
      cell((outcome) => timeOf(outcome, peer)),
      cell((outcome) => digits(ratioOf(outcome, peer))),
    ]);
    rows.push([sizesOf(shape), shape.workload, ...ours, ...theirs]);
  }
  return aligned(rows);
}

/** The geometric mean of a peer's time over ours at each thread count, dense shapes alone. */
export function means(outcomes: readonly Outcome[], peers: readonly string[]): string[] {
  const threads = [...new Set(outcomes.map((outcome) => outcome.threads))];
  return peers.flatMap((peer) =>
    threads.flatMap((count) => {
      const of = outcomes.filter((outcome) => outcome.threads === count && !outcome.shape.lengths);
      const ratios = of.map((outcome) => ratioOf(outcome, peer)).filter((ratio) => !Number.isNaN(ratio));
      if (ratios.length === 0) return [];
      const over = `${ratios.length} dense ${ratios.length === 1 ? "shape" : "shapes"}`;
      return [
        `${peer}, ${count} ${count === 1 ? "thread" : "threads"}: ${digits(geometricMean(ratios))}× our time over ${over}`,
      ];
    }),
  );
}

/** The machine in one line. */
export function machine(): string {
  const { isa, compiler } = runtimeInfo();
  const model = cpus()[0]?.model.trim() ?? "unknown processor";
  return `${model}, ${availableParallelism()} cores, ${isa}, ${compiler}, node ${process.version}`;
}

/** Everything that was measured and on what, for a file. */
export function record(outcomes: readonly Outcome[], versions: Versions, quick: boolean): object {
  const { version, isa, supportedIsas, compiler } = runtimeInfo();
  const model = cpus()[0]?.model.trim() ?? "unknown";
  const { platform, arch } = process;
  return {
    date: new Date().toISOString(),
    quick,
    machine: { model, cores: availableParallelism(), memory: totalmem(), platform, arch, load: loadavg() },
    isa,
    supportedIsas,
    compiler,
    versions: { "packed-lstm": version, node: process.versions.node, ...versions },
    outcomes: outcomes.map((outcome) => ({
      ...outcome,
      shape: { ...outcome.shape, sizes: sizesOf(outcome.shape) },
      flops: flopsOf(outcome.shape),
      gflops: gflops(outcome),
    })),
  };
}
