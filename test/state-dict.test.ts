// State dicts: torch's names, shapes and order; loading all or nothing; sizes read back off a dict.

import { describe, expect, it } from "vitest";
import { LSTM, type LSTMOptions, loadSafetensors, manualSeed, rand, saveSafetensors, Tensor } from "../lib/index.js";
import { type ModuleOptions, named } from "./support/cells.js";
import { expectCoded } from "./support/expect-coded.js";
import { withFolder } from "./support/with-folder.js";

const shapesOf = (lstm: LSTM): [string, readonly number[]][] =>
  Object.entries(lstm.stateDict()).map(([name, { shape }]) => [name, shape]);

/** What a model computes: the test of which weights are really in use. */
const probe = (lstm: LSTM): number[] => {
  const data = Float64Array.from({ length: 2 * lstm.inputSize }, (_, i) => Math.sin(i + 1));
  const input = new Tensor(lstm.dtype === "float64" ? data : Float32Array.from(data), [2, lstm.inputSize]);
  return Array.from(lstm.forward(input)[0].data);
};

describe.each(named)("the state dict of %s", (_, cell) => {
  const rows = 5 * cell.gates;

  it("has torch's names, shapes and order, both ways and in layers, with biases and without", () => {
    for (const bias of [true, false]) {
      const layer = (suffix: string, inputSize: number): [string, number[]][] => [
        [`weight_ih_${suffix}`, [rows, inputSize]],
        [`weight_hh_${suffix}`, [rows, 5]],
        ...(bias ? ["ih", "hh"].map((which): [string, number[]] => [`bias_${which}_${suffix}`, [rows]]) : []),
      ];
      const dict = cell.make(3, 5, { numLayers: 2, bidirectional: true, bias }).stateDict();
      expect(Object.entries(dict).map(([name, { shape }]) => [name, shape])).toEqual([
        ...layer("l0", 3),
        ...layer("l0_reverse", 3),
        ...layer("l1", 10),
        ...layer("l1_reverse", 10),
      ]);
    }
  });

  const variants: ModuleOptions[] = [
    {},
    { numLayers: 3 },
    { bias: false },
    { bidirectional: true, numLayers: 2 },
    { dtype: "float64" },
  ];
  it.each(variants)("is what fromStateDict reads every size off, and what another model loads: %o", (options) => {
    const module = cell.make(3, 4, options);
    const x = rand([6, 3], options.dtype);
    const [wanted] = module.forward(x);
    const dict = prefixed(module.stateDict(), "a.");
    const copy = cell.fromStateDict(dict, { prefix: "a.", batchFirst: true });
    expect({ ...copy }).toEqual({ ...module, batchFirst: true });
    expect(copy.stateDict()).toEqual(module.stateDict());
    expect(copy.forward(x)[0]).toEqual(wanted);
    const other = cell.make(3, 4, options);
    other.loadStateDict(dict, { prefix: "a." });
    expect(other.forward(x)[0]).toEqual(wanted);
    for (const { data } of Object.values(dict)) data.fill(0);
    expect(other.forward(x)[0]).toEqual(wanted);
  });

  it("names what does not fit, and the old weights stay", () => {
    const module = cell.make(3, 4);
    const before = module.stateDict();
    const { weight_hh_l0: _, ...rest } = before;
    const call = () => module.loadStateDict({ ...rest, bias_hh_l0: rand([3]), extra: rand([1]) });
    const { message } = expectCoded(call, RangeError, "ERR_STATE_DICT", 'missing key "weight_hh_l0"');
    expect(message).toContain(`size mismatch for "bias_hh_l0": shape (3,) where the model has (${4 * cell.gates},)`);
    expect(message).toContain('unexpected key "extra"');
    expect(module.stateDict()).toEqual(before);
  });
});

describe("stateDict", () => {
  it("has torch's names, shapes and order: two layers, both directions, projected", () => {
    const lstm = new LSTM(3, 5, { numLayers: 2, bidirectional: true, projSize: 2 });
    const layer = (suffix: string, inputSize: number): [string, number[]][] => [
      [`weight_ih_${suffix}`, [20, inputSize]],
      [`weight_hh_${suffix}`, [20, 2]],
      [`bias_ih_${suffix}`, [20]],
      [`bias_hh_${suffix}`, [20]],
      [`weight_hr_${suffix}`, [2, 5]],
    ];
    expect(shapesOf(lstm)).toEqual([
      ...layer("l0", 3),
      ...layer("l0_reverse", 3),
      ...layer("l1", 4),
      ...layer("l1_reverse", 4),
    ]);
  });

  it("has no biases without bias", () => {
    expect(shapesOf(new LSTM(3, 5, { bias: false, numLayers: 2 }))).toEqual([
      ["weight_ih_l0", [20, 3]],
      ["weight_hh_l0", [20, 5]],
      ["weight_ih_l1", [20, 5]],
      ["weight_hh_l1", [20, 5]],
    ]);
  });

  it("gives copies: writing to them does not reach the model", () => {
    const lstm = new LSTM(3, 4);
    const [before, dict] = [probe(lstm), lstm.stateDict()];
    for (const { data } of Object.values(dict)) data.fill(7);
    expect(probe(lstm)).toEqual(before);
    expect(Object.values(lstm.stateDict()).every(({ data }) => !data.includes(7))).toBe(true);
  });

  it("starts within ±1/√H, drawn anew for each model and again by the same seed", () => {
    manualSeed(3);
    const first = new LSTM(8, 16).stateDict();
    const second = new LSTM(8, 16).stateDict();
    manualSeed(3);
    expect(new LSTM(8, 16).stateDict()).toEqual(first);
    expect(second).not.toEqual(first);
    for (const { data } of Object.values(first)) {
      expect(Math.max(...data.map(Math.abs))).toBeLessThanOrEqual(0.25);
      expect(Math.max(...data.map(Math.abs))).toBeGreaterThan(0.2);
    }
  });
});

describe("loadStateDict", () => {
  it("makes one model compute what the other does, and copies what it takes", () => {
    const [a, b] = [new LSTM(3, 4, { numLayers: 2 }), new LSTM(3, 4, { numLayers: 2 })];
    const dict = a.stateDict();
    expect(probe(b)).not.toEqual(probe(a));
    b.loadStateDict(dict);
    expect(probe(b)).toEqual(probe(a));
    for (const { data } of Object.values(dict)) data.fill(0);
    expect(probe(b)).toEqual(probe(a));
    expect(b.stateDict()).toEqual(a.stateDict());
  });

  it("takes the keys under a prefix and looks at no others", () => {
    const [a, b] = [new LSTM(3, 4), new LSTM(3, 4)];
    const dict = { "fc.weight": 3, ...prefixed(a.stateDict(), "encoder.lstm.") } as unknown as Record<string, Tensor>;
    b.loadStateDict(dict, { prefix: "encoder.lstm." });
    expect(probe(b)).toEqual(probe(a));
  });

  it("converts between float32 and float64, as torch does", () => {
    const [narrow, wide] = [new LSTM(3, 4), new LSTM(3, 4, { dtype: "float64" })];
    wide.loadStateDict(narrow.stateDict());
    expect(wide.stateDict().weight_ih_l0?.dtype).toBe("float64");
    expect(wide.stateDict().weight_ih_l0?.toArray()).toEqual(narrow.stateDict().weight_ih_l0?.toArray());
    const third = new LSTM(3, 4, { dtype: "float64" });
    narrow.loadStateDict(third.stateDict());
    const rounded = Array.from(third.stateDict().weight_hh_l0?.data ?? [], Math.fround);
    expect(Array.from(narrow.stateDict().weight_hh_l0?.data ?? [])).toEqual(rounded);
  });

  it("takes foreign tensors and dicts without a prototype, in any order", () => {
    const [a, b] = [new LSTM(3, 4), new LSTM(3, 4)];
    const entries = Object.entries(a.stateDict()).map(([name, { data, shape }]) => [name, { data, dims: [...shape] }]);
    b.loadStateDict(Object.assign(Object.create(null), Object.fromEntries(entries.reverse())));
    expect(probe(b)).toEqual(probe(a));
  });

  it("names every missing, unexpected and misshapen key in one error and keeps the old weights", () => {
    const lstm = new LSTM(3, 4);
    const [dict, before, output] = [lstm.stateDict(), lstm.stateDict(), probe(lstm)];
    const { weight_ih_l0, ...rest } = dict;
    const bad = {
      ...rest,
      weight_hi_l0: weight_ih_l0 as Tensor,
      bias_hh_l0: rand([4]),
      weight_hh_l0: rand([4, 16]),
      extra: rand([1]),
    };
    const { message } = expectCoded(() => lstm.loadStateDict(bad), RangeError, "ERR_STATE_DICT", "LSTM(3, 4)");
    expect(message).toContain('missing key "weight_ih_l0"');
    expect(message).toContain('unexpected key "weight_hi_l0" (did you mean "weight_ih_l0"?)');
    expect(message).toContain('unexpected key "extra"');
    expect(message).toContain('size mismatch for "bias_hh_l0": shape (4,) where the model has (16,)');
    expect(message).toContain('size mismatch for "weight_hh_l0": shape (4, 16) where the model has (16, 4)');
    expect(lstm.stateDict()).toEqual(before);
    expect(probe(lstm)).toEqual(output);
  });

  it("points to the prefix when the dict is a larger model's", () => {
    const dict = prefixed(new LSTM(3, 4).stateDict(), "encoder.");
    const { message } = expectCoded(() => new LSTM(3, 4).loadStateDict(dict), RangeError, "ERR_STATE_DICT");
    expect(message).toContain('did you mean { prefix: "encoder." }?');
    expectCoded(() => LSTM.fromStateDict(dict), RangeError, "ERR_STATE_DICT", "encoder.");
  });

  it("is not fooled by keys that reach a prototype", () => {
    const lstm = new LSTM(3, 4);
    const dict = { ...lstm.stateDict(), ["__proto__"]: rand([1]), constructor: rand([1]) };
    const { message } = expectCoded(() => lstm.loadStateDict(dict), RangeError, "ERR_STATE_DICT", '"__proto__"');
    expect(message).toContain('"constructor"');
  });

  it("keeps its message readable for a dict of a hundred thousand strangers", () => {
    const strangers = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`stranger${i}`, 0]));
    const call = () => new LSTM(3, 4).loadStateDict(strangers as never);
    expect(expectCoded(call, RangeError, "ERR_STATE_DICT", "99950 more").message.length).toBeLessThan(5000);
  });
});

describe("fromStateDict", () => {
  const variants: LSTMOptions[] = [
    {},
    { numLayers: 3 },
    { bias: false },
    { bidirectional: true, numLayers: 2 },
    { projSize: 2 },
    { projSize: 1, bidirectional: true, numLayers: 2, bias: false },
    { dtype: "float64" },
  ];

  it.each(variants)("reads every size off the names and shapes: %o", (options) => {
    const lstm = new LSTM(3, 4, options);
    const copy = LSTM.fromStateDict(prefixed(lstm.stateDict(), "a."), { prefix: "a.", batchFirst: true });
    expect({ ...copy }).toEqual({ ...lstm, batchFirst: true });
    expect(copy.stateDict()).toEqual(lstm.stateDict());
    expect(probe(copy)).toEqual(probe(lstm));
  });

  it("draws no random numbers", () => {
    const dict = new LSTM(3, 4).stateDict();
    manualSeed(1);
    const wanted = rand([4]);
    manualSeed(1);
    LSTM.fromStateDict(dict);
    expect(rand([4])).toEqual(wanted);
  });

  it("is float64 when any parameter is", () => {
    const dict = { ...new LSTM(3, 4).stateDict(), bias_hh_l0: rand([16], "float64") };
    expect(LSTM.fromStateDict(dict).dtype).toBe("float64");
  });

  it("takes what a safetensors file holds", () =>
    withFolder((folder) => {
      const lstm = new LSTM(3, 4, { bidirectional: true });
      saveSafetensors(`${folder}/lstm.safetensors`, lstm.stateDict());
      expect(probe(LSTM.fromStateDict(loadSafetensors(`${folder}/lstm.safetensors`)))).toEqual(probe(lstm));
    }));

  const good = new LSTM(3, 4, { numLayers: 2 }).stateDict();
  const without = (...names: string[]): Record<string, Tensor> =>
    Object.fromEntries(Object.entries(good).filter(([name]) => !names.includes(name)));

  it.each<[string, Record<string, Tensor>, string]>([
    ["an empty dict", {}, 'a key "weight_ih_l0"'],
    ["a misspelt key", { ...without("weight_ih_l0"), weights_ih_l0: rand([16, 3]) }, 'did you mean "weights_ih_l0"'],
    ["a key that means another parameter", without("weight_ih_l0"), "but got none"],
    ["a missing recurrent weight", without("weight_hh_l0"), 'missing key "weight_hh_l0"'],
    ["a layer without its input weight", without("weight_ih_l1"), 'unexpected key "weight_hh_l1"'],
    ["rows that are no four gates", { weight_ih_l0: rand([15, 3]) }, "4 * hiddenSize rows"],
    ["a weight that is no matrix", { weight_ih_l0: rand([16]) }, "a matrix"],
    ["a matrix without columns", { weight_ih_l0: rand([16, 0]) }, "a matrix"],
    ["a matrix without rows", { weight_ih_l0: rand([0, 3]) }, "a matrix"],
    ["half of the biases", without("bias_hh_l1"), 'missing key "bias_hh_l1"'],
    ["a projection as wide as the state", { ...without(), weight_hr_l0: rand([4, 4]) }, "projSize"],
    ["a layer that skips one", { ...good, weight_ih_l7: rand([16, 4]) }, 'unexpected key "weight_ih_l7"'],
    ["one direction of one layer", { ...good, weight_ih_l1_reverse: rand([16, 4]) }, "weight_ih_l1_reverse"],
  ])("refuses %s", (_, dict, piece) => {
    expectCoded(() => LSTM.fromStateDict(dict), RangeError, "ERR_STATE_DICT", piece);
  });
});

function prefixed(dict: Record<string, Tensor>, prefix: string): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(dict).map(([name, tensor]) => [prefix + name, tensor]));
}
