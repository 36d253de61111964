// The roofline: what the machine allows, measured in the same run, and where the dense float32 shapes lie under it, ours and
// those of the fastest peer. The x axis is arithmetic done for each byte of weights, if every step reads them once.
// https://en.wikipedia.org/wiki/Roofline_model

import type { Roofline } from "../../dist/runtime/roofline.js";
import { bestPeer, gflops, type Outcome, type RunRecord } from "./record.js";
import { flopsOf, weightTraffic } from "./shapes.js";
import { dot, line, logScale, size, svg, text } from "./svg.js";

const width = 1040;
const margin = 40;
const panel = { width: 440, height: 330, top: 168 };

function intensity({ shape }: Outcome): number {
  return flopsOf(shape) / weightTraffic(shape);
}

/** The levels to draw: the read rate at half of each cache, and at the largest size measured. */
function levels(record: RunRecord, { reads }: Roofline): { readonly name: string; readonly rate: number }[] {
  const nearest = (bytes: number) => reads.filter((read) => read.bytes <= bytes / 2).at(-1)?.rate;
  const cached = record.machine.caches.flatMap(({ name, bytes }) => {
    const rate = nearest(bytes);
    return rate === undefined ? [] : [{ name, rate }];
  });
  const last = reads.at(-1);
  return last ? [...cached, { name: "memory", rate: last.rate }] : cached;
}

interface Frame {
  readonly x: (intensity: number) => number;
  readonly y: (gflops: number) => number;
  readonly low: number;
  readonly high: number;
  readonly floor: number;
}

function roofLines(record: RunRecord, roof: Roofline, { x, y, low, high, floor }: Frame): string[] {
  const peak = roof.flops / 1e9;
  const found = levels(record, roof);
  const slopes = found.flatMap(({ name, rate }) => {
    const gb = rate / 1e9;
    const [from, knee] = [Math.max(low, floor / gb), Math.min(high, peak / gb)];
    const [x1, y1, x2, y2] = [x(from), y(from * gb), x(knee), y(knee * gb)];
    const turn = (Math.atan2(y2 - y1, x2 - x1) * 180) / Math.PI;
    const label = `${name} ${gb.toFixed(0)} GB/s`;
    return [line(x1, y1, x2, y2, "soft"), text(x1 + 2, y1 - 6, label, { size: 9.5, fill: "soft", turn })];
  });
  const corner = peak / ((found[0]?.rate ?? 1e9) / 1e9);
  return [
    ...slopes,
    line(x(corner), y(peak), x(high), y(peak), "ink", 1.8),
    text(x(high), y(peak) - 8, `${peak.toFixed(0)} GFLOP/s, fused multiply-add`, { anchor: "end", size: size.tick }),
  ];
}

function points(outcomes: readonly Outcome[], { x, y }: Frame): string[] {
  return outcomes.flatMap((outcome) => {
    const at = x(intensity(outcome));
    const best = bestPeer(outcome);
    const ours = gflops(outcome);
    if (!best) return [dot(at, y(ours), 4.5, "ours")];
    const theirs = ours / best.ratio;
    return [
      line(at, y(theirs), at, y(ours), "line", 1.5),
      dot(at, y(theirs), 3.5, "torch", true),
      dot(at, y(ours), 4.5, "ours"),
    ];
  });
}

function drawPanel(
  record: RunRecord,
  roof: Roofline,
  outcomes: readonly Outcome[],
  left: number,
  floor: number,
  peak: number,
): string[] {
  const [low, high] = [0.12, 600];
  const bottom = panel.top + panel.height;
  const frame: Frame = {
    ...{ low, high, floor },
    x: logScale(low, high, left, left + panel.width),
    y: logScale(floor, peak, bottom, panel.top),
  };
  const soft = { fill: "soft", size: size.tick } as const;
  const yTicks = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000].filter((tick) => tick >= floor && tick <= peak);
  const grid = [
    ...yTicks.flatMap((tick) => [
      line(left, frame.y(tick), left + panel.width, frame.y(tick)),
      text(left - 8, frame.y(tick) + 4, String(tick), { ...soft, anchor: "end" }),
    ]),
    ...[0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500].map((tick) =>
      text(frame.x(tick), bottom + 18, String(tick), { ...soft, anchor: "middle" }),
    ),
  ];
  const counted = `${roof.threads} ${roof.threads === 1 ? "thread" : "threads"}`;
  return [
    text(left, panel.top - 20, counted, { bold: true, size: size.panel }),
    ...grid,
    ...roofLines(record, roof, frame),
    ...points(outcomes, frame),
    text(left + panel.width, bottom + 38, "FLOP for each byte of recurrent weights", { ...soft, anchor: "end" }),
  ];
}

export function rooflineChart(record: RunRecord): string {
  const roofs = record.roofs.filter(({ dtype }) => dtype === "float32");
  const of = (threads: number): Outcome[] =>
    record.outcomes.filter(
      ({ shape, threads: t }) => t === threads && shape.dtype === "float32" && !shape.lengths && shape.steps > 1,
    );
  const all = roofs
    .flatMap(({ threads }) => of(threads))
    .flatMap((o) => [gflops(o), gflops(o) / (bestPeer(o)?.ratio ?? 1)]);
  const floor = Math.min(5, ...all) * 0.8;
  const peak = Math.max(...roofs.map(({ flops }) => flops / 1e9)) * 1.25;
  const title = "How close to the machine's limits";
  const { model } = record.machine;
  const subtitle = `${model}, ${record.isa}, dense float32 shapes; the limits were measured in the same run`;
  const height = panel.top + panel.height + 64;
  return svg(width, height, title, subtitle, [
    text(margin, 50, title, { size: size.title, bold: true }),
    text(margin, 76, subtitle, { fill: "soft" }),
    dot(margin + 5, 104, 4.5, "ours"),
    text(margin + 17, 108, "packed-lstm"),
    dot(margin + 125, 104, 3.5, "torch", true),
    text(margin + 137, 108, "the fastest peer on the same shape"),
    text(width - margin, 108, "GFLOP/s, of the matrix products alone", { fill: "soft", anchor: "end" }),
    ...roofs.flatMap((roof, i) =>
      drawPanel(record, roof, of(roof.threads), margin + 30 + i * (panel.width + 60), floor, peak),
    ),
  ]);
}
