// The HDF5 reader against what h5py wrote, in the oldest and the newest of its layouts; and against files that point at
// themselves, claim what they do not hold, or are simply damaged.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Hdf5Object, openHdf5 } from "../lib/weights/hdf5/file.js";
import { withSource } from "../lib/weights/source.js";
import { expectCoded } from "./support/expect-coded.js";
import { fuzz } from "./support/mutate.js";
import { weightFile } from "./support/weight-fixtures.js";

interface Expected {
  values: Record<string, { shape: number[]; values: number[] }>;
  attributes: Record<string, unknown>;
}

const expected = JSON.parse(readFileSync(weightFile("hdf5", "expected.json"), "utf8")) as Record<string, Expected>;
const bytesOf = (name: string): Uint8Array => new Uint8Array(readFileSync(weightFile("hdf5", `${name}.h5`)));

function open<T>(source: Uint8Array | URL, use: (root: Hdf5Object) => T): T {
  return withSource("HDF5", source, (opened) => use(openHdf5(opened)));
}

/** Reads everything there is. */
function readAll(source: Uint8Array): number {
  return open(source, (root) => {
    let objects = 0;
    const visit = (object: Hdf5Object, depth: number): void => {
      objects += 1 + object.attributes.size;
      if (object.path.includes("refused")) return;
      if (object.isDataset) object.tensor();
      else if (depth < 4)
        for (const name of object.names.slice(0, 40)) visit(object.get(name) as Hdf5Object, depth + 1);
    };
    visit(root, 0);
    return objects;
  });
}

describe.each(Object.entries(expected))("%s.h5", (name, { values, attributes }) => {
  it("holds what h5py wrote", () => {
    open(weightFile("hdf5", `${name}.h5`), (root) => {
      expect(Object.fromEntries(root.attributes)).toEqual(attributes);
      for (const [key, { shape, values: wanted }] of Object.entries(values)) {
        const tensor = root.get(`data/${key}`)?.tensor();
        if (tensor === undefined || typeof tensor === "string") throw new Error(`${key}: ${tensor}`);
        expect([key, tensor.shape, Array.from(tensor.data)]).toEqual([key, shape, wanted]);
      }
      const crowd = root.get("crowd")?.attributes;
      expect([crowd?.size, crowd?.get("a39")]).toEqual([40, "value 39"]);
      const many = root.get("many")?.names as string[];
      expect(new Set(many)).toEqual(new Set(Array.from({ length: 700 }, (_, i) => `link ${i}`)));
      expect(root.get("many/link 699")?.tensor()).toMatchObject({ shape: [] });
      expect(root.get("data/nothing")).toBe(undefined);
    });
  });

  it("names what it does not read", () => {
    open(weightFile("hdf5", `${name}.h5`), (root) => {
      const read = (key: string) => () => root.get(`data/refused: ${key}`)?.tensor();
      expectCoded(read("lzf"), RangeError, "ERR_FILE", "the filter lzf");
      expect(read("strings")()).toBe("strings");
      expect(read("complex")()).toBe("compounds");
      if (name.startsWith("latest")) expectCoded(read("chunks"), RangeError, "ERR_FILE", 'libver="latest"');
    });
  });

  it("damaged is read or refused, soon", () => {
    const start = performance.now();
    const { read, refused } = fuzz(bytesOf(name), 11, 250, readAll);
    expect(read).toBeGreaterThan(20);
    expect(refused).toBeGreaterThan(10);
    expect(performance.now() - start).toBeLessThan(50_000);
  });
});

describe("an HDF5 file that is hostile", () => {
  const bytes = (): Buffer => Buffer.from(bytesOf("earliest-plain"));
  const find = (buffer: Buffer, mark: string, from = 0): number => {
    const at = buffer.indexOf(mark, from, "latin1");
    expect(at).toBeGreaterThan(0);
    return at;
  };

  /** Levels fall as they should, but every entry of a level is one and the same node: 30 * 3000 ** 3 leaves in all. */
  function endless(): Buffer {
    const original = bytes();
    const count = 3000;
    const size = 24 + 16 * count + 8;
    const buffer = Buffer.concat([original, Buffer.alloc(3 * size)]);
    const node = (at: number, level: number, child: number, entries: number): void => {
      buffer.write("TREE", at, "latin1");
      buffer[at + 4] = 0;
      buffer[at + 5] = level;
      buffer.writeUInt16LE(entries, at + 6);
      for (let i = 0; i < entries; i++) buffer.writeBigUInt64LE(BigInt(child), at + 24 + 16 * i + 8);
    };
    const at = original.length;
    for (let root = buffer.indexOf("TREE"); root >= 0 && root < at; root = buffer.indexOf("TREE", root + 4)) {
      if (buffer[root + 4] === 0) node(root, 3, at, 30);
    }
    node(at, 2, at + size, count);
    node(at + size, 1, at + 2 * size, count);
    node(at + 2 * size, 0, find(original, "SNOD"), count);
    return buffer;
  }

  /** Every node of a tree over groups leads to the node itself. */
  function selfPointing(level: (was: number) => number): Buffer {
    const buffer = bytes();
    for (let at = buffer.indexOf("TREE"); at >= 0; at = buffer.indexOf("TREE", at + 4)) {
      if (buffer[at + 4] !== 0) continue;
      buffer[at + 5] = level(buffer[at + 5] as number);
      const count = Math.min(buffer.readUInt16LE(at + 6), 30);
      for (let i = 0; i < count; i++) buffer.writeBigUInt64LE(BigInt(at), at + 24 + 16 * i + 8);
    }
    return buffer;
  }

  it.each<[string, () => Buffer, string | RegExp]>([
    ["a tree whose nodes are their own children", () => selfPointing((was) => was + 1), "levels fall"],
    ["a leaf that is its own table", () => selfPointing((was) => was), "the mark SNOD"],
    [
      "a header that goes on in itself",
      () => {
        const buffer = Buffer.from(bytesOf("latest-plain"));
        const at = find(buffer, "OHDR");
        // The first message becomes a continuation to the header's own block.
        const length = buffer.readUInt8(at + 6 + ((buffer[at + 5] as number) & 0x20 ? 16 : 0));
        expect(length).toBeGreaterThan(0);
        const block =
          at + 7 + ((buffer[at + 5] as number) & 0x20 ? 16 : 0) + ((buffer[at + 5] as number) & 0x10 ? 4 : 0);
        buffer[block] = 0x10;
        buffer.writeBigUInt64LE(BigInt(block - 4), block + 4);
        buffer.writeBigUInt64LE(24n, block + 12);
        buffer.write("OCHK", block - 4, "latin1");
        return buffer;
      },
      "",
    ],
    [
      "a dataset larger than memory",
      () => {
        const buffer = bytes();
        // The dims of every two-dimensional dataset of 17 by 11.
        for (let at = 0; at + 16 <= buffer.length; at += 8) {
          if (buffer.readBigUInt64LE(at) === 17n && buffer.readBigUInt64LE(at + 8) === 11n) {
            buffer.writeBigUInt64LE(2n ** 40n, at);
          }
        }
        return buffer;
      },
      /values of at most 100 times the file/,
    ],
    ["a tree that has few nodes and no end", endless, "parts without end"],
    ["a superblock of the future", () => Buffer.from(bytes().fill(9, 8, 9)), "a version from 0 to 3"],
    ["addresses of four bytes", () => Buffer.from(bytes().fill(4, 13, 14)), "addresses of 8 bytes"],
    ["nothing after its signature", () => bytes().subarray(0, 8), "more bytes"],
  ])("%s is refused at once", (_, build, piece) => {
    const start = performance.now();
    expectCoded(() => readAll(build()), RangeError, "ERR_FILE", piece);
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it("cut at many places is read or refused", () => {
    const whole = bytes();
    for (let length = 0; length < whole.length; length += 997) {
      expectCoded(() => readAll(whole.subarray(0, length)), RangeError, "ERR_FILE");
    }
  });
});
