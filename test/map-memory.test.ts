// Whose memory the results of a batch job are: nobody but the caller writes to it, what he does to one result reaches no
// other, and what he transfers away is missed by name.

import { describe, expect, it } from "vitest";
import { LSTM, type MapOptions, type MapResult, rand, type Tensor } from "../lib/index.js";
import { expectSameBits } from "./support/compare.js";
import { checkCoded, rejection } from "./support/expect-coded.js";
import { detach } from "./support/odd-buffers.js";

const models: [string, LSTM][] = [
  ["one layer", new LSTM(3, 4)],
  ["three layers", new LSTM(3, 4, { numLayers: 3 })],
  ["two directions with a projection", new LSTM(3, 4, { numLayers: 2, bidirectional: true, projSize: 2 })],
  ["float64", new LSTM(3, 4, { dtype: "float64" })],
];
const outputs = ["all", "last"] as const;
const fields = ["output", "hn", "cn"] as const;

const inputs = (model: LSTM, count = 40): Tensor[] =>
  Array.from({ length: count }, (_, i) => rand([1 + ((i * 7) % 9), 3], model.dtype));

type Wanted = Record<(typeof fields)[number], Tensor>;

/** What each sequence gives alone. */
function alone(model: LSTM, sequences: readonly Tensor[], kind: "all" | "last"): Wanted[] {
  return sequences.map((sequence) => {
    const [output, [hn, cn]] = model.forward(sequence);
    if (kind === "all") return { output, hn, cn };
    const real = model.projSize || model.hiddenSize;
    const ways = model.bidirectional ? 2 : 1;
    const last = hn.slice(0, -ways).reshape([ways * real]);
    return { output: last, hn, cn };
  });
}

describe.each(models)("%s", (_, model) => {
  describe.each(outputs)('outputs "%s"', (kind) => {
    it("passes side by side write to arrays of their own", async () => {
      const sequences = inputs(model, 300);
      const wanted = alone(model, sequences, kind);
      for (const concurrency of [1, 2, 4]) {
        const kept: MapResult<unknown>[] = [];
        for await (const result of model.map(sequences, { outputs: kind, concurrency, maxBatchTokens: 20 })) {
          kept.push(result);
          for (const field of fields) expectSameBits(result[field], wanted[result.index]?.[field] as Tensor);
        }
        // And still when every later batch has been through the arrays that may be used again.
        for (const result of kept)
          for (const field of fields) expectSameBits(result[field], wanted[result.index]?.[field] as Tensor);
      }
    });

    it.each(fields)("writing to one %s changes no other tensor", async (field) => {
      const sequences = inputs(model);
      const wanted = alone(model, sequences, kind);
      for await (const result of model.map(sequences, { outputs: kind, maxBatchTokens: 60 })) {
        for (const other of fields) expectSameBits(result[other], wanted[result.index]?.[other] as Tensor);
        result[field].data.fill(Number.NaN);
        for (const other of fields)
          if (other !== field) expectSameBits(result[other], wanted[result.index]?.[other] as Tensor);
      }
    });

    it.each(fields)("transferring one %s away is an error that names it, at the next of its batch", async (field) => {
      const options: MapOptions<Tensor> = { outputs: kind };
      const results = model.map(inputs(model), options);
      const first = await results.next();
      detach((first.value as MapResult<unknown>)[field].data);
      const error = checkCoded(await rejection(results.next()), RangeError, "ERR_SHAPE", `${field}: expected`);
      expect(error.message).toContain("detached");
      expect(error.message).toContain("slice(0)");
      expect(await results.next()).toEqual({ done: true, value: undefined });
    });
  });
});

it("a copy may be transferred in the loop", async () => {
  const [, model] = models[1] as [string, LSTM];
  let bytes = 0;
  for await (const { output } of model.map(inputs(model))) {
    const copy = output.slice(0);
    bytes += copy.data.byteLength;
    detach(copy.data);
  }
  expect(bytes).toBeGreaterThan(0);
});

it("layers pass their rows on through arrays that no other pass is using, large passes at once", async () => {
  const model = new LSTM(16, 64, { numLayers: 3 });
  const sequences = Array.from({ length: 160 }, (_, i) => rand([40 + ((i * 7) % 50), 16]));
  const wanted = alone(model, sequences, "last");
  for (const concurrency of [4, 1]) {
    for await (const result of model.map(sequences, { outputs: "last", concurrency, maxBatchTokens: 500 })) {
      for (const field of fields) expectSameBits(result[field], wanted[result.index]?.[field] as Tensor);
    }
  }
});
