// GRU, RNN and quantised nodes and initial states that no exporter would write, and graphs that hold very many nodes or very
// long names. Each must be refused by its own error or listed as passed over, and soon.

import { describe, expect, it } from "vitest";
import { loadOnnx } from "../lib/weights/onnx/onnx.js";
import { expectRefused } from "./support/onnx-refused.js";
import {
  field,
  graphAttribute,
  initializer,
  intAttribute,
  lstm,
  model,
  node,
  tensorProto,
  textAttribute,
  weights,
  zeros,
} from "./support/proto.js";

const ones = (name: string, ...dims: number[]): Buffer =>
  initializer(tensorProto(name, dims, Buffer.from(new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(1).buffer)));
const bytes = (name: string, type: number, ...dims: number[]): Buffer =>
  initializer(tensorProto(name, dims, Buffer.alloc(dims.reduce((a, b) => a * b, 1)), type));
const texts = (name: string, ...values: string[]): Buffer =>
  field(5, Buffer.concat([field(1, name), ...values.map((value) => field(9, value))]));

describe("a node", () => {
  const starting = (h: string, c: string, ...made: Buffer[]): Buffer =>
    model([node("LSTM", ["x", "W", "R", "B", "", h, c], ["y"]), ...weights, ...made]);
  const quantised = (inputs: string[], ...made: Buffer[]): Buffer =>
    model([
      node("DynamicQuantizeLSTM", ["x", "Q", "P", "", "", "", "", "", ...inputs], ["y"], [field(7, "com.microsoft")]),
      ...[bytes("Q", 3, 1, 3, 8), bytes("P", 3, 1, 2, 8), ...made],
    ]);
  const three = [zeros("W", 1, 6, 3), zeros("R", 1, 6, 2)].map(initializer);
  const gru = (...parts: Buffer[]): Buffer => model([node("GRU", ["x", "W", "R"], ["y"], parts), ...three]);

  it.each<[what: string, file: Buffer, piece: string | RegExp]>([
    [
      "whose h0 has another rank",
      starting("h", "", ones("h", 1, 2)),
      "input initial_h: expected shape (1, B, 2), but got (1, 2)",
    ],
    ["whose h0 has another width", starting("h", "", ones("h", 1, 1, 3)), "shape (1, B, 2), but got (1, 1, 3)"],
    ["whose h0 has two directions", starting("h", "", ones("h", 2, 1, 2)), "shape (1, B, 2), but got (2, 1, 2)"],
    [
      "whose states are of two batches",
      starting("h", "c", ones("h", 1, 2, 2), ones("c", 1, 3, 2)),
      "initial states of one batch, but got 2 and 3",
    ],
    [
      "whose c0 is an input and h0 is not",
      starting("h", "c", ones("h", 1, 1, 2), field(11, field(1, "c"))),
      "an initial state that is a constant, or none of it",
    ],
    [
      "whose h0 is of integers",
      starting("h", "", initializer(tensorProto("h", [1, 1, 2], Buffer.from([1, 1]), 3))),
      "floats like those of the weights",
    ],
    [
      "whose h0 is damaged",
      starting("h", "", initializer(tensorProto("h", [1, 1, 2], Buffer.alloc(4)))),
      "2 values for shape (1, 1, 2), but got 1",
    ],
    ["whose layout is 2", model([lstm(intAttribute("layout", 2)), ...weights]), "layout 0 or 1, but got 2"],
    ["that resets before", gru(), "linear_before_reset = 1, as in torch.nn.GRU"],
    [
      "of an LSTM's rows in a GRU",
      model([node("GRU", ["x", "W", "R"], ["y"], [intAttribute("linear_before_reset", 1)]), ...weights]),
      "input W: expected shape (1, 6, 3), but got (1, 8, 3)",
    ],
    [
      "with a GRU's hard sigmoid",
      gru(intAttribute("linear_before_reset", 1), texts("activations", "HardSigmoid", "Tanh")),
      'the activations Sigmoid, Tanh, but got activations "HardSigmoid", "Tanh"',
    ],
    [
      "with an RNN's activations of two kinds",
      model([
        node(
          "RNN",
          ["x", "W", "R"],
          ["y"],
          [textAttribute("direction", "bidirectional"), texts("activations", "Tanh", "Relu")],
        ),
        ...weights,
      ]),
      "the activation Tanh or Relu, one for all directions",
    ],
    [
      "with an RNN's softsign",
      model([node("RNN", ["x", "W", "R"], ["y"], [texts("activations", "Softsign")]), ...weights]),
      "the activation Tanh or Relu",
    ],
    [
      "with a clip of 0",
      model([lstm(field(5, Buffer.concat([field(1, "clip"), Buffer.from([0x15, 0, 0, 0, 0])]))), ...weights]),
      "no clip, which torch.nn.LSTM has not, but got clip 0",
    ],
    [
      "with a clip that is not a number",
      model([lstm(field(5, Buffer.concat([field(1, "clip"), Buffer.from([0x15, 0, 0, 0xc0, 0x7f])]))), ...weights]),
      "no clip",
    ],
    ["quantised without scales", quantised([]), "scales of float32, but got none"],
    [
      "quantised with a scale for another width",
      quantised(["s", "", "s"], ones("s", 1, 7)),
      "scales (1,) or (1, 8), but got (1, 7)",
    ],
    ["quantised with integer scales", quantised(["s", "", "s"], bytes("s", 3, 1)), "scales of float32, but got int8"],
    [
      "quantised with zero points of another sign",
      quantised(["s", "z", "s"], ones("s", 1), bytes("z", 2, 1)),
      "zero points of int8 beside each scale",
    ],
    [
      "quantised with too many zero points",
      quantised(["s", "z", "s"], ones("s", 1), bytes("z", 3, 8)),
      "zero points of int8 beside each scale",
    ],
  ])("%s is refused", (_, file, piece) => expectRefused(file, piece));

  it("quantised as it should be is read", () => {
    const [found] = loadOnnx(quantised(["s", "z", "s"], ones("s", 1), bytes("z", 3, 1)));
    expect(found?.stateDict.weight_ih_l0?.shape).toEqual([8, 3]);
  });

  it("whose initial state only a running model has is read all the same, a long way off or close by", () => {
    const far = Array.from({ length: 300 }, (_, k) => node("Identity", [`h${k}`], [`h${k + 1}`]));
    for (const name of ["h0", "h1", "h299", "h300"]) {
      const [found] = loadOnnx(
        model([...far, field(11, field(1, "h0")), node("LSTM", ["x", "W", "R", "B", "", name, ""], ["y"]), ...weights]),
      );
      expect(found?.stateFrom).toEqual(
        name === "h0" ? { input: "h0" } : { computed: expect.stringContaining(`Identity node "${name}"`) },
      );
    }
  });
});

describe("a graph", () => {
  it("of ten thousand nodes that cannot be read is refused, one of nine hundred lists them", () => {
    const clipped = (count: number): Buffer[] =>
      Array.from({ length: count }, (_, k) => node("LSTM", ["x", "W"], [`y${k}`]));
    expectRefused(model([...clipped(10_000), ...weights]), "at most 1000 nodes that cannot be read");
    const found = loadOnnx(model([...clipped(900), lstm(field(3, "good")), ...weights]));
    expect([found.length, found.passedOver.length, found.passedOver[7]?.name]).toEqual([1, 900, "y7"]);
  });

  it("of long names around many nodes is refused", () => {
    const inner = Array.from({ length: 2000 }, (_, k) => node("LSTM", ["x", "W", "R", "B"], [`y${k}`]));
    const around = node(
      "If",
      ["c"],
      ["y"],
      [field(3, "n".repeat(2 ** 20)), graphAttribute("then_branch", Buffer.concat(inner))],
    );
    expectRefused(model([around, ...weights]), "constants and calls in proportion to the file");
  });

  it("of many calls of a function with a long way to go is refused", () => {
    const calls = Array.from({ length: 50_000 }, (_, k) => node("f", ["x"], [`y${k}`], [field(7, "local")]));
    const body = Array.from({ length: 20 }, (_, k) => node("Identity", ["a"], [`b${k}`], [], 7));
    const f = Buffer.concat([field(1, "f"), field(10, "local"), field(4, "a"), ...body]);
    expectRefused(model([...calls, ...weights], [f]), /in proportion to the file|at most 1000000 nodes/);
  });
});
