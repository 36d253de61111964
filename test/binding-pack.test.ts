// Rows between padded and packed batches: large ones, which several threads share, against a loop in JavaScript; and
// what the raw addon makes of nonsense, which must throw and touch nothing.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RowMove } from "../binding.js";
import { getNumThreads, packPaddedSequence, padPackedSequence, setNumThreads, Tensor } from "../lib/index.js";
import { native } from "../lib/native.js";
import { detach } from "./support/odd-buffers.js";

const before = getNumThreads();
beforeAll(() => setNumThreads(3));
afterAll(() => setNumThreads(before));

const kinds = { float32: Float32Array, float64: Float64Array, int32: Int32Array };
const [steps, batch, width] = [300, 41, 33];
const sorted = Array.from({ length: batch }, (_, b) => steps - 7 * b);
const shuffled = sorted.map((_, b) => sorted[(b * 17) % batch] as number);

describe.each(["float32", "float64", "int32"] as const)("a batch of %s that threads share", (dtype) => {
  describe.each([
    { order: "longest first", lengths: sorted },
    { order: "in no order", lengths: shuffled },
  ])("$order", ({ lengths }) => {
    it.each([false, true])("goes to packed rows and back, batchFirst %s", (batchFirst) => {
      const shape = batchFirst ? [batch, steps, width] : [steps, batch, width];
      const data = new kinds[dtype](steps * batch * width).map((_, i) => (i % 9973) - 5000);
      const rowOf = (t: number, b: number): number => (batchFirst ? b * steps + t : t * batch + b);

      const packed = packPaddedSequence(new Tensor(data, shape), lengths, { batchFirst, enforceSorted: false });
      const order = lengths.map((_, b) => b).sort((a, b) => (lengths[b] as number) - (lengths[a] as number) || a - b);
      const rows: number[] = [];
      for (let t = 0; t < steps; t++) for (const b of order) if (t < (lengths[b] as number)) rows.push(rowOf(t, b));
      const expected = new kinds[dtype](rows.length * width);
      rows.forEach((from, to) => {
        expected.set(data.subarray(from * width, (from + 1) * width), to * width);
      });
      expect(Buffer.compare(bytes(packed.data.data), bytes(expected))).toBe(0);

      const [padded, back] = padPackedSequence(packed, { batchFirst, paddingValue: -7 });
      const whole = data.slice();
      for (let b = 0; b < batch; b++) {
        for (let t = lengths[b] as number; t < steps; t++) {
          whole.fill(-7, rowOf(t, b) * width, (rowOf(t, b) + 1) * width);
        }
      }
      expect(Buffer.compare(bytes(padded.data), bytes(whole))).toBe(0);
      expect([...back]).toEqual(lengths);
    });
  });
});

it("pads to a totalLength beyond the longest, large enough for memory that nobody has cleared", () => {
  const packed = packPaddedSequence(new Tensor(new Float32Array(2 * 3 * 1000).fill(1), [2, 3, 1000]), [2, 2, 1]);
  const [padded] = padPackedSequence(packed, { totalLength: 40 });
  expect((padded.data as Float32Array).reduce((sum, value) => sum + value, 0)).toBe(5000);
  expect(padded.size).toBe(40 * 3 * 1000);
});

function bytes(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

describe("nonsense", () => {
  const good: RowMove = [
    new Float32Array(12),
    new Float32Array(8),
    Int32Array.of(2, 1, 1),
    Int32Array.of(1, 0),
    3,
    false,
  ];
  const one = new Float32Array(1);

  it("is not what this is", () => {
    native.packRows(...good);
    native.padRows(...good, one);
    native.padRows(new Float32Array(20), good[1], good[2], null, 5, true, one);
  });

  const bad: [string, number, unknown, RegExp][] = [
    ["no array", 0, {}, /padded: expected a Float32Array/],
    ["bytes", 0, new Uint8Array(48), /padded: expected a Float32Array/],
    ["two kinds", 0, new Float64Array(12), /packed: expected the kind/],
    ["too short", 0, new Float32Array(11), /padded: expected steps/],
    ["too long", 0, new Float32Array(14), /padded: expected steps/],
    ["detached", 0, detach(new Float32Array(12)), /padded: expected steps/],
    ["packed detached", 1, detach(new Float32Array(8)), /packed: expected a whole number/],
    ["a row that is not whole", 1, new Float32Array(9), /packed: expected a whole number/],
    ["rows of another width", 1, new Float32Array(4), /padded: expected steps/],
    ["no sizes", 2, new Int32Array(0), /batchSizes: expected an entry/],
    ["sizes of floats", 2, Float32Array.of(2, 1, 1), /batchSizes: expected an Int32Array/],
    ["a size of zero", 2, Int32Array.of(2, 1, 0), /batchSizes: expected positive/],
    ["a first size of zero", 2, Int32Array.of(0), /batchSizes: expected positive/],
    ["growing sizes", 2, Int32Array.of(1, 2, 1), /batchSizes: expected positive/],
    ["a size beyond memory", 2, Int32Array.of(2 ** 31 - 1), /expected/],
    ["too few places", 3, Int32Array.of(0), /sortedIndices: expected a permutation/],
    ["a place twice", 3, Int32Array.of(0, 0), /sortedIndices: expected a permutation/],
    ["a place outside", 3, Int32Array.of(0, 2), /sortedIndices: expected a permutation/],
    ["a negative place", 3, Int32Array.of(-1, 0), /sortedIndices: expected a permutation/],
    ["fewer steps than sizes", 4, 2, /steps: expected an integer from 3/],
    ["half a step", 4, 3.5, /steps: expected an integer/],
    ["steps beyond memory", 4, 2 ** 31 - 1, /padded: expected steps/],
    ["no boolean", 5, "yes", /batchFirst: expected a boolean/],
  ];

  it.each(bad)("%s", (_, place, value, message) => {
    const args = good.map((arg, i) => (i === place ? value : arg)) as unknown as RowMove;
    expect(() => native.packRows(...args)).toThrow(message);
    expect(() => native.padRows(...args, one)).toThrow(message);
  });

  it.each([
    ["none", new Float32Array(0)],
    ["of another kind", new Int32Array(1)],
    ["two", new Float32Array(2)],
  ])("a value to pad with: %s", (_, value) => {
    expect(() => native.padRows(...good, value)).toThrow(/value: expected one element/);
  });
});
