// Packing and padding: the class itself, each function's corners, and everything that is refused. What torch gives is in
// test/relations-packing and test/relations-utilities, the laws in test/packed-properties.

import { describe, expect, it } from "vitest";
import { packSequence, padSequence, unpackSequence, unpadSequence } from "../lib/sequences/lists.js";
import {
  invertPermutation,
  isPacked,
  PackedSequence,
  packPaddedSequence,
  padPackedSequence,
} from "../lib/sequences/packed.js";
import { ones, tensor, zeros } from "../lib/tensor/make.js";
import { type Ints, Tensor } from "../lib/tensor/tensor.js";
import { expectCoded } from "./support/expect-coded.js";

type Kind = typeof TypeError | typeof RangeError;
const { NaN: nan } = Number;
const never = (value: unknown): never => value as never;
const rows = (count: number): Tensor => zeros([count, 2]);

describe("a PackedSequence", () => {
  it("copies its lists, keeps its rows, and works out the other permutation", () => {
    const data = rows(4);
    const batchSizes = [3, 1];
    const packed = new PackedSequence(data, batchSizes, [2, 0, 1]);
    batchSizes[0] = 9;
    expect(packed.data).toBe(data);
    expect(packed.batchSizes).toEqual(Int32Array.of(3, 1));
    expect(packed.batch).toBe(3);
    expect(packed.unsortedIndices).toEqual(Int32Array.of(1, 2, 0));
    expect(new PackedSequence(data, [3, 1], null, [1, 2, 0]).sortedIndices).toEqual(Int32Array.of(2, 0, 1));
    expect(new PackedSequence(data, BigInt64Array.of(4n)).sortedIndices).toBeNull();
    expect(() => Object.assign(packed, { batchSizes: null })).toThrow(TypeError);
  });

  it.each<[string, () => unknown, Kind, string]>([
    ["sizes that sum to less", () => new PackedSequence(rows(4), [2, 1]), RangeError, "ERR_LENGTHS"],
    ["sizes that sum to more", () => new PackedSequence(rows(4), [3, 2]), RangeError, "ERR_LENGTHS"],
    ["sizes that increase", () => new PackedSequence(rows(4), [1, 3]), RangeError, "ERR_LENGTHS"],
    ["a size of 0", () => new PackedSequence(rows(4), [4, 0]), RangeError, "ERR_LENGTHS"],
    ["a negative size", () => new PackedSequence(rows(4), [5, -1]), RangeError, "ERR_LENGTHS"],
    ["a fractional size", () => new PackedSequence(rows(4), [3.5, 0.5]), RangeError, "ERR_LENGTHS"],
    ["no steps", () => new PackedSequence(rows(0), []), RangeError, "ERR_LENGTHS"],
    ["data of no dims", () => new PackedSequence(tensor(1), [1]), RangeError, "ERR_SHAPE"],
    ["data that is an array", () => new PackedSequence(never([1]), [1]), TypeError, "ERR_ARG_TYPE"],
    ["no sizes", () => new PackedSequence(rows(1), never(undefined)), TypeError, "ERR_ARG_TYPE"],
    ["a permutation of fewer", () => new PackedSequence(rows(4), [3, 1], [1, 0]), RangeError, "ERR_ARG_VALUE"],
    ["an index twice", () => new PackedSequence(rows(4), [3, 1], [0, 1, 1]), RangeError, "ERR_ARG_VALUE"],
    ["an index beyond", () => new PackedSequence(rows(4), [3, 1], [0, 1, 3]), RangeError, "ERR_ARG_VALUE"],
    ["a negative index", () => new PackedSequence(rows(4), [3, 1], [0, 1, -1]), RangeError, "ERR_ARG_VALUE"],
    [
      "permutations that do not undo each other",
      () => new PackedSequence(rows(4), [3, 1], [1, 2, 0], [1, 2, 0]),
      RangeError,
      "ERR_ARG_VALUE",
    ],
  ])("refuses %s", (_, make, kind, code) => {
    expectCoded(make, kind, code);
  });

  it.each<[string, (list: number[]) => Ints]>([
    ["arrays", (list) => list],
    ["Int32Arrays", (list) => Int32Array.from(list)],
    ["parts of an Int32Array", (list) => Int32Array.from([7, ...list, 7]).subarray(1, -1)],
    ["BigInt64Arrays", (list) => BigInt64Array.from(list, BigInt)],
    ["tensors", (list) => tensor(list, "int32")],
  ])("keeps copies of its lists, whatever they came as: %s", (_, form) => {
    const overwrite = (list: Ints): void => {
      const array = (list instanceof Tensor ? list.data : list) as number[] | BigInt64Array;
      array.fill((array instanceof BigInt64Array ? 99n : 99) as never);
    };
    const given = [form([3, 1]), form([2, 0, 1]), form([1, 2, 0])] as const;
    const packed = new PackedSequence(rows(4), ...given);
    given.forEach(overwrite);
    expect(packed.batchSizes).toEqual(Int32Array.of(3, 1));
    expect(packed.sortedIndices).toEqual(Int32Array.of(2, 0, 1));
    expect(packed.unsortedIndices).toEqual(Int32Array.of(1, 2, 0));

    const lengths = form([2, 1]);
    const padded = packPaddedSequence(zeros([2, 2, 3]), lengths);
    overwrite(lengths);
    expect(padded.batchSizes).toEqual(Int32Array.of(2, 1));

    const same = form([0, 1]); // its own inverse
    const inverse = invertPermutation(same);
    overwrite(same);
    expect(inverse).toEqual(Int32Array.of(0, 1));
  });

  it("is judged again wherever it is given, for its lists can be written to", () => {
    const packed = new PackedSequence(rows(4), [3, 1], [2, 0, 1]);
    expect(PackedSequence.from("input", packed)).toBe(packed);
    packed.batchSizes[1] = 1e9;
    expectCoded(() => padPackedSequence(packed), RangeError, "ERR_LENGTHS", "batchSizes");
    packed.batchSizes[1] = 1;
    packed.sortedIndices?.fill(-5);
    expectCoded(() => unpackSequence(packed), RangeError, "ERR_ARG_VALUE", "sortedIndices");
    packed.sortedIndices?.set([0, 1, 2]);
    expectCoded(() => padPackedSequence(packed), RangeError, "ERR_ARG_VALUE", "unsortedIndices");
    const data = Float32Array.of(1, 2);
    const gone = new PackedSequence({ data, shape: [2, 1] }, [2]);
    structuredClone(data.buffer, { transfer: [data.buffer] });
    expectCoded(() => padPackedSequence(gone), RangeError, "ERR_SHAPE", "detached");
  });

  it("of another copy of the package is taken by its fields", () => {
    const { data, batchSizes, sortedIndices, unsortedIndices } = new PackedSequence(rows(4), [3, 1], [2, 0, 1]);
    const alike = { data, batchSizes, sortedIndices, unsortedIndices };
    expect(isPacked(never(alike))).toBe(true);
    expect(unpackSequence(never(alike)).map(({ shape }) => shape[0])).toEqual([1, 1, 2]);
    expectCoded(() => unpackSequence(never({ ...alike, batchSizes: [9] })), RangeError, "ERR_LENGTHS");
  });

  it.each([[null], [3], [{}], [[]], [zeros([1])]])("is not %s", (value) => {
    expect(isPacked(never(value))).toBe(false);
    expectCoded(() => padPackedSequence(never(value)), TypeError, "ERR_ARG_TYPE", "a PackedSequence");
    expectCoded(() => unpackSequence(never(value)), TypeError, "ERR_ARG_TYPE", "a PackedSequence");
  });
});

describe("packing", () => {
  const grid = tensor(
    [
      [1, 2, 3],
      [4, 5, 0],
      [6, 0, 0],
    ],
    "int32",
  ); // (T, B), lengths 3, 2, 1

  it("takes any dtype and any dims behind (T, B)", () => {
    expect(packPaddedSequence(grid, [3, 2, 1]).data).toEqual(tensor([1, 2, 3, 4, 5, 6], "int32"));
    const deep = packPaddedSequence(ones([2, 3, 4, 5], "float64"), [2, 2, 1]);
    expect(deep.data.shape).toEqual([5, 4, 5]);
    expect(deep.data.dtype).toBe("float64");
  });

  it("takes lengths in every form and never writes to them", () => {
    const lengths = [1, 3, 2];
    const forms = [lengths, Int32Array.from(lengths), BigInt64Array.from(lengths, BigInt), tensor(lengths, "int32")];
    for (const form of forms) {
      const { batchSizes, sortedIndices } = packPaddedSequence(grid, form, { enforceSorted: false });
      expect(batchSizes).toEqual(Int32Array.of(3, 2, 1));
      expect(sortedIndices).toEqual(Int32Array.of(1, 2, 0));
    }
    expect(lengths).toEqual([1, 3, 2]);
  });

  it("keeps ties in order", () => {
    const packed = packPaddedSequence(zeros([3, 6]), [2, 3, 2, 1, 3, 2], { enforceSorted: false });
    expect(packed.sortedIndices).toEqual(Int32Array.of(1, 4, 0, 2, 5, 3));
    expect(packPaddedSequence(zeros([3, 6]), [3, 3, 2, 2, 2, 1]).sortedIndices).toBeNull();
  });

  it("takes lengths shorter than the batch, and a strided input", () => {
    expect(packPaddedSequence(grid, [1, 1, 1]).batchSizes).toEqual(Int32Array.of(3));
    const transposed = { data: grid.data, shape: [3, 3], stride: [1, 3], offset: 0 };
    const packed = packPaddedSequence(transposed, [3, 2, 1], { batchFirst: true });
    expect(packed.data.toArray()).toEqual([1, 2, 3, 4, 5, 6]);
  });

  const pad = (options: unknown) => () => padPackedSequence(new PackedSequence(rows(4), [3, 1]), never(options));
  const list = [zeros([3, 2]), zeros([1, 2])];
  it.each<[string, () => unknown, Kind, string, string]>([
    ["a length of 0", () => packPaddedSequence(grid, [3, 2, 0]), RangeError, "ERR_LENGTHS", "0 for sequence 2"],
    ["a negative length", () => packPaddedSequence(grid, [3, 2, -1]), RangeError, "ERR_LENGTHS", "-1 for sequence 2"],
    ["a fractional length", () => packPaddedSequence(grid, [3, 1.5, 1]), RangeError, "ERR_LENGTHS", "1.5"],
    ["a NaN length", () => packPaddedSequence(grid, [3, nan, 1]), RangeError, "ERR_LENGTHS", "NaN"],
    ["a length beyond T", () => packPaddedSequence(grid, [4, 2, 1]), RangeError, "ERR_LENGTHS", "from 1 to 3"],
    ["a length of 2^31", () => packPaddedSequence(grid, [2 ** 31, 2, 1]), RangeError, "ERR_LENGTHS", "2147483648"],
    ["too few lengths", () => packPaddedSequence(grid, [3, 2]), RangeError, "ERR_LENGTHS", "3 lengths"],
    ["too many lengths", () => packPaddedSequence(grid, [3, 2, 1, 1]), RangeError, "ERR_LENGTHS", "but got 4"],
    ["unsorted lengths", () => packPaddedSequence(grid, [3, 1, 2]), RangeError, "ERR_LENGTHS", "enforceSorted: false"],
    ["no lengths", () => packPaddedSequence(grid, never(undefined)), TypeError, "ERR_ARG_TYPE", "lengths"],
    ["lengths of strings", () => packPaddedSequence(grid, never(["3"])), TypeError, "ERR_ARG_TYPE", "lengths"],
    ["a 2-D list of lengths", () => packPaddedSequence(grid, grid), RangeError, "ERR_SHAPE", "1-D"],
    ["one dim", () => packPaddedSequence(zeros([3]), [3]), RangeError, "ERR_SHAPE", "(T, B, *)"],
    ["no features", () => packPaddedSequence(zeros([3, 1, 0]), [3]), RangeError, "ERR_SHAPE", "not empty"],
    ["no steps", () => packPaddedSequence(zeros([0, 1, 2]), [1]), RangeError, "ERR_SHAPE", "not empty"],
    ["no batch", () => packPaddedSequence(zeros([3, 0, 2]), []), RangeError, "ERR_SHAPE", "not empty"],
    [
      "batch_first",
      () => packPaddedSequence(grid, [3, 2, 1], never({ batch_first: true })),
      TypeError,
      "ERR_OPTION",
      'did you mean "batchFirst"?',
    ],
    [
      "enforceSorted null",
      () => packPaddedSequence(grid, [3, 2, 1], never({ enforceSorted: null })),
      TypeError,
      "ERR_ARG_TYPE",
      "enforceSorted",
    ],
    ["a totalLength below the longest", pad({ totalLength: 1 }), RangeError, "ERR_LENGTHS", "at least 2"],
    ["a fractional totalLength", pad({ totalLength: 2.5 }), RangeError, "ERR_ARG_VALUE", "totalLength"],
    ["a totalLength of text", pad({ totalLength: "3" }), TypeError, "ERR_ARG_TYPE", "totalLength"],
    ["a totalLength that no memory holds", pad({ totalLength: 2 ** 50 }), RangeError, "ERR_ARG_VALUE", "totalLength"],
    ["a paddingValue of null", pad({ paddingValue: null }), TypeError, "ERR_ARG_TYPE", "paddingValue"],
    ["packSequence: unsorted", () => packSequence([...list].reverse()), RangeError, "ERR_LENGTHS", "3 after 1"],
    ["packSequence: nothing", () => packSequence([]), RangeError, "ERR_ARG_VALUE", "at least one"],
    ["packSequence: a length of 0", () => packSequence([zeros([0, 2])]), RangeError, "ERR_LENGTHS", "0 for sequence 0"],
    ["packSequence: no features", () => packSequence([zeros([2, 0])]), RangeError, "ERR_SHAPE", "not empty"],
    ["packSequence: other features", () => packSequence([...list, ones([1, 3])]), RangeError, "ERR_SHAPE", "[2]"],
    ["packSequence: another rank", () => packSequence([...list, ones([1])]), RangeError, "ERR_SHAPE", "[2]"],
    ["packSequence: no dims", () => packSequence([tensor(1)]), RangeError, "ERR_SHAPE", "(L, *)"],
    [
      "packSequence: another dtype",
      () => packSequence([...list, ones([1, 2], "float64")]),
      TypeError,
      "ERR_DTYPE",
      "[2]",
    ],
    ["packSequence: a tensor", () => packSequence(never(list[0])), TypeError, "ERR_ARG_TYPE", "an array of tensors"],
    ["packSequence: a list of lists", () => packSequence(never([[1]])), TypeError, "ERR_ARG_TYPE", "sequences[0]"],
    [
      "padSequence: a side of top",
      () => padSequence(list, { paddingSide: never("top") }),
      RangeError,
      "ERR_ARG_VALUE",
      "left",
    ],
    ["padSequence: a side of 1", () => padSequence(list, { paddingSide: never(1) }), TypeError, "ERR_ARG_TYPE", "left"],
    [
      "padSequence: padding_value",
      () => padSequence(list, never({ padding_value: 1 })),
      TypeError,
      "ERR_OPTION",
      "paddingValue",
    ],
    [
      "padSequence: a fraction beside int32",
      () => padSequence([ones([1], "int32")], { paddingValue: 0.5 }),
      RangeError,
      "ERR_ARG_VALUE",
      "paddingValue",
    ],
    [
      "unpadSequence: a length beyond T",
      () => unpadSequence(grid, [4, 0, 0]),
      RangeError,
      "ERR_LENGTHS",
      "from 0 to 3",
    ],
    ["unpadSequence: a negative length", () => unpadSequence(grid, [-1, 0, 0]), RangeError, "ERR_LENGTHS", "-1"],
    ["unpadSequence: too few lengths", () => unpadSequence(grid, [1, 1]), RangeError, "ERR_LENGTHS", "3 lengths"],
    ["unpadSequence: one dim", () => unpadSequence(zeros([3]), [1]), RangeError, "ERR_SHAPE", "(T, B, *)"],
    ["invertPermutation: an index twice", () => invertPermutation([0, 0]), RangeError, "ERR_ARG_VALUE", "without 1"],
    ["invertPermutation: an index beyond", () => invertPermutation([1, 2]), RangeError, "ERR_ARG_VALUE", "without 0"],
    ["invertPermutation: a fraction", () => invertPermutation([0.5]), RangeError, "ERR_ARG_VALUE", "0.5"],
    ["invertPermutation: null", () => invertPermutation(never(null)), TypeError, "ERR_ARG_TYPE", "null"],
  ])("refuses %s", (_, call, kind, code, message) => {
    expectCoded(call, kind, code, message);
  });
});

describe("padding", () => {
  const list = [tensor([1, 2, 3]), tensor([4]), tensor([5, 6])];

  it("puts the padding on either side", () => {
    expect(padSequence(list, { batchFirst: true }).toArray()).toEqual([
      [1, 2, 3],
      [4, 0, 0],
      [5, 6, 0],
    ]);
    const left = { paddingSide: "left", paddingValue: -1 } as const;
    expect(padSequence(list, { batchFirst: true, ...left }).toArray()).toEqual([
      [1, 2, 3],
      [-1, -1, 4],
      [-1, 5, 6],
    ]);
    expect(padSequence(list, left).toArray()).toEqual([
      [1, -1, -1],
      [2, -1, 5],
      [3, 4, 6],
    ]);
  });

  it("pads with NaN, infinity, -0 and integers", () => {
    const last = (paddingValue: number): number => padSequence(list, { paddingValue }).at(-1, 1);
    const lastPacked = (paddingValue: number): number =>
      padPackedSequence(packSequence(list.toSpliced(1, 1)), { paddingValue })[0].at(-1, 1);
    for (const value of [nan, Number.NEGATIVE_INFINITY, -0]) {
      expect(last(value)).toBe(value);
      expect(lastPacked(value)).toBe(value);
    }
    const packed = packSequence([tensor([1, 2], "int32"), tensor([3], "int32")]);
    expect(padPackedSequence(packed, { paddingValue: -7 })[0].data).toEqual(Int32Array.of(1, 3, 2, -7));
  });

  it("pads sequences of no steps, which packing refuses", () => {
    expect(padSequence([zeros([0, 2]), ones([1, 2])]).toArray()).toEqual([
      [
        [0, 0],
        [1, 1],
      ],
    ]);
    expect(padSequence([zeros([0, 2])]).shape).toEqual([0, 1, 2]);
    expect(unpadSequence(padSequence(list), [3, 0, 2]).map((t) => t.toArray())).toEqual([[1, 2, 3], [], [5, 6]]);
  });
});
