// Parquet as pyarrow and polars write it (test/fixtures/parquet.py): every codec, nesting and number type to the same
// sequences, faults named by their sequence, and damaged files answered soon, whatever the damage.

import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rangeError } from "../lib/check.js";
import type { InputOptions } from "../lib/cli/run-items.js";
import { watchThread } from "../lib/cli/run-parquet.js";
import { readHybrid } from "../lib/cli/run-parquet-pages.js";
import { openParquet, type ParquetJob, readBlocks } from "../lib/cli/run-parquet-worker.js";
import { LSTM } from "../lib/index.js";
import { buildPackage } from "./support/cli.js";
import { fuzz } from "./support/mutate.js";
import { elements, runFolder } from "./support/run-files.js";

const fixtures = fileURLToPath(new URL("fixtures/parquet/", import.meta.url));
const file = (name: string): string => `${fixtures}${name}.parquet`;
const scratch = mkdtempSync(join(tmpdir(), "packed-lstm-parquet-"));
afterAll(() => rmSync(scratch, { recursive: true }));

// As test/fixtures/parquet.py makes them.
const width = 3;
const lengths = Array.from({ length: 40 }, (_, i) => 1 + ((i * 7) % 11));
const total = lengths.reduce((a, b) => a + b, 0) * width;
const values = Array.from({ length: total }, (_, i) => ((i % 251) - 125) / 4);

interface Read {
  readonly sequences: number[][];
  readonly kept: string[][];
  readonly failure: string | undefined;
}

/** Reads in this thread what the reading thread would. */
function read(path: string, more: Partial<InputOptions> = {}, from = 0, to = Number.POSITIVE_INFINITY): Read {
  const fd = openSync(path, "r");
  try {
    return readOpened(path, fd, more, from, to);
  } finally {
    closeSync(fd);
  }
}

function readOpened(path: string, fd: number, more: Partial<InputOptions>, from: number, to: number): Read {
  const { lengths: beside, keep = [], dtype = "float32" } = more;
  const { size } = statSync(path);
  const shared = { path, size, progress: new Int32Array(2), inputSize: width };
  const job: ParquetJob = { ...shared, dtype, column: "input", lengths: beside, keep };
  const { file: opened, metadata } = openParquet(job, fd);
  const sequences: number[][] = [];
  const kept: string[][] = [];
  let failure: string | undefined;
  for (const block of readBlocks(job, opened, metadata, from, Math.min(to, Number(metadata.num_rows)))) {
    expect(block.first).toBe(from + sequences.length);
    block.rows.forEach((rows, i) => {
      const at = block.origins[i] as number;
      sequences.push(Array.from(block.data.subarray(at, at + rows * width)));
      kept.push([...(block.kept[i] as readonly string[])]);
    });
    failure = block.failure;
  }
  return { sequences, kept, failure };
}

const wanted = (numbers: readonly number[]): number[][] => {
  let at = 0;
  return lengths.map((length) => {
    at += length * width;
    return numbers.slice(at - length * width, at);
  });
};

describe("Parquet", () => {
  const same = readdirSync(fixtures).filter((name) => !/fault|keep|padded|int/.test(name));
  it.each(same)("%s holds the sequences", (name) => {
    expect(read(`${fixtures}${name}`)).toMatchObject({ sequences: wanted(values), failure: undefined });
  });

  it("has files of every codec, of both writers", () => {
    for (const codec of ["none", "snappy", "gzip", "brotli", "lz4", "zstd"]) {
      expect(same).toEqual(expect.arrayContaining([`pyarrow-${codec}.parquet`, `polars-${codec}.parquet`]));
    }
  });

  it.each([
    ["int8", (x: number) => 4 * x],
    ["int64", (x: number) => 4 * x],
    ["int64-delta", (x: number) => 4 * x],
    ["uint32", (x: number) => 4 * x + 2 ** 31],
  ] as const)("of %s becomes floats", (name, make) => {
    expect(read(file(name), { dtype: "float64" }).sequences).toEqual(wanted(values.map(make)));
    expect(read(file(name)).sequences).toEqual(wanted(values.map((x) => Math.fround(make(x)))));
  });

  it("begins and ends at any sequence, in any row group and page", () => {
    const all = wanted(values);
    for (const name of ["flat-groups-small-pages", "polars-zstd"]) {
      for (let from = 0; from <= 40; from += 3) {
        for (const to of [from + 1, from + 9, 40]) {
          expect(read(file(name), {}, from, to).sequences).toEqual(all.slice(from, to));
        }
      }
    }
  });

  it("takes lengths of a column, beyond which a null is padding", () => {
    const first = (i: number): number[] => [i, 1, 2];
    const { sequences, failure } = read(file("padded"), { lengths: "n" });
    expect({ sequences, failure }).toEqual({
      sequences: [first(0), [...first(1), ...first(1)], [...first(2), ...first(2)], first(3)],
      failure: undefined,
    });
    expect(read(file("padded")).failure).toContain("sequence 0: expected rows of 3 numbers, but got a null among");
  });

  it.each([
    ["null-number", "a null among its numbers"],
    ["null-row", "a null or empty row"],
    ["null", "a null or an empty list"],
    ["empty", "a null or an empty list"],
    ["empty-row", "a null or empty row"],
    ["short-row", "a row of 2 numbers"],
  ])("with a fault names the sequence: %s", (name, what) => {
    const { sequences, failure } = read(file(`fault-${name}`));
    expect(sequences).toEqual([
      [0, 1, 2],
      [1, 1, 2],
    ]);
    expect(failure).toMatch(new RegExp(`sequence 2: expected rows of 3 numbers, but got ${what}`));
    expect(read(file(`fault-${name}`), {}, 3).failure).toBe(undefined);
  });

  it.each([
    ["fault-strings", "of type STRING"],
    ["fault-scalar", "of single values"],
    ["fault-struct", "2 fields"],
    ["fault-deep", "nested deeper"],
  ])("of anything but numbers is refused: %s", (name, what) => {
    expect(() => read(file(name))).toThrow(what);
  });

  it("names the nearest column", () => {
    expect(() => read(file("keep"), { keep: ["bigg"] })).toThrow('and none "bigg" (did you mean "big"?)');
  });
});

describe("levels and indices", () => {
  it("of every width come out as they went in, and end with their bytes", () => {
    for (let bits = 1; bits <= 32; bits++) {
      const numbers = Array.from({ length: 64 }, (_, i) => (i * 2654435761) % 2 ** Math.min(bits, 31));
      const packed = new Uint8Array((64 * bits) / 8);
      numbers.forEach((number, i) => {
        for (let b = 0; b < Math.min(bits, 31); b++) {
          const place = i * bits + b;
          if (Math.floor(number / 2 ** b) % 2) (packed[place >> 3] as number) |= 1 << (place & 7);
        }
      });
      const run = [3 * 2, ...Array.from({ length: Math.ceil(bits / 8) }, (_, i) => (i === 0 ? 1 : 0))];
      const bytes = Uint8Array.from([(8 << 1) | 1, ...packed, ...run]);
      const into = new Int32Array(67);
      readHybrid(bytes, 0, bytes.length, bits, into);
      expect(Array.from(into)).toEqual([...numbers, 1, 1, 1]);
      expect(() => readHybrid(bytes, 0, bytes.length - 1, bits, into)).toThrow();
      expect(() => readHybrid(bytes, 0, bytes.length, bits, new Int32Array(68))).toThrow();
    }
  });

  it.each([[[0]], [[0, 0, 0, 0]], [[1]], [[1, 1, 1]], [[0xff, 0xff, 0xff, 0xff, 0xff, 0xff]], [[]]])(
    "that say nothing do not go on for ever: %j",
    (bytes) => {
      for (const bits of [0, 1, 8, 32]) {
        expect(() => readHybrid(Uint8Array.from(bytes), 0, bytes.length, bits, new Int32Array(100))).toThrow(
          "100 levels",
        );
      }
    },
  );
});

describe("damaged Parquet", () => {
  const path = join(scratch, "damaged.parquet");
  const judge = (bytes: Uint8Array): void => {
    writeFileSync(path, bytes);
    try {
      read(path);
    } catch (error) {
      if (error instanceof Error && error.constructor.name !== "AssertionError")
        throw rangeError("ERR_FILE", "file", "Parquet", error.message);
      throw error;
    }
  };

  it.each([
    "pyarrow-zstd",
    "pyarrow-gzip",
    "pyarrow-brotli",
    "pyarrow-lz4",
    "pyarrow-snappy",
    "polars-none",
    "version2",
    "flat-groups-small-pages",
    "int64-delta",
    "half",
    "split",
  ])("of %s is read or refused, soon", (name) => {
    const { read: well, refused } = fuzz(readFileSync(file(name)), 9, 400, judge);
    expect(well).toBeGreaterThan(5);
    expect(refused).toBeGreaterThan(100);
  });

  it("cut at any byte is refused", () => {
    const bytes = readFileSync(file("version2"));
    for (let size = 0; size < bytes.length; size += 5) expect(() => judge(bytes.subarray(0, size))).toThrow();
  });

  it("with a page that fails its checksum is refused", () => {
    const bytes = readFileSync(file("checksums"));
    const at = bytes.indexOf(Buffer.from(Float32Array.of(...values.slice(30, 33)).buffer));
    expect(at).toBeGreaterThan(0);
    (bytes[at] as number) ^= 1;
    expect(() => judge(bytes)).toThrow();
  });
});

describe("the reading thread", () => {
  const reader = (code: string, progress = new Int32Array(new SharedArrayBuffer(8))) => {
    const worker = new Worker(`const { parentPort, workerData } = require("node:worker_threads");${code}`, {
      eval: true,
      workerData: progress,
    });
    return watchThread<number>(worker, progress);
  };

  it("that gets no further is ended", async () => {
    const thread = reader('parentPort.on("message", () => { for (;;); });');
    const started = performance.now();
    await expect(thread.ask(1)).rejects.toThrow("gets no further");
    expect(performance.now() - started).toBeGreaterThan(9000);
    await thread.end();
  }, 40_000);

  it("that takes long but goes on is waited for, and so is a step of many bytes", async () => {
    const going = `parentPort.on("message", () => {
      const until = Date.now() + 14000;
      let next = Date.now();
      while (Date.now() < until) if (Date.now() > next) { next += 1000; Atomics.add(workerData, 0, 1); }
      parentPort.postMessage({ value: "done" });
    });`;
    const large = `parentPort.on("message", () => {
      Atomics.store(workerData, 1, 2 ** 24);
      const until = Date.now() + 14000;
      while (Date.now() < until);
      parentPort.postMessage({ value: "done" });
    });`;
    const threads = [reader(going), reader(large)];
    expect(await Promise.all(threads.map((thread) => thread.ask(1)))).toEqual(["done", "done"]);
    await Promise.all(threads.map((thread) => thread.end()));
  }, 40_000);

  it("that dies or throws says so", async () => {
    await expect(reader('parentPort.on("message", () => process.exit(3));').ask(1)).rejects.toThrow("ended early");
    await expect(reader('parentPort.on("message", () => { throw new Error("no"); });').ask(1)).rejects.toThrow("no");
  });
});

describe("run over Parquet", () => {
  const folder = runFolder(new LSTM(width, 5));
  beforeAll(buildPackage);
  afterAll(folder.remove);

  it("gives the same bits from every file of the same numbers", () => {
    let first: Buffer | undefined;
    for (const name of ["pyarrow-none", "polars-zstd", "fixed", "flat", "double"]) {
      expect(folder.run("-i", file(name), "-o", folder.at("out.npy"))).toEqual({ status: 0, stdout: "", stderr: "" });
      first ??= elements(folder.at("out.npy"));
      expect(elements(folder.at("out.npy")).equals(first)).toBe(true);
    }
    expect(first?.length).toBe((4 * 5 * total) / width);
  });

  it("answers a file that hangs the library, and leaves nothing behind", () => {
    // A page of version 2 that does not say how long its levels are: hyparquet then reads at NaN, which is byte 0, for ever.
    const { status, stderr } = folder.run("-i", file("fault-hang"), "-o", folder.at("never.npy"));
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringMatching(/fault-hang\.parquet: expected .*, but got levels beyond the page \[ERR_FILE\]\n$/),
    });
    expect(readdirSync(folder.at(".")).filter((name) => name.startsWith("never"))).toEqual([]);
  });
});
