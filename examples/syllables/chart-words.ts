// The upper panel: along a few words, the count as it grows letter by letter, and beneath it the last layer's units.

import { blend, color, paragraph, rect, size, text } from "./svg.js";
import type { Trace } from "./trace.js";

const cell = { width: 29, height: 11 };
const stairs = 128; // the height of the plot of counts
const gutter = 102; // for the labels at the left
const gap = 34; // between words
const between = 12; // between the directions

/** From plum at -1 over paper at 0 to teal at 1. */
function shade(value: number): string {
  return blend(color.zero, value < 0 ? color.minus : color.ours, Math.min(Math.abs(value), 1));
}

function heatmap(x: number, y: number, columns: readonly (readonly number[])[]): string[] {
  return columns.flatMap((units, t) =>
    units.map((value, row) =>
      rect(x + t * cell.width, y + row * cell.height, cell.width - 1, cell.height - 1, shade(value)),
    ),
  );
}

/** A column per letter: the counts, from 1 at the bottom, each as dark as it is likely. */
function plotCounts(x: number, y: number, trace: Trace, top: number): string[] {
  const step = stairs / top;
  return trace.chances.flatMap((chances, t) =>
    Array.from({ length: top }, (_, i) => {
      const fill = blend(color.zero, color.ours, chances[i + 1] ?? 0);
      return rect(x + t * cell.width, y + stairs - (i + 1) * step, cell.width - 1, step - 1, fill);
    }),
  );
}

function plotWord(x: number, y: number, trace: Trace, top: number): string[] {
  const units = trace.forward[0]?.length ?? 0;
  const letters = y + 44 + stairs + 24;
  const maps = letters + 14;
  const plural = trace.syllables === 1 ? "syllable" : "syllables";
  return [
    text(x, y + 4, trace.text, { size: size.panel, bold: true }),
    text(x, y + 23, `${trace.syllables} ${plural}`, { fill: color.soft }),
    ...plotCounts(x, y + 44, trace, top),
    ...Array.from(trace.text, (letter, t) =>
      text(x + (t + 0.5) * cell.width - 0.5, letters, letter, { size: size.panel, anchor: "middle", mono: true }),
    ),
    ...heatmap(x, maps, trace.forward),
    ...heatmap(x, maps + units * cell.height + between, trace.backward),
  ];
}

function scale(x: number, y: number): string[] {
  const steps = 41;
  const bar = Array.from({ length: steps }, (_, i) => rect(x + i * 3, y, 3.5, 10, shade((2 * i) / (steps - 1) - 1)));
  const labels = (
    [
      [0, "−1"],
      [0.5, "0"],
      [1, "1"],
    ] as const
  ).map(([share, label]) =>
    text(x + share * steps * 3, y + 25, label, { size: size.tick, fill: color.soft, anchor: "middle" }),
  );
  return [
    ...bar,
    ...labels,
    text(x + steps * 3 + 14, y + 10, "output of a unit", { size: size.tick, fill: color.soft }),
  ];
}

/** Draws the panel; `height` is what it takes. */
export function wordsPanel(x: number, y: number, traces: readonly Trace[]): { parts: string[]; height: number } {
  const units = traces[0]?.forward[0]?.length ?? 0;
  const top = Math.max(...traces.map(({ syllables }) => syllables));
  const map = units * cell.height;
  const plot = y + 44;
  const maps = plot + stairs + 38;
  const right = x + gutter - 14;
  const soft = { fill: color.soft, anchor: "end" } as const;
  const ticks = Array.from({ length: top }, (_, count) =>
    text(right + 4, plot + stairs - ((count + 0.5) / top) * stairs + 4, `${count + 1}`, { ...soft, size: size.tick }),
  );
  let left = x + gutter;
  const words = traces.flatMap((trace) => {
    const drawn = plotWord(left, y, trace, top);
    left += trace.text.length * cell.width + gap;
    return drawn;
  });
  const bottom = maps + 2 * map + between;
  return {
    parts: [
      ...ticks,
      ...paragraph(right - 22, plot + stairs / 2 - 16, ["count if", "the word", "ended", "here"], soft),
      ...paragraph(right, maps + map / 2 - 6, [`${units} forward`, "units →"], soft),
      ...paragraph(right, maps + map * 1.5 + between - 6, [`${units} backward`, "units ←"], soft),
      ...words,
      ...scale(x + gutter, bottom + 16),
    ],
    height: bottom + 44 - y,
  };
}
