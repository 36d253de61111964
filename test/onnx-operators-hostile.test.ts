// The operators on constants against arguments that no exporter would write: by hand for each, and drawn at random, chains
// of them included. Whatever comes in, a constant comes out whose data is what its shape says, or loadOnnx's own error, soon
// and in little memory.

import { describe, expect, it } from "vitest";
import { noFolder } from "../lib/weights/onnx/external.js";
import { readModel } from "../lib/weights/onnx/graph.js";
import { Budget, Scope } from "../lib/weights/onnx/scope.js";
import type { Constant } from "../lib/weights/onnx/tensor.js";
import { expectCoded } from "./support/expect-coded.js";
import { generator } from "./support/mutate.js";
import {
  field,
  initializer,
  intAttribute,
  intsAttribute,
  model,
  node,
  tensorAttribute,
  tensorProto,
} from "./support/proto.js";

function scopeOf(bytes: Buffer): Scope {
  const { graph, opset, functions } = readModel("m", bytes);
  const budget = new Budget();
  budget.allow(bytes.length);
  return new Scope({ file: "m", budget, functions, readExternal: noFolder }, graph, { opset });
}

const floats = (name: string, ...dims: number[]): Buffer =>
  initializer(
    tensorProto(
      name,
      dims,
      Buffer.from(Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, k) => k).buffer),
    ),
  );
const ints = (name: string, ...values: (number | bigint)[]): Buffer =>
  initializer(tensorProto(name, [values.length], Buffer.from(BigInt64Array.from(values, BigInt).buffer), 7));
const scalar = (name: string, value: number | bigint): Buffer =>
  initializer(tensorProto(name, [], Buffer.from(BigInt64Array.of(BigInt(value)).buffer), 7));
const bytesOf = (name: string, type: number, ...dims: number[]): Buffer =>
  initializer(tensorProto(name, dims, Buffer.alloc(dims.reduce((a, b) => a * b, 1)), type));

type Extra = readonly Buffer[];

describe("an operator on constants refuses", () => {
  const pool = [floats("x", 2, 3), floats("one", 1), floats("e", 0, 3), bytesOf("q", 3, 2, 3), scalar("s", 0)];

  it.each<[what: string, op: string, inputs: string[], attributes: Extra, made: Extra, piece: string | RegExp]>([
    ["an order of too few dims", "Transpose", ["x"], [intsAttribute("perm", 0)], [], "an order of 2 dims"],
    ["an order with one twice", "Transpose", ["x"], [intsAttribute("perm", 0, 0)], [], "different axes"],
    ["an order out of range", "Transpose", ["x"], [intsAttribute("perm", 0, 2)], [], "an axis of 2 dims, but got 2"],
    ["another size", "Reshape", ["x", "t"], [], [ints("t", 4)], "a shape for (2, 3), but got (4,)"],
    ["two open dims", "Reshape", ["x", "t"], [], [ints("t", -1, -1)], /a shape/],
    ["an open dim of nothing", "Reshape", ["x", "t"], [], [ints("t", -1, 0, 5)], "a shape for (2, 3)"],
    ["a size of −2", "Reshape", ["x", "t"], [], [ints("t", -2, -3)], "a shape for (2, 3), but got (-2, -3)"],
    ["a size of 2^62", "Reshape", ["x", "t"], [], [ints("t", 2n ** 62n)], "a shape for"],
    ["a hundred dims", "Reshape", ["x", "t"], [], [ints("t", ...new Array<number>(100).fill(1))], "at most 64 dims"],
    ["a dim that is not 1", "Squeeze", ["x", "t"], [], [ints("t", 0)], "dims of 1 on its axes, but got (2, 3)"],
    ["an axis of a scalar", "Gather", ["s", "s"], [], [], "an axis of 0 dims"],
    ["an index past the end", "Gather", ["x", "t"], [], [ints("t", 2)], "an index into 2, but got 2"],
    ["an index before the start", "Gather", ["x", "t"], [], [ints("t", -3)], "an index into 2, but got -3"],
    ["an index into nothing", "Gather", ["e", "t"], [], [ints("t", 0)], "an index into 0"],
    ["an index that is a fraction", "Gather", ["x", "x2"], [], [floats("x2", 2, 2)], "an index into 2"],
    [
      "an index of half",
      "Gather",
      ["x", "h"],
      [],
      [initializer(tensorProto("h", [1], Buffer.from(Float32Array.of(0.5).buffer)))],
      "0.5",
    ],
    ["an axis out of range", "Flatten", ["x"], [intAttribute("axis", 3)], [], "an axis of 2 dims"],
    ["a tebibyte", "Expand", ["x", "t"], [], [ints("t", 2 ** 40, 2, 3)], "in proportion to the file"],
    ["2^120 elements", "Expand", ["x", "t"], [], [ints("t", 2n ** 60n, 2n ** 60n, 2, 3)], /a shape|proportion/],
    ["a shape below 0", "Expand", ["x", "t"], [], [ints("t", -1)], "a shape, but got (-1,)"],
    [
      "a shape that does not go",
      "Expand",
      ["x", "t"],
      [],
      [ints("t", 4)],
      "a shape that goes with (2, 3), but got (4,)",
    ],
    ["a tebibyte of zeros", "ConstantOfShape", ["t"], [], [ints("t", 2 ** 40)], "in proportion to the file"],
    [
      "a value of two",
      "ConstantOfShape",
      ["t"],
      [tensorAttribute("value", tensorProto("v", [2], Buffer.alloc(8)))],
      [ints("t", 2)],
      "a value of one element",
    ],
    ["a million repeats", "Tile", ["x", "t"], [], [ints("t", 2 ** 20, 1)], "in proportion to the file"],
    ["repeats past counting", "Tile", ["x", "t"], [], [ints("t", 2n ** 52n, 1)], "in proportion to the file"],
    ["repeats below 0", "Tile", ["x", "t"], [], [ints("t", -1, 1)], "repeats from 0 up, but got -1"],
    ["repeats of one dim", "Tile", ["x", "t"], [], [ints("t", 1)], "repeats of 2 dims"],
    ["parts that do not add up", "Split", ["x", "t"], [intAttribute("axis", 1)], [ints("t", 1)], "1 parts of 3 in all"],
    ["a part below 0", "Split", ["x", "t"], [intAttribute("axis", 1)], [ints("t", -1, 4)], "parts of 3 in all"],
    ["two types", "Add", ["x", "t"], [], [ints("t", 1)], "two inputs of one type, but got float32 and int64"],
    ["shapes that do not go", "Add", ["x", "y"], [], [floats("y", 4)], "a shape that goes with (2, 3), but got (4,)"],
    ["division by 0", "Div", ["t", "u"], [], [ints("t", 1), ints("u", 0)], "divisors other than 0"],
    ["a sum past 2^53", "Mul", ["t", "t"], [], [ints("t", 2 ** 40)], "whole numbers below 2^53"],
    ["a type that is none", "Cast", ["x"], [intAttribute("to", 8)], [], "integers, but got string"],
    ["a type by no number", "Cast", ["x"], [], [], "a type to cast to, by number"],
    [
      "floats past an integer",
      "Cast",
      ["h"],
      [intAttribute("to", 3)],
      [initializer(tensorProto("h", [1], Buffer.from(Float32Array.of(1e9).buffer)))],
      "values that int8 holds, but got 1000000000",
    ],
    [
      "NaN for an integer",
      "Cast",
      ["h"],
      [intAttribute("to", 7)],
      [initializer(tensorProto("h", [1], Buffer.from(Float32Array.of(Number.NaN).buffer)))],
      "values that int64 holds, but got NaN",
    ],
    ["floats to dequantise", "DequantizeLinear", ["x", "one"], [], [], "integers and float scales"],
    ["integer scales", "DequantizeLinear", ["q", "t"], [], [ints("t", 1)], "integers and float scales"],
    [
      "scales of another length",
      "DequantizeLinear",
      ["q", "y"],
      [],
      [floats("y", 4)],
      "scales and zero points for (2, 3), but got (4,)",
    ],
    [
      "zero points of another type",
      "DequantizeLinear",
      ["q", "one", "z"],
      [],
      [bytesOf("z", 2, 1)],
      "a zero point of int8, but got uint8",
    ],
    [
      "zero points of another length",
      "DequantizeLinear",
      ["q", "one", "z"],
      [],
      [bytesOf("z", 3, 2)],
      "scales and zero points for (2, 3), but got (2,)",
    ],
    [
      "blocks of another shape",
      "DequantizeLinear",
      ["q", "y"],
      [intAttribute("block_size", 2)],
      [floats("y", 2, 3)],
      "scales and zero points",
    ],
    [
      "blocks of −1",
      "DequantizeLinear",
      ["q", "y"],
      [intAttribute("block_size", -1)],
      [floats("y", 2, 3)],
      "scales and zero points",
    ],
    ["integers to quantise", "QuantizeLinear", ["q", "one"], [], [], "floats made integers"],
    ["a condition of floats", "Where", ["x", "x", "x"], [], [], "a bool and two inputs of one type"],
    ["a shape as a matrix", "Reshape", ["x", "t"], [], [floats("t", 2, 2)], "a list of whole numbers as input 1"],
  ])("%s", (_, op, inputs, attributes, made, piece) => {
    const outputs =
      op === "Split" ? ["y0", "y1"].slice(0, op === "Split" && /1 parts/.test(String(piece)) ? 1 : 2) : ["y0"];
    const bytes = model([...pool, ...made, node(op, inputs, outputs, attributes)]);
    expectCoded(() => scopeOf(bytes).constant("m", "y0"), RangeError, "ERR_FILE", piece);
  });
});

describe("operators drawn at random", () => {
  const operators = [
    ...[
      "Cast",
      "Transpose",
      "Reshape",
      "Squeeze",
      "Unsqueeze",
      "Flatten",
      "Concat",
      "Slice",
      "Split",
      "Gather",
      "Expand",
    ],
    ...["Tile", "Add", "Sub", "Mul", "Div", "Equal", "Where", "Shape", "ConstantOfShape", "DequantizeLinear"],
    ...["QuantizeLinear", "CastLike", "Identity", "Constant"],
  ];
  const numbers = [0, 1, 2, 3, -1, -2, 4, 7, 64, 2 ** 20, 2 ** 31, -(2 ** 31), 2 ** 53, 2n ** 62n, -(2n ** 63n)];
  const names = [
    "axis",
    "axes",
    "perm",
    "starts",
    "ends",
    "steps",
    "to",
    "split",
    "num_outputs",
    "allowzero",
    "block_size",
  ];

  function draw(below: (limit: number) => number): Buffer {
    const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
    const some = (): (number | bigint)[] =>
      Array.from({ length: below(4) }, () => pick(below(4) === 0 ? numbers : numbers.slice(0, 8)));
    const known = ["x", "y", "z", "q", "u", "b", "i", "j", "k", "s", ""];
    const parts: Buffer[] = [
      ...[floats("x", 2, 3), floats("y", 3), floats("z", 1, 0, 2), bytesOf("q", 3, 2, 3), bytesOf("u", 2, 2, 3)],
      ...[
        bytesOf("b", 9, 3),
        ints("i", ...some()),
        ints("j", ...some()),
        ints("k", ...some()),
        scalar("s", pick(numbers)),
      ],
    ];
    // An input whose sizes are open, so that unknown numbers take part.
    const dims = Buffer.concat([field(1, field(2, "T")), field(1, field(2, "B")), field(1, Buffer.from([8, 3]))]);
    parts.push(field(11, Buffer.concat([field(1, "in"), field(2, field(1, field(2, dims)))])));
    parts.push(node("Shape", ["in"], ["sizes"]));
    known.push("sizes");
    for (let n = 0; n < 8; n++) {
      const inputs = Array.from({ length: 1 + below(4) }, () => pick(known));
      const attributes = Array.from({ length: below(3) }, () =>
        below(2) === 0 ? intAttribute(pick(names), pick(numbers)) : intsAttribute(pick(names), ...some()),
      );
      const outputs = [`n${n}`, `m${n}`].slice(0, 1 + below(2));
      parts.push(node(pick(operators), inputs, outputs, attributes));
      known.push(...outputs);
    }
    return model(parts);
  }

  it("give a constant that is what its shape says, or their own error", () => {
    const below = generator(7);
    const tally = { made: 0, open: 0, refused: 0 };
    for (let round = 0; round < 1000; round++) {
      const scope = scopeOf(draw(below));
      const start = performance.now();
      for (let n = 0; n < 8; n++) {
        let made: Constant;
        try {
          made = scope.constant("m", `n${n}`);
        } catch (error) {
          expect(error).toMatchObject({ name: "RangeError", code: "ERR_FILE" });
          tally.refused++;
          continue;
        }
        const size = made.shape.reduce((count, dim) => count * (Number.isNaN(dim) ? 1 : dim), 1);
        expect(made.data.length).toBe(size);
        tally[made.shape.some(Number.isNaN) ? "open" : "made"]++;
      }
      expect(performance.now() - start).toBeLessThan(5000);
    }
    expect(tally.made).toBeGreaterThan(500);
    expect(tally.open).toBeGreaterThan(10);
    expect(tally.refused).toBeGreaterThan(500);
  });
});
