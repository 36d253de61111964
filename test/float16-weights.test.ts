// Weights stored in float16: each is the nearest float16, and whatever way sequences go through, the bits are those of a
// float32 LSTM with the same rounded weights. vitest.config.ts runs this on each instruction set.

import { afterEach, describe, expect, it } from "vitest";
import { getNumThreads, LSTM, manualSeed, rand, runtimeInfo, setNumThreads, type Tensor } from "../lib/index.js";
import { roundToFloat16, widenFloat16 } from "../lib/weights/half.js";
import { type Cell, expectSameList, lstm, named } from "./support/cells.js";
import { expectSameBits } from "./support/compare.js";
import * as passes from "./support/exactness-passes.js";
import { SHAPES, type Shape, shapesOf } from "./support/exactness-shapes.js";
import { expectCoded } from "./support/expect-coded.js";

const threadsBefore = getNumThreads();
afterEach(() => setNumThreads(threadsBefore));

/** Every finite float16 from 0 up, ascending: 0, 2^-24, … 65504. */
const halves = Array.from(widenFloat16(Uint16Array.from({ length: 0x7c00 }, (_, bits) => bits)));

/** The nearest float16 by search; between two, the one whose place is even, as its last bit is then 0. */
function nearestHalf(value: number): number {
  const size = Math.abs(value);
  let low = 0;
  let high = halves.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (halves[middle]! <= size) low = middle;
    else high = middle;
  }
  const [below, above] = [size - halves[low]!, halves[high]! - size];
  const place = below === above ? (low % 2 === 0 ? low : high) : below < above ? low : high;
  return value < 0 ? -halves[place]! : halves[place]!;
}

function rounded(...values: number[]): number[] {
  const array = Float32Array.from(values);
  roundToFloat16("values", array);
  return Array.from(array);
}

describe("rounding to float16", () => {
  it("keeps what is one: all 65,536, infinities and NaN too", () => {
    const all = widenFloat16(Uint16Array.from({ length: 65536 }, (_, bits) => bits));
    const words = new Uint32Array(all.slice().buffer);
    roundToFloat16("all", all);
    expect(new Uint32Array(all.buffer)).toEqual(words);
  });

  it("takes the nearest of any value", () => {
    manualSeed(16);
    const draws = rand([20000]).data;
    const values = Array.from(draws, (draw, i) => Math.fround((2 * draw - 1) * 2 ** ((i % 45) - 29)));
    expect(rounded(...values)).toEqual(values.map(nearestHalf));
  });

  it("takes the even one of two as near", () => {
    const ties = Array.from({ length: 2000 }, (_, i) => (halves[i * 15]! + halves[i * 15 + 1]!) / 2);
    expect(rounded(...ties)).toEqual(Array.from({ length: 2000 }, (_, i) => halves[i * 15 + (i % 2)]!));
  });

  it("keeps the sign of what becomes zero", () => {
    expect(rounded(-(2 ** -25), 2 ** -25, -1e-40, -0)).toEqual([-0, 0, -0, -0]);
  });

  it("refuses what becomes infinite, and nothing below it", () => {
    const below = new Float32Array([65519.996]);
    roundToFloat16("below", below);
    expect(below[0]).toBe(65504);
    const tell = "weights: expected values that float16 holds, less than 65520, but got -65520 at place 1";
    expectCoded(() => roundToFloat16("weights", Float32Array.of(1, -65520)), RangeError, "ERR_ARG_VALUE", tell);
    expectCoded(() => roundToFloat16("weights", Float32Array.of(3e38)), RangeError, "ERR_ARG_VALUE", "weights");
  });
});

/** The setup with float16 weights, and one of float32 that has the same, rounded, weights. */
function pair(cell: Cell, shape: Shape): { half: passes.Setup; wide: passes.Setup } {
  const drawn = passes.setUp(cell, shape, "float32");
  const store = (dict: Record<string, Tensor>, weightDtype?: "float16") => ({
    ...drawn,
    timeMajor: cell.fromStateDict(dict, { weightDtype }),
    batchFirst: cell.fromStateDict(dict, { weightDtype, batchFirst: true }),
  });
  const half = store(drawn.timeMajor.stateDict(), "float16");
  return { half, wide: store(half.timeMajor.stateDict()) };
}

describe.each(named)(`float16 weights of %s on ${runtimeInfo().isa}`, (_, cell) => {
  // GRU and RNN go the LSTM's ways through the core: half of the shapes, on two threads.
  const shapes = shapesOf(cell).filter((__, k) => cell === lstm || k % 2 === 0);
  const threadNumbers = cell === lstm ? [1, 2, 3] : [2];

  it.each(shapes.map((shape) => [shape.name, shape] as const))("have the bits of float32: %s", async (__, shape) => {
    const { half, wide } = pair(cell, shape);
    expect([half, wide].map(({ timeMajor }) => timeMajor.weightDtype)).toEqual(["float16", "float32"]);
    setNumThreads(1);
    const expected = passes.alone(wide);
    expect(expected[0]!.output.data.some((x) => x !== 0)).toBe(true);
    expectSameList(passes.alone(half), expected, "alone");
    for (const threads of threadNumbers) {
      setNumThreads(threads);
      expectSameList(passes.packed(half), expected, `packed, ${threads} threads`);
      expectSameList(await passes.packedAsync(half), expected, `packed async, ${threads} threads`);
      expectSameList(passes.aloneBatchFirst(half), expected, `batches of one, ${threads} threads`);
      if (new Set(shape.lengths).size === 1)
        expectSameList(passes.dense(half, false), expected, `dense, ${threads} threads`);
    }
    if (!shape.bidirectional) expectSameList(passes.inPieces(half, 3), expected, "pieces of 3");
  });

  it("have them step by step, and in a batch job", async () => {
    const name = cell === lstm ? "projection" : "no bias";
    const { half, wide } = pair(cell, SHAPES.find((shape) => shape.name === name)!);
    const stream = half.timeMajor.stream();
    const results = half.timeMajor.map(half.sequences);
    for await (const { index, output } of results) {
      const expected = wide.timeMajor.forward(half.sequences[index]!)[0];
      expectSameBits(output, expected, `map, sequence ${index}`);
      stream.reset();
      for (let t = 0; t < expected.shape[0]!; t++) {
        const h = stream.step(half.sequences[index]!.slice(0, t, t + 1));
        expectSameBits(h, expected.slice(0, t, t + 1), `stream, sequence ${index}, step ${t}`);
      }
    }
  });
});

describe(`float16 weights on ${runtimeInfo().isa}`, () => {
  const stored = (weight: number[], inputs: number, x: number[], weightDtype?: "float16"): Tensor => {
    const rows = 4 * Math.ceil(weight.length / inputs / 4);
    const data = new Float32Array(rows * inputs);
    data.set(weight);
    const dict = {
      weight_ih_l0: { data, shape: [rows, inputs] },
      weight_hh_l0: { data: new Float32Array((rows * rows) / 4), shape: [rows, rows / 4] },
    };
    const [, [, cn]] = LSTM.fromStateDict(dict, { weightDtype }).forward({
      data: Float32Array.from(x),
      shape: [1, inputs],
    });
    return cn;
  };

  it("may be any finite float16, the smallest and the largest too", () => {
    const weights = halves.flatMap((half) => [half, -half]);
    for (let k = 0; k < 7; k++) {
      const x = Array.from({ length: 7 }, (_, i) => (i === k ? 2 ** -3 : 0));
      expectSameBits(stored(weights, 7, x, "float16"), stored(weights, 7, x), `column ${k}`);
    }
  });

  it("may be infinite", () => {
    const [half, wide] = (["float16", undefined] as const).map((dtype) =>
      stored(new Array(8).fill(Number.POSITIVE_INFINITY), 1, [1], dtype),
    );
    expect(Array.from(wide!.data)).toEqual([1, 1]);
    expectSameBits(half!, wide!, "infinite weights");
  });
});

describe("a model with float16 weights", () => {
  const made = () => {
    manualSeed(3);
    return new LSTM(5, 9, { numLayers: 2, projSize: 4, weightDtype: "float16" });
  };

  it("says so, and gives its weights rounded and its biases whole", () => {
    const half = made();
    expect([half.dtype, half.weightDtype]).toEqual(["float32", "float16"]);
    manualSeed(3);
    const wide = new LSTM(5, 9, { numLayers: 2, projSize: 4 });
    expect(wide.weightDtype).toBe("float32");
    for (const [name, { data }] of Object.entries(wide.stateDict())) {
      const expected = name.startsWith("weight") ? rounded(...data) : Array.from(data);
      expect(Array.from(half.stateDict()[name]!.data), name).toEqual(expected);
      if (name.startsWith("weight")) expect(expected).not.toEqual(Array.from(data));
    }
  });

  it("rounds what is loaded later, or keeps what it has", () => {
    const half = made();
    const before = half.forward(rand([3, 5]))[0];
    manualSeed(4);
    const other = new LSTM(5, 9, { numLayers: 2, projSize: 4 }).stateDict();
    const spoilt = { ...other, weight_hr_l1: { data: new Float32Array(36).fill(70000), shape: [4, 9] } };
    const tell = "loadStateDict: weight_hr_l1: expected values that float16 holds, less than 65520, but got 70000";
    manualSeed(3);
    expectCoded(() => half.loadStateDict(spoilt), RangeError, "ERR_ARG_VALUE", tell);
    expect(before.size).toBe(12);
    expect(half.stateDict()).toEqual(made().stateDict());
    half.loadStateDict(other);
    expect(half.stateDict()).toEqual(LSTM.fromStateDict(other, { weightDtype: "float16" }).stateDict());
  });

  it("takes a bias that float16 could not hold", () => {
    const dict = { ...made().stateDict(), bias_ih_l0: { data: new Float32Array(36).fill(1e6), shape: [36] } };
    expect(LSTM.fromStateDict(dict, { weightDtype: "float16" }).stateDict().bias_ih_l0?.data[0]).toBe(1e6);
  });

  it("is named as it was made", () => {
    const tell = 'the parameters of LSTM(5, 9, { numLayers: 2, projSize: 4, weightDtype: "float16" })';
    expectCoded(() => made().loadStateDict({}), RangeError, "ERR_STATE_DICT", tell);
  });
});
