// The laws of the batch job on random sources: each sequence exactly once, in order, with the bits it has alone, whatever
// the lengths, the budget, the concurrency, the kind of source and how the consumer dawdles; and when it ends early,
// a prefix of just that.

import fc from "fast-check";
import { expect, it } from "vitest";
import { type MapOptions, rand, type Tensor } from "../lib/index.js";
import { cellOf, expectSameResults, gru, lstm, type Results, resultsOf } from "./support/cells.js";
import { expectSameBits } from "./support/compare.js";

const models = [
  lstm.make(3, 4),
  lstm.make(2, 17, { bidirectional: true, numLayers: 2 }),
  lstm.make(1, 6, { projSize: 2, bidirectional: true, bias: false }),
  gru.make(3, 7, { bidirectional: true, numLayers: 2 }),
  cellOf("rnn_tanh").make(2, 5),
];

const jobs = fc.record({
  model: fc.constantFrom(...models),
  lengths: fc.array(fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 70 })), { maxLength: 40 }),
  maxBatchTokens: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 300 })),
  concurrency: fc.integer({ min: 1, max: 4 }),
  outputs: fc.constantFrom<("all" | "last")[]>("all", "last"),
  source: fc.constantFrom("sync", "async", "waiting"),
  pause: fc.integer({ min: 0, max: 9 }), // the consumer turns the event loop after so many results; 0: never
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function open(kind: string, sequences: readonly Tensor[]): Iterable<Tensor> | AsyncIterable<Tensor> {
  if (kind === "sync") return sequences.values();
  return (async function* () {
    for (const [i, sequence] of sequences.entries()) {
      if (kind === "waiting" && i % 3 === 1) await turn();
      yield sequence;
    }
  })();
}

it("every sequence once, in order, with the bits it has alone", async () => {
  await fc.assert(
    fc.asyncProperty(jobs, async ({ model, lengths, source, pause, ...options }) => {
      const sequences = lengths.map((length) => rand([length, model.inputSize]));
      let next = 0;
      for await (const { index, item, output, ...final } of model.map(open(source, sequences), options)) {
        expect(index).toBe(next);
        expect(item).toBe(sequences[next]);
        const { output: all, ...wanted } = resultsOf(...model.forward(item));
        expectSameResults(final as Results, wanted as Results);
        if (options.outputs === "all") expectSameBits(output, all);
        else expect(output.data).toEqual(wanted.hn.data.slice(-(output.shape[0] as number)));
        next++;
        if (pause > 0 && next % pause === 0) await turn();
      }
      expect(next).toBe(sequences.length);
    }),
    { numRuns: 200 },
  );
});

it("up to where it is left, aborted or fails, and no further", async () => {
  const endings = fc.constantFrom("left", "aborted", "failing item", "failing source");
  await fc.assert(
    fc.asyncProperty(jobs, endings, fc.nat(), async ({ model, lengths, source, pause, ...given }, ending, place) => {
      const sequences = lengths.map((length) => rand([length, model.inputSize]));
      const end = sequences.length === 0 ? 0 : place % sequences.length;
      const controller = new AbortController();
      const options: MapOptions<Tensor> & Required<Pick<MapOptions<Tensor>, "features">> = {
        ...given,
        signal: controller.signal,
        features: (item, index) => {
          if (ending === "failing item" && index === end) throw new Error("bad item");
          return item;
        },
      };
      function* failing(): Generator<Tensor> {
        yield* sequences.slice(0, end);
        throw new Error("bad source");
      }
      const from = ending === "failing source" ? failing() : open(source, sequences);
      const seen: number[] = [];
      let error: unknown;
      try {
        for await (const { index, item, hn } of model.map(from, options)) {
          seen.push(index);
          expectSameBits(hn, resultsOf(...model.forward(item)).hn);
          if (pause > 0 && index % pause === 0) await turn();
          if (index !== end) continue;
          if (ending === "left") break;
          if (ending === "aborted") controller.abort("enough");
        }
      } catch (reason) {
        error = reason;
      }
      const count = ending.startsWith("failing") ? end : end + 1;
      expect(seen).toEqual(sequences.slice(0, count).map((_, i) => i));
      if (ending === "failing source") expect(error).toMatchObject({ message: "bad source" });
      else if (sequences.length === 0 || ending === "left") expect(error).toBeUndefined();
      else if (ending === "aborted") expect(error).toBe("enough");
      else expect(error).toMatchObject({ code: "ERR_ITEM", index: end, cause: { message: "bad item" } });
    }),
    { numRuns: 200 },
  );
});
