// The batch job, `LSTM.map`: what it gives, from which sources, in which order, how far ahead it reads, and what it tells.
// How it ends before its time is in map-ends.test.ts, its laws on random input in map-properties.test.ts.

import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { LSTM, type MapOptions, type MapProgress, type MapResult, rand, type Tensor, tensor } from "../lib/index.js";
import { expectSameResults, named, type Results, resultsOf } from "./support/cells.js";
import { expectSameBits } from "./support/compare.js";

const lstm = new LSTM(3, 5, { numLayers: 2, bidirectional: true, projSize: 2 });
const lengths = [4, 1, 9, 2, 2, 7, 3, 12, 1, 5];
const sequences = lengths.map((length) => rand([length, 3]));

async function collect<T>(results: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const result of results) all.push(result);
  return all;
}

function expectAlone(results: readonly MapResult<unknown>[], inputs: readonly Tensor[], model = lstm): void {
  expect(results.map(({ index }) => index)).toEqual(inputs.map((_, i) => i));
  for (const [i, { output, hn, cn }] of results.entries()) {
    const [wanted, [wantedH, wantedC]] = model.forward(inputs[i] as Tensor);
    expectSameBits(output, wanted);
    expectSameBits(hn, wantedH);
    expectSameBits(cn, wantedC);
  }
}

describe("map", () => {
  it("gives each sequence what forward gives it alone, in order, whatever the budget", async () => {
    for (const maxBatchTokens of [1, 3, 12, 13, 46, 1000, undefined]) {
      for (const concurrency of [1, 2, 5]) {
        const results = await collect(lstm.map(sequences, { maxBatchTokens, concurrency }));
        expectAlone(results, sequences);
        expect(results.every(({ item, index }) => item === sequences[index])).toBe(true);
      }
    }
  });

  it("grows a batch as it fills, and takes a sequence beyond the budget alone", async () => {
    const inputs = Array.from({ length: 90 }, (_, i) => rand([i === 50 ? 20_000 : 1 + ((i * 31) % 60), 3]));
    expectAlone(await collect(lstm.map(inputs)), inputs);
  });

  it.each<[string, ConstructorParameters<typeof LSTM>[2]]>([
    ["one direction", {}],
    ["two directions", { bidirectional: true }],
    ["three layers", { numLayers: 3 }],
    ["projections, both ways", { numLayers: 2, bidirectional: true, projSize: 3 }],
  ])('with outputs: "last" gives the last layer\'s final h: %s', async (_, options) => {
    const model = new LSTM(3, 5, options);
    const results = await collect(model.map(sequences, { outputs: "last", maxBatchTokens: 10 }));
    const real = model.projSize || model.hiddenSize;
    for (const [i, { output, hn, cn }] of results.entries()) {
      const [all, [wantedH, wantedC]] = model.forward(sequences[i] as Tensor);
      expectSameBits(hn, wantedH);
      expectSameBits(cn, wantedC);
      const forward = [...all.select(0, -1).data.slice(0, real)];
      const backward = model.bidirectional ? [...all.select(0, 0).data.slice(real)] : [];
      expectSameBits(output, tensor([...forward, ...backward]));
    }
  });

  it("is float64 for a float64 model", async () => {
    const model = new LSTM(3, 5, { dtype: "float64" });
    const inputs = lengths.map((length) => rand([length, 3], "float64"));
    expectAlone(await collect(model.map(inputs, { maxBatchTokens: 9 })), inputs, model);
  });

  it("takes batchFirst models, whose sequences look the same", async () => {
    const model = new LSTM(3, 5, { batchFirst: true });
    expectAlone(await collect(model.map(sequences)), sequences, model);
  });

  it("makes sequences of items, at once or by promise, and gives the items back", async () => {
    const words = ["packed", "a", "sequence", "of", "words"];
    const encode = (word: string): Tensor => tensor([...word].map((c) => [c.charCodeAt(0) / 128, word.length, 1]));
    const seen: number[] = [];
    const options: MapOptions<string> & { features: (word: string, index: number) => Tensor } = {
      features: (word, index) => {
        seen.push(index);
        return encode(word);
      },
      maxBatchTokens: 7,
    };
    const results = await collect(lstm.map(words, options));
    expectAlone(results, words.map(encode));
    expect(results.map(({ item }) => item)).toEqual(words);
    expect(seen).toEqual([0, 1, 2, 3, 4]);
    const later = await collect(lstm.map(words, { features: async (word) => encode(await Promise.resolve(word)) }));
    expectAlone(later, words.map(encode));
  });

  it("takes foreign tensors as forward does", async () => {
    const strided = { data: rand([3, 4]).data, shape: [4, 3], stride: [1, 4] };
    const dims = { data: rand([2, 3]).data, dims: [2, 3] };
    const results = await collect(lstm.map([strided, dims]));
    expectSameBits((results[0] as MapResult<unknown>).output, lstm.forward(strided)[0]);
    expectSameBits((results[1] as MapResult<unknown>).output, lstm.forward(dims)[0]);
  });

  it("copies an item when it comes, so that a source may use its memory again", async () => {
    const buffer = rand([4, 3]);
    function* reusing(): Generator<Tensor> {
      for (const sequence of sequences.filter(({ shape }) => shape[0] === 4 || shape[0] === 2)) {
        const same = buffer.slice(0, 0, sequence.shape[0]);
        same.data.set(sequence.data);
        yield same;
        same.data.fill(Number.NaN);
      }
    }
    const results = await collect(lstm.map(reusing(), { maxBatchTokens: 4 }));
    expectAlone(
      results,
      sequences.filter(({ shape }) => shape[0] === 4 || shape[0] === 2),
    );
  });

  it("gives nothing for an empty source, and does not touch one that nobody reads", async () => {
    expect(await collect(lstm.map([]))).toEqual([]);
    expect(await collect(lstm.map((async function* (): AsyncGenerator<Tensor> {})()))).toEqual([]);
    let opened = 0;
    const source = {
      [Symbol.iterator]: () => {
        opened++;
        return sequences[Symbol.iterator]();
      },
    };
    const results = lstm.map(source);
    expect(opened).toBe(0);
    await collect(results);
    expect(opened).toBe(1);
  });
});

describe.each(named)("map of %s", (_, cell) => {
  it("gives each sequence what forward gives it alone, all outputs or the last", async () => {
    const module = cell.make(3, 5, { numLayers: 2, bidirectional: true });
    for (const maxBatchTokens of [1, 13, undefined]) {
      for (const outputs of ["all", "last"] as const) {
        const results = await collect(module.map(sequences, { maxBatchTokens, outputs }));
        expect(results.map(({ index }) => index)).toEqual(sequences.map((__, i) => i));
        for (const { index, item, output, ...final } of results) {
          expect(item).toBe(sequences[index]);
          const { output: whole, ...wanted } = resultsOf(...module.forward(item));
          expectSameResults(final as Results, wanted as Results);
          if (outputs === "all") expectSameBits(output, whole);
          else
            expectSameBits(
              output,
              tensor([...whole.select(0, -1).data.slice(0, 5), ...whole.select(0, 0).data.slice(5)]),
            );
        }
      }
    }
  });
});

describe("the sources", () => {
  async function* slowly(): AsyncGenerator<Tensor> {
    for (const sequence of sequences) {
      await new Promise((resolve) => setTimeout(resolve, sequence.shape[0] as number));
      yield sequence;
    }
  }

  it.each<[string, () => Iterable<Tensor> | AsyncIterable<Tensor>]>([
    ["an array", () => sequences],
    ["a generator", () => sequences.values()],
    ["a Set", () => new Set(sequences)],
    ["an async generator", slowly],
    ["a Node stream", () => Readable.from(sequences)],
    ["a Node stream that waits", () => Readable.from(slowly())],
    ["a web stream", () => Readable.toWeb(Readable.from(sequences)) as unknown as AsyncIterable<Tensor>],
  ])("may be %s", async (_, source) => {
    expectAlone(await collect(lstm.map(source(), { maxBatchTokens: 11 })), sequences);
  });
});

describe("reading ahead", () => {
  /** Takes `count` results of one-step sequences and says how many the source was asked for. */
  async function readAfter(count: number, options: MapOptions<Tensor>): Promise<number> {
    let read = 0;
    function* source(): Generator<Tensor> {
      for (; read < 10_000; ) {
        read++;
        yield rand([1, 3]);
      }
    }
    const results = lstm.map(source(), options);
    for (let i = 0; i < count; i++) await results.next();
    await new Promise((resolve) => setTimeout(resolve, 50)); // long enough for anything that would run on
    const before = read;
    await results.return();
    return before;
  }

  it("goes at most concurrency batches beyond the one that is handed out", async () => {
    for (const concurrency of [1, 2, 4]) {
      for (const count of [1, 7, 10, 11, 25]) {
        const read = await readAfter(count, { maxBatchTokens: 10, concurrency });
        expect(read).toBe((Math.ceil(count / 10) + concurrency) * 10);
      }
    }
  });

  it("keeps one batch computing while the caller is busy with another", async () => {
    expect(await readAfter(1, { maxBatchTokens: 100, concurrency: 1 })).toBe(200);
  });
});

describe("progress", () => {
  it("is told after each batch, before its results", async () => {
    const told: [MapProgress, number][] = [];
    let taken = 0;
    const onProgress = (progress: MapProgress): void => {
      told.push([progress, taken]);
    };
    for await (const _ of lstm.map(sequences, { maxBatchTokens: 14, onProgress })) taken++;
    // 4 + 1 + 9, 2 + 2 + 7 + 3, 12 + 1, 5
    expect(told).toEqual([
      [{ sequences: 3, tokens: 14 }, 0],
      [{ sequences: 7, tokens: 28 }, 3],
      [{ sequences: 9, tokens: 41 }, 7],
      [{ sequences: 10, tokens: 46 }, 9],
    ]);
  });

  it("leaves the event loop free", async () => {
    const model = new LSTM(64, 256);
    const inputs = Array.from({ length: 40 }, () => rand([100, 64]));
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await collect(model.map(inputs, { maxBatchTokens: 1000 }));
    clearInterval(timer);
    expect(turns).toBeGreaterThan(3);
  });
});
