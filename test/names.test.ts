// State dicts in which an LSTM's parameters go by other names, as torch 1.13 and 2.15 wrote them: weight norm, weight drop,
// wrappers, cells. What fromStateDict makes of them has torch's own weights; what cannot be worked out is named.

import { describe, expect, it } from "vitest";
import { Linear, LSTM, loadTorch, ones, rand, type Tensor, tensor } from "../lib/index.js";
import { expectClose, expectSameBits } from "./support/compare.js";
import { expectCoded } from "./support/expect-coded.js";
import { tensorOf } from "./support/stored.js";
import { nameFolders, readNamesExpected, weightFile } from "./support/weight-fixtures.js";

/** How many representable numbers two floats lie apart, at most, over all elements. */
function largestUlp(actual: Tensor, expected: Tensor): number {
  const bits = ({ data }: Tensor): bigint[] => {
    return data instanceof Float64Array
      ? [...new BigInt64Array(data.buffer)]
      : [...new Int32Array(data.buffer)].map(BigInt);
  };
  const [a, b] = [bits(actual), bits(expected)];
  return a.map((value, i) => Math.abs(Number(value - b[i]!))).reduce((x, y) => Math.max(x, y), 0);
}

describe.each(nameFolders)("fromStateDict, the layers of %s", (folder) => {
  const { files } = readNamesExpected(folder);
  const all = Object.entries(files);

  it.each(all.filter(([, { refused }]) => refused === undefined))("%s", (file, { prefix, weights, run }) => {
    const url = weightFile(folder, file);
    const lstm = LSTM.fromStateDict(loadTorch(url), { prefix });
    const dict = lstm.stateDict();
    expect(Object.keys(dict)).toEqual(expect.arrayContaining(Object.keys(weights)));
    for (const [name, stored] of Object.entries(weights)) {
      // torch 1.13 sums a norm's squares in another order than torch 2 does; from that, its weights are up to 4 ulp apart.
      if (file.startsWith("weight-norm") && folder === "names-1.13") {
        expect(largestUlp(dict[name]!, tensorOf(stored))).toBeLessThanOrEqual(4);
      } else expectSameBits(dict[name]!, tensorOf(stored), name);
    }
    const [output] = lstm.forward(tensorOf(run.input));
    expectClose(output, tensorOf(run.output), { atol: 5e-6, rtol: 0, label: "output" });

    // Reading by the prefix gives the same model, and so does loading into one.
    const part = LSTM.fromStateDict(loadTorch(url, { prefix }), { prefix });
    expect(part.stateDict()).toEqual(dict);
    const other = new LSTM(lstm.inputSize, lstm.hiddenSize, { numLayers: lstm.numLayers, dtype: lstm.dtype });
    other.loadStateDict(loadTorch(url), { prefix });
    expect(other.stateDict()).toEqual(dict);
  });

  it.each(all.filter(([, { refused }]) => refused !== undefined))("%s is refused by name", (file, { refused }) => {
    const dict = loadTorch(weightFile(folder, file));
    expectCoded(() => LSTM.fromStateDict(dict), RangeError, "ERR_STATE_DICT", refused);
  });
});

describe("names of which a parameter is to be made", () => {
  const plain = new LSTM(2, 3).stateDict();
  const without = (...names: string[]) =>
    Object.fromEntries(Object.entries(plain).filter(([name]) => !names.includes(name)));

  it("a parameter of another layer or kind, or a part of one, is not taken for one that is misspelt", () => {
    const parts = ["weight_hh_l0_v", "weight_hh_l0_g", "weight_hh_l0_u", "weight_hh_l0_mask", "weight_hh_l0_scale"];
    for (const name of [...parts, "weight_hh_l1", "weight_hr_l0", "weight_hh_l0_reverse"]) {
      const dict = { ...without("weight_hh_l0"), [name]: ones([12, 3]) };
      const { message } = expectCoded(() => new LSTM(2, 3).loadStateDict(dict), RangeError, "ERR_STATE_DICT");
      expect(message).toContain('missing key "weight_hh_l0"');
      expect(message).not.toContain("did you mean");
    }
    const extra = { ...plain, weight_hh_l1: ones([12, 3]) };
    const { message } = expectCoded(() => new LSTM(2, 3).loadStateDict(extra), RangeError, "ERR_STATE_DICT");
    expect(message).not.toContain("did you mean");
  });

  it("are found under the prefixes that hints name", () => {
    const under = (prefix: string, dict: object) =>
      Object.fromEntries(Object.entries(dict).map(([name, value]) => [prefix + name, value]));
    const cell = { weight_ih: ones([12, 2]), weight_hh: ones([12, 3]) };
    const normed = { weight_ih_l0_g: ones([12, 1]), weight_ih_l0_v: ones([12, 2]) };
    for (const dict of [cell, normed, { weight_ih_l0_raw: ones([12, 2]) }]) {
      const call = () => LSTM.fromStateDict(under("a.b.", dict));
      expectCoded(call, RangeError, "ERR_STATE_DICT", 'did you mean { prefix: "a.b." }?');
    }
  });

  it("weight norm works for Linear too, over rows, columns and the whole, and judges its parts", () => {
    const v = tensor(
      [
        [3, 4],
        [6, 8],
      ],
      "float32",
    );
    const read = (g: Tensor) => Linear.fromStateDict({ weight_v: v, weight_g: g }).stateDict().weight?.toArray();
    expect(read(tensor([[5], [20]], "float32"))).toEqual([
      [3, 4],
      [12, 16],
    ]);
    const [[a, b] = [], [c, d] = []] = read(ones([1, 2])) as number[][];
    expect(Math.hypot(a!, c!)).toBeCloseTo(1, 6);
    expect(Math.hypot(b!, d!)).toBeCloseTo(1, 6);
    expect((read(tensor(1, "float32")) as number[][]).flat().reduce((sum, x) => sum + x * x, 0)).toBeCloseTo(1, 6);
    expectCoded(() => read(ones([3, 1])), RangeError, "ERR_STATE_DICT", "(3, 1) for (2, 2)");
    expectCoded(() => read(tensor([[1], [1]], "float64")), TypeError, "ERR_DTYPE", "float64 and float32");
    expectCoded(() => read(tensor([[1], [1]], "int32")), TypeError, "ERR_DTYPE");
  });

  it("the weight under a dropout mask is taken from beside it, wherever the wrapper keeps that", () => {
    const raw = rand([12, 3]);
    const inside = { ...plain, weight_hh_l0_raw: raw };
    const outside = {
      ...Object.fromEntries(Object.entries(plain).map(([k, x]) => [`module.${k}`, x])),
      weight_hh_l0_raw: raw,
    };
    expect(LSTM.fromStateDict(inside).stateDict().weight_hh_l0).toEqual(raw);
    expect(LSTM.fromStateDict(outside, { prefix: "module." }).stateDict().weight_hh_l0).toEqual(raw);
  });
});
