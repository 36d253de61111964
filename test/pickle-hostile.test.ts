// loadTorch against pickles that no torch would write: that reach for what they must not have, that are malformed, or
// that describe tensors outside their storages. Each must be refused by its own error, and soon.

import { describe, expect, it } from "vitest";
import { loadTorch } from "../lib/weights/torch.js";
import { dict, global, int, pickle, tensor, text, torchArchive, tuple } from "./archive.js";
import { expectCoded } from "./expect-coded.js";

const storage = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);

describe("a pickle", () => {
  const read = (...opcodes: (string | Buffer)[]) => loadTorch(torchArchive(pickle(...opcodes), { 0: storage }));

  it("of protocol 2 to 5 is read, and what one may hold beside tensors is passed over", () => {
    expect(Object.keys(read(dict(["w", tensor({})])))).toEqual(["w"]);
    const four = Buffer.from("\x80\x05\x95\x00\x00\x00\x00\x00\x00\x00\x00}\x94.", "latin1");
    expect(loadTorch(torchArchive(four))).toEqual({});
  });

  it.each([
    ["os", "system"],
    ["builtins", "eval"],
    ["builtins", "getattr"],
    ["builtins", "__import__"],
    ["torch", "load"],
    ["torch.hub", "load"],
    ["torch.nn.modules.rnn", "LSTM"],
    ["torch._utils", "_rebuild_tensor"],
    ["__main__", "Net"],
    ["collections", "OrderedDict.__init__"],
    ["numpy.core.multiarray", "_reconstruct"],
    ["", ""],
    ["constructor", "prototype"],
    ["é\n", "x"],
  ])("that names %s.%s is refused by that name", (module, name) => {
    const expected = `the Python object ${JSON.stringify(`${module}.${name}`.split("\n")[0])}`.replace(/"$/, "");
    const call = Buffer.concat([global(module, name), tuple(text("echo")), Buffer.from("R")]);
    expectCoded(() => read(call), RangeError, "ERR_FILE", expected);
    expectCoded(() => read(dict(["w", tensor({})], ["x", call])), RangeError, "ERR_FILE", "which is not run");
    const onStack = Buffer.concat([text(module), text(name), Buffer.from("\x93", "latin1")]);
    expectCoded(() => read(onStack), RangeError, "ERR_FILE", "the Python object");
  });

  it.each([
    ["POP", "N0"],
    ["DUP", "N2"],
    ["INST", "(ios\nsystem\n"],
    ["OBJ", "(o"],
    ["NEWOBJ", ")\x81"],
    ["NEWOBJ_EX", ")}\x92"],
    ["EXT1", "\x82\x01"],
    ["PERSID", "Pabc\n"],
    ["STRING", "S'abc'\n"],
    ["LONG4", "\x8b\xff\xff\xff\x7f"],
    ["BINUNICODE8", "\x8d\xff\xff\xff\xff\xff\xff\xff\xff"],
    ["BINBYTES8", "\x8e\x00"],
    ["NEXT_BUFFER", "\x97"],
    ["0xff", "\xff"],
    ["0x00", "\0"],
  ])("with the opcode %s is refused by that name", (name, opcodes) => {
    expectCoded(() => read(opcodes), RangeError, "ERR_FILE", `opcode ${name}, which is not run`);
  });

  it.each<[what: string, opcodes: (string | Buffer)[], piece: string]>([
    ["of nothing", [], "a value on the stack"],
    ["of two values", ["NN"], "one value, but got more"],
    ["with an open mark", ["(N"], "one value, but got more"],
    ["with a mark closed twice", ["(tt"], "a mark on the stack"],
    ["that pops beneath a mark", ["N(\x85"], "a value on the stack"],
    ["that recalls what it never kept", ["h\x07"], "none under 7"],
    ["that keeps nothing", ["q\0"], "a value on the stack"],
    ["that appends to no list", ["}Na"], "a list to add to"],
    ["that sets items of no dict", ["]NNs"], "a dict to add to"],
    ["that sets a key without a value", ["}(Nu"], "a value for every key"],
    ["that sets a key twice", [dict(["w", tensor({})], ["w", tensor({})])], 'the key "w" twice'],
    ["that builds a tensor", [tensor({}), "}b"], "attributes of a dict"],
    ["that calls a number", [int(3), ")R"], "one of 3, which is not run"],
    ["that calls a dict", ["})R"], "one of a dict"],
    ["that calls without a tuple", [global("collections", "OrderedDict"), "NR"], "a call with a tuple"],
    [
      "that fills an OrderedDict by a call",
      [global("collections", "OrderedDict"), "]\x85R"],
      "a call that a state dict needs",
    ],
    ["with text past its end", ["X\xff\xff\xff\xffabc"], "4294967295 more bytes"],
    ["with text that is not UTF-8", ["\x8c\x02\xc3\x28"], "text in UTF-8"],
    ["with a global past its end", ["cabc"], "a line, but got the end"],
    ["with a persistent id of text", [text("0"), "Q"], "a storage's type, key and size"],
    ["with a module as storage", [tuple(text("module"), text("x")), "Q"], "a storage's type, key and size"],
    [
      "whose storage is of text",
      [tuple(text("storage"), text("torch.FloatStorage"), text("0"), "N", "K\x04"), "Q"],
      "a storage's type",
    ],
    ["that is a storage", [dict(["w", tensor({})]), "\x85"], "but got a tuple"],
    ["whose tensor has no sizes", [global("torch._utils", "_rebuild_tensor_v2"), ")R"], "a tensor's storage, offset"],
    [
      "whose parameter is no tensor",
      [global("torch._utils", "_rebuild_parameter"), tuple("N"), "R"],
      "a call that a state dict needs",
    ],
  ])("%s is refused", (_, opcodes, piece) => {
    expectCoded(() => read(...opcodes), RangeError, "ERR_FILE", piece);
  });

  it.each<[what: string, bytes: Buffer]>([
    ["empty", Buffer.alloc(0)],
    ["without a protocol", Buffer.from("}.")],
    ["of protocol 1", Buffer.from("\x80\x01}.", "latin1")],
    ["of protocol 6", Buffer.from("\x80\x06}.", "latin1")],
    ["without an end", Buffer.from("\x80\x02}", "latin1")],
  ])("%s is refused", (_, bytes) => {
    expectCoded(() => loadTorch(torchArchive(bytes)), RangeError, "ERR_FILE", "data.pkl at byte");
  });

  it("that holds itself, or one dict in a million places, is refused in no time", () => {
    const start = performance.now();
    const self = Buffer.concat([
      Buffer.from("}q\0"),
      text("a"),
      Buffer.from("h\0s"),
      text("e"),
      int(1),
      Buffer.from("s"),
    ]);
    expectCoded(() => read(self), RangeError, "ERR_FILE", "a state dict");
    expectCoded(
      () => loadTorch(torchArchive(pickle(self)), { key: "a.a.a.a.b" }),
      RangeError,
      "ERR_FILE",
      "a state dict",
    );
    // Thirty dicts, the first of them last in the pickle's root, each holding the one before under ten keys: 10^30 ways.
    const towers: [string, Buffer][] = [["level 0", Buffer.from("}q\0")]];
    for (let level = 1; level <= 30; level++) {
      const keys = Array.from({ length: 10 }, (_, k) => Buffer.concat([text(`${k}`), Buffer.from([0x68, level - 1])]));
      const tower = Buffer.concat([Buffer.from("}("), ...keys, Buffer.from([0x75, 0x71, level])]);
      towers.push([`level ${level}`, tower]);
    }
    expectCoded(() => read(dict(...towers)), RangeError, "ERR_FILE", 'a dict with a dict under "level 0"');
    const top = Buffer.from([0x68, 30]);
    const down = Buffer.concat([text("down"), top]);
    const hidden = Buffer.concat([
      Buffer.from("}("),
      text("all"),
      tuple(...towers.map(([, tower]) => tower)),
      down,
      Buffer.from("u"),
    ]);
    expectCoded(() => read(hidden), RangeError, "ERR_FILE", 'a dict with a tuple under "all"');
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it("nested a hundred thousand deep is refused in no time", () => {
    const start = performance.now();
    const deep = Buffer.concat([Buffer.from("]".repeat(100_000)), Buffer.from("a".repeat(99_999))]);
    expectCoded(() => read(deep), RangeError, "ERR_FILE", "but got a list");
    const dicts = Array.from({ length: 20_000 }, () => Buffer.concat([Buffer.from("}"), text("k")]));
    const chain = Buffer.concat([...dicts, Buffer.from("N"), Buffer.from("s".repeat(20_000))]);
    expectCoded(() => read(chain), RangeError, "ERR_FILE", 'a dict with a dict under "k"');
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

describe("a tensor", () => {
  const read = (options: Parameters<typeof tensor>[0], bytes: Uint8Array = storage) =>
    loadTorch(torchArchive(pickle(dict(["w", tensor(options)])), { 0: bytes })).w;

  it("may end where its storage ends, or be empty anywhere", () => {
    expect(read({ offset: 3, shape: [1], strides: [9] })?.toArray()).toEqual([4]);
    expect(read({ shape: [2, 2], strides: [1, 2] })?.toArray()).toEqual([
      [1, 3],
      [2, 4],
    ]);
    expect(read({ offset: 99, shape: [0, 3], strides: [3, 1] })?.shape).toEqual([0, 3]);
    expect(read({ count: 2, shape: [2] })?.toArray()).toEqual([1, 2]);
  });

  it.each<[what: string, options: Parameters<typeof tensor>[0], piece: string]>([
    [
      "longer than its storage",
      { shape: [5] },
      "elements within its storage of 4, but got shape (5,) that reaches element 4",
    ],
    ["that starts too late", { offset: 1 }, "reaches element 4"],
    ["with a stride too wide", { shape: [2], strides: [4] }, "reaches element 4"],
    ["of one element past the end", { offset: 4, shape: [], strides: [] }, "reaches element 4"],
    ["before its storage", { offset: -1 }, "an offset and one stride a dim, from 0 up"],
    ["that runs backwards", { offset: 3, strides: [-1] }, "an offset and one stride a dim, from 0 up"],
    ["of a negative size", { shape: [-1] }, "sizes that can be counted"],
    ["of 2^62 elements", { shape: [2n ** 62n], strides: [0] }, "storage, offset, sizes and strides"],
    ["of 2^52 × 2^52 elements", { shape: [2 ** 52, 2 ** 52], strides: [0, 0] }, "sizes that can be counted"],
    [
      "of 2^40 elements, all the same",
      { shape: [2 ** 20, 2 ** 20], strides: [0, 0] },
      "no more than 16 times the file",
    ],
    [
      "empty, with an uncountable rest",
      { shape: [0, 2 ** 52, 2 ** 52], strides: [1, 1, 1] },
      "sizes that can be counted",
    ],
    ["with too few strides", { shape: [2, 2], strides: [1] }, "one stride a dim"],
    ["with too many strides", { shape: [2], strides: [1, 1] }, "one stride a dim"],
    [
      "of 65 dims",
      { shape: new Array<number>(65).fill(1), strides: new Array<number>(65).fill(1) },
      "at most 64 dims, but got 65",
    ],
    ["whose offset overflows", { offset: 2n ** 53n }, "storage, offset, sizes and strides"],
    ["whose strides overflow", { shape: [4], strides: [2 ** 52] }, "that reaches element"],
    ["whose storage is shorter than it says", { count: 5 }, "a storage of 5 float32 values, but got one of 4"],
    [
      "whose storage is of wider numbers than it holds",
      { type: "DoubleStorage" },
      "a storage of 4 float64 values, but got one of 2",
    ],
    ["whose storage says 2^60", { count: 2n ** 60n }, "a storage's type, key and size"],
    ["whose storage says less than nothing", { count: -1 }, "that reaches element"],
    ["whose storage is elsewhere", { key: "../../etc/passwd" }, "none of that name"],
  ])("%s is refused", (_, options, piece) => {
    expectCoded(() => read(options), RangeError, "ERR_FILE", piece);
  });

  it("may share its bytes with one of another type, and be true wherever its byte is not 0", () => {
    const shared = dict(["f", tensor({})], ["i", tensor({ type: "IntStorage" })]);
    const { f, i } = loadTorch(torchArchive(pickle(shared), { 0: storage }));
    expect([f?.toArray(), i?.toArray()]).toEqual([[1, 2, 3, 4], [...new Int32Array(storage.buffer)]]);
    expect(read({ type: "BoolStorage" }, Uint8Array.of(0, 1, 2, 255))?.toArray()).toEqual([0, 1, 1, 1]);
  });

  it("counts towards one limit with all others", () => {
    // 2^22 elements each, 40 of them, out of one element.
    const one = tensor({ shape: [2 ** 22], strides: [0] });
    const many = dict(...Array.from({ length: 40 }, (_, k) => [`w${k}`, one] as const));
    expectCoded(() => loadTorch(torchArchive(pickle(many), { 0: storage })), RangeError, "ERR_FILE", 'tensor "w4"');
  });
});
