// The roof that figures are held against: that it is a rate which a machine can have, how it is made of its blocks, and
// what the addon makes of nonsense. How high it is depends on who else computes just now, so no test asks.

import { describe, expect, it, vi } from "vitest";
import { native } from "../lib/native.js";
import { measureRoofline, type Roofline, readRate } from "../lib/runtime/roofline.js";
import { detach } from "./support/odd-buffers.js";

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

  it("asks for its dtype at every size and keeps the fastest block", () => {
    const rates = [3, 9, 6, 1, 5, 2, 4, 8, 7];
    const probe = vi.spyOn(native, "probe").mockImplementation(() => rates.shift() ?? 0);
    const { flops, reads } = measureRoofline({ dtype: "float64", ...brief });
    const [none, small, large] = [0, 1 << 14, 1 << 20].map((bytes) => ["float64", bytes, 2]);
    expect(probe.mock.calls).toEqual([none, none, none, small, small, small, large, large, large]);
    probe.mockRestore();
    expect([flops, ...reads.map(({ rate }) => rate)]).toEqual([9, 5, 8]);
  });
});

it("reads buffers of more than 2 MiB for longer, up to eight times", () => {
  const probe = vi.spyOn(native, "probe").mockReturnValue(1);
  measureRoofline({ sizes: [1 << 28, 1 << 22, 1 << 21, 1 << 22], milliseconds: 3, blocks: 1 });
  expect(probe.mock.calls.map(([, bytes, ms]) => [bytes, ms])).toEqual([
    ...[
      [0, 3],
      [1 << 21, 3],
      [1 << 22, 6],
      [1 << 28, 24],
    ],
  ]);
  probe.mockRestore();
});

describe("readRate", () => {
  it("is never less than what a larger buffer was read at", () => {
    const reads = [1024, 2048, 4096].map((bytes, i) => ({ bytes, rate: [50, 10, 40][i] ?? 0 }));
    expect([512, 1024, 1500, 2048, 4096].map((bytes) => readRate({ reads }, bytes))).toEqual([50, 50, 40, 40, 40]);
  });

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
