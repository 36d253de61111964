// The roof that figures are held against: that it is a rate of this machine at all, grows with the width of the vectors
// and not with the time it is measured for, and what the addon makes of nonsense.

import { describe, expect, it } from "vitest";
import { native } from "../lib/native.js";
import { measureRoofline, type Roofline, readRate } from "../lib/runtime-roofline.js";
import { detach } from "./odd-buffers.js";

const brief = { sizes: [1 << 20, 1 << 14], milliseconds: 2, blocks: 3 };

describe("measureRoofline", () => {
  it("gives rates that a processor can have, the sizes in order", () => {
    const { flops, reads, threads } = measureRoofline(brief);
    expect(threads).toBe(native.getNumThreads());
    expect(flops).toBeGreaterThan(1e7);
    expect(flops).toBeLessThan(threads * 1e12);
    expect(reads.map(({ bytes }) => bytes)).toEqual([1 << 14, 1 << 20]);
    for (const { rate } of reads) {
      expect(rate).toBeGreaterThan(1e8);
      expect(rate).toBeLessThan(threads * 2e12);
    }
  });

  // The scalar kernels hold as many doubles as floats.
  it.skipIf(native.runtimeInfo().isa === "scalar")("finds float32 at about twice the rate of float64", () => {
    const rate = (dtype: "float32" | "float64"): number => measureRoofline({ dtype, ...brief, sizes: [] }).flops;
    const ratio = rate("float32") / rate("float64");
    expect(ratio).toBeGreaterThan(1.2); // 2 on a machine at rest
    expect(ratio).toBeLessThan(3.3);
  });
});

describe("readRate", () => {
  const roofline: Roofline = {
    dtype: "float32",
    threads: 1,
    flops: 1,
    reads: [
      { bytes: 1024, rate: 400 },
      { bytes: 4096, rate: 100 },
    ],
  };

  it.each([
    [1, 400],
    [1024, 400],
    [2048, 200],
    [4096, 100],
    [1e9, 100],
  ])("of %d bytes is %d", (bytes, rate) => expect(readRate(roofline, bytes)).toBeCloseTo(rate, 9));
});

describe("the addon's probe", () => {
  const probe = native.probe as (...args: unknown[]) => number;
  const buffer = new Float32Array(4);
  detach(buffer);
  it.each([
    [],
    ["float16", 0, 1],
    [32, 0, 1],
    ["float32", -1, 1],
    ["float32", 0.5, 1],
    ["float32", Number.NaN, 1],
    ["float32", 2 ** 31, 1],
    ["float32", "16", 1],
    ["float32", buffer, 1],
    ["float64", 0, 0],
    ["float64", 0, 1e9],
    ["float64", 0],
  ])("refuses %o", (...args) => expect(() => probe(...args)).toThrow(/expected/));

  it("reads a buffer of one byte as the smallest it has", () => {
    expect(probe("float64", 1, 1)).toBeGreaterThan(0);
  });
});
