// The documented relations between output, hn and cn for the four structures (one layer or many, one direction or two)
// in both layouts: 150 steps, batch 16, 3 -> 64. Values are held against torch's own.
// https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html

import { describe, expect, it } from "vitest";
import { LSTM, type Tensor } from "../lib/index.js";
import { expectClose, expectSameBits } from "./support/compare.js";
import { type Case, readFixture, rebuild } from "./support/fixture.js";

const fixture = readFixture<Case & { kept?: number[] }>("relations");
const dense = fixture.cases.filter(({ lengths }) => lengths === null);
const layouts = dense.flatMap((c) => [false, true].map((batchFirst) => [title(c, batchFirst), c, batchFirst] as const));

function title({ numLayers, bidirectional }: Case, batchFirst: boolean): string {
  const layers = numLayers === 1 ? "one layer" : `${numLayers} layers`;
  return `${layers}, ${bidirectional ? "two directions" : "one direction"}, ${batchFirst ? "batch-first" : "time-major"}`;
}

/** The time-major case as it is, or the same numbers batch-first; `step` takes one step of the output, (B, D·R). */
function forward(c: Case, batchFirst: boolean) {
  const { module, input } = rebuild(c);
  const lstm = module as unknown as LSTM;
  if (!batchFirst) {
    const [output, [hn, cn]] = lstm.forward(input);
    return { lstm, input, output, hn, cn, step: (t: number) => output.select(0, t) };
  }
  const other = LSTM.fromStateDict(lstm.stateDict(), { batchFirst });
  const [output, [hn, cn]] = other.forward(input.transpose(0, 1));
  return { lstm, input, output, hn, cn, step: (t: number) => output.select(1, t) };
}

const half = (t: Tensor, direction: number): Tensor => t.slice(1, direction * 64, (direction + 1) * 64);

describe.each(layouts)("%s", (_, c, batchFirst) => {
  const directions = c.bidirectional ? 2 : 1;
  const { lstm, input, output, hn, cn, step } = forward(c, batchFirst);

  it("has torch's shapes", () => {
    expect(output.shape).toEqual(batchFirst ? [16, 150, directions * 64] : [150, 16, directions * 64]);
    expect(hn.shape).toEqual([c.numLayers * directions, 16, 64]);
    expect(cn.shape).toEqual([c.numLayers * directions, 16, 64]);
  });

  it("has torch's numbers", () => {
    const expected = fixture.tensor(c.output);
    expect(c.kept?.length).toBe(5);
    for (const [k, t] of c.kept!.entries()) {
      expectClose(step(t), expected.select(0, k), { atol: 5e-6, rtol: 0, label: `step ${t}` });
    }
    expectClose(hn, fixture.tensor(c.hn), { atol: 5e-6, rtol: 0, label: "hn" });
    expectClose(cn, fixture.tensor(c.cn!), { atol: 5e-6, rtol: 0, label: "cn" });
  });

  if (c.bidirectional) {
    it("ends its forward half in hn[-2]", () => expectSameBits(half(step(-1), 0), hn.select(0, -2), "last step"));
    it("begins its backward half with hn[-1]", () => expectSameBits(half(step(0), 1), hn.select(0, -1), "first step"));
    it("has not finished its backward half at the last step", () => {
      expect(() => expectSameBits(half(step(-1), 1), hn.select(0, -1), "last step")).toThrow();
    });
  } else {
    it("ends in hn[-1]", () => expectSameBits(step(-1), hn.select(0, -1), "last step"));
  }

  it("has hn and cn layer by layer, forward before backward", () => {
    let layerInput: Tensor = input;
    for (let layer = 0; layer < c.numLayers; layer++) {
      const single = LSTM.fromStateDict(layerDict(lstm, layer));
      const [layerOutput, [layerHn, layerCn]] = single.forward(layerInput);
      const from = layer * directions;
      expectSameBits(hn.slice(0, from, from + directions), layerHn, `hn of layer ${layer}`);
      expectSameBits(cn.slice(0, from, from + directions), layerCn, `cn of layer ${layer}`);
      layerInput = layerOutput;
    }
    expectSameBits(batchFirst ? output.transpose(0, 1) : output, layerInput, "output of the last layer");
  });
});

/** The parameters of one layer, renamed to be the only one. */
function layerDict(lstm: LSTM, layer: number): Record<string, Tensor> {
  const own = Object.entries(lstm.stateDict()).filter(([name]) => new RegExp(`_l${layer}(_|$)`).test(name));
  return Object.fromEntries(own.map(([name, t]) => [name.replace(`_l${layer}`, "_l0"), t]));
}
