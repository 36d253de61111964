// What is GRU's, RNN's and the cells' own: the errors of a state of the wrong form, of weights of another class, of options
// that torch has for one of them only.

import { describe, expect, it } from "vitest";
import { GRU, GRUCell, LSTM, LSTMCell, RNN, RNNCell, rand, zeros } from "../lib/index.js";
import { expectCoded } from "./support/expect-coded.js";

describe("what is GRU's and RNN's own", () => {
  const any = (value: unknown): never => value as never;
  const x = rand([2, 3]);
  const pair = [rand([1, 4]), rand([1, 4])];
  const weights = { LSTM: new LSTM(3, 4), GRU: new GRU(3, 4), RNN: new RNN(3, 4) };
  const rows = { LSTM: "4·H rows", GRU: "3·H rows", RNN: "H rows" };

  it.each(Object.keys(weights) as (keyof typeof weights)[])(
    "the weights of a %s are named in another's error",
    (name) => {
      for (const other of [LSTM, GRU, RNN].filter((one) => one.name !== name)) {
        const piece = `, ${rows[other.name as "GRU"]}, but got those of ${name}(3, 4), ${rows[name]}`;
        const dict = weights[name].stateDict();
        expectCoded(() => other.fromStateDict(dict), RangeError, "ERR_STATE_DICT", piece);
        expectCoded(
          () => weights[other.name as "GRU"].loadStateDict(dict),
          RangeError,
          "ERR_STATE_DICT",
          "size mismatch",
        );
        const piece2 = `but got one for "${name}"`;
        expectCoded(() => other.fromShared(weights[name].share()), RangeError, "ERR_ARG_VALUE", piece2);
      }
    },
  );

  it.each<[string, () => unknown, typeof TypeError | typeof RangeError, string, string]>([
    [
      "a pair as h0",
      () => new GRU(3, 4).forward(x, any(pair)),
      TypeError,
      "ERR_ARG_TYPE",
      "h0: expected one tensor alone",
    ],
    [
      "h alone for an LSTM",
      () => new LSTM(3, 4).forward(x, any(pair[0])),
      TypeError,
      "ERR_ARG_TYPE",
      "a pair [h0, c0]",
    ],
    [
      "h0 of another shape",
      () => new RNN(3, 4).forward(x, rand([2, 4])),
      RangeError,
      "ERR_SHAPE",
      "h0: expected shape (1, 4)",
    ],
    ["projSize on a GRU", () => new GRU(3, 4, any({ projSize: 2 })), TypeError, "ERR_OPTION", '"projSize"'],
    ["projSize on an RNN", () => new RNN(3, 4, any({ projSize: 2 })), TypeError, "ERR_OPTION", '"projSize"'],
    [
      "nonlinearity on a GRU",
      () => new GRU(3, 4, any({ nonlinearity: "tanh" })),
      TypeError,
      "ERR_OPTION",
      '"nonlinearity"',
    ],
    [
      "another nonlinearity",
      () => new RNN(3, 4, any({ nonlinearity: "rleu" })),
      RangeError,
      "ERR_ARG_VALUE",
      '"tanh" or "relu"',
    ],
    [
      "a nonlinearity that is no text",
      () => new RNN(3, 4, any({ nonlinearity: 3 })),
      TypeError,
      "ERR_ARG_TYPE",
      '"tanh" or "relu"',
    ],
    [
      "nonlinearity misspelt",
      () => new RNN(3, 4, any({ nonlinearty: "relu" })),
      TypeError,
      "ERR_OPTION",
      'did you mean "nonlinearity"?',
    ],
    ["a cell with layers", () => new GRUCell(3, 4, any({ numLayers: 2 })), TypeError, "ERR_OPTION", '"numLayers"'],
    [
      "an RNNCell's nonlinearity",
      () => new RNNCell(3, 4, any({ nonlinearity: "elu" })),
      RangeError,
      "ERR_ARG_VALUE",
      '"tanh" or "relu"',
    ],
    [
      "a pair for a GRUCell",
      () => new GRUCell(3, 4).forward(x, any([x, x])),
      TypeError,
      "ERR_ARG_TYPE",
      "h: expected one tensor alone",
    ],
    [
      "h alone for an LSTMCell",
      () => new LSTMCell(3, 4).forward(x, any(rand([2, 4]))),
      TypeError,
      "ERR_ARG_TYPE",
      "a pair [h, c]",
    ],
    [
      "two layers for a cell",
      () => GRUCell.fromStateDict(new GRU(3, 4, { numLayers: 2 }).stateDict()),
      RangeError,
      "ERR_STATE_DICT",
      'unexpected key "weight_ih_l1"',
    ],
    [
      "another cell's weights",
      () => GRUCell.fromStateDict(new LSTMCell(3, 4).stateDict()),
      RangeError,
      "ERR_STATE_DICT",
      "those of LSTMCell(3, 4)",
    ],
    [
      "a pair for out",
      () => new GRU(3, 4).forward(x, null, { out: any([zeros([2, 4]), pair]) }),
      TypeError,
      "ERR_ARG_TYPE",
      "out",
    ],
    [
      "a pair for a stream's state",
      () => Object.assign(new RNN(3, 4).stream(), { state: pair }),
      TypeError,
      "ERR_ARG_TYPE",
      "h0: expected one tensor alone",
    ],
  ])("%s", (_, call, kind, code, piece) => {
    expectCoded(call, kind, code, piece);
  });

  it("an RNN's nonlinearity is not among its weights, and is told", () => {
    const dict = new RNN(3, 4, { nonlinearity: "relu" }).stateDict();
    expect(RNN.fromStateDict(dict).nonlinearity).toBe("tanh");
    const relu = RNN.fromStateDict(dict, { nonlinearity: "relu" });
    expect([relu.nonlinearity, RNN.fromShared(relu.share()).nonlinearity]).toEqual(["relu", "relu"]);
    expect(Array.from(relu.forward(rand([50, 3]))[0].data).every((h) => h >= 0 && !Object.is(h, -0))).toBe(true);
    expect(String(relu)).toBe("RNN(3, 4, nonlinearity=relu)");
  });
});
