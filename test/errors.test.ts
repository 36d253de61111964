// Bad calls of the LSTM and of what feeds it, each a row of a table in errors/: input → class, code, and a piece of the
// message. After every one of them the models must be what they were. Bad files are in safetensors.test.ts, more state
// dicts in state-dict.test.ts, aborts in async.test.ts, and what the raw addon makes of nonsense in binding.test.ts.

import { describe, expect, it } from "vitest";
import { Embedding, getNumThreads, Linear, LSTM, rand, zeros } from "../lib/index.js";
import { construction, threads } from "./errors/construction.js";
import { dicts } from "./errors/dicts.js";
import { inputs, states } from "./errors/inputs.js";
import { embedding, embeddingRows, linear, linearRows } from "./errors/modules.js";
import { packing } from "./errors/packing.js";
import {
  any,
  batchFirst,
  detachedTensor,
  good,
  h,
  lstm,
  type Row,
  resizedTensor,
  stacked,
  x,
} from "./errors/subjects.js";
import { checkCoded, expectCoded, rejection } from "./support/expect-coded.js";

const tables: Record<string, readonly Row[]> = {
  "the constructor": construction,
  input: inputs,
  state: states,
  "packed sequences": packing,
  "state dicts": dicts,
  Linear: linearRows,
  Embedding: embeddingRows,
  threads,
};

const snapshot = () => [
  ...[lstm, stacked, batchFirst].map((model) => [model.forward(x), model.stateDict()]),
  [linear.forward(x), linear.stateDict(), embedding.forward([4, 0]), embedding.stateDict()],
];
const before = snapshot();
const threadsBefore = getNumThreads();

for (const [name, rows] of Object.entries(tables)) {
  describe(name, () => {
    it.each(rows)("%s", (_, call, kind, code, piece) => {
      const { message } = expectCoded(call, kind, code, piece);
      expect(message.length).toBeLessThan(600);
      expect(message).not.toMatch(/undefined argument|\[object|function anonymous/);
    });

    it("leaves the models as they were", () => {
      expect(snapshot()).toEqual(before);
      expect(getNumThreads()).toBe(threadsBefore);
    });
  });
}

describe("the table", () => {
  it("has at least sixty rows, each with a name of its own and a piece of its message", () => {
    const rows = Object.values(tables).flat();
    expect(rows.length).toBeGreaterThanOrEqual(60);
    expect(new Set(rows.map(([what]) => what)).size).toBe(rows.length);
    expect(rows.every(([, , , , piece]) => piece.length > 0)).toBe(true);
  });

  it("holds for forwardAsync, as rejections", async () => {
    const bad: [unknown, unknown][] = [
      [rand([5, 2, 4]), null],
      [zeros([0, 2, 3]), null],
      [detachedTensor([5, 2, 3]), null],
      [resizedTensor([5, 2, 3], 8), null],
      [x, [h]],
      [x, [rand([1, 3, 4]), h]],
      [x, [h, detachedTensor([1, 2, 4])]],
      [rand([5, 2, 3], "float64"), null],
    ];
    checkCoded(await rejection(linear.forwardAsync(rand([2, 5]))), RangeError, "ERR_SHAPE", "(*, 3)");
    checkCoded(await rejection(linear.forwardAsync(x, { signal: any(3) })), TypeError, "ERR_ARG_TYPE", "signal");
    for (const [input, hx] of bad) {
      const sync = caught(() => lstm.forward(any(input), any(hx)));
      const { name, code, message } = sync as Error & { code: string };
      const kind = name === "TypeError" ? TypeError : RangeError;
      checkCoded(await rejection(lstm.forwardAsync(any(input), any(hx))), kind, code, message);
    }
  });
});

describe("after dispose", () => {
  const gone = new LSTM(3, 4);
  gone.dispose();
  const [goneLinear, goneEmbedding] = [new Linear(3, 4), new Embedding(5, 2)];
  for (const module of [goneLinear, goneEmbedding]) for (let n = 0; n < 2; n++) module.dispose();
  it.each<[string, () => unknown]>([
    ["forward", () => gone.forward(x)],
    ["forward of nonsense", () => gone.forward(any(3))],
    ["stateDict", () => gone.stateDict()],
    ["loadStateDict", () => gone.loadStateDict(good)],
    ["Linear's forward", () => goneLinear.forward(x)],
    ["Linear's stateDict", () => goneLinear.stateDict()],
    ["Linear's loadStateDict", () => goneLinear.loadStateDict(linear.stateDict())],
    ["Embedding's forward", () => goneEmbedding.forward([0])],
    ["Embedding's stateDict", () => goneEmbedding.stateDict()],
    ["Embedding's loadStateDict", () => goneEmbedding.loadStateDict(embedding.stateDict())],
  ])("%s", (_, call) => {
    expectCoded(call, Error, "ERR_DISPOSED", "dispose");
  });

  it("forwardAsync", async () => {
    checkCoded(await rejection(goneLinear.forwardAsync(x)), Error, "ERR_DISPOSED", "Linear: used after dispose()");
    checkCoded(await rejection(gone.forwardAsync(x)), Error, "ERR_DISPOSED", "dispose");
  });
});

function caught(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}
