// The least time that made-up limits leave for a pass, worked out by hand: what the projection, the cells and reading the
// weights add, which sizes of caches it asks for, and that nothing reaches more than all of it.

import { describe, expect, it } from "vitest";
import { floorSeconds, readSizes, type Work } from "../lib/runtime/floor.js";
import { betterRoofline, type Roofline } from "../lib/runtime/roofline.js";

const lstm: Work = {
  ...{ cell: "lstm", weightBytes: 4, steps: 10, rows: 10 },
  layers: [{ input: 4 * 64 * 16, recurrent: 4 * 64 * 64, hiddenSize: 64 }],
};
const layer = lstm.layers[0] as Work["layers"][number];

/** Arithmetic is free where `flops` is not given, and reading where `rates` is not. */
function roof(of: { flops?: number; rates?: Record<number, number>; threads?: number }): Roofline {
  const { flops = 1e30, rates = { 1: 1e30 }, threads = 1 } = of;
  const reads = Object.entries(rates).map(([bytes, rate]) => ({ bytes: Number(bytes), rate }));
  return { dtype: "float32", threads, flops, reads };
}

describe("the floor", () => {
  it("has the products and a cell's own operations at the peak", () => {
    const flops = (2 * 16384 + 2 * 4096 + 160 * 64) * 10;
    expect(floorSeconds(lstm, roof({ flops }))).toBeCloseTo(1, 12);
    expect(floorSeconds({ ...lstm, cell: "gru" }, roof({ flops }))).toBeLessThan(1);
  });

  it("has the recurrent weights read once a step, the input's once a pass, however many rows there are", () => {
    const bytes = 4 * (10 * 16384 + 4096);
    for (const rows of [10, 640])
      expect(floorSeconds({ ...lstm, rows }, roof({ rates: { 1: bytes } }))).toBeCloseTo(1, 12);
  });

  it("takes the longer of the two, not both", () => {
    const arithmetic = (2 * 16384 + 160 * 64) * 10;
    const both = roof({ flops: arithmetic, rates: { 1: 10 * 65536 } });
    expect(floorSeconds({ ...lstm, layers: [{ ...layer, input: 0 }] }, both)).toBeCloseTo(1, 12);
  });

  it("adds layers, and directions as layers", () => {
    const at = roof({ flops: 1e6, rates: { 1: 1e6 } });
    expect(floorSeconds({ ...lstm, layers: [layer, layer] }, at)).toBeCloseTo(2 * floorSeconds(lstm, at), 12);
  });

  it("reads a thread's share at the rate of half of it, which a cache that it nearly fills holds for certain", () => {
    const rates = { 16384: 500, 32768: 100, 65536: 20 };
    const without = { ...lstm, layers: [{ ...layer, input: 0 }] };
    expect(floorSeconds(without, roof({ rates }))).toBeCloseTo((10 * 65536) / 100, 9);
    expect(floorSeconds(without, roof({ rates, threads: 2 }))).toBeCloseTo((10 * 65536) / 500, 9);
  });

  it("reads all weights at the rate of all of them where there is one step", () => {
    const rates = { 16384: 500, 40960: 100, 65536: 20 };
    const one = { ...lstm, steps: 1, rows: 1 };
    expect(floorSeconds(one, roof({ rates }))).toBeCloseTo((65536 + 16384) / 100, 9);
  });

  it("names the sizes that it asks for, each once", () => {
    expect(readSizes(lstm, 1)).toEqual([40960, 32768]);
    expect(readSizes({ ...lstm, layers: [layer, layer] }, 2)).toEqual([40960, 16384]);
  });
});

it("the better of two rooflines has the better figure of each size", () => {
  const one = roof({ flops: 3, rates: { 1024: 5, 2048: 4 } });
  const other = roof({ flops: 2, rates: { 1024: 6, 2048: 3 } });
  expect(betterRoofline(one, other)).toEqual(roof({ flops: 3, rates: { 1024: 6, 2048: 4 } }));
});
