// The lower panels: where the model errs on the held-out words, beside the rules of the `syllable` package.

import { blend, circle, color, line, path, rect, size, text } from "./svg.js";

/** A held-out word and the two answers. */
export interface Judged {
  readonly text: string;
  readonly syllables: number;
  readonly ours: number;
  readonly rules: number;
}

/** The words of one place on the x axis. */
interface Group {
  readonly label: string;
  readonly words: readonly Judged[];
}

const plot = { width: 300, height: 212 };

/** Words by a number, from `low` to `high`; what lies beyond goes to the ends, and their labels say so. */
function groupBy(words: readonly Judged[], low: number, high: number, key: (word: Judged) => number): Group[] {
  return Array.from({ length: high - low + 1 }, (_, i) => {
    const value = low + i;
    const inside = words.filter((word) => Math.min(Math.max(key(word), low), high) === value);
    const beyond = (value === low && inside.some((word) => key(word) < low)) || value === high;
    const label = beyond ? (value === high ? `${value}+` : `≤${value}`) : `${value}`;
    return { label, words: inside };
  });
}

function errorRate(words: readonly Judged[], answer: (word: Judged) => number): number {
  return words.filter((word) => answer(word) !== word.syllables).length / Math.max(words.length, 1);
}

function thousands(count: number): string {
  return count >= 1000 ? `${(count / 1000).toFixed(1)}k` : `${count}`;
}

function ratePlot(x: number, y: number, title: string, axis: string, groups: readonly Group[], peak: number): string[] {
  const soft = { size: size.tick, fill: color.soft } as const;
  const step = plot.width / groups.length;
  const at = (i: number): number => x + (i + 0.5) * step;
  const height = (rate: number): number => y + plot.height - (rate / peak) * plot.height;
  const grid = Array.from({ length: Math.round(peak / 0.05) + 1 }, (_, i) => i / 20).flatMap((rate) => [
    line(x, height(rate), x + plot.width, height(rate)),
    text(x - 8, height(rate) + 4, `${Math.round(100 * rate)}%`, { ...soft, anchor: "end" }),
  ]);
  const curve = (answer: (word: Judged) => number, stroke: string): string[] => {
    const points = groups.map(({ words }, i): [number, number] => [at(i), height(errorRate(words, answer))]);
    return [path(points, stroke, 2.5), ...points.map(([px, py]) => circle(px, py, 4.5, stroke))];
  };
  const labels = groups.flatMap(({ label, words }, i) => [
    text(at(i), y + plot.height + 18, label, { size: size.tick, anchor: "middle" }),
    text(at(i), y + plot.height + 34, thousands(words.length), { ...soft, size: size.note, anchor: "middle" }),
  ]);
  return [
    text(x, y - 22, title, { bold: true }),
    ...grid,
    ...curve((word) => word.rules, color.rules),
    ...curve((word) => word.ours, color.ours),
    ...labels,
    text(x - 8, y + plot.height + 34, "words", { ...soft, size: size.note, anchor: "end" }),
    text(x + plot.width, y + plot.height + 54, axis, { ...soft, anchor: "end" }),
  ];
}

function confusion(x: number, y: number, words: readonly Judged[], high: number): string[] {
  const soft = { size: size.tick, fill: color.soft } as const;
  const within = (count: number): number => Math.min(Math.max(count, 1), high);
  const cell = { width: plot.width / high, height: plot.height / high };
  const label = (count: number): string => (count === high ? `${count}+` : `${count}`);
  const parts: string[] = [text(x, y - 22, "What it answers, and what is right", { bold: true })];
  for (let right = 1; right <= high; right++) {
    const row = words.filter((word) => within(word.syllables) === right);
    const top = y + (right - 1) * cell.height;
    parts.push(text(x - 10, top + cell.height / 2 + 4, label(right), { size: size.tick, anchor: "end" }));
    parts.push(
      text(x + (right - 0.5) * cell.width, y + plot.height + 18, label(right), { size: size.tick, anchor: "middle" }),
    );
    for (let answer = 1; answer <= high; answer++) {
      const count = row.filter((word) => within(word.ours) === answer).length;
      const share = Math.sqrt(count / Math.max(row.length, 1)); // the root makes the few errors visible
      const fill = blend(color.zero, answer === right ? color.ours : color.minus, share);
      const left = x + (answer - 1) * cell.width;
      parts.push(rect(left, top, cell.width - 1.5, cell.height - 1.5, fill, 2));
      if (count === 0) continue;
      const ink = share > 0.6 ? color.paper : color.ink;
      const middle = left + cell.width / 2 - 0.75;
      parts.push(
        text(middle, top + cell.height / 2 + 3.5, `${count}`, { size: size.tick, fill: ink, anchor: "middle" }),
      );
    }
  }
  parts.push(text(x + plot.width, y + plot.height + 36, "its answer, in syllables", { ...soft, anchor: "end" }));
  parts.push(text(x - 10, y - 6, "right", { ...soft, anchor: "end" }));
  return parts;
}

/** Draws the three panels side by side, `width` wide in all; `height` is what they take. */
export function errorPanels(x: number, y: number, width: number, words: readonly Judged[]) {
  const gap = (width - 3 * plot.width) / 3;
  const left = [0, 1, 2].map((i) => x + gap + i * (plot.width + gap));
  const [first = x, second = x, third = x] = left;
  const syllables = groupBy(words, 1, 6, (word) => word.syllables);
  const lengths = groupBy(words, 3, 14, (word) => word.text.length);
  const rates = [...syllables, ...lengths].flatMap((group) => [
    errorRate(group.words, (word) => word.rules),
    errorRate(group.words, (word) => word.ours),
  ]);
  const peak = Math.ceil(Math.max(...rates) * 20) / 20;
  return {
    parts: [
      ...ratePlot(first, y + 34, "Errors by syllables", "syllables in the word", syllables, peak),
      ...ratePlot(second, y + 34, "Errors by length", "letters in the word", lengths, peak),
      ...confusion(third, y + 34, words, 7),
    ],
    height: 34 + plot.height + 60,
  };
}
