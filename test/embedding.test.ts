// Embedding against torch.nn.Embedding: its initial table, what it gives out, maxNorm; every form in which indices come;
// lookups large enough to be shared out over threads.

import { afterEach, describe, expect, it } from "vitest";
import {
  Embedding,
  type ForeignTensor,
  getNumThreads,
  type Ints,
  PackedSequence,
  packSequence,
  setNumThreads,
  Tensor,
  tensor,
  unpackSequence,
} from "../lib/index.js";
import { expectClose, expectSameBits } from "./support/compare.js";
import { checksum } from "./support/fixture.js";
import { modules, rebuildEmbedding, storedTensor } from "./support/modules-fixture.js";

const threadsBefore = getNumThreads();
afterEach(() => setNumThreads(threadsBefore));

describe(`torch ${modules.torch}`, () => {
  it.each(modules.embedding.map((c) => [c.name, c] as const))("%s", (_, c) => {
    const { embedding, input } = rebuildEmbedding(c);
    const { weight } = embedding.stateDict() as { weight: Tensor };
    if (c.weight) expectClose(weight, storedTensor(c.weight), { atol: 0, rtol: 4 * Number.EPSILON });
    else expect(checksum([weight])).toBe(c.crc);
    const output = embedding.forward(input);
    expect(output.shape).toEqual([...c.shape, embedding.embeddingDim]);
    const rtol = c.dtype === "float64" ? 1e-14 : embedding.maxNorm === null ? 0 : 2 ** -22;
    expectClose(output, storedTensor(c.output), { atol: 0, rtol });
  });

  it("scales rows beyond maxNorm down, and only those", () => {
    const scaled = modules.embedding.flatMap((c) => {
      const { embedding } = rebuildEmbedding(c);
      if (embedding.maxNorm === null) return [];
      const given = embedding.forward(Array.from({ length: embedding.numEmbeddings }, (_, i) => i));
      const { weight } = embedding.stateDict() as { weight: Tensor };
      return Array.from({ length: embedding.numEmbeddings }, (_, i) => given.at(i, 0) !== weight.at(i, 0));
    });
    expect(scaled.filter((row) => row).length).toBeGreaterThan(50);
    expect(scaled.filter((row) => !row).length).toBeGreaterThan(20);
  });

  it("pads with a row of zeros at first, and reports paddingIdx from 0 up", () => {
    const embedding = new Embedding(6, 3, { paddingIdx: -2 });
    expect(embedding.paddingIdx).toBe(4);
    expect(embedding.forward([4, 3]).select(0, 0).toArray()).toEqual([0, 0, 0]);
    expect(embedding.forward([3]).data.every((x) => x !== 0)).toBe(true);
  });
});

describe("indices", () => {
  const embedding = Embedding.fromPretrained(
    tensor([
      [1, 10],
      [2, 20],
      [3, 30],
    ]),
  );
  const expected = [
    [3, 30],
    [1, 10],
    [3, 30],
  ];

  it.each<[string, Ints | ForeignTensor]>([
    ["a list", [2, 0, 2]],
    ["an Int32Array", Int32Array.of(2, 0, 2)],
    ["a BigInt64Array", BigInt64Array.of(2n, 0n, 2n)],
    ["an int32 Tensor", tensor([2, 0, 2], "int32")],
    ["an onnxruntime int64 tensor", { data: BigInt64Array.of(2n, 0n, 2n), dims: [3] }],
    ["a strided ndarray", { data: Int32Array.of(2, 9, 0, 9, 2, 9), shape: [3], stride: [2], offset: 0 }],
    ["a strided int64 ndarray", { data: BigInt64Array.of(2n, 9n, 0n, 9n, 2n), shape: [3], stride: [2] }],
  ])("may be %s", (_, indices) => {
    expect(embedding.forward(indices).toArray()).toEqual(expected);
  });

  it("may have any shape, () and an empty one too", () => {
    expect(embedding.forward(new Tensor(Int32Array.of(1), [])).toArray()).toEqual([2, 20]);
    expect(embedding.forward(tensor([[0], [2]], "int32")).shape).toEqual([2, 1, 2]);
    expect(embedding.forward([]).shape).toEqual([0, 2]);
    expect(embedding.forward(new Tensor(new Int32Array(0), [3, 0])).shape).toEqual([3, 0, 2]);
  });

  it("may be packed, in any order", () => {
    const packed = packSequence([tensor([0], "int32"), tensor([2, 1], "int32")], { enforceSorted: false });
    const output = embedding.forward(packed);
    expect(output).toBeInstanceOf(PackedSequence);
    expect(unpackSequence(output).map((rows) => rows.toArray())).toEqual([
      [[1, 10]],
      [
        [3, 30],
        [2, 20],
      ],
    ]);
  });

  it("give copies: what is written to them does not reach the table", () => {
    embedding.forward([0, 1, 2]).data.fill(9);
    expect(embedding.forward([2, 0, 2]).toArray()).toEqual(expected);
  });
});

describe("a large lookup", () => {
  const embedding = new Embedding(1000, 64);
  const indices = new Tensor(
    Int32Array.from({ length: 60_000 }, (_, i) => (i * 7919) % 1000),
    [600, 100],
  );

  it("is the same on any number of threads", () => {
    const { weight } = embedding.stateDict() as { weight: Tensor };
    const expected = weight.indexSelect(0, indices.reshape([-1])).reshape([600, 100, 64]);
    for (const threads of [1, 2, 4]) {
      setNumThreads(threads);
      expectSameBits(embedding.forward(indices), expected, `${threads} threads`);
    }
  });

  it("names the first index that is no row, on any number of threads", () => {
    const bad = new Tensor(indices.data.slice(), indices.shape);
    for (const place of [59_999, 31_000, 17]) {
      bad.data[place] = place % 2 === 0 ? -1 : 1000;
      for (const threads of [1, 2, 4]) {
        setNumThreads(threads);
        const value = place % 2 === 0 ? -1 : 1000;
        const message = `indices from 0 to 999, but got ${value} at place ${place} of shape (600, 100)`;
        expect(() => embedding.forward(bad)).toThrow(message);
      }
    }
  });
});

describe("a table", () => {
  it("is a copy on its way in and out: writing to either changes nothing", () => {
    const given = tensor([
      [1, 2],
      [3, 4],
    ]);
    const made = [
      Embedding.fromStateDict({ weight: given }),
      Embedding.fromPretrained(given),
      Embedding.fromPretrained(given, { maxNorm: 100 }),
      new Embedding(2, 2),
    ];
    made[3]?.loadStateDict({ weight: given });
    given.data.fill(7);
    for (const embedding of made) {
      expect(embedding.forward([1, 0]).toArray()).toEqual([
        [3, 4],
        [1, 2],
      ]);
      const { weight } = embedding.stateDict();
      weight?.data.fill(9);
      expect(embedding.stateDict().weight?.toArray()).toEqual([
        [1, 2],
        [3, 4],
      ]);
    }
  });
});
