// The packings that documentation works by hand.
// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pack_sequence.html

import { describe, expect, it } from "vitest";
import {
  packPaddedSequence,
  packSequence,
  padPackedSequence,
  padSequence,
  tensor,
  unpackSequence,
} from "../lib/index.js";

const a = [
  [1, 10],
  [2, 20],
  [3, 30],
  [4, 40],
];
const b = [
  [5, 50],
  [6, 60],
  [7, 70],
];
const c = [
  [8, 80],
  [9, 90],
];
const data = [
  [1, 10],
  [5, 50],
  [8, 80],
  [2, 20],
  [6, 60],
  [9, 90],
  [3, 30],
  [7, 70],
  [4, 40],
];

describe("three sequences of two features", () => {
  const packed = packSequence([tensor(a), tensor(b), tensor(c)]);

  it("lie step by step", () => {
    expect(packed.data.toArray()).toEqual(data);
    expect(Array.from(packed.batchSizes)).toEqual([3, 3, 2, 1]);
    expect(packed.sortedIndices).toBeNull();
    expect(packed.unsortedIndices).toBeNull();
  });

  it.each([false, true])("lie so when they come padded, batchFirst %s", (batchFirst) => {
    const padded = padSequence([tensor(a), tensor(b), tensor(c)], { batchFirst });
    const again = packPaddedSequence(padded, [4, 3, 2], { batchFirst });
    expect(again.data.toArray()).toEqual(data);
    expect(Array.from(again.batchSizes)).toEqual([3, 3, 2, 1]);
  });

  it("lie so when they come in another order", () => {
    const unsorted = packSequence([tensor(c), tensor(a), tensor(b)], { enforceSorted: false });
    expect(unsorted.data.toArray()).toEqual(data);
    expect(Array.from(unsorted.sortedIndices!)).toEqual([1, 2, 0]);
    expect(Array.from(unsorted.unsortedIndices!)).toEqual([2, 0, 1]);
    expect(unpackSequence(unsorted).map((t) => t.toArray())).toEqual([c, a, b]);
  });

  it("come back as they were, and padded", () => {
    expect(unpackSequence(packed).map((t) => t.toArray())).toEqual([a, b, c]);
    const [padded, lengths] = padPackedSequence(packed, { batchFirst: true, paddingValue: -1, totalLength: 5 });
    expect(Array.from(lengths)).toEqual([4, 3, 2]);
    const fill = (rows: number[][]) => [...rows, ...Array.from({ length: 5 - rows.length }, () => [-1, -1])];
    expect(padded.toArray()).toEqual([fill(a), fill(b), fill(c)]);
  });
});

describe("abc and x", () => {
  const letters = (word: string) => tensor([...word].map((letter) => letter.charCodeAt(0)));

  it("pack to axbc", () => {
    const packed = packSequence([letters("abc"), letters("x")]);
    expect(String.fromCharCode(...packed.data.data)).toBe("axbc");
    expect(Array.from(packed.batchSizes)).toEqual([2, 1, 1]);
  });
});
