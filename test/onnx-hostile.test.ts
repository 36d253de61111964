// loadOnnx against files that no exporter would write: malformed messages, tensors that lie about their size, graphs
// without end. Each must be refused by its own error, and soon.

import { describe, expect, it } from "vitest";
import { loadOnnx } from "../lib/weights/onnx.js";
import { expectCoded } from "./expect-coded.js";
import {
  field,
  graphAttribute,
  initializer,
  intAttribute,
  intField,
  intsAttribute,
  lstm,
  model,
  node,
  tensorAttribute,
  tensorProto,
  textAttribute,
  varint,
  weights,
  zeros,
} from "./proto.js";

const refuse = (bytes: Uint8Array, piece: string | RegExp): void => {
  const start = performance.now();
  expectCoded(() => loadOnnx(bytes), RangeError, "ERR_FILE", piece);
  expect(performance.now() - start).toBeLessThan(1000);
};

describe("a model", () => {
  it("made by hand is read", () => {
    const [found, ...others] = loadOnnx(model([lstm(), ...weights]));
    expect(others).toEqual([]);
    expect(found?.name).toBe("y");
    expect(Object.entries(found!.stateDict).map(([name, { shape }]) => [name, ...shape])).toEqual([
      ["weight_ih_l0", 8, 3],
      ["weight_hh_l0", 8, 2],
      ["bias_ih_l0", 8],
      ["bias_hh_l0", 8],
    ]);
  });

  it("without an LSTM gives none, whatever else is in it", () => {
    expect(loadOnnx(model([]))).toEqual([]);
    const other = node("LSTM", ["a"], ["b"], [field(7, "some.other.domain")]);
    expect(loadOnnx(model([other, initializer(tensorProto("t", [2 ** 40], null, 99))]))).toEqual([]);
  });

  it("may name ONNX's own domain, and leave a node without any name", () => {
    expect(
      loadOnnx(model([node("LSTM", ["x", "W", "R", ""], ["", "h"], [field(7, "ai.onnx")]), ...weights]))[0]?.name,
    ).toBe("h");
    expect(loadOnnx(model([node("LSTM", ["x", "W", "R"], []), ...weights]))[0]?.name).toBe("LSTM");
  });

  it.each<[what: string, bytes: Buffer, piece: string | RegExp]>([
    ["of text", Buffer.from("not a model at all"), "protobuf"],
    ["without a graph", intField(1, 9), "an ONNX model, but got bytes without a graph"],
    ["with two graphs", Buffer.concat([model([]), field(7, "")]), "a model with one graph"],
    ["cut in an integer", Buffer.from([0x08, 0x80]), "the end of an integer"],
    [
      "with an endless integer",
      Buffer.from([0x08, ...new Array<number>(10).fill(0xff), 1]),
      "an integer of more than 10 bytes",
    ],
    ["with a field past its end", Buffer.from([0x3a, 0x7f, 0]), "127 bytes past the end"],
    ["with a field of 2^63 bytes", Buffer.concat([Buffer.from([0x3a]), varint(2n ** 63n - 1n)]), "past the end"],
    ["with a field of −1 bytes", Buffer.concat([Buffer.from([0x3a]), varint(-1)]), "past the end"],
    ["with a cut double", Buffer.from([0x09, 1, 2, 3]), "8 bytes past the end"],
    ["with field 0", Buffer.from([0x00, 0]), "field 0"],
    ["with a field number past 2^29", Buffer.concat([varint(2n ** 40n), varint(0)]), "field"],
    ["with a group", Buffer.from([0x0b, 0x0c]), "wire type 3"],
    ["with wire type 7", Buffer.from([0x0f]), "wire type 7"],
    ["whose graph is a number", intField(7, 3), "bytes in field 7, but got wire type 0"],
    [
      "whose node name is not UTF-8",
      model([node("LSTM", [], [], [field(3, Buffer.from([0xc3, 0x28]))])]),
      "text in UTF-8",
    ],
    [
      "with an initializer twice",
      model([lstm(), ...weights, ...weights]),
      'initializers of different names, but got "W" twice',
    ],
  ])("%s is refused", (_, bytes, piece) => refuse(bytes, piece));
});

describe("a tensor", () => {
  const raw = Buffer.alloc(96);
  const withW = (w: Buffer): Buffer => model([lstm(), initializer(w), ...weights.slice(1)]);

  it.each<[what: string, w: Buffer, piece: string | RegExp]>([
    [
      "with too few values",
      tensorProto("W", [1, 8, 3], raw.subarray(4)),
      'initializer "W": expected 24 values for shape (1, 8, 3), but got 23',
    ],
    [
      "with too many values",
      tensorProto("W", [1, 8, 3], Buffer.alloc(100)),
      "24 values for shape (1, 8, 3), but got 25",
    ],
    ["with half a value", tensorProto("W", [1, 8, 3], raw.subarray(1)), "values of 4 bytes, but got 95 bytes"],
    ["without values", tensorProto("W", [1, 8, 3], null), "24 values for shape (1, 8, 3), but got 0"],
    ["of text", tensorProto("W", [1, 8, 3], raw, 8), "but got data type 8"],
    ["of no type", tensorProto("W", [1, 8, 3], raw, 0), "but got data type 0"],
    ["of 4-bit floats", tensorProto("W", [1, 8, 3], raw, 23), "but got data type 23"],
    ["of int32", tensorProto("W", [1, 8, 3], raw, 6), "floats of one width"],
    ["of −1 rows", tensorProto("W", [1, -1, 3], raw), "dims that can be counted"],
    ["of 2^62 rows", tensorProto("W", [1, 2n ** 62n, 3], raw), "dims that can be counted"],
    ["of 2^32 × 2^32", tensorProto("W", [2 ** 32, 2 ** 32], raw), "dims that can be counted"],
    ["of no elements", tensorProto("W", [1, 8, 0], null), "sizes of at least 1"],
    ["of another rank", tensorProto("W", [8, 3], raw), "sizes of at least 1"],
    ["of four dims", tensorProto("W", [1, 8, 3, 1], raw), "shape (1, 8, 3), but got (1, 8, 3, 1)"],
    [
      "in another file",
      tensorProto(
        "W",
        [1, 8, 3],
        null,
        1,
        intField(14, 1),
        field(13, Buffer.concat([field(1, "location"), field(2, "/etc/passwd")])),
      ),
      '"/etc/passwd"',
    ],
    ["in an unnamed file", tensorProto("W", [1, 8, 3], null, 1, intField(14, 1)), "values in another file"],
  ])("%s is refused", (_, w, piece) => refuse(withW(w), piece));

  it("is read from floats one by one, packed, or both", () => {
    const values = Float32Array.from({ length: 24 }, (_, k) => k);
    const bytes = Buffer.from(values.buffer);
    const single = Array.from({ length: 10 }, (_, k) =>
      Buffer.concat([Buffer.from([0x25]), bytes.subarray(4 * k, 4 * k + 4)]),
    );
    const w = tensorProto("W", [1, 8, 3], null, 1, ...single, field(4, bytes.subarray(40)));
    const { data } = loadOnnx(withW(w))[0]!.stateDict.weight_ih_l0!;
    expect([...data]).toEqual([...values.subarray(0, 6), ...values.subarray(12, 24), ...values.subarray(6, 12)]);
  });
});

describe("an LSTM node", () => {
  it.each<[what: string, bytes: Buffer, piece: string | RegExp]>([
    [
      "without inputs",
      model([node("LSTM", [], ["y"]), ...weights]),
      'LSTM node "y": expected weights W and R, but got none',
    ],
    ["without R", model([node("LSTM", ["x", "W"], ["y"]), ...weights]), "weights W and R"],
    [
      "whose weights are nowhere",
      model([lstm()]),
      'input W: expected a constant, but got "W", which nothing in the file produces',
    ],
    ["that runs sideways", model([lstm(textAttribute("direction", "sideways")), ...weights]), '"sideways"'],
    [
      "with a direction that is no text",
      model([lstm(textAttribute("direction", Buffer.from([0xff, 0xfe]))), ...weights]),
      "direction forward or bidirectional",
    ],
    ["of hidden size 0", model([lstm(intAttribute("hidden_size", 0)), ...weights]), "sizes of at least 1"],
    ["of hidden size −2", model([lstm(intAttribute("hidden_size", -2)), ...weights]), "sizes of at least 1"],
    [
      "of hidden size 2^62",
      model([lstm(intAttribute("hidden_size", 2n ** 62n)), ...weights]),
      "input W: expected shape",
    ],
    [
      "with half the activations",
      model([lstm(field(5, Buffer.concat([field(1, "activations"), field(9, "Sigmoid")]))), ...weights]),
      "activations",
    ],
  ])("%s is refused", (_, bytes, piece) => refuse(bytes, piece));
});

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
      "one start, end and axis each",
    ],
    [
      "through a slice of steps",
      way(start, ints("o", 0), ints("e", 8), ints("s", 2), node("Slice", ["W0", "o", "e", "o", "s"], ["W"])),
      "steps of 1, but got (2,)",
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
  ])("%s is refused", (_, bytes, piece) => refuse(bytes, piece));
});

describe("graphs in graphs", () => {
  const call = (name: string, as: number): Buffer => node(name, ["x"], ["y"], [field(7, "local")], as);
  const definition = (name: string, ...nodes: Buffer[]): Buffer =>
    Buffer.concat([field(1, name), field(10, "local"), field(4, "a"), ...nodes]);

  it("a thousand deep are refused", () => {
    let graph: Buffer = Buffer.from(lstm());
    for (let depth = 0; depth < 1000; depth++)
      graph = Buffer.from(node("If", ["c"], ["y"], [graphAttribute("then_branch", graph)]));
    refuse(model([graph, ...weights]), "graphs nested at most 32 deep");
  });

  it("that call themselves are refused", () => {
    refuse(model([call("f", 1)], [definition("f", call("f", 7))]), "graphs nested at most 32 deep");
  });

  it("that call the next one twice, thirty times over, are refused", () => {
    const functions = Array.from({ length: 30 }, (_, k) =>
      definition(`f${k}`, call(`f${k + 1}`, 7), call(`f${k + 1}`, 7)),
    );
    refuse(model([call("f0", 1)], functions), /in proportion to the file|at most 1000000 nodes/);
  });

  it("see the names around them, functions do not", () => {
    const inner = node("If", ["c"], ["y"], [graphAttribute("then_branch", lstm(field(3, "in")))]);
    expect(loadOnnx(model([inner, ...weights])).map(({ name }) => name)).toEqual(["in"]);
    const body = node("LSTM", ["a", "W", "R"], ["b"], [], 7);
    refuse(
      model([call("f", 1), ...weights], [definition("f", body)]),
      'node "y/b" input W: expected a constant, but got "W", which nothing',
    );
  });
});
