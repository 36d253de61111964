// The oracle before it judges: by hand on one unit, where each gate can be told apart, and against PyTorch's float64.

import { describe, expect, it } from "vitest";
import { cellOf, type Results } from "./support/cells.js";
import { expectClose } from "./support/compare.js";
import { bars, readFixture, rebuild } from "./support/fixture.js";
import { type OracleModel, oracle } from "./support/oracle.js";
import { oracleCase, oracleModel, rowsOf } from "./support/oracle-case.js";

/** One unit, one input, weights for the gates i, f, g, o. */
function unit(parameters: Record<string, number[]>, bidirectional = false): OracleModel {
  return { cell: "lstm", hiddenSize: 1, numLayers: 1, bidirectional, parameters };
}

const zeros = { weight_ih_l0: [0, 0, 0, 0], weight_hh_l0: [0, 0, 0, 0] };

describe("the oracle, by hand", () => {
  it("halves the cell when all weights are zero", () => {
    const { output, hn, cn } = oracle(unit(zeros), [[3], [5]], [[0.5]], [[0.8]]);
    expect(cn[0]![0]).toBeCloseTo(0.2, 15);
    expect(output[0]![0]).toBeCloseTo(0.5 * Math.tanh(0.4), 15);
    expect(hn[0]![0]).toBeCloseTo(0.5 * Math.tanh(0.2), 15);
  });

  it.each([
    ["i and g let the new in", [40, -40, 0.7, 40], Math.tanh(0.7), Math.tanh(Math.tanh(0.7))],
    ["f keeps the old", [-40, 40, 0.7, 40], 0.3, Math.tanh(0.3)],
    ["o hides the cell", [-40, 40, 0.7, -40], 0.3, 0],
    ["i shuts out the new", [-40, -40, 0.7, 40], 0, 0],
  ])("has its gates in torch's order: %s", (_, bias, cell, hidden) => {
    const { hn, cn } = oracle(unit({ ...zeros, bias_ih_l0: bias }), [[9]], undefined, [[0.3]]);
    expect(cn[0]![0]).toBeCloseTo(cell, 14);
    expect(hn[0]![0]).toBeCloseTo(hidden, 14);
  });

  it("adds both biases, the input's product and the state's", () => {
    const parameters = {
      weight_ih_l0: [0, 0, 0.25, 0],
      weight_hh_l0: [0, 0, 0.5, 0],
      bias_ih_l0: [40, -40, 0.125, 40],
      bias_hh_l0: [0, 0, 0.0625, 0],
    };
    const first = Math.tanh(Math.tanh(0.25 * 2 + 0.1875));
    const second = Math.tanh(Math.tanh(0.25 * -3 + 0.5 * first + 0.1875));
    const { output } = oracle(unit(parameters), [[2], [-3]]);
    expect(output[0]![0]).toBeCloseTo(first, 14);
    expect(output[1]![0]).toBeCloseTo(second, 14);
  });

  it("projects h and leaves c", () => {
    const parameters = {
      weight_ih_l0: [0, 0, 0, 0, 0, 0, 0, 0],
      weight_hh_l0: [0, 0, 0, 0, 0, 0, 0, 0],
      weight_hr_l0: [2, -1],
    };
    const { output, cn } = oracle({ ...unit(parameters), hiddenSize: 2 }, [[1]], [[0]], [[0.4, 0.6]]);
    expect(cn[0]).toEqual([0.2, 0.3]);
    expect(output[0]![0]).toBeCloseTo(0.5 * (2 * Math.tanh(0.2) - Math.tanh(0.3)), 15);
  });

  it("reads backward from the end, and puts the backward half second", () => {
    const forward = { weight_ih_l0: [1, 0.5, 1, 0.5], weight_hh_l0: [0.1, 0.2, 0.3, 0.4] };
    const backward = { weight_ih_l0: [-1, 2, 0.5, 1], weight_hh_l0: [0.4, 0.3, 0.2, 0.1] };
    const both = oracle(
      unit(
        { ...forward, weight_ih_l0_reverse: backward.weight_ih_l0, weight_hh_l0_reverse: backward.weight_hh_l0 },
        true,
      ),
      [[0.1], [0.2], [-0.3]],
    );
    const there = oracle(unit(forward), [[0.1], [0.2], [-0.3]]);
    const back = oracle(unit(backward), [[-0.3], [0.2], [0.1]]);
    expect(both.output).toEqual([0, 1, 2].map((t) => [there.output[t]![0], back.output[2 - t]![0]]));
    expect(both.hn).toEqual([there.hn[0], back.hn[0]]);
    expect(both.output[0]![1]).toBe(both.hn[1]![0]);
  });
});

describe("the oracle's other cells, by hand", () => {
  const one = (cell: OracleModel["cell"], parameters: Record<string, number[]>): OracleModel => ({
    ...unit(parameters),
    cell,
  });
  const still = { weight_ih_l0: [0, 0, 0], weight_hh_l0: [0, 0, 0] };

  it.each([
    ["z keeps the old", [0, 40, 0.7], [0, 0, 0], 0.3],
    ["without z the new comes in", [0, -40, 0.7], [0, 0, 0], Math.tanh(0.7)],
    ["r lets h's share of n through, its bias too", [40, -40, 0.7], [0, 0, 0.2], Math.tanh(0.9)],
    ["without r x's share is all", [-40, -40, 0.7], [0, 0, 0.2], Math.tanh(0.7)],
    ["z at a half is the middle", [-40, 0, 0.7], [0, 0, 9], (Math.tanh(0.7) + 0.3) / 2],
  ])("GRU: %s", (_, input, hidden, expected) => {
    const { hn, cn } = oracle(one("gru", { ...still, bias_ih_l0: input, bias_hh_l0: hidden }), [[9]], [[0.3]]);
    expect(hn[0]![0]).toBeCloseTo(expected, 14);
    expect(cn).toEqual([]);
  });

  it("RNN: all four shares, then tanh or relu", () => {
    const parameters = { weight_ih_l0: [0.25], weight_hh_l0: [0.5], bias_ih_l0: [0.125], bias_hh_l0: [0.0625] };
    const sum = 0.25 * 2 + 0.5 * 0.3 + 0.1875;
    expect(oracle(one("rnn_tanh", parameters), [[2]], [[0.3]]).hn[0]![0]).toBeCloseTo(Math.tanh(sum), 15);
    expect(oracle(one("rnn_relu", parameters), [[2]], [[0.3]]).hn[0]![0]).toBeCloseTo(sum, 15);
    expect(oracle(one("rnn_relu", parameters), [[-9]], [[0.3]]).hn[0]![0]).toBe(0);
  });
});

describe("the oracle against torch's float64", () => {
  const cases = (["parity", "parity-cells"] as const).flatMap((name) => {
    const fixture = readFixture(name);
    return fixture.cases
      .filter(({ dtype }) => dtype === "float64")
      .map((c) => ({ ...c, values: (key: keyof Results) => fixture.tensor(c[key]!) }));
  });

  it.each(cases.map((c) => [c.name, c] as const))("%s", (_, c) => {
    const result = oracleCase(c, rebuild(c));
    expect(Object.keys(result)).toEqual(cellOf(c.cell).keys);
    for (const key of cellOf(c.cell).keys) expectClose(result[key]!, c.values(key), { ...bars(c), label: key });
  });

  it.each(["lstm", "gru"] as const)("would see any two gates of %s exchanged", (kind) => {
    const { gates } = cellOf(kind);
    const c = cases.find(
      ({ cell, bias, hiddenSize, batch }) => cell === kind && bias && hiddenSize > 8 && batch === null,
    )!;
    const { module, input, states } = rebuild(c);
    const model = oracleModel(c, module);
    const state = states?.map(rowsOf);
    const result = (m: OracleModel) => oracle(m, rowsOf(input), state?.[0], state?.[1]).output.flat();
    const right = result(model);
    const pairs = [0, 1, 2, 3].flatMap((a) => [0, 1, 2, 3].map((b) => [a, b] as const));
    for (const [a, b] of pairs.filter(([one, other]) => one < other && other < gates)) {
      const weight = Float64Array.from(model.parameters.weight_ih_l0!);
      const block = weight.length / gates;
      const kept = weight.slice(a * block, (a + 1) * block);
      weight.copyWithin(a * block, b * block, (b + 1) * block);
      weight.set(kept, b * block);
      const wrong = result({ ...model, parameters: { ...model.parameters, weight_ih_l0: weight } });
      expect(Math.max(...wrong.map((x, k) => Math.abs(x - right[k]!)))).toBeGreaterThan(1e-4);
    }
  });
});
