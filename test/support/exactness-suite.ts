// What holds of every model and shape, as tests: a sequence's bits are the same alone, in every layout, in pieces, whoever else
// is in the batch, for any number of threads; and those that were committed. exactness.test.ts runs them over both dtypes,
// int8-exactness.test.ts over weights in 8 bits.

import { expect, it } from "vitest";
import { getNumThreads, setNumThreads, type Tensor } from "../../lib/index.js";
import { type Cell, expectSameList, lstm, type Results } from "./cells.js";
import * as passes from "./exactness-passes.js";
import type { Shape } from "./exactness-shapes.js";

/** Numbers of threads; of GRU and RNN, which go the LSTM's ways through the core, fewer. */
const threadsFor = (cell: Cell): number[] => (cell === lstm ? [1, 2, 3, 4] : [1, 3]);

/** Each sequence alone on one thread: what every other way is held against. A few units of relu may all be at zero. */
export function reference(setup: passes.Setup, mayBeZero = false): Results[] {
  setNumThreads(1);
  const results = passes.alone(setup);
  for (const result of results) {
    for (const { data } of Object.values(result) as Tensor[]) {
      expect(data.every(Number.isFinite)).toBe(true);
      expect(mayBeZero || data.some((x) => x !== 0)).toBe(true);
    }
  }
  return results;
}

const isEqual = (shape: Shape): boolean => new Set(shape.lengths).size === 1;

/** A fixed order that is neither the caller's nor the sorted one. */
function shuffled(n: number): number[] {
  const picks = Array.from({ length: n }, (_, k) => k);
  for (let k = n - 1, r = 12345; k > 0; k--) {
    r = (r * 1103515245 + 12345) % 2147483648;
    const j = r % (k + 1);
    [picks[k], picks[j]] = [picks[j]!, picks[k]!];
  }
  return picks;
}

/** @param judge holds the bits against the committed ones */
export function itIsExact(
  cell: Cell,
  shape: Shape,
  setup: passes.Setup,
  judge: (results: readonly Results[]) => void,
): void {
  let kept: Results[] | undefined;
  const alone = (): Results[] => {
    kept ??= reference(setup);
    return kept;
  };

  it("has the committed digest", () => judge(alone()));

  it.each(threadsFor(cell))("is the same in every layout on %i threads", async (threads) => {
    const expected = alone();
    setNumThreads(threads);
    expect(getNumThreads()).toBe(threads);
    expectSameList(passes.packed(setup), expected, "packed");
    expectSameList(passes.packedSorted(setup), expected, "packed sorted");
    expectSameList(await passes.packedAsync(setup), expected, "packed async");
    if (!isEqual(shape)) return;
    expectSameList(passes.dense(setup, false), expected, "dense");
    expectSameList(passes.dense(setup, true), expected, "dense batch-first");
    expectSameList(await passes.denseAsync(setup), expected, "dense async");
  });

  it("is the same alone on many threads, and as a batch of one", () => {
    const expected = alone();
    setNumThreads(4);
    expectSameList(passes.alone(setup), expected, "alone, 4 threads");
    setNumThreads(2);
    expectSameList(passes.aloneBatchFirst(setup), expected, "batch of one, 2 threads");
  });

  if (!shape.bidirectional) {
    it("is the same in pieces with the state carried over", () => {
      const expected = alone();
      setNumThreads(1);
      expectSameList(passes.inPieces(setup, 3), expected, "pieces of 3");
      setNumThreads(2);
      expectSameList(passes.inPieces(setup, 1), expected, "single steps");
      if (isEqual(shape)) expectSameList(passes.denseInPieces(setup, 2), expected, "dense pieces of 2");
    });
  }

  const n = shape.lengths.length;
  if (n === 1) return;
  it("is the same whoever else is in the batch, in any order", () => {
    const expected = alone();
    setNumThreads(2);
    const picks = shuffled(n);
    expectSameList(passes.restore(passes.packed(passes.choose(setup, picks)), picks), expected, "shuffled");
    const some = picks.slice(0, Math.ceil(n / 3));
    const expectedSome = some.map((k) => expected[k]!);
    expectSameList(passes.packed(passes.choose(setup, some)), expectedSome, "a third of the batch");
  });
}
