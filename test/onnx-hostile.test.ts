// loadOnnx against files that no exporter would write: malformed messages, tensors that lie about their size, LSTM nodes
// that make no sense. Each must be refused by its own error, and soon.

import { describe, expect, it } from "vitest";
import { loadOnnx } from "../lib/weights/onnx/onnx.js";
import { expectRefused } from "./support/onnx-refused.js";
import {
  field,
  initializer,
  intAttribute,
  intField,
  lstm,
  model,
  node,
  tensorProto,
  textAttribute,
  varint,
  weights,
} from "./support/proto.js";

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
  ])("%s is refused", (_, bytes, piece) => expectRefused(bytes, piece));
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
    [
      "in an unnamed file",
      tensorProto("W", [1, 8, 3], null, 1, intField(14, 1)),
      "values in the model itself: give loadOnnx the model's path",
    ],
  ])("%s is refused", (_, w, piece) => expectRefused(withW(w), piece));

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
  ])("%s is refused", (_, bytes, piece) => expectRefused(bytes, piece));
});
