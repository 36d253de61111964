// Held against PyTorch: every case of test/fixtures/parity.json, to 5e-6 in float32 and 1e-12 in float64.
// https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html

import { describe, expect, it } from "vitest";
import { runtimeInfo } from "../lib/index.js";
import { expectClose } from "./support/compare.js";
import { type Case, readFixture, rebuild, run } from "./support/fixture.js";

const TOLERANCE = { float32: 5e-6, float64: 1e-12 };

const fixture = readFixture("parity");

describe(`torch ${fixture.torch} on ${runtimeInfo().isa}`, () => {
  it.each(fixture.cases.map((c) => [c.name, c] as const))("%s", (_, c) => {
    const result = run(c, rebuild(c));
    for (const key of ["output", "hn", "cn"] as const) {
      const expected = fixture.tensor(c[key]);
      expect(result[key].dtype).toBe(c.dtype);
      expect(result[key].shape).toEqual(expected.shape);
      expectClose(result[key], expected, { atol: TOLERANCE[c.dtype], rtol: 0, label: key });
    }
  });
});

describe("the fixtures", () => {
  const count = (test: (c: Case) => boolean): number => fixture.cases.filter(test).length;
  const packed = (c: Case): boolean => c.lengths !== null;

  it.each<[string, (c: Case) => boolean]>([
    ["float32", (c) => c.dtype === "float32"],
    ["float64", (c) => c.dtype === "float64"],
    ["one layer", (c) => c.numLayers === 1],
    ["two layers", (c) => c.numLayers === 2],
    ["three layers", (c) => c.numLayers === 3],
    ["bidirectional", (c) => c.bidirectional],
    ["projection", (c) => c.projSize > 0],
    ["bidirectional projection in layers", (c) => c.projSize > 0 && c.bidirectional && c.numLayers > 1],
    ["no bias", (c) => !c.bias],
    ["given h0 and c0", (c) => c.state],
    ["default h0 and c0", (c) => !c.state],
    ["dense time-major", (c) => !packed(c) && c.batch !== null && !c.batchFirst],
    ["dense batch-first", (c) => !packed(c) && c.batch !== null && c.batchFirst],
    ["unbatched", (c) => c.batch === null],
    ["packed sorted", (c) => packed(c) && c.enforceSorted],
    ["packed unsorted", (c) => packed(c) && !c.enforceSorted && c.batch! > 1],
    ["packed unsorted with a state", (c) => packed(c) && !c.enforceSorted && c.batch! > 2 && c.state],
    ["padding value", (c) => c.paddingValue !== 0],
    ["total length beyond the longest", (c) => c.totalLength !== null && c.totalLength > c.steps],
    ["saturated gates", (c) => c.scale === 8],
    ["whole vectors", (c) => c.hiddenSize % 16 === 0],
    ["odd sizes", (c) => c.hiddenSize % 2 === 1 && c.inputSize % 2 === 1],
    ["sizes of 1", (c) => c.hiddenSize === 1 || c.inputSize === 1],
    ["sizes above 100", (c) => c.hiddenSize > 100 && c.inputSize > 100],
  ])("cover %s", (_, test) => expect(count(test)).toBeGreaterThanOrEqual(5));

  it("are at least 120, none of them vacuous", () => {
    expect(fixture.cases.length).toBeGreaterThanOrEqual(120);
    for (const c of fixture.cases) {
      const { data } = fixture.tensor(c.output);
      expect(data.every(Number.isFinite) && data.some((x) => Math.abs(x) > 1e-4), c.name).toBe(true);
    }
  });
});
