// Sequences of 8, 9 and 10 steps, 5 -> 64, in the four structures: the final state from hn and from the padded output,
// by hand-sorting and by enforceSorted: false. All ways agree to the bit, and with torch's own numbers.
// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pack_padded_sequence.html

import { describe, expect, it } from "vitest";
import {
  cat,
  type LSTM,
  packPaddedSequence,
  padPackedSequence,
  sort,
  stack,
  type Tensor,
  tensor,
} from "../lib/index.js";
import type { Results } from "./support/cells.js";
import { expectClose, expectSameBits } from "./support/compare.js";
import { readFixture, rebuild, run } from "./support/fixture.js";

const fixture = readFixture("relations");
const cases = fixture.cases
  .filter(({ lengths }) => lengths !== null)
  .map((c) => {
    const layers = c.numLayers === 1 ? "one layer" : `${c.numLayers} layers`;
    return [`${layers}, ${c.bidirectional ? "two directions" : "one direction"}`, c] as const;
  });

const lengths = [8, 9, 10];

describe.each(cases)("lengths 8, 9, 10: %s", (_, c) => {
  const rebuilt = rebuild(c);
  const { module, input } = rebuilt;
  const lstm = module as unknown as LSTM;
  const { output, hn, cn } = run(c, rebuilt) as Required<Results>;

  /** (B, D·64): where each direction of the last layer ended. */
  const fromHn = (h: Tensor): Tensor =>
    c.bidirectional ? cat([h.select(0, -2), h.select(0, -1)], 1) : h.select(0, -1);

  /** The same out of the padded batch-first output: the last valid step forward, the first step backward. */
  const fromOutput = (padded: Tensor): Tensor =>
    stack(
      lengths.map((length, b) => {
        const sequence = padded.select(0, b);
        const last = sequence.select(0, length - 1);
        return c.bidirectional ? cat([last.slice(0, 0, 64), sequence.select(0, 0).slice(0, 64)]) : last;
      }),
    );

  it("has torch's shapes and numbers", () => {
    const directions = c.bidirectional ? 2 : 1;
    expect(output.shape).toEqual([3, 10, directions * 64]);
    expect(hn.shape).toEqual([c.numLayers * directions, 3, 64]);
    expectClose(output, fixture.tensor(c.output), { atol: 5e-6, rtol: 0, label: "output" });
    expectClose(hn, fixture.tensor(c.hn), { atol: 5e-6, rtol: 0, label: "hn" });
    expectClose(cn, fixture.tensor(c.cn!), { atol: 5e-6, rtol: 0, label: "cn" });
  });

  it("has the same final state in hn and in the padded output", () => {
    expectSameBits(fromOutput(output), fromHn(hn), "final state");
  });

  it("has nothing but padding behind each end", () => {
    for (const [b, length] of lengths.entries()) {
      const rest = output.select(0, b).slice(0, length);
      expect(rest.shape[0]).toBe(10 - length);
      expect(rest.data.every((x) => Object.is(x, 0))).toBe(true);
    }
  });

  it("agrees with sorting by hand and sorting back", () => {
    const byLength = sort(tensor(lengths), { descending: true });
    expect(Array.from(byLength.indices.data)).toEqual([2, 1, 0]);
    const back = sort(byLength.indices).indices;
    const sorted = packPaddedSequence(input.indexSelect(0, byLength.indices), byLength.values.toArray() as number[], {
      batchFirst: true,
    });
    expect(sorted.sortedIndices).toBeNull();
    const [packed, [sortedHn, sortedCn]] = lstm.forward(sorted);
    const [padded, sortedLengths] = padPackedSequence(packed, { batchFirst: true });
    expect(Array.from(sortedLengths)).toEqual([10, 9, 8]);
    expectSameBits(padded.indexSelect(0, back), output, "output");
    expectSameBits(sortedHn.indexSelect(1, back), hn, "hn");
    expectSameBits(sortedCn.indexSelect(1, back), cn, "cn");
    expectSameBits(fromOutput(padded.indexSelect(0, back)), fromHn(hn), "final state");
  });

  it("agrees with each sequence alone", () => {
    for (const [b, length] of lengths.entries()) {
      const [single, [singleHn]] = lstm.forward(input.select(0, b).slice(0, 0, length));
      expectSameBits(output.select(0, b).slice(0, 0, length), single, `output ${b}`);
      expectSameBits(hn.select(1, b), singleHn, `hn ${b}`);
    }
  });

  it("would be wrong if the padding were read as input", () => {
    const [, [paddedHn]] = lstm.forward(input);
    expectSameBits(paddedHn.select(1, 2), hn.select(1, 2), "the longest, which has none");
    expect(() => expectClose(paddedHn.select(1, 0), hn.select(1, 0), { atol: 1e-3, rtol: 0, label: "8" })).toThrow();
  });
});

describe("sorting twice", () => {
  it("gives the order and its inverse", () => {
    const { indices } = sort(tensor([3, 9, 5, 9, 1]), { descending: true });
    expect(Array.from(indices.data)).toEqual([1, 3, 2, 0, 4]);
    expect(Array.from(sort(indices).indices.data)).toEqual([3, 0, 2, 1, 4]);
  });
});
