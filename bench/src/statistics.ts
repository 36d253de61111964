// The few numbers that many measurements are brought down to. It knows nothing of what was measured.

export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** The value that a share `q` of the values, 0 to 1, does not exceed; NaN of none. */
export function quantileOf(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

/**
 * Between which two of the values the true median lies, with a chance of 94% or more from five values on: as many are
 * left out on either side as the binomial distribution allows; of fewer values the first and the last.
 */
export function medianRange(values: readonly number[]): readonly [low: number, high: number] {
  const sorted = [...values].sort((a, b) => a - b);
  const count = sorted.length;
  let outside = 0;
  let tail = 0.5 ** count;
  for (let chance = tail; outside + 1 < count / 2; outside++) {
    chance *= (count - outside) / (outside + 1);
    if (tail + chance > 0.032) break;
    tail += chance;
  }
  return [sorted[outside] ?? Number.NaN, sorted[count - 1 - outside] ?? Number.NaN];
}

/** Of positive numbers; NaN of none. */
export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

export interface PowerLaw {
  readonly exponent: number;
  readonly factor: number;
}

/** The y = factor · x^exponent that lies nearest to the points, by least squares of the logarithms. */
export function fitPowerLaw(points: readonly { readonly x: number; readonly y: number }[]): PowerLaw {
  const logs = points.map(({ x, y }) => ({ x: Math.log(x), y: Math.log(y) }));
  const mean = (of: (point: { x: number; y: number }) => number): number =>
    logs.reduce((sum, point) => sum + of(point), 0) / logs.length;
  const [x, y] = [mean((point) => point.x), mean((point) => point.y)];
  const exponent = mean((p) => (p.x - x) * (p.y - y)) / mean((p) => (p.x - x) ** 2);
  return { exponent, factor: Math.exp(y - exponent * x) };
}
