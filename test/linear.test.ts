// Linear against torch.nn.Linear: its initial weights to the bit, its results, its float32 error beside torch's; and the
// exactness contract: a row has the same bits whatever else is in the batch, in any shape, packed, sync or async, on any
// number of threads and (by the committed digests) on every instruction set. Runs once for each of those.

import { afterAll, afterEach, describe, expect, it } from "vitest";
import { getNumThreads, Linear, manualSeed, runtimeInfo, setNumThreads, Tensor } from "../lib/index.js";
import { expectClose, expectSameBits } from "./support/compare.js";
import { committedDigests } from "./support/digests.js";
import { checksum, uniform } from "./support/fixture.js";
import { LINEAR_SHAPES, linearIsExact } from "./support/linear-suite.js";
import { modules, rebuildLinear, storedTensor } from "./support/modules-fixture.js";

const TOLERANCE = { float32: 5e-6, float64: 1e-12 };

const { isa } = runtimeInfo();
const digests = committedDigests("linear-bits.json");
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

describe.each(["float32", "float64"] as const)(`bits on ${isa}, %s`, (dtype) => {
  describe.each(LINEAR_SHAPES)("$rows rows, $inFeatures → $outFeatures", (shape) => {
    const { inFeatures, outFeatures, rows } = shape;
    manualSeed(21);
    const linear = new Linear(inFeatures, outFeatures, { dtype });
    linearIsExact(linear, uniform([rows, inFeatures], dtype), (output) => {
      digests.judge(`${JSON.stringify(shape)}, ${dtype}`, [{ output }]);
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

afterAll(() => digests.finish());
