// loadTorch against pickles that no torch would write: that reach for what they must not have, that are malformed, or
// that describe tensors outside their storages. Each must be refused by its own error, and soon.

import { describe, expect, it } from "vitest";
import { passedOver } from "../lib/weights/passed-over.js";
import { listTorch, loadTorch } from "../lib/weights/torch/load.js";
import { dict, global, int, pickle, tensor, text, torchArchive, tuple } from "./support/archive.js";
import { expectCoded } from "./support/expect-coded.js";

const storage = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);

describe("a pickle", () => {
  const read = (...opcodes: (string | Buffer)[]) => loadTorch(torchArchive(pickle(...opcodes), { 0: storage }));

  it("of protocol 2 to 5 is read, and what one may hold beside tensors is passed over", () => {
    expect(Object.keys(read(dict(["w", tensor({})])))).toEqual(["w"]);
    const four = Buffer.from("\x80\x05\x95\x00\x00\x00\x00\x00\x00\x00\x00}\x94.", "latin1");
    expect(loadTorch(torchArchive(four))).toEqual({});
  });

  /** What stands beside a tensor, as the error for asking for it says. */
  const beside = (...opcodes: (string | Buffer)[]): string => {
    const it = Buffer.concat(opcodes.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part)));
    const loaded = read(dict(["w", tensor({})], ["it", it]));
    expect(loaded.w?.toArray()).toEqual([1, 2, 3, 4]);
    return passedOver(loaded).get("it") as string;
  };

  it.each([
    ["os", "system"],
    ["builtins", "eval"],
    ["builtins", "getattr"],
    ["builtins", "__import__"],
    ["torch", "load"],
    ["torch.hub", "load"],
    ["torch.nn.modules.rnn", "LSTM"],
    ["__main__", "Net"],
    ["collections", "OrderedDict.__init__"],
    ["", ""],
    ["constructor", "prototype"],
    ["__proto__", "toString"],
  ])("that names %s.%s never runs it, passes over what it gives, and lists it", (module, name) => {
    const object = `the Python object ${JSON.stringify(`${module}.${name}`)}, which is not run`;
    const call = Buffer.concat([global(module, name), tuple(text("echo")), Buffer.from("R")]);
    expectCoded(() => read(call), RangeError, "ERR_FILE", `a state dict of tensors by name, but got ${object}`);
    expect(beside(call)).toBe(`${object}, which is no tensor`);
    const archive = torchArchive(pickle(dict(["w", tensor({})], ["it", call])), { 0: storage });
    expect(listTorch(archive).opaque).toEqual([`${module}.${name}`]);
    const onStack = Buffer.concat([text(module), text(name), Buffer.from("\x93)R", "latin1")]);
    expect(beside(onStack)).toContain(object);
    expect(beside(global(module, name))).toContain(`the Python name ${JSON.stringify(`${module}.${name}`)}`);
  });

  const long = (opcode: string, value: string): string =>
    `${opcode}${String.fromCharCode(value.length)}\0\0\0\0\0\0\0${value}`;
  it.each([
    ["POP", "N0K\x01", "1,"],
    ["POP of a mark", "(0K\x01", "1,"],
    ["POP_MARK", "(NN1K\x01", "1,"],
    ["DUP", "K\x012\x86", "a tuple"],
    ["INST", "(ios\nsystem\n", '"os.system"'],
    ["OBJ", "(cos\nsystem\no", '"os.system"'],
    ["NEWOBJ", "cos\nsystem\n)\x81", '"os.system"'],
    ["NEWOBJ_EX", "cos\nsystem\n)}\x92", '"os.system"'],
    ["EXT1", "\x82\x01", '"copyreg extension 1"'],
    ["EXT2", "\x83\x01\x01", '"copyreg extension 257"'],
    ["EXT4", "\x84\x01\0\0\0", '"copyreg extension 1"'],
    ["PERSID", "Pabc\n", '"a persistent id"'],
    ["STRING", "S'a\\'\\x41\\n'\n", JSON.stringify("a'A\n")],
    ["BINSTRING", "T\x01\0\0\0\xe9", '"é"'],
    ["SHORT_BINSTRING", "U\x01\xe9", '"é"'],
    ["UNICODE", "Va\\u00e9\xe9\\U0001f600\n", '"aéé😀"'],
    ["INT", "I-3\n", "-3,"],
    ["INT of a boolean", "I01\n", "true,"],
    ["LONG", "L5L\n", "5,"],
    ["FLOAT", "F-1.5\n", "-1.5,"],
    ["FLOAT of infinity", "F-inf\n", "-Infinity,"],
    ["LONG4", "\x8b\x01\0\0\0\xff", "-1,"],
    ["LIST", "(Nl", "a list"],
    ["DICT", "(S'a'\nNd", "a dict"],
    ["BINUNICODE8", long("\x8d", "abc"), '"abc"'],
    ["BINBYTES8", long("\x8e", "abc"), "a Uint8Array of length 3"],
    ["BYTEARRAY8", long("\x96", "abc"), "a Uint8Array of length 3"],
    ["NEXT_BUFFER and READONLY_BUFFER", "\x97\x98", '"a buffer outside the pickle"'],
    ["PUT and GET", "Np5\n0g5\n", "None"],
    ["BUILD of a dict", "}}b", "a dict"],
    ["REDUCE of a number", "K\x03)R", '"what calling 3 gives"'],
    ["REDUCE of a dict", "})R", '"what calling an object (PyDict) gives"'],
    ["REDUCE without a tuple", "ccollections\nOrderedDict\nK\x03R", '"collections.OrderedDict"'],
    ["BINPERSID of text", "U\x010Q", '"a persistent id"'],
  ])("with the opcode %s is read, as data", (_, opcodes, piece) => expect(beside(opcodes)).toContain(piece));

  it("may hold the same in any container that Python has", () => {
    const w = tensor({});
    const subclass = Buffer.concat([global("a.b", "Bag"), Buffer.from(")\x81", "latin1")]);
    const item = (value: Buffer): Buffer => Buffer.concat([text("model"), value, Buffer.from("s")]);
    const under = (root: Buffer, key: string) => loadTorch(torchArchive(pickle(root), { 0: storage }), { key });
    const state = dict(["w", w]);
    const roots: [Buffer, string][] = [
      [Buffer.concat([Buffer.from("}"), item(state)]), "model"],
      [Buffer.concat([subclass, item(state)]), "model"],
      [Buffer.concat([subclass, Buffer.from("}"), item(state), Buffer.from("b")]), "model"],
      [Buffer.concat([subclass, Buffer.from("}"), item(state), Buffer.from("N\x86b", "latin1")]), "model"],
      [Buffer.concat([subclass, state, Buffer.from("a")]), "0"],
      [tuple("N", state), "1"],
      [
        Buffer.concat([
          global("collections", "OrderedDict"),
          tuple(Buffer.concat([Buffer.from("]"), tuple(text("m.n"), state), Buffer.from("a")])),
          Buffer.from("R"),
        ]),
        "m.n",
      ],
      [
        Buffer.concat([
          global("copy_reg", "_reconstructor"),
          tuple(global("a", "B"), global("__builtin__", "dict"), Buffer.concat([Buffer.from("}"), item(state)])),
          Buffer.from("R"),
        ]),
        "model",
      ],
    ];
    for (const [root, key] of roots) {
      expect(under(root, key).w?.toArray(), key).toEqual([1, 2, 3, 4]);
    }
    const attribute = Buffer.concat([subclass, state, Buffer.from("b")]);
    expectCoded(() => under(attribute, "w"), RangeError, "ERR_FILE", "but got a tensor");
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
    ["that names what is no text", ["NN\x93"], "a module and a name"],
    ["that calls a number", [int(3), ")R"], '"what calling 3 gives", which is not run'],
    ["with text past its end", ["X\xff\xff\xff\xffabc"], "4294967295 more bytes"],
    ["with bytes past its end", ["\x8e\xff\xff\xff\xff\xff\xff\xff\xff"], "more bytes"],
    ["with a number past its end", ["\x8b\xff\xff\xff\x7f"], "2147483647 more bytes"],
    ["with text that is not UTF-8", ["\x8c\x02\xc3\x28"], "text in UTF-8"],
    ["with a global past its end", ["cabc"], "a line, but got the end"],
    ["with a number that is none", ["Iabc\n"], "a number, but got other text"],
    ["with a string without its quotes", ["Sabc\n"], "a quoted string"],
    ["with a persistent id of text", [text("0"), "Q"], '"a persistent id"'],
    ["with a module as storage", [tuple(text("module"), text("x")), "Q"], '"a persistent id"'],
    [
      "whose storage is of text",
      [tuple(text("storage"), text("torch.FloatStorage"), text("0"), "N", "K\x04"), "Q"],
      '"a persistent id"',
    ],
    ["that is a storage", [dict(["w", tensor({})]), "\x85"], "but got a tuple"],
    [
      "whose tensor has no sizes",
      [global("torch._utils", "_rebuild_tensor_v2"), ")R"],
      "a tensor whose storage, offset",
    ],
    [
      "whose parameter is no tensor",
      [global("torch._utils", "_rebuild_parameter"), tuple("N"), "R"],
      '"torch._utils._rebuild_parameter"',
    ],
    [
      "whose tensor is built by something else",
      [
        global("torch._tensor", "_rebuild_from_type_v2"),
        tuple(global("os", "system"), "N", tuple(text("echo")), "N"),
        "R",
      ],
      '"torch._tensor._rebuild_from_type_v2", which is not run',
    ],
    ["with an opcode that there is not", ["\xff"], "the opcodes of a pickle, but got 0xff"],
    ["with an opcode of zero", ["\0"], "the opcodes of a pickle, but got 0x00"],
  ])("%s is refused", (_, opcodes, piece) => {
    expectCoded(() => read(...opcodes), RangeError, "ERR_FILE", piece);
  });

  it.each<[what: string, bytes: Buffer]>([
    ["empty", Buffer.alloc(0)],
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
    ["whose storage says 2^60", { count: 2n ** 60n }, "storage, offset, sizes and strides"],
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
