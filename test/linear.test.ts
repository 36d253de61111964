// Linear against torch.nn.Linear: its initial weights to the bit, its results, its float32 error beside torch's; and the
// exactness contract: a row has the same bits whatever else is in the batch, in any shape, packed, sync or async, on any
// number of threads and (by the committed digests) on every instruction set. Runs once for each of those.

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import {
  cat,
  getNumThreads,
  Linear,
  manualSeed,
  PackedSequence,
  packSequence,
  runtimeInfo,
  setNumThreads,
  Tensor,
  unpackSequence,
} from "../lib/index.js";
import { expectClose, expectSameBits } from "./support/compare.js";
import { checksum, uniform } from "./support/fixture.js";
import { modules, rebuildLinear, storedTensor } from "./support/modules-fixture.js";

const TOLERANCE = { float32: 5e-6, float64: 1e-12 };

const { isa } = runtimeInfo();
const threadsBefore = getNumThreads();
afterEach(() => setNumThreads(threadsBefore));

describe(`torch ${modules.torch} on ${isa}`, () => {
  it.each(modules.linear.map((c) => [c.name, c] as const))("%s", (_, c) => {
    const { linear, input } = rebuildLinear(c);
    const parameters = Object.values(linear.stateDict());
    expect({ weights: checksum(parameters), inputs: checksum([input]) }).toEqual(c.crc);
    const expected = storedTensor(c.output);
    const scale = Math.max(1, ...expected.data.map(Math.abs));
    expectClose(linear.forward(input), expected, { atol: TOLERANCE[c.dtype] * scale, rtol: 0 });
  });

  it("has no smaller float32 error, at its worst or on average, the float64 module being the truth", () => {
    const errors = { ours: [0, 0], torchs: [0, 0] };
    for (const c of modules.linear) {
      if (!c.trueOutput) continue;
      const truth = storedTensor(c.trueOutput).data;
      const { linear, input } = rebuildLinear(c);
      const results = { ours: linear.forward(input).data, torchs: storedTensor(c.output).data };
      for (const key of ["ours", "torchs"] as const) {
        for (const [i, value] of results[key].entries()) {
          const error = Math.abs(value - truth[i]!);
          errors[key][0] = Math.max(errors[key][0]!, error);
          errors[key][1]! += error * error;
        }
      }
    }
    expect(errors.torchs[0]).toBeGreaterThan(1e-7);
    expect(errors.ours[0]).toBeLessThanOrEqual(errors.torchs[0]!);
    expect(errors.ours[1]).toBeLessThanOrEqual(errors.torchs[1]!);
  });
});

interface Shape {
  inFeatures: number;
  outFeatures: number;
  rows: number;
}

const SHAPES: readonly Shape[] = [
  { inFeatures: 1, outFeatures: 1, rows: 3 },
  { inFeatures: 160, outFeatures: 13, rows: 130 },
  { inFeatures: 63, outFeatures: 65, rows: 17 },
  { inFeatures: 64, outFeatures: 64, rows: 65 },
  { inFeatures: 300, outFeatures: 1000, rows: 1 },
  { inFeatures: 257, outFeatures: 700, rows: 13 },
  { inFeatures: 40, outFeatures: 129, rows: 400 },
  { inFeatures: 1500, outFeatures: 9, rows: 70 },
];

describe.each(["float32", "float64"] as const)(`bits on ${isa}, %s`, (dtype) => {
  describe.each(SHAPES)("$rows rows, $inFeatures → $outFeatures", (shape) => {
    const { inFeatures, outFeatures, rows } = shape;
    manualSeed(21);
    const linear = new Linear(inFeatures, outFeatures, { dtype });
    const input = uniform([rows, inFeatures], dtype);
    setNumThreads(1);
    const alone = cat(Array.from({ length: rows }, (_, r) => linear.forward(input.select(0, r)).reshape([1, -1])));
    setNumThreads(threadsBefore);

    it("have the committed digest", () => digests.judge(`${JSON.stringify(shape)}, ${dtype}`, alone));

    it.each([1, 2, 3, 4])("are those of each row alone, on %i threads", async (threads) => {
      setNumThreads(threads);
      expectSameBits(linear.forward(input), alone, "together");
      expectSameBits(await linear.forwardAsync(input), alone, "async");
      const three = linear.forward(input.reshape([rows, 1, inFeatures]));
      expect(three.shape).toEqual([rows, 1, outFeatures]);
      expectSameBits(three.reshape([rows, outFeatures]), alone, "as three dimensions");
      for (const from of [1, Math.floor(rows / 2)]) {
        if (from >= rows) continue;
        expectSameBits(linear.forward(input.slice(0, from)), alone.slice(0, from), `from row ${from}`);
      }
    });

    it("are those of packed rows", () => {
      const lengths = [Math.ceil(rows / 3), Math.floor(rows / 2), 1].filter((length) => length > 0);
      const sequences = lengths.map((length) => input.slice(0, rows - length));
      const expected = lengths.map((length) => alone.slice(0, rows - length)).filter(({ size }) => size > 0);
      const packed = packSequence(sequences.filter(({ size }) => size > 0).concat(input), { enforceSorted: false });
      const output = linear.forward(packed);
      expect(output).toBeInstanceOf(PackedSequence);
      for (const [k, rowsOut] of unpackSequence(output).entries()) {
        expectSameBits(rowsOut, expected[k] ?? alone, `sequence ${k}`);
      }
    });
  });

  it("keep NaN and the infinities in their own rows", () => {
    const linear = new Linear(70, 20, { dtype });
    const input = uniform([9, 70], dtype);
    const clean = linear.forward(input);
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const spoiled = new Tensor(input.data.slice(), input.shape);
      spoiled.data[4 * 70 + 69] = value;
      const output = linear.forward(spoiled);
      for (let row = 0; row < 9; row++) {
        if (row === 4) expect(output.select(0, row).data.some(Number.isFinite)).toBe(false);
        else expectSameBits(output.select(0, row), clean.select(0, row), `row ${row}`);
      }
    }
  });
});

/** The committed digests. PACKED_LSTM_WRITE_BITS=1 writes them anew, when the arithmetic is meant to change. */
const digests = (() => {
  const file = new URL("./fixtures/linear-bits.json", import.meta.url);
  const writing = process.env.PACKED_LSTM_WRITE_BITS === "1";
  const committed: Record<string, string> = writing ? {} : JSON.parse(readFileSync(file, "utf8"));
  return {
    judge(name: string, { data }: Tensor): void {
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      const digest = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
      if (writing) committed[name] = digest;
      expect(digest, `${name}: other bits on ${isa} than test/fixtures/linear-bits.json has`).toBe(committed[name]);
    },
    finish(): void {
      if (writing) writeFileSync(file, `${JSON.stringify(committed, null, 2)}\n`);
    },
  };
})();

afterAll(() => digests.finish());
