// Held against PyTorch: every case of test/fixtures/parity.json (LSTM) and parity-cells.json (GRU, RNN), to 5e-6 in float32 and
// 1e-12 in float64.
// https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html, torch.nn.GRU.html, torch.nn.RNN.html

import { describe, expect, it } from "vitest";
import { runtimeInfo } from "../lib/index.js";
import { cellOf, named } from "./support/cells.js";
import { expectClose } from "./support/compare.js";
import { bars, type Case, type Fixture, readFixture, rebuild, run } from "./support/fixture.js";

const fixtures = [readFixture("parity"), readFixture("parity-cells")];

describe.each(fixtures)(`torch $torch on ${runtimeInfo().isa}`, ({ cases, tensor }) => {
  it.each(cases.map((c) => [c.name, c] as const))("%s", (_, c) => {
    const result = run(c, rebuild(c));
    for (const key of cellOf(c.cell).keys) {
      const expected = tensor(c[key]!);
      expect(result[key]!.dtype).toBe(c.dtype);
      expect(result[key]!.shape).toEqual(expected.shape);
      expectClose(result[key]!, expected, { ...bars(c), label: key });
    }
  });
});

describe.each(named)("the fixtures of %s", (_, { kind }) => {
  const cases = fixtures.flatMap((fixture) => fixture.cases).filter(({ cell }) => cell === kind);
  const count = (test: (c: Case) => boolean): number => cases.filter(test).length;
  const packed = (c: Case): boolean => c.lengths !== null;
  const projections: [string, (c: Case) => boolean][] = [
    ["projection", (c) => c.projSize > 0],
    ["bidirectional projection in layers", (c) => c.projSize > 0 && c.bidirectional && c.numLayers > 1],
  ];

  it.each<[string, (c: Case) => boolean]>([
    ["float32", (c) => c.dtype === "float32"],
    ["float64", (c) => c.dtype === "float64"],
    ["one layer", (c) => c.numLayers === 1],
    ["two layers", (c) => c.numLayers === 2],
    ["three layers", (c) => c.numLayers === 3],
    ["bidirectional", (c) => c.bidirectional],
    ...(kind === "lstm" ? projections : []),
    ["no bias", (c) => !c.bias],
    ["a given state", (c) => c.state],
    ["the default state", (c) => !c.state],
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

  it("are at least 100, none of them vacuous", () => {
    expect(cases.length).toBeGreaterThanOrEqual(100);
    const [lstms, others] = fixtures as [Fixture<Case>, Fixture<Case>];
    for (const c of cases) {
      const { data } = (kind === "lstm" ? lstms : others).tensor(c.output);
      expect(data.every(Number.isFinite) && data.some((x) => Math.abs(x) > 1e-4), c.name).toBe(true);
    }
  });
});
