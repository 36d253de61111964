// Whether two results are those of one LSTM that was rounded to 8 bits in two ways. It measures nothing.

import { difference, type Results } from "./problem.js";

/**
 * The most that an element, and the root of the mean square of a result, may differ. Each int8 LSTM has an error of its own
 * of up to 0.03 and 0.004 (torch.ao at H 512; design.md of the scheme has ours at a third of it); gates in a wrong
 * order, or a scale that is not its channel's, give ten times as much.
 */
export const tolerance = { element: 0.1, rms: 0.01 } as const;

function rms(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] ?? Number.NaN) - (b[i] ?? Number.NaN)) ** 2;
  return Math.sqrt(sum / a.length);
}

/** The largest difference. @throws Error when the results are not those of the same LSTM, rounded differently */
export function compareRounded(name: string, ours: Results, theirs: Results): number {
  const largest = difference(name, ours, theirs, tolerance.element);
  for (const key of ["output", "hn", "cn"] as const) {
    const [a, b] = [ours[key], theirs[key]];
    const apart = a && b ? rms(a, b) : 0;
    if (!(apart < tolerance.rms)) throw new Error(`${name}: ${key} differs by ${apart.toExponential(1)} in rms`);
  }
  return largest;
}
