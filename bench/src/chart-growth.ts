// How the cost grows: one small panel for each size, our time against it on logarithmic axes, with the fitted exponent.

import type { RunRecord, Sweep } from "./record.js";
import { fitPowerLaw } from "./statistics.js";
import { dot, line, logScale, path, size, svg, text } from "./svg.js";

const width = 1040;
const margin = 40;
const panel = { width: 270, height: 170, gapX: 75, gapY: 92, top: 150 };

const soft = { fill: "soft", size: size.tick } as const;

function powersOfTen(low: number, high: number): number[] {
  const [first, last] = [Math.ceil(Math.log10(low)), Math.floor(Math.log10(high))];
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => 10 ** (first + i));
}

function drawPanel(sweeps: readonly Sweep[], left: number, top: number): string[] {
  const [first] = sweeps;
  if (!first) return [];
  const xs = first.points.map(({ x }) => x);
  const times = sweeps.flatMap(({ points }) => points.map(({ ms }) => ms));
  const x = logScale(Math.min(...xs), Math.max(...xs), left, left + panel.width);
  const [low, high] = [Math.min(...times) / 1.5, Math.max(...times) * 1.5];
  const y = logScale(low, high, top + panel.height, top);
  const curves = sweeps.flatMap(({ threads, points }) => {
    const law = fitPowerLaw(points.map((point) => ({ x: point.x, y: point.ms })));
    const last = points.at(-1);
    const at = points.map((point): [number, number] => [x(point.x), y(point.ms)]);
    const open = threads === 1;
    const label = `${threads} thr. ∝ x^${law.exponent.toFixed(2)}`;
    return [
      path(at, "ours", 1.6, open),
      ...at.map(([px, py]) => dot(px, py, 3.6, "ours", open)),
      ...(last ? [text(left + 8, top + 14 + (open ? 0 : 17), label, { size: size.tick })] : []),
    ];
  });
  return [
    text(left, top - 16, first.name, { bold: true }),
    ...powersOfTen(low, high).flatMap((tick) => [
      line(left, y(tick), left + panel.width, y(tick)),
      text(left - 7, y(tick) + 4, `${tick >= 1 ? tick : tick.toPrecision(1)} ms`, { ...soft, anchor: "end" }),
    ]),
    ...xs
      .filter((_, i) => i % 2 === 0 || xs.length < 8)
      .map((tick) => text(x(tick), top + panel.height + 17, String(tick), { ...soft, anchor: "middle" })),
    line(left, top + panel.height, left + panel.width, top + panel.height, "soft"),
    ...curves,
    text(left + panel.width, top + panel.height + 35, first.unit, { ...soft, anchor: "end" }),
  ];
}

/** Undefined when the run did not measure growth. */
export function growthChart({ growth, machine, isa }: RunRecord): string | undefined {
  if (!growth) return undefined;
  const names = [...new Set(growth.sweeps.map(({ name }) => name))];
  const rows = Math.ceil(names.length / 3);
  const title = "How the cost grows";
  const subtitle = `Our time against one size at a time, logarithmic axes; ${machine.model}, ${isa}. Dashed: 1 thread.`;
  return svg(width, panel.top + rows * (panel.height + panel.gapY) - 20, title, subtitle, [
    text(margin, 50, title, { size: size.title, bold: true }),
    text(margin, 76, subtitle, { fill: "soft" }),
    ...names.flatMap((name, i) => {
      const left = margin + 40 + (i % 3) * (panel.width + panel.gapX - 20);
      const top = panel.top + Math.floor(i / 3) * (panel.height + panel.gapY);
      return drawPanel(
        growth.sweeps.filter((sweep) => sweep.name === name),
        left,
        top,
      );
    }),
  ]);
}
