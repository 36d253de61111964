// Constants of a size that only the model's input decides: what the operators know of them, and that nothing which depends
// on the size turns into a weight. `in` is an input of shape (T, B, 3); `full` is [2, B, 3] of some value, by its sizes.

import { describe, expect, it } from "vitest";
import { noFolder } from "../lib/weights/onnx/external.js";
import { readModel } from "../lib/weights/onnx/graph.js";
import { Budget, Scope } from "../lib/weights/onnx/scope.js";
import type { Constant } from "../lib/weights/onnx/tensor.js";
import { expectCoded } from "./support/expect-coded.js";
import {
  field,
  initializer,
  intAttribute,
  intField,
  intsAttribute,
  model,
  node,
  tensorProto,
} from "./support/proto.js";

const open = Number.NaN;
const ints = (name: string, ...values: number[]): Buffer =>
  initializer(tensorProto(name, [values.length], Buffer.from(BigInt64Array.from(values, BigInt).buffer), 7));
const floats = (name: string, dims: number[], ...values: number[]): Buffer =>
  initializer(tensorProto(name, dims, Buffer.from(Float32Array.from(values).buffer)));

const dims = [field(1, field(2, "T")), field(1, field(2, "B")), field(1, intField(1, 3))];
const parts = [
  field(11, Buffer.concat([field(1, "in"), field(2, field(1, field(2, Buffer.concat(dims))))])),
  ...[ints("zero", 0), ints("one", 1), ints("two", 2), ints("three", 3), ints("minus", -1), ints("all", 0, 1, 2)],
  ...[floats("row", [1, 1, 3], 5, 6, 7), floats("four", [4, 1], 1, 2, 3, 4)],
  node("Shape", ["in"], ["sizes"]),
  node("Shape", ["unheard"], ["unsized"]),
  field(11, field(1, "unheard")),
  node("Slice", ["sizes", "one", "two"], ["b"]),
  node("Slice", ["sizes", "two", "three"], ["i"]),
  node("Concat", ["two", "b", "i"], ["shape"], [intAttribute("axis", 0)]),
  node("Expand", ["row", "shape"], ["full"]),
  node("ConstantOfShape", ["shape"], ["zeros"]),
];

function made(...nodes: Buffer[]): Constant {
  const { graph, functions } = readModel("m", model([...parts, ...nodes]));
  const budget = new Budget();
  return new Scope({ file: "m", budget, functions, readExternal: noFolder }, graph, { opset: 18 }).constant("m", "y");
}

describe("of a size that is left open", () => {
  it.each<[what: string, node: Buffer, shape: number[], data: number[]]>([
    ["the sizes", node("Identity", ["sizes"], ["y"]), [3], [open, open, 3]],
    ["one of them, of an input of unknown rank", node("Gather", ["unsized", "one"], ["y"]), [1], [open]],
    ["an expanded row", node("Identity", ["full"], ["y"]), [2, open, 3], [5, 6, 7, 5, 6, 7]],
    ["zeros", node("Identity", ["zeros"], ["y"]), [2, open, 3], [0, 0, 0, 0, 0, 0]],
    ["its shape", node("Shape", ["full"], ["y"]), [3], [2, open, 3]],
    ["one layer of it", node("Slice", ["full", "one", "two", "zero"], ["y"]), [1, open, 3], [5, 6, 7]],
    ["some of the batch", node("Slice", ["full", "one", "three", "one"], ["y"]), [2, open, 3], [5, 6, 7, 5, 6, 7]],
    ["one of the batch", node("Slice", ["full", "one", "two", "one"], ["y"]), [2, 1, 3], [5, 6, 7, 5, 6, 7]],
    [
      "some of the batch, by index",
      node("Gather", ["full", "all"], ["y"], [intAttribute("axis", 1)]),
      [2, 3, 3],
      [5, 6, 7, 5, 6, 7, 5, 6, 7, 5, 6, 7, 5, 6, 7, 5, 6, 7],
    ],
    [
      "transposed",
      node("Transpose", ["full"], ["y"], [intsAttribute("perm", 1, 0, 2)]),
      [open, 2, 3],
      [5, 6, 7, 5, 6, 7],
    ],
    [
      "joined",
      node("Concat", ["full", "full"], ["y"], [intAttribute("axis", 2)]),
      [2, open, 6],
      [5, 6, 7, 5, 6, 7, 5, 6, 7, 5, 6, 7],
    ],
    ["with a dim more", node("Unsqueeze", ["full", "one"], ["y"]), [2, 1, open, 3], [5, 6, 7, 5, 6, 7]],
    ["with that dim taken as 1", node("Squeeze", ["full", "one"], ["y"]), [2, 3], [5, 6, 7, 5, 6, 7]],
    ["plus a row", node("Add", ["full", "row"], ["y"]), [2, open, 3], [10, 12, 14, 10, 12, 14]],
    [
      "plus four rows, which then must be four",
      node("Add", ["four", "full"], ["y"]),
      [2, 4, 3],
      [6, 7, 8, 7, 8, 9, 8, 9, 10, 9, 10, 11, 6, 7, 8, 7, 8, 9, 8, 9, 10, 9, 10, 11],
    ],
    ["minus itself", node("Sub", ["full", "full"], ["y"]), [2, open, 3], [0, 0, 0, 0, 0, 0]],
    ["zeros in another shape", node("Reshape", ["zeros", "minus"], ["y"]), [open], [0]],
    ["a row by sizes of which one is open", node("Reshape", ["row", "b"], ["y"]), [3], [5, 6, 7]],
    [
      "twice itself and that again",
      node("Tile", ["full", "shape"], ["y"]),
      [4, open, 9],
      [5, 6, 7, 5, 6, 7, 5, 6, 7, 5, 6, 7, 5, 6, 7, 5, 6, 7, 5, 6, 7, 5, 6, 7, 5, 6, 7, 5, 6, 7, 5, 6, 7, 5, 6, 7],
    ],
    [
      "a part",
      node("Split", ["full"], ["y", "z", "w"], [intAttribute("axis", 2), intAttribute("num_outputs", 3)]),
      [2, open, 1],
      [5, 5],
    ],
  ])("%s", (_, operation, shape, data) => {
    const constant = made(operation);
    expect(constant.shape).toEqual(shape);
    expect(Array.from(constant.data)).toEqual(data);
  });

  it.each<[what: string, nodes: Buffer[], piece: string]>([
    [
      "a float of a size",
      [node("Cast", ["sizes"], ["y"], [intAttribute("to", 1)])],
      "a size that the model's input decides",
    ],
    [
      "a byte of a size",
      [node("Cast", ["sizes"], ["y"], [intAttribute("to", 2)])],
      "a size that the model's input decides",
    ],
    [
      "a choice by a size",
      [node("Equal", ["sizes", "all"], ["c"]), node("Where", ["c", "row", "row"], ["y"])],
      "a size that the model's input decides",
    ],
    [
      "a row that a size picks",
      [node("Gather", ["row", "b"], ["y"], [intAttribute("axis", 2)])],
      "an index that the model's input decides",
    ],
    [
      "a piece that a size ends",
      [node("Slice", ["row", "zero", "b", "two"], ["y"])],
      "limits that the model's input decides",
    ],
    [
      "rows joined along it",
      [node("Concat", ["full", "full"], ["y"], [intAttribute("axis", 1)])],
      "an input of a size that the model's input decides",
    ],
    ["it in another shape", [node("Reshape", ["full", "minus"], ["y"])], "a shape that the model's input decides"],
    ["dims of 1 among it", [node("Squeeze", ["full"], ["y"])], "dims that the model's input decides"],
    [
      "repeats of more than one",
      [
        node("Tile", ["row", "sizes"], ["t"]),
        node("Gather", ["t", "zero"], ["u"]),
        node("Tile", ["four", "w"], ["y"]),
        node("Concat", ["b", "one"], ["w"], [intAttribute("axis", 0)]),
      ],
      "repeats that the model's input decides",
    ],
  ])("not %s", (_, nodes, piece) => {
    expectCoded(() => made(...nodes), RangeError, "ERR_FILE", piece);
  });
});
