// The builders of errors and the judges of single values and options.

import { describe, expect, it } from "vitest";
import {
  checkBool,
  checkInt,
  checkNumber,
  checkOptions,
  describe as describeValue,
  formatShape,
  nearest,
  rangeError,
  typedArrayKind,
  typeError,
} from "../lib/check.js";
import { tensor } from "../lib/tensor/make.js";
import { expectCoded } from "./support/expect-coded.js";

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

it("errors carry class, code and what was expected and came, and begin where they were asked for", () => {
  const kind = typeError("ERR_DTYPE", "input", "a float32 tensor", "a float64 one");
  expect(kind).toBeInstanceOf(TypeError);
  expect(kind.code).toBe("ERR_DTYPE");
  expect(kind.message).toBe("input: expected a float32 tensor, but got a float64 one");
  expect(kind.stack?.split("\n")[1]).toContain("check.test.ts");
  const value = rangeError("ERR_SHAPE", "h0", "(1, 2)", "(2, 1)");
  expect(value).toBeInstanceOf(RangeError);
  expect(value.code).toBe("ERR_SHAPE");
});

describe("describe", () => {
  class Odd {}
  it.each<[unknown, string]>([
    [5, "5"],
    [-0, "-0"],
    [nan, "NaN"],
    [7n, "7n"],
    [10n ** 40n, "a very large bigint"],
    ["abc", '"abc"'],
    ["x".repeat(100), `"${"x".repeat(57)}..."`],
    [true, "true"],
    [undefined, "undefined"],
    [null, "null"],
    [Symbol("s"), "a symbol"],
    [() => 1, "a function"],
    [[1, 2], "an array of length 2"],
    [new Float32Array(3), "a Float32Array of length 3"],
    [new BigInt64Array(1), "a BigInt64Array of length 1"],
    [tensor([[1, 2]]), "a float32 tensor of shape (1, 2)"],
    [{}, "an object"],
    [Object.create(null), "an object"],
    [new Odd(), "an object (Odd)"],
    [new Date(0), "an object (Date)"],
  ])("case %#", (value, said) => expect(describeValue(value)).toBe(said));

  it("outlives hostile objects", () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(describeValue(proxy)).toBe("an object");
    const hostile = {
      get shape(): never {
        throw new Error("no");
      },
    };
    expect(describeValue(hostile)).toBe("an object");
  });

  it("keeps shapes short", () => {
    expect(formatShape([])).toBe("()");
    expect(formatShape([4])).toBe("(4,)");
    expect(formatShape([2, 3])).toBe("(2, 3)");
    expect(formatShape(new Array(40).fill(1)).length).toBeLessThan(70);
  });
});

it("typedArrayKind goes by what an array is, not by what it says it is", () => {
  const liar = new Uint8Array(2);
  Object.defineProperty(liar, Symbol.toStringTag, { value: "Float32Array" });
  expect(typedArrayKind(liar)).toBe("Uint8Array");
  for (const other of [{ [Symbol.toStringTag]: "Float32Array" }, [1], new DataView(new ArrayBuffer(4)), null, 3]) {
    expect(typedArrayKind(other)).toBeUndefined();
  }
});

describe("checks", () => {
  it("give back what they take", () => {
    expect(checkInt("n", 3, { min: 3, max: 3 })).toBe(3);
    expect(checkInt("n", -5)).toBe(-5);
    expect(checkNumber("x", 0.5, { min: 0, max: 1 })).toBe(0.5);
    expect(checkNumber("x", inf, { finite: false })).toBe(inf);
    expect(checkBool("b", false)).toBe(false);
  });

  type Kind = typeof TypeError | typeof RangeError;
  it.each<[string, () => unknown, Kind, string, string]>([
    ["a string for an int", () => checkInt("n", "3"), TypeError, "ERR_ARG_TYPE", 'n: expected an integer, but got "3"'],
    ["a bigint for an int", () => checkInt("n", 3n), TypeError, "ERR_ARG_TYPE", "3n"],
    ["a fraction", () => checkInt("n", 1.5, { min: 1 }), RangeError, "ERR_ARG_VALUE", "an integer of at least 1"],
    ["NaN", () => checkInt("n", nan, { max: 4 }), RangeError, "ERR_ARG_VALUE", "of at most 4, but got NaN"],
    ["too small", () => checkInt("n", 0, { min: 1, max: 9 }), RangeError, "ERR_ARG_VALUE", "from 1 to 9, but got 0"],
    ["too large", () => checkInt("n", 10, { min: 1, max: 9 }), RangeError, "ERR_ARG_VALUE", "got 10"],
    ["null for a number", () => checkNumber("x", null), TypeError, "ERR_ARG_TYPE", "got null"],
    ["a NaN number", () => checkNumber("x", nan), RangeError, "ERR_ARG_VALUE", "a finite number"],
    [
      "NaN where infinities may be",
      () => checkNumber("x", nan, { finite: false }),
      RangeError,
      "ERR_ARG_VALUE",
      "got NaN",
    ],
    ["an infinite number", () => checkNumber("x", inf), RangeError, "ERR_ARG_VALUE", "got Infinity"],
    ["a number above", () => checkNumber("x", 1.1, { min: 0, max: 1 }), RangeError, "ERR_ARG_VALUE", "from 0 to 1"],
    ["1 for a bool", () => checkBool("b", 1), TypeError, "ERR_ARG_TYPE", "b: expected true or false, but got 1"],
  ])("%s", (_, call, kind, code, message) => {
    expectCoded(call, kind, code, message);
  });
});

describe("checkOptions", () => {
  const keys = ["numLayers", "bias", "batchFirst", "bidirectional", "projSize"];

  it("takes known keys, any values, and nothing at all", () => {
    expect(() => checkOptions("LSTM", { batchFirst: "?", bias: undefined }, keys)).not.toThrow();
    expect(() => checkOptions("LSTM", {}, [])).not.toThrow();
    expect(() => checkOptions("LSTM", undefined, keys)).not.toThrow();
  });

  it.each([
    ["batch_first", 'did you mean "batchFirst"'],
    ["batchfirst", 'did you mean "batchFirst"'],
    ["num_layers", 'did you mean "numLayers"'],
    ["bidirectionnal", 'did you mean "bidirectional"'],
    ["prjoSize", 'did you mean "projSize"'],
    ["bais", 'did you mean "bias"'],
    ["layers", 'did you mean "numLayers"'],
  ])("%s", (key, hint) => {
    const error = expectCoded(() => checkOptions("LSTM", { [key]: 1 }, keys), TypeError, "ERR_OPTION", hint);
    expect(error.message).toContain(JSON.stringify(key));
  });

  it("guesses nothing when nothing is near", () => {
    const error = expectCoded(() => checkOptions("LSTM", { dilation: 1 }, keys), TypeError, "ERR_OPTION", "dilation");
    expect(error.message).not.toContain("did you mean");
    expectCoded(() => checkOptions("f", { x: 1 }, []), TypeError, "ERR_OPTION", "no options");
    expectCoded(() => checkOptions("f", { ["k".repeat(1e5)]: 1 }, keys), TypeError, "ERR_OPTION");
  });

  it.each([[null], [3], ["batchFirst"], [[]], [new Float32Array(1)], [() => 0]])("refuses %s as options", (value) => {
    expectCoded(() => checkOptions("LSTM", value as never, keys), TypeError, "ERR_ARG_TYPE", "LSTM options");
  });
});

it("nearest prefers fewest edits and counts a swap as one", () => {
  expect(nearest("weight_ih_l0", ["weight_hh_l0", "weight_ih_l1", "weight_ih_l0"])).toBe("weight_ih_l0");
  expect(nearest("wieght_hh_l0", ["weight_ih_l0", "weight_hh_l0"])).toBe("weight_hh_l0");
  expect(nearest("x", [])).toBeUndefined();
  expect(nearest("something", ["else", "entirely"])).toBeUndefined();
});
