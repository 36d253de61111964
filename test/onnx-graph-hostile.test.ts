// loadOnnx against graphs that no exporter would build: ways to the weights that never end or double at every step,
// graphs in graphs, functions that call themselves. Each must be refused by its own error, and soon.

import { describe, expect, it } from "vitest";
import { loadOnnx } from "../lib/weights/onnx/onnx.js";
import { expectRefused } from "./support/onnx-refused.js";
import {
  field,
  graphAttribute,
  initializer,
  intAttribute,
  intsAttribute,
  lstm,
  model,
  node,
  tensorAttribute,
  tensorProto,
  textAttribute,
  weights,
  zeros,
} from "./support/proto.js";

describe("a way to the weights", () => {
  const way = (...nodes: Buffer[]): Buffer => model([...nodes, lstm(), ...weights.slice(1)]);
  const start = initializer(zeros("W0", 8, 3));
  const ints = (name: string, ...values: number[]): Buffer =>
    node("Constant", [], [name], [intsAttribute("value_ints", ...values)]);
  const attributes = (from: number, to: number, axis = 0): Buffer[] => [
    intsAttribute("starts", from),
    intsAttribute("ends", to),
    intsAttribute("axes", axis),
  ];

  it.each<[what: string, bytes: Buffer, piece: string | RegExp]>([
    ["that leads back to itself", way(node("Identity", ["W"], ["W"])), "a constant within 200 operations"],
    [
      "round in a circle",
      way(node("Identity", ["b"], ["W"]), node("Identity", ["W"], ["b"])),
      "a constant within 200 operations",
    ],
    [
      "of a hundred thousand steps",
      way(
        start,
        ...Array.from({ length: 100_000 }, (_, k) => node("Identity", [`W${k}`], [k === 99_999 ? "W" : `W${k + 1}`])),
      ),
      "a constant within 200 operations",
    ],
    [
      "that doubles sixty times",
      way(
        start,
        ...Array.from({ length: 60 }, (_, k) => node("Concat", [`W${k}`, `W${k}`], [k === 59 ? "W" : `W${k + 1}`])),
      ),
      "constants and calls in proportion to the file",
    ],
    [
      "through an axis out of range",
      way(start, node("Unsqueeze", ["W0"], ["W"], [intsAttribute("axes", 3)])),
      "an axis of 3 dims, but got 3",
    ],
    [
      "through an axis twice",
      way(start, node("Unsqueeze", ["W0"], ["W"], [intsAttribute("axes", 0, -4)])),
      "different axes",
    ],
    [
      "through a hundred axes",
      way(start, node("Unsqueeze", ["W0"], ["W"], [intsAttribute("axes", ...new Array(100).keys())])),
      "at most 64 dims, but got 102",
    ],
    [
      "through a slice without ends",
      way(start, node("Slice", ["W0"], ["W"], [intsAttribute("starts", 0)])),
      "one start, end, axis and step each",
    ],
    [
      "through a slice of steps of 0",
      way(start, ints("o", 0), ints("e", 8), node("Slice", ["W0", "o", "e", "o", "o"], ["W"])),
      "steps other than 0, but got (0,)",
    ],
    [
      "through a slice of axis 9",
      way(start, node("Slice", ["W0"], ["W"], attributes(0, 8, 9))),
      "an axis of 2 dims, but got 9",
    ],
    ["through a slice of nothing", way(start, node("Slice", ["W0"], ["W"], attributes(5, 2))), "sizes of at least 1"],
    ["that joins nothing", way(node("Concat", [], ["W"], [intAttribute("axis", 0)])), "inputs, but got none"],
    [
      "that joins unlike parts",
      way(start, initializer(zeros("W1", 8, 4)), node("Concat", ["W0", "W1"], ["W"])),
      "inputs like (8, 3), but got (8, 4)",
    ],
    [
      "that joins floats and integers",
      way(start, initializer(tensorProto("W1", [8, 3], Buffer.alloc(96), 6)), node("Concat", ["W0", "W1"], ["W"])),
      "inputs like (8, 3), but got (8, 3)",
    ],
    [
      "that doubles nothing sixty times",
      way(
        initializer(zeros("W0", 0)),
        ...Array.from({ length: 60 }, (_, k) => node("Concat", [`W${k}`, `W${k}`], [k === 59 ? "W" : `W${k + 1}`])),
      ),
      "sizes of at least 1",
    ],
    ["through a node without input", way(node("Identity", [], ["W"])), "input 0, but got none"],
    [
      "through a constant of text",
      way(node("Constant", [], ["W"], [textAttribute("value_string", "a")])),
      "a value that is a tensor or a list of numbers",
    ],
    [
      "through a damaged constant",
      way(node("Constant", [], ["W"], [tensorAttribute("value", Buffer.from([8]))])),
      "the end of an integer",
    ],
    [
      "through another domain's Identity",
      way(start, node("Identity", ["W0"], ["W"], [field(7, "other")])),
      'output of Identity node "W"',
    ],
  ])("%s is refused", (_, bytes, piece) => expectRefused(bytes, piece));
});

describe("graphs in graphs", () => {
  const call = (name: string, as: number): Buffer => node(name, ["x"], ["y"], [field(7, "local")], as);
  const definition = (name: string, ...nodes: Buffer[]): Buffer =>
    Buffer.concat([field(1, name), field(10, "local"), field(4, "a"), ...nodes]);

  it("a thousand deep are refused", () => {
    let graph: Buffer = Buffer.from(lstm());
    for (let depth = 0; depth < 1000; depth++)
      graph = Buffer.from(node("If", ["c"], ["y"], [graphAttribute("then_branch", graph)]));
    expectRefused(model([graph, ...weights]), "graphs nested at most 32 deep");
  });

  it("that call themselves are refused", () => {
    expectRefused(model([call("f", 1)], [definition("f", call("f", 7))]), "graphs nested at most 32 deep");
  });

  it("that call the next one twice, thirty times over, are refused", () => {
    const functions = Array.from({ length: 30 }, (_, k) =>
      definition(`f${k}`, call(`f${k + 1}`, 7), call(`f${k + 1}`, 7)),
    );
    expectRefused(model([call("f0", 1)], functions), /in proportion to the file|at most 1000000 nodes/);
  });

  it("that call one heavy function a hundred thousand times are refused", () => {
    const heavy = Array.from({ length: 10_000 }, (_, k) => intAttribute(`a${k}`, k));
    const functions = Array.from({ length: 17 }, (_, k) =>
      definition(`f${k}`, call(`f${k + 1}`, 7), call(`f${k + 1}`, 7)),
    );
    functions.push(definition("f17", node("Identity", ["a"], ["b"], heavy, 7)));
    expectRefused(model([call("f0", 1)], functions), "in proportion to the file");
  });

  it("pass a function its attributes, or leave it its own", () => {
    const reference = field(5, Buffer.concat([field(1, "hidden_size"), field(21, "size")]));
    const body = node("LSTM", ["a", "b", "c"], ["d"], [reference], 7);
    const inputs = [field(4, "b"), field(4, "c"), field(11, intAttribute("size", 2).subarray(2))];
    const f = definition("f", ...inputs, body);
    const called = (...parts: Buffer[]): Buffer => node("f", ["x", "W", "R"], ["y"], [field(7, "local"), ...parts]);
    const sizes = (...parts: Buffer[]): unknown =>
      loadOnnx(model([called(...parts), ...weights], [f])).map(({ stateDict }) => stateDict.weight_hh_l0?.shape);
    expect(sizes()).toEqual([[8, 2]]);
    expect(sizes(intAttribute("size", 2))).toEqual([[8, 2]]);
    expectRefused(model([called(intAttribute("size", 3)), ...weights], [f]), "input W: expected shape (1, 12, 3)");
  });

  it("see the names around them, functions do not", () => {
    const inner = node("If", ["c"], ["y"], [graphAttribute("then_branch", lstm(field(3, "in")))]);
    expect(loadOnnx(model([inner, ...weights])).map(({ name }) => name)).toEqual(["y/then_branch/in"]);
    const body = node("LSTM", ["a", "W", "R"], ["b"], [], 7);
    expectRefused(
      model([call("f", 1), ...weights], [definition("f", body)]),
      'node "y/b" input W: expected a constant, but got "W", which nothing',
    );
  });
});
