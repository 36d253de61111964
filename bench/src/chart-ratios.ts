// The chart of ratios: one line a shape, how many times our time each peer takes, on a logarithmic axis. A ring is one
// thread, a dot two; left of 1 a peer is the faster.

import { int8Outcomes } from "./int8-report.js";
import { type Outcome, peerTitles, type RunRecord, ratioTo } from "./record.js";
import { byShape, peerNames } from "./report.js";
import { sizesOf } from "./shapes.js";
import { type Color, dot, line, logScale, size, svg, text } from "./svg.js";
import { denseMean } from "./targets.js";

const width = 1040;
const margin = 40;
const left = 420; // the names of the shapes end here
const rowHeight = 21;
const colors: Readonly<Record<string, Color>> = {
  ...{ onnxruntime: "onnxruntime", torch: "torch", tfjs: "tfjs" },
  ...{ openvino: "openvino", openvinoBf16: "openvinoBf16", float32: "ours" },
};

interface Axis {
  readonly at: (ratio: number) => number;
  readonly ticks: readonly number[];
}

function axisOf(ratios: readonly number[]): Axis {
  const low = Math.min(0.8, ...ratios) * 0.95;
  const high = Math.max(4, ...ratios) * 1.1;
  const ticks = [0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256].filter((tick) => tick >= low && tick <= high);
  return { at: logScale(low, high, left + 14, width - margin), ticks };
}

function marks(outcome: Outcome, peers: readonly string[], { at }: Axis, y: number): string[] {
  return peers.flatMap((peer) => {
    const ratio = ratioTo(outcome, peer);
    return Number.isNaN(ratio) ? [] : [dot(at(ratio), y, 4.5, colors[peer] ?? "soft", outcome.threads === 1)];
  });
}

function meanLine(record: RunRecord): string {
  const parts = [1, 2].flatMap((threads) => {
    const { mean, shapes } = denseMean(record, threads);
    return shapes === 0 ? [] : `${mean.toFixed(2)}× our time on ${threads} ${threads === 1 ? "thread" : "threads"}`;
  });
  return parts.length > 0
    ? `The fastest peer of each shape takes ${parts.join(", ")}: geometric means over the dense float32 shapes.`
    : "No peer was timed in this run.";
}

export function ratioChart(record: RunRecord): string {
  return draw(record.outcomes, "A peer's time over ours", meanLine(record));
}

/** int8 weights; undefined where none were measured. */
export function int8Chart(record: RunRecord): string | undefined {
  const outcomes = int8Outcomes(record);
  if (outcomes.length === 0) return undefined;
  const beside = outcomes.map((outcome) => {
    const float32 = { timing: outcome.float32, difference: 0 };
    return { ...outcome, peers: { ...outcome.peers, float32 } };
  });
  const subtitle =
    "onnxruntime and PyTorch with int8 weights of their own kind, OpenVINO in float32 and bf16, and our own float32";
  return draw(beside, "Time over that of our int8 LSTM", subtitle);
}

function draw(outcomes: readonly Outcome[], title: string, subtitle: string): string {
  const peers = peerNames(outcomes);
  const groups = byShape(outcomes);
  const ratios = outcomes.flatMap((o) => peers.map((peer) => ratioTo(o, peer))).filter((r) => !Number.isNaN(r));
  const axis = axisOf(ratios);
  const crowded = peers.length > 3;
  const top = crowded ? 200 : 176;
  const parts: string[] = [];
  let y = top;
  let set = "";
  for (const group of groups) {
    const [first] = group;
    if (!first) continue;
    const { shape } = first;
    if (shape.set !== set) {
      y += set === "" ? 0 : 12;
      set = shape.set;
    }
    parts.push(line(left + 14, y, width - margin, y));
    parts.push(text(margin, y + 4, shape.workload));
    parts.push(text(left, y + 4, sizesOf(shape), { fill: "soft", anchor: "end", size: size.tick }));
    parts.push(...group.flatMap((outcome) => marks(outcome, peers, axis, y)));
    y += rowHeight;
  }
  const bottom = y - rowHeight + 14;
  const grid = axis.ticks.flatMap((tick) => [
    line(axis.at(tick), top - 16, axis.at(tick), bottom, tick === 1 ? "ink" : "line", tick === 1 ? 1.5 : 1),
    text(axis.at(tick), top - 24, `${tick}×`, { fill: tick === 1 ? "ink" : "soft", anchor: "middle", size: size.tick }),
  ]);
  const legend = peers.flatMap((peer, i) => {
    const x = margin + 190 * i;
    return [
      ...[dot(x + 5, 108, 4.5, colors[peer] ?? "soft", true), dot(x + 19, 108, 4.5, colors[peer] ?? "soft")],
      text(x + 31, 112, peer === "float32" ? "our own float32" : (peerTitles[peer] ?? peer)),
    ];
  });
  return svg(width, Math.round(bottom + 26), title, subtitle, [
    text(margin, 50, title, { size: size.title, bold: true }),
    text(margin, 76, subtitle, { fill: "soft" }),
    ...legend,
    text(width - margin, crowded ? 136 : 112, "ring: 1 thread · dot: 2 threads · right of 1×: we are faster", {
      fill: "soft",
      anchor: "end",
    }),
    text(margin, top - 24, "workload", { fill: "soft", size: size.tick }),
    text(left, top - 24, "T,B,I,H,layers,directions", { fill: "soft", size: size.tick, anchor: "end" }),
    ...grid,
    ...parts,
  ]);
}
