// What holds of every Linear, as tests: a row's bits are the same alone, together with others, in any shape, packed, sync or async,
// on any number of threads; and those that were committed.

import { expect, it } from "vitest";
import {
  cat,
  getNumThreads,
  type Linear,
  PackedSequence,
  packSequence,
  setNumThreads,
  type Tensor,
  unpackSequence,
} from "../../lib/index.js";
import { expectSameBits } from "./compare.js";

export interface LinearShape {
  inFeatures: number;
  outFeatures: number;
  rows: number;
}

export const LINEAR_SHAPES: readonly LinearShape[] = [
  { inFeatures: 1, outFeatures: 1, rows: 3 },
  { inFeatures: 160, outFeatures: 13, rows: 130 },
  { inFeatures: 63, outFeatures: 65, rows: 17 },
  { inFeatures: 64, outFeatures: 64, rows: 65 },
  { inFeatures: 300, outFeatures: 1000, rows: 1 },
  { inFeatures: 257, outFeatures: 700, rows: 13 },
  { inFeatures: 40, outFeatures: 129, rows: 400 },
  { inFeatures: 1500, outFeatures: 9, rows: 70 },
];

/** @param judge holds the bits against the committed ones */
export function linearIsExact(linear: Linear, input: Tensor, judge: (output: Tensor) => void): void {
  const [rows, inFeatures] = input.shape as [number, number];
  const before = getNumThreads();
  setNumThreads(1);
  const alone = cat(Array.from({ length: rows }, (_, r) => linear.forward(input.select(0, r)).reshape([1, -1])));
  setNumThreads(before);

  it("have the committed digest", () => judge(alone));

  it.each([1, 2, 3, 4])("are those of each row alone, on %i threads", async (threads) => {
    setNumThreads(threads);
    expectSameBits(linear.forward(input), alone, "together");
    expectSameBits(await linear.forwardAsync(input), alone, "async");
    const three = linear.forward(input.reshape([rows, 1, inFeatures]));
    expect(three.shape).toEqual([rows, 1, linear.outFeatures]);
    expectSameBits(three.reshape([rows, linear.outFeatures]), alone, "as three dimensions");
    for (const from of [1, Math.floor(rows / 2)]) {
      if (from >= rows) continue;
      expectSameBits(linear.forward(input.slice(0, from)), alone.slice(0, from), `from row ${from}`);
    }
  });

  it("are those of packed rows", () => {
    const lengths = [Math.ceil(rows / 3), Math.floor(rows / 2), 1].filter((length) => length > 0);
    const sequences = lengths.map((length) => input.slice(0, rows - length));
    const expected = lengths.map((length) => alone.slice(0, rows - length)).filter(({ size }) => size > 0);
    const packed = packSequence(sequences.filter(({ size }) => size > 0).concat(input), { enforceSorted: false });
    const output = linear.forward(packed);
    expect(output).toBeInstanceOf(PackedSequence);
    for (const [k, rowsOut] of unpackSequence(output).entries()) {
      expectSameBits(rowsOut, expected[k] ?? alone, `sequence ${k}`);
    }
  });
}
