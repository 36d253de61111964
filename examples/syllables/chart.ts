// The picture that the demo writes: title, the panel of words, the panels of errors, each with a caption.

import { errorPanels, type Judged } from "./chart-errors.js";
import { wordsPanel } from "./chart-words.js";
import { color, line, paragraph, rect, size, svg, text } from "./svg.js";
import type { Trace } from "./trace.js";

export interface ChartData {
  readonly traces: readonly Trace[];
  readonly heldOut: readonly Judged[];
}

const width = 1200;
const margin = 52;

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}

function legend(x: number, y: number, label: string, fill: string): string[] {
  return [rect(x, y - 10, 12, 12, fill, 3), text(x + 20, y, label)];
}

/** The whole picture as SVG text. */
export function renderChart({ traces, heldOut }: ChartData): string {
  const right = (answer: (word: Judged) => number): number =>
    heldOut.filter((word) => answer(word) === word.syllables).length / heldOut.length;
  const ours = percent(right((word) => word.ours));
  const rules = percent(right((word) => word.rules));
  const count = heldOut.length.toLocaleString("en-US");
  const title = "Counting syllables, one letter at a time";
  const inner = width - 2 * margin;

  const words = wordsPanel(margin, 240, traces);
  const second = 240 + words.height + 30;
  const errors = errorPanels(margin, second + 82, inner, heldOut);
  const height = second + 82 + errors.height + 26;
  const parts = [
    text(margin, 62, title, { size: size.title, bold: true }),
    text(
      margin,
      88,
      `A two-layer bidirectional LSTM reads English spelling: ${ours} right on ${count} words it never saw.`,
      {
        fill: color.soft,
      },
    ),
    line(margin, 110, width - margin, 110),
    text(margin, 142, "What the units do along a word", { size: size.panel, bold: true }),
    ...paragraph(
      margin,
      163,
      [
        "Above the letters: the counts it would give had the word ended there, the darker the likelier. -ted is a syllable, -ked is none.",
        "Beneath: the units of its second layer that best keep count, forward of the syllables so far, backward of those still to come.",
        "The upper half of them rises with the count, the lower half falls.",
      ],
      { fill: color.soft },
    ),
    ...words.parts,
    line(margin, second, width - margin, second),
    text(margin, second + 32, "Where it errs", { size: size.panel, bold: true }),
    ...legend(margin, second + 58, `the LSTM, ${ours} right`, color.ours),
    ...legend(margin + 200, second + 58, `the rules of the npm package "syllable", ${rules} right`, color.rules),
    ...errors.parts,
  ];
  return svg(
    width,
    Math.round(height),
    title,
    `Accuracy ${ours} against ${rules} by rules, on ${count} held-out words.`,
    parts,
  );
}
