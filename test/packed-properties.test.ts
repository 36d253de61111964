// The laws of packing, on random batches: what is packed and unpacked, padded and unpadded, split and joined, permuted and
// permuted back is what it was.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { packSequence, padSequence, unpackSequence, unpadSequence } from "../lib/sequences/lists.js";
import { invertPermutation, packPaddedSequence, padPackedSequence } from "../lib/sequences/packed.js";
import { cat, sort, stack } from "../lib/tensor/ops.js";
import { Tensor } from "../lib/tensor/tensor.js";

interface Batch {
  sequences: Tensor[];
  lengths: number[];
  width: number;
}

/** Sequences whose elements are all different, so that no two rows can be taken for each other. */
const batches: fc.Arbitrary<Batch> = fc
  .record({
    lengths: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 9 }),
    trailing: fc.constantFrom<number[][]>([], [1], [3], [2, 2], [30]),
    make: fc.constantFrom(Float32Array, Float64Array, Int32Array),
  })
  .map(({ lengths, trailing, make }) => {
    const width = trailing.reduce((a, b) => a * b, 1);
    let next = 1;
    const sequences = lengths.map((length) => {
      const data = new make(length * width).map(() => next++);
      return new Tensor(data, [length, ...trailing]);
    });
    return { sequences, lengths, width };
  });

const layouts = fc.record({ batchFirst: fc.boolean() });
const check = <T>(arbitrary: fc.Arbitrary<T>, law: (value: T) => void): void =>
  fc.assert(fc.property(arbitrary, law), { numRuns: 150 });

describe("for any batch", () => {
  it("unpackSequence undoes packSequence", () => {
    check(batches, ({ sequences, lengths }) => {
      const packed = packSequence(sequences, { enforceSorted: false });
      expect(unpackSequence(packed)).toEqual(sequences);
      expect(packed.batchSizes.reduce((a, b) => a + b)).toBe(lengths.reduce((a, b) => a + b));
    });
  });

  it("unpadSequence undoes padSequence", () => {
    check(fc.tuple(batches, layouts), ([{ sequences, lengths }, layout]) => {
      expect(unpadSequence(padSequence(sequences, layout), lengths, layout)).toEqual(sequences);
    });
  });

  it("packing the padded batch is packing the sequences", () => {
    check(fc.tuple(batches, layouts), ([{ sequences, lengths }, layout]) => {
      const padded = padSequence(sequences, { ...layout, paddingValue: -1 });
      const packed = packPaddedSequence(padded, lengths, { ...layout, enforceSorted: false });
      expect(packed).toEqual(packSequence(sequences, { enforceSorted: false }));
    });
  });

  it("padPackedSequence undoes packPaddedSequence, and pads up to totalLength", () => {
    const extra = fc.integer({ min: 0, max: 4 });
    check(fc.tuple(batches, layouts, extra), ([{ sequences, lengths }, layout, more]) => {
      const padded = padSequence(sequences, { ...layout, paddingValue: -5 });
      const packed = packPaddedSequence(padded, lengths, { ...layout, enforceSorted: false });
      const longest = Math.max(...lengths);
      const totalLength = longest + more;
      const [again, found] = padPackedSequence(packed, { ...layout, paddingValue: -5, totalLength });
      expect(Array.from(found)).toEqual(lengths);
      const time = layout.batchFirst ? 1 : 0;
      expect(again.shape[time]).toBe(totalLength);
      expect(again.slice(time, 0, longest)).toEqual(padded);
      expect(again.slice(time, longest).data.every((x) => x === -5)).toBe(true);
    });
  });

  it("a sorted batch packs the same with and without enforceSorted, but for its order", () => {
    check(batches, ({ sequences }) => {
      const sorted = sequences.toSorted((a, b) => b.shape[0]! - a.shape[0]!);
      const [strict, loose] = [packSequence(sorted), packSequence(sorted, { enforceSorted: false })];
      expect([strict.data, strict.batchSizes]).toEqual([loose.data, loose.batchSizes]);
      expect(strict.sortedIndices).toBeNull();
      expect(Array.from(loose.sortedIndices!)).toEqual(sorted.map((_, i) => i));
      expect(unpackSequence(strict)).toEqual(sorted);
    });
  });

  it("the order is sort's: stable, longest first", () => {
    check(batches, ({ sequences, lengths }) => {
      const { sortedIndices, unsortedIndices } = packSequence(sequences, { enforceSorted: false });
      const keys = new Tensor(Int32Array.from(lengths), [lengths.length]);
      expect(sortedIndices).toEqual(sort(keys, { descending: true }).indices.data);
      expect(invertPermutation(sortedIndices!)).toEqual(unsortedIndices);
    });
  });

  it("step t of the packing is step t of every sequence that has one", () => {
    check(batches, ({ sequences, width }) => {
      const { data, batchSizes, sortedIndices } = packSequence(sequences, { enforceSorted: false });
      let row = 0;
      for (const [t, count] of batchSizes.entries()) {
        for (let s = 0; s < count; s++, row++) {
          const sequence = sequences[sortedIndices![s]!]!;
          const expected = sequence.data.slice(t * width, (t + 1) * width);
          expect(data.data.slice(row * width, (row + 1) * width)).toEqual(expected);
        }
      }
      expect(row).toBe(data.shape[0]);
    });
  });
});

describe("for any tensor", () => {
  const tensors = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }).map((shape) => {
    const size = shape.reduce((a, b) => a * b, 1);
    return new Tensor(
      Float64Array.from({ length: size }, (_, i) => i + 1),
      shape,
    );
  });
  const withDim = tensors.chain((t) => fc.tuple(fc.constant(t), fc.nat(t.shape.length - 1), fc.nat(6)));

  it("cat undoes a split in two", () => {
    check(withDim, ([t, dim, at]) => {
      expect(cat([t.slice(dim, 0, at), t.slice(dim, Math.min(at, t.shape[dim]!))], dim)).toEqual(t);
    });
  });

  it("stack undoes taking it apart", () => {
    check(withDim, ([t, dim]) => {
      const parts = Array.from({ length: t.shape[dim]! }, (_, i) => t.select(dim, i - t.shape[dim]!));
      expect(stack(parts, dim)).toEqual(t);
    });
  });

  it("transpose undoes itself, and moves every element to its place", () => {
    check(fc.tuple(withDim, fc.nat(3)), ([[t, a], d]) => {
      const b = d % t.shape.length;
      const turned = t.transpose(a, b);
      expect(turned.transpose(b, a)).toEqual(t);
      const index = t.shape.map((size) => size - 1);
      const swapped = index.with(a, index[b]!).with(b, index[a]!);
      expect(turned.at(...swapped)).toBe(t.at(...index));
    });
  });

  it("indexSelect by a permutation is undone by its inverse", () => {
    const permuted = withDim.chain(([t, dim]) => {
      const all = Array.from({ length: t.shape[dim]! }, (_, i) => i);
      return fc.tuple(fc.constant(t), fc.constant(dim), fc.shuffledSubarray(all, { minLength: all.length }));
    });
    check(permuted, ([t, dim, order]) => {
      expect(t.indexSelect(dim, order).indexSelect(dim, invertPermutation(order))).toEqual(t);
      expect(invertPermutation(invertPermutation(order))).toEqual(Int32Array.from(order));
    });
  });
});
