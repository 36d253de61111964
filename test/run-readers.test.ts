// Every reader of `run` on what should be refused, at once and with a code: lengths of every kind from every format, arrays
// that claim more than they hold, lines that are no sequences. And sequences beyond a reader's first block.

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { npyHeader } from "../lib/cli/npy.js";
import { npyInput, npzInput } from "../lib/cli/run-arrays.js";
import { openInput } from "../lib/cli/run-input.js";
import type { InputOptions, Item } from "../lib/cli/run-items.js";
import { judgeLength } from "../lib/cli/run-lengths.js";
import { LSTM } from "../lib/index.js";
import { buildPackage } from "./support/cli.js";
import { expectCoded, rejection } from "./support/expect-coded.js";
import { fuzz } from "./support/mutate.js";
import { runFolder, writeNpy } from "./support/run-files.js";

const folder = runFolder(new LSTM(3, 2));
const { at } = folder;
beforeAll(buildPackage);
afterAll(folder.remove);

const options: InputOptions = {
  ...{ dtype: "float32", inputSize: 3, batchFirst: false, column: "input", lengths: undefined, keep: [] },
};

async function readAll(path: string, more: Partial<InputOptions> = {}, from = 0, to?: number): Promise<Item[]> {
  const { count, sequences } = await openInput(path, { ...options, ...more });
  const items: Item[] = [];
  for await (const item of sequences(from, to ?? (count as number))) items.push(item);
  return items;
}

async function expectRefused(reading: Promise<unknown>, piece: string | RegExp = ""): Promise<void> {
  const error = await rejection(reading);
  expectCoded(
    () => {
      throw error;
    },
    RangeError,
    "ERR_FILE",
    piece,
  );
}

describe("a length", () => {
  it.each([1, 4, 1n, 4n])("is %s of 4", (value) => expect(judgeLength("f", value, 4)).toBe(Number(value)));

  it.each([
    0,
    -1,
    5,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    2 ** 32 + 2,
    0n,
    -1n,
    5n,
    2n ** 64n,
    "2",
    "",
    null,
    undefined,
    true,
    [2],
    {},
  ])("is never %s", (value) => {
    expectCoded(
      () => judgeLength("f: sequence 3", value, 4),
      RangeError,
      "ERR_FILE",
      "f: sequence 3: expected a length from 1 to 4",
    );
  });

  writeNpy(at("padded.npy"), "f4", [4, 2, 3], new Float32Array(24));
  const bytes = (kind: "i8" | "u8" | "f8" | "i1", data: ArrayBufferView): Uint8Array =>
    Buffer.concat([npyHeader(kind, [2]), Buffer.from(data.buffer)]);
  const wrong: [string, string, Uint8Array][] = [
    ["a wrapped int32", "npy", bytes("i8", BigInt64Array.of(4294967298n, 1n))],
    ["2^63", "npy", bytes("u8", BigUint64Array.of(2n ** 63n + 2n, 1n))],
    ["a negative", "npy", bytes("i1", Int8Array.of(-1, 1))],
    ["a zero", "npy", bytes("i8", BigInt64Array.of(0n, 1n))],
    ["a float", "npy", bytes("f8", Float64Array.of(2, 1))],
    ["a wrapped int32", "txt", Buffer.from("4294967298\n1")],
    ["a negative", "txt", Buffer.from("-1\n1")],
    ["a fraction", "txt", Buffer.from("1.5\n1")],
    ["more than T", "txt", Buffer.from("5\n1")],
    ["a word", "txt", Buffer.from("two\n1")],
    ["too few", "txt", Buffer.from("1")],
  ];
  it.each(wrong)("is refused: %s in .%s, and beside an array in .npz", async (_, end, contents) => {
    writeFileSync(at(`n.${end}`), contents);
    await expectRefused(readAll(at("padded.npy"), { lengths: at(`n.${end}`) }));
    if (end !== "npy") return;
    const zip = zipSync({ "input.npy": readFileSync(at("padded.npy")), "lengths.npy": contents });
    writeFileSync(at("n.npz"), zip);
    await expectRefused(readAll(at("n.npz")));
  });

  it.each(["-1", "5", '"2"', "0", "1.5", "null", "true", "4294967298", "1e999", "[2]"])(
    "is refused in JSON lines: %s",
    async (n) => {
      writeFileSync(at("n.jsonl"), `{"input":[[1,2,3],[4,5,6],[7,8,9],[0,0,0]],"n":${n}}`);
      await expectRefused(
        readAll(at("n.jsonl"), { lengths: "n" }),
        "sequence 0: line 1: n: expected a length from 1 to 4",
      );
    },
  );

  it("that is missing in JSON lines is none", async () => {
    writeFileSync(at("n.jsonl"), '{"input":[[1,2,3]],"n":1}\n{"input":[[1,2,3]]}');
    await expectRefused(readAll(at("n.jsonl"), { lengths: "n" }), "sequence 1: line 2: n: ");
  });
});

describe("a line of JSON", () => {
  it.each([
    ["null", "line 2: expected rows of numbers"],
    ["3", "line 2: expected rows of numbers"],
    ['"[[1,2,3]]"', "line 2: expected rows of numbers"],
    ["{", "line 2: expected a line of JSON"],
    ["{}", "line 2: expected rows of 3 numbers, but got undefined"],
    ['{"__proto__":{"input":[[1,2,3]]}}', "line 2: expected rows of 3 numbers"],
    ['{"input":null}', "line 2: expected rows of 3 numbers, but got null"],
    ["[]", "line 2: expected rows of 3 numbers"],
    ["[[]]", "line 2: step 0: expected rows of 3 numbers"],
    ["[1,2]", "line 2: expected rows of 3 numbers"],
    ["[[1,2,3],[1,2]]", "line 2: step 1: expected rows of 3 numbers"],
    ["[[1,2,3],4]", "line 2: step 1: expected rows of 3 numbers"],
    ['[[1,2,"3"]]', 'line 2: step 0: expected rows of 3 numbers, but got "3"'],
    ["[[1,2,null]]", "line 2: step 0: expected rows of 3 numbers, but got null"],
    ["[1,2,[3]]", "line 2: step 0: expected rows of 3 numbers"],
    [`${"[".repeat(50_000)}${"]".repeat(50_000)}`, "line 2: step 0: expected rows"],
  ])("that is %.30s is refused by its number", async (line, piece) => {
    writeFileSync(at("bad.jsonl"), `[[1,2,3]]\n${line}\n`);
    await expectRefused(readAll(at("bad.jsonl")), `bad.jsonl: sequence 1: ${piece}`);
  });

  it("may end as Windows ends it, be blank, be bare or an object, flat or in rows", async () => {
    writeFileSync(at("good.jsonl"), '[[1,2,3]]\r\n\r\n  \n{"input":[1,2,3,4,5,6]}\n[7,8,9]');
    const items = await readAll(at("good.jsonl"));
    expect(items.map(({ sequence }) => sequence.toArray())).toEqual([
      [[1, 2, 3]],
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      [[7, 8, 9]],
    ]);
  });
});

describe("an array", () => {
  const claims: [string, number[], Partial<InputOptions>][] = [
    ["of many sequences of no steps", [0, 700_000_000, 3], {}],
    ["of many sequences of no steps, batch first", [700_000_000, 0, 3], { batchFirst: true }],
    ["of more than numbers can count", [0, 2 ** 60, 3], {}],
    ["of no rows", [0, 3], {}],
    ["of more than the file holds", [2 ** 40, 3], {}],
    ["of other widths", [5, 0], {}],
    ["of four dimensions", [0, 0, 0, 3], {}],
  ];
  it.each(claims)("%s is refused at once, in little memory", async (_, shape, more) => {
    writeFileSync(at("claim.npy"), npyHeader("f4", shape));
    const before = process.memoryUsage().arrayBuffers;
    const started = performance.now();
    await expectRefused(readAll(at("claim.npy"), more));
    expect(performance.now() - started).toBeLessThan(1000);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
  });

  it("of no sequences gives none", async () => {
    writeFileSync(at("none.npy"), npyHeader("f4", [700_000_000, 0, 3]));
    expect(await readAll(at("none.npy"))).toEqual([]);
  });

  it("that is damaged is read or refused", () => {
    const whole = Buffer.concat([npyHeader("f4", [4, 2, 3]), Buffer.alloc(96, 1)]);
    const { refused } = fuzz(whole, 5, 400, (damaged) => {
      writeFileSync(at("damaged.npy"), damaged);
      folderRead("damaged.npy");
    });
    expect(refused).toBeGreaterThan(100);
  });

  it("in an .npz that is damaged is read or refused", () => {
    const array = Buffer.concat([npyHeader("f4", [4, 2, 3]), Buffer.alloc(96, 1)]);
    const { refused } = fuzz(zipSync({ "input.npy": array }), 6, 400, (damaged) => {
      writeFileSync(at("damaged.npz"), damaged);
      folderRead("damaged.npz");
    });
    expect(refused).toBeGreaterThan(100);
  });
});

describe("beyond the first block", () => {
  const count = 700;
  const each = Array.from({ length: count }, (_, i) => 400 + ((i * 31) % 301));
  const rows = each.reduce((a, b) => a + b, 0);
  const data = Float32Array.from({ length: 3 * rows }, (_, i) => i % 8191);
  const firsts = each.map((_, i) => (3 * each.slice(0, i).reduce((a, b) => a + b, 0)) % 8191);

  it.each([
    ["joined", {}],
    ["batch first", { batchFirst: true }],
  ] as const)("every sequence is its own, %s: over 2^20 numbers", async (layout, more) => {
    writeFileSync(at("lengths.txt"), each.join("\n"));
    if (layout === "joined") writeNpy(at("large.npy"), "f4", [rows, 3], data);
    else {
      const padded = new Float32Array(count * 700 * 3);
      let from = 0;
      each.forEach((length, i) => {
        padded.set(data.subarray(3 * from, 3 * (from + length)), i * 700 * 3);
        from += length;
      });
      writeNpy(at("large.npy"), "f4", [count, 700, 3], padded);
    }
    for (const [from, to] of [
      [0, count],
      [1, count],
      [count - 1, count],
      [300, 500],
    ] as const) {
      const items = await readAll(at("large.npy"), { ...more, lengths: at("lengths.txt") }, from, to);
      expect(items.map(({ sequence }) => sequence.shape)).toEqual(each.slice(from, to).map((length) => [length, 3]));
      expect(items.map(({ sequence }) => sequence.data[0])).toEqual(firsts.slice(from, to));
      expect(items.map(({ sequence }) => sequence.data.at(-1))).toEqual(
        each.slice(from, to).map((length, i) => ((firsts[from + i] as number) + 3 * length - 1) % 8191),
      );
    }
  });

  it("of over 1,024 rows of Parquet, in shards, every sequence is its own", () => {
    const lines = Array.from({ length: 2500 }, (_, i) => JSON.stringify({ input: [[i, 1, 2]], number: i }));
    writeFileSync(at("rows.jsonl"), lines.join("\n"));
    const keep = ["--keep", "number"];
    expect(folder.run("-i", at("rows.jsonl"), "-o", at("rows.out.jsonl"), ...keep).status).toBe(0);
    // A model that takes what this one gives.
    const next = runFolder(new LSTM(2, 2));
    expect(folder.run("-i", at("rows.jsonl"), "-o", at("rows.parquet"), ...keep).status).toBe(0);
    expect(folder.run("-i", at("rows.jsonl"), "-o", at("rows.npz")).status).toBe(0);
    const column = ["--column", "output"];
    expect(next.run("-i", at("rows.npz"), "-o", at("want.npy"), ...column).status).toBe(0);
    const want = readFileSync(at("want.npy"));
    expect(next.run("-i", at("rows.parquet"), "-o", at("got.npy"), ...column).status).toBe(0);
    expect(readFileSync(at("got.npy")).equals(want)).toBe(true);
    for (const shard of ["0/3", "1/3", "2/3"]) {
      expect(
        next.run("-i", at("rows.parquet"), "-o", at("got.jsonl"), ...column, ...keep, "--shard", shard).status,
      ).toBe(0);
    }
    next.remove();
    const numbers = [0, 1, 2].flatMap((i) => {
      return readFileSync(at(`got.0000${i}-of-00003.jsonl`), "utf8")
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line).number);
    });
    expect(numbers).toEqual(lines.map((_, i) => i));
  });
});

/** As `openInput` and a loop would, but at once. */
function folderRead(name: string): void {
  const input = (name.endsWith(".npz") ? npzInput : npyInput)(at(name), options);
  for (const { sequence } of input.sequences(0, input.count as number) as Iterable<Item>) sequence.data.at(-1);
}

// Where the system lists a process's open files.
const openFiles = "/proc/self/fd";

describe.skipIf(!existsSync(openFiles))("no reader leaves a file open", () => {
  const array = Buffer.concat([npyHeader("f4", [4, 2, 3]), Buffer.alloc(96, 1)]);
  const kinds: [string, Uint8Array][] = [
    ["a.npy", array],
    ["cut.npy", array.subarray(0, -4)],
    ["wide.npy", Buffer.concat([npyHeader("f4", [4, 2, 4]), Buffer.alloc(128, 1)])],
    ["a.npz", zipSync({ "input.npy": array })],
    ["cut.npz", zipSync({ "input.npy": array }).subarray(0, 40)],
    ["a.jsonl", Buffer.from("[[1,2,3]]\n[[4,5,6]]\n")],
    ["cut.jsonl", Buffer.from("[[1,2,3]]\n[[4,5\n")],
  ];
  it.each(kinds)("%s", async (name, bytes) => {
    writeFileSync(at(name), bytes);
    const before = readdirSync(openFiles).length;
    for (let i = 0; i < 20; i++) await readAll(at(name), {}, 0, 1).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(readdirSync(openFiles).length).toBeLessThan(before + 10);
  });

  it("and none goes on in a file that has taken the other's place", () => {
    writeFileSync(at("moving.npy"), array);
    const { sequences } = npyInput(at("moving.npy"), { ...options, batchFirst: true });
    writeFileSync(at("moving.npy"), Buffer.concat([array, Buffer.alloc(4)]));
    expectCoded(() => [...(sequences(0, 4) as Iterable<Item>)], RangeError, "ERR_FILE", "one that has changed since");
  });
});
