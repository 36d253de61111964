// loadTorch against archives that other tools write, and against archives that lie about their entries. Each must be
// refused by its own error, or read in full, and soon.

import { describe, expect, it } from "vitest";
import { loadTorch } from "../lib/weights/torch/load.js";
import { dict, pickle, tensor, type ZipEntry, zip } from "./support/archive.js";
import { expectCoded } from "./support/expect-coded.js";

const storage = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
const good = pickle(dict(["w", tensor({})]));
const entries = (...changes: Partial<ZipEntry>[]): ZipEntry[] =>
  [
    { name: "m/data.pkl", data: good },
    { name: "m/data/0", data: storage },
  ].map((entry, k) => ({ ...entry, ...changes[k] }));
const expectRead = (bytes: Uint8Array): void => expect(loadTorch(bytes).w?.toArray()).toEqual([1, 2, 3, 4]);

describe("an archive that another tool wrote", () => {
  it.each<[string, Buffer]>([
    ["stored", zip(entries())],
    ["deflated", zip(entries({ method: 8 }, { method: 8 }))],
    ["with padding", zip(entries({ padding: 7 }, { padding: 61 }))],
    ["with data descriptors", zip(entries({ descriptor: true }, { descriptor: true }))],
    ["with zip64 fields", zip(entries({ wide: true }, { wide: true }))],
    ["with a zip64 end", zip(entries(), { wide: {} })],
    ["with only a zip64 end", zip(entries(), { wide: {}, count: 0xffff, size: 0xffffffff, offset: 0xffffffff })],
    ["with a comment", zip(entries(), { comment: "made by hand PK\u0005\u0006 and so on" })],
    ["with a folder entry", zip([{ name: "m/", data: new Uint8Array() }, ...entries()])],
    ["without checksums", zip(entries({ crc: 0 }, { crc: 0 }))],
    ["with its entries in another order", zip(entries().reverse())],
  ])("%s is read", (_, bytes) => expectRead(bytes));
});

describe("an archive that lies", () => {
  const central = zip(entries()).length;
  it.each<[what: string, bytes: Buffer, piece: string | RegExp]>([
    ["cut short", zip(entries()).subarray(0, -30), "no zip end record"],
    ["with bytes after its end", Buffer.concat([zip(entries()), Buffer.from("x")]), "no zip end record"],
    ["with a comment longer than the file", zip(entries(), { comment: "abc" }).subarray(0, -1), "no zip end record"],
    ["with more entries than it has", zip(entries(), { count: 3 }), "3 entries"],
    ["with fewer entries than it has", zip(entries(), { count: 1 }), "for 1 entries"],
    ["with 65534 entries", zip(entries(), { count: 0xfffe }), "room for 65534 entries"],
    [
      "whose directory lies past the end",
      zip(entries(), { offset: central }),
      "central directory: expected bytes before",
    ],
    [
      "whose directory is larger than the file",
      zip(entries(), { size: 0xfffffffe }),
      "central directory: expected bytes",
    ],
    ["whose directory starts elsewhere", zip(entries(), { offset: 3 }), "entry 0 at 3, but got other bytes"],
    [
      "with two ends that differ",
      zip(entries(), { wide: { offset: 3 } }),
      "one place and size, but got two that differ",
    ],
    [
      "with a zip64 end past the end",
      zip(entries(), { wide: { at: 2 ** 40 }, count: 0xffff }),
      "a zip64 record before",
    ],
    [
      "with a zip64 end elsewhere",
      zip(entries(), { wide: { at: 5 }, count: 0xffff }),
      "a zip64 record at 5, but got none",
    ],
    ["with 2^53 entries", zip(entries(), { wide: { count: 2 ** 53 }, count: 0xffff }), `room for ${2 ** 53} entries`],
    [
      "with a directory of 2^60 bytes",
      zip(entries(), { wide: { size: 2 ** 60 }, size: 0xffffffff }),
      "central directory: expected bytes before",
    ],
    [
      "with an entry twice",
      zip([...entries(), ...entries().slice(1)]),
      'entry "m/data/0": expected one entry of that name',
    ],
    ["with entries in one place", zip(entries({}, { offset: 0 })), 'entry "m/data/0": expected its header at 0'],
    [
      "with entries that overlap",
      zip([...entries(), { name: "m/x", data: new Uint8Array(9), offset: 0, size: 4, compressedSize: 4, crc: 0 }]),
      'entry "m/x": expected its header at 0',
    ],
    ["with an entry that reaches into the next", zip(entries({ size: 999, compressedSize: 999 })), "bytes of its own"],
    [
      "with an entry past the end",
      zip(entries({}, { offset: 0xfffffff0 })),
      'entry "m/data/0": expected a place in the',
    ],
    ["with a stored entry of two sizes", zip(entries({}, { size: 17 })), "a stored entry of one size"],
    [
      "with an entry of 2^62 bytes",
      zip(entries({}, { wide: true, size: 2 ** 62, compressedSize: 2 ** 62 })),
      "bytes of its own",
    ],
    ["with another name inside", zip(entries({ localName: "m/data.pkk" })), 'entry "m/data.pkl": expected its header'],
    ["encrypted", zip(entries({}, { flags: 1 })), "no encryption"],
    ["compressed otherwise", zip(entries({}, { method: 12 })), "compression method 12"],
    [
      "with a wrong checksum",
      zip(entries({}, { crc: 1 })),
      'entry "m/data/0": expected bytes that match their checksum',
    ],
    ["that inflates to more", zip(entries({ method: 8, size: 15 })), "deflated data of 15 bytes"],
    ["that inflates to less", zip(entries({}, { method: 8, size: 17 })), "deflated data of 17 bytes"],
    ["without a pickle", zip(entries().slice(1)), "a zip archive that is no model itself"],
    [
      "with two pickles",
      zip([...entries(), { name: "n/data.pkl", data: good }]),
      "one data.pkl in its folder, but got 2",
    ],
    ["without a storage", zip(entries().slice(0, 1)), 'entry "m/data/0": expected an entry of the archive'],
    [
      "from a big-endian machine",
      zip([...entries(), { name: "m/byteorder", data: Buffer.from("big") }]),
      'byteorder "big"',
    ],
  ])("%s is refused", (_, bytes, piece) => {
    expectCoded(() => loadTorch(bytes), RangeError, "ERR_FILE", piece);
  });

  it("that is a bomb is refused before it goes off", () => {
    const zeros = Buffer.alloc(2 ** 28);
    const bomb = zip([
      { name: "m/data.pkl", data: pickle(dict(["w", tensor({ count: 1, shape: [1] })])) },
      { name: "m/data/0", data: zeros, method: 8 },
    ]);
    expect(bomb.length).toBeLessThan(300_000);
    const before = process.memoryUsage().arrayBuffers;
    expectCoded(() => loadTorch(bomb), RangeError, "ERR_FILE", /entries that inflate to at most \d+ bytes/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 26);
  });

  it("with one entry inside another is refused", () => {
    // The outer entry's data is itself a zip archive, whose one entry the directory names too.
    const inner = zip([{ name: "m/data/0", data: storage }]);
    const outer = { name: "m/outer", data: inner };
    const offset = 30 + outer.name.length;
    const bytes = zip([outer, { name: "m/data.pkl", data: good }, { name: "m/data/0", data: storage, offset }]);
    expectCoded(() => loadTorch(bytes), RangeError, "ERR_FILE", /entry "m\/data\/0": expected bytes of its own/);
  });

  it("in which many entries share one body is refused", () => {
    const shared = entries();
    for (let k = 1; k < 50; k++) shared.push({ name: `m/data/${k}`, data: storage, localName: "m/data/0", offset: 0 });
    expectCoded(() => loadTorch(zip(shared)), RangeError, "ERR_FILE");
  });
});
