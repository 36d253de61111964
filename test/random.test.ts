// rand, randn, uniform and manualSeed, held against what torch drew (test/fixtures/draws.json), and the arithmetic under
// them against exact arithmetic in whole numbers.

import { afterAll, describe, expect, it } from "vitest";
import { fma32, fma64, log32, sincos32 } from "../lib/random/float-math.js";
import { manualSeed, rand, randn, uniform } from "../lib/random/random.js";
import { Tensor } from "../lib/tensor/tensor.js";
import { expectClose, expectSameBits } from "./support/compare.js";
import { expectCoded } from "./support/expect-coded.js";
import { readManifest, tensorOf } from "./support/stored.js";

interface Call {
  fn: "rand" | "randn" | "uniform";
  size: number;
  dtype: "float32" | "float64";
  from?: number;
  to?: number;
  data: string;
}

const fixture = readManifest<{ torch: string; cases: { name: string; seed: string; calls: Call[] }[] }>("draws");

function draw({ fn, size, dtype, from = 0, to = 1 }: Call): Tensor {
  if (fn === "rand") return rand([size], dtype);
  if (fn === "randn") return randn([size], dtype);
  const data = dtype === "float32" ? new Float32Array(size) : new Float64Array(size);
  uniform(data, from, to);
  return new Tensor(data, [size]);
}

describe(`numbers of torch ${fixture.torch}`, () => {
  let worst = 0;

  it.each(fixture.cases.map((c) => [c.name, c] as const))("%s", (_, { seed, calls }) => {
    manualSeed(BigInt(seed));
    for (const [i, call] of calls.entries()) {
      const label = `call ${i}, ${call.fn}`;
      const drawn = draw(call);
      const wanted = tensorOf({ ...call, shape: [call.size] });
      expect(drawn.shape).toEqual(wanted.shape);
      if (call.size === 0) continue;
      if (call.fn === "randn" && call.dtype === "float64") {
        // The C library's log, sin and cos are not JavaScript's: a few units in the last place, no more.
        worst = Math.max(worst, expectClose(drawn, wanted, { atol: 0, rtol: 4 * Number.EPSILON, label }));
      } else {
        expectSameBits(drawn, wanted, label);
      }
    }
  });

  afterAll(() => expect(worst).toBeLessThan(4e-15));

  it("begin anew with the same seed, a number or a bigint, and forget the spare normal", () => {
    manualSeed(99);
    const first = randn([3]);
    manualSeed(99n);
    expectSameBits(randn([3]), first);
    expect(randn([3]).toArray()).not.toEqual(first.toArray());
  });

  it("come in the same order whatever the shape", () => {
    manualSeed(3);
    const flat = randn([24]);
    manualSeed(3);
    expectSameBits(randn([2, 3, 4]).reshape([-1]), flat);
  });

  it("are float32 in [0, 1) unless asked otherwise", () => {
    const { data, dtype } = rand([5000]);
    expect(dtype).toBe("float32");
    expect(data.every((x) => x >= 0 && x < 1)).toBe(true);
    expect(randn([1]).dtype).toBe("float32");
    expect(rand([]).shape).toEqual([]);
  });
});

describe("bad calls", () => {
  it.each<[string, () => unknown, typeof TypeError | typeof RangeError, string]>([
    ["a fractional seed", () => manualSeed(1.5), RangeError, "ERR_ARG_VALUE"],
    ["a NaN seed", () => manualSeed(Number.NaN), RangeError, "ERR_ARG_VALUE"],
    ["a seed of 2^64", () => manualSeed(2n ** 64n), RangeError, "ERR_ARG_VALUE"],
    ["a seed below -2^63", () => manualSeed(-(2n ** 63n) - 1n), RangeError, "ERR_ARG_VALUE"],
    ["a seed that is a string", () => manualSeed("0" as never), TypeError, "ERR_ARG_TYPE"],
    ["no seed", () => manualSeed(undefined as never), TypeError, "ERR_ARG_TYPE"],
    ["an int32 rand", () => rand([2], "int32" as never), TypeError, "ERR_DTYPE"],
    ["a bfloat16 randn", () => randn([2], "bfloat16" as never), TypeError, "ERR_DTYPE"],
    ["a size instead of a shape", () => rand(3 as never), TypeError, "ERR_ARG_TYPE"],
    ["a negative dim", () => randn([-1]), RangeError, "ERR_SHAPE"],
    ["more than memory holds", () => rand([2 ** 50]), RangeError, "ERR_ARG_VALUE"],
  ])("%s", (_, call, kind, code) => {
    expectCoded(call, kind, code);
  });
});

/** A finite float64 value as a whole number of 2^-1074. */
function exact(value: number): bigint {
  const [bits] = new BigUint64Array(Float64Array.of(value).buffer) as unknown as [bigint];
  const exponent = (bits >> 52n) & 0x7ffn;
  const fraction = bits & 0xfffffffffffffn;
  const magnitude = exponent === 0n ? fraction : (fraction | (1n << 52n)) << (exponent - 1n);
  return bits >> 63n ? -magnitude : magnitude;
}

/** a·b + c rounded once, by whole numbers: no candidate lies nearer, and of two equally near ones it is the even one. */
function expectRoundedOnce(got: number, [a, b, c]: readonly [number, number, number], neighbours: number[]): void {
  const unit = 1n << 1074n;
  const truth = exact(a) * exact(b) + exact(c) * unit;
  const off = (value: number): bigint => {
    const difference = exact(value) * unit - truth;
    return difference < 0n ? -difference : difference;
  };
  for (const other of neighbours) {
    if (off(got) > off(other)) throw new Error(`${a} * ${b} + ${c}: got ${got}, but ${other} is nearer`);
  }
}

describe("arithmetic", () => {
  const floats = new Float32Array(1);
  const doubles = new Float64Array(1);
  const next32 = (x: number, by: number): number => {
    floats[0] = x;
    const bits = new Int32Array(floats.buffer);
    bits[0] = bits[0]! + by;
    return floats[0]!;
  };
  const next64 = (x: number, by: bigint): number => {
    doubles[0] = x;
    const bits = new BigInt64Array(doubles.buffer);
    bits[0] = bits[0]! + by;
    return doubles[0]!;
  };

  it("fma64 rounds once", () => {
    manualSeed(1);
    const values = rand([60000], "float64").data;
    for (let i = 0; i < 60000; i += 3) {
      const args = [values[i]!, values[i + 1]! * 0.7, values[i + 2]! - 0.5] as const;
      const got = fma64(...args);
      expectRoundedOnce(got, args, [next64(got, 1n), next64(got, -1n)]);
    }
  });

  it("fma64 is no product and sum", () => {
    const x = 1 + Number.EPSILON;
    expect(fma64(x, x, -(x + Number.EPSILON))).toBe(Number.EPSILON ** 2);
    expect(x * x - (x + Number.EPSILON)).toBe(0);
    // Half-way cases that only the last bits of the product decide, upward and downward, of either sign.
    const half = Number.EPSILON / 2;
    for (const sign of [1, -1]) {
      expect(fma64(sign * half, 1 + Number.EPSILON, sign)).toBe(sign * (1 + Number.EPSILON));
      expect(fma64(sign * half, 1 - half, sign)).toBe(sign);
      expect(fma64(sign * half, 1, sign)).toBe(sign);
    }
  });

  it("fma64 decides half-way cases by the last bit of the product", () => {
    const big = 2 ** 53; // from here on float64 holds even numbers only
    const up = [1 + 2 ** -26, 1 - 2 ** -26 + 2 ** -52] as const; // 1 + 2^-78
    const down = [1 + 2 ** -52, 1 - 2 ** -52] as const; // 1 - 2^-104
    for (const sign of [1, -1]) {
      expect(fma64(up[0], sign * up[1], sign * big)).toBe(sign * (big + 2));
      expect(fma64(up[0], sign * up[1], sign * (big + 2))).toBe(sign * (big + 4));
      expect(fma64(down[0], sign * down[1], sign * big)).toBe(sign * big);
      expect(fma64(down[0], sign * down[1], sign * (big + 2))).toBe(sign * (big + 2));
      expect(fma64(1, sign, sign * big)).toBe(sign * big);
      expect(fma64(1, sign, sign * (big + 2))).toBe(sign * (big + 4));
    }
  });

  it("fma32 rounds once", () => {
    manualSeed(2);
    const values = rand([60000]).data;
    for (let i = 0; i < 60000; i += 3) {
      const args = [values[i]!, Math.fround(values[i + 1]! * 0.7), Math.fround(values[i + 2]! - 0.5)] as const;
      const got = fma32(...args);
      expectRoundedOnce(got, args, [next32(got, 1), next32(got, -1)]);
    }
  });

  it("fma32 decides half-way cases by what float64 cannot hold", () => {
    const big = 2 ** 24; // from here on float32 holds even numbers only
    const [above, below] = [1 - 2 ** -12 + 2 ** -24, 1 - 2 ** -20];
    for (const sign of [1, -1]) {
      // a product of 1 + 2^-36: float64 rounds the sum to big + 1, float32 that to big
      expect(Math.fround((1 + 2 ** -12) * sign * above + sign * big)).toBe(sign * big);
      expect(fma32(1 + 2 ** -12, sign * above, sign * big)).toBe(sign * (big + 2));
      // a product of 1 - 2^-40: float64 rounds the sum to big + 3, float32 that to big + 4
      expect(Math.fround((1 + 2 ** -20) * sign * below + sign * (big + 2))).toBe(sign * (big + 4));
      expect(fma32(1 + 2 ** -20, sign * below, sign * (big + 2))).toBe(sign * (big + 2));
      // a product of 1 is half-way indeed, and goes to even
      expect(fma32(1, sign, sign * big)).toBe(sign * big);
      expect(fma32(1, sign, sign * (big + 2))).toBe(sign * (big + 4));
    }
  });

  it("log32 and sincos32 are those functions, to single precision", () => {
    for (let k = 1; k <= 4096; k++) {
      const x = k / 4096;
      expect(Math.abs(log32(x) - Math.log(x))).toBeLessThanOrEqual(2e-7 * Math.max(1, Math.abs(Math.log(x))));
      const angle = Math.fround(2 * Math.PI * x);
      const [sin, cos] = sincos32(angle);
      expect(Math.abs(sin - Math.sin(angle))).toBeLessThan(2e-7);
      expect(Math.abs(cos - Math.cos(angle))).toBeLessThan(2e-7);
    }
    expect(log32(1)).toBe(0);
    expect(sincos32(0)).toEqual([0, 1]);
  });
});
