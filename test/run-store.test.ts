// What a killed process or machine leaves in a .partial, byte by byte: cut anywhere, its end zeroed, any byte changed. The
// output of a run that goes on is that of one that was never stopped. And an output file that is whole or not there.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { writeOutput } from "../lib/cli/run-output.js";
import { type Owner, type RunIdentity, Store, type StoredRecord, type StoreOptions } from "../lib/cli/run-store.js";

const folder = mkdtempSync(join(tmpdir(), "packed-lstm-store-"));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true }));

const identity: RunIdentity = {
  ...{ model: "m", input: "i", options: "[]", last: false },
  ...{ width: 2, states: 1, real: 2, hiddenSize: 3, bytes: 4 },
};

const lengths = [3, 1, 2, 5, 1];

/** What sequence `number` gives: its numbers tell it from every other. */
function result(number: number, length: number): [number, Float32Array[], string[]] {
  const floats = (count: number, kind: number): Float32Array =>
    Float32Array.from({ length: count }, (_, i) => 1000 * number + 100 * kind + i);
  return [length, [floats(2 * length, 1), floats(2, 2), floats(3, 3)], [`"id ${number}"`, String(number)]];
}

const resume: StoreOptions = { resume: true };

/** Computes what a store lacks. */
function finish(path: string, options: StoreOptions, count = lengths.length): Store {
  const store = new Store(path, identity, options);
  for (let i = store.done; i < count; i++) store.append(...result(i, lengths[i] as number));
  store.flush();
  return store;
}

function contents(store: Store): string {
  const records = [...store.records()].map(({ length, output, hn, cn, kept }) => {
    return [length, output.toString("hex"), hn.toString("hex"), cn.toString("hex"), kept];
  });
  store.close();
  return JSON.stringify(records);
}

const wholeStore = finish(at("whole"), { resume: false });
const whole = contents(wholeStore);
const bytes = readFileSync(at("whole"));

/** Goes on with a damaged .partial. */
function goOn(damaged: Uint8Array): { readonly done: number; readonly warnings: string[] } {
  writeFileSync(at("p"), damaged);
  const warnings: string[] = [];
  const done = new Store(at("p"), identity, resume);
  const count = done.done;
  done.close();
  writeFileSync(at("p"), damaged);
  const store = finish(at("p"), { ...resume, warn: (what) => warnings.push(what) });
  expect(readFileSync(at("p")).equals(bytes)).toBe(true);
  expect(contents(store)).toBe(whole);
  return { done: count, warnings };
}

describe("a .partial", () => {
  it("that is whole is gone on with as it is", () => {
    expect(goOn(bytes)).toEqual({ done: lengths.length, warnings: [] });
    expect(contents(finish(at("half"), { resume: false }, 3))).not.toBe(whole);
    expect(goOn(readFileSync(at("half"))).done).toBe(3);
  });

  it("cut at any byte", () => {
    const counts = new Set<number>();
    for (let size = 0; size < bytes.length; size++) counts.add(goOn(bytes.subarray(0, size)).done);
    expect([...counts]).toEqual([0, 1, 2, 3, 4]);
  });

  it("whose end is zeros, as a loss of power leaves it, from any byte on", () => {
    for (let from = 0; from < bytes.length; from++) {
      const damaged = Buffer.from(bytes);
      damaged.fill(0, from);
      goOn(damaged);
    }
    for (const zeros of [1, 4, 12, 100, 4096, 8192]) {
      const { done, warnings } = goOn(Buffer.concat([bytes, Buffer.alloc(zeros)]));
      expect(done).toBe(lengths.length);
      expect(warnings).toEqual([expect.stringContaining(`${zeros} bytes after sequence 5 do not check`)]);
      goOn(Buffer.concat([bytes.subarray(0, 200), Buffer.alloc(zeros)]));
    }
  });

  it("with any byte changed", () => {
    for (let place = 0; place < bytes.length; place++) {
      for (const mask of [0x01, 0xff]) {
        const damaged = Buffer.from(bytes);
        (damaged[place] as number) ^= mask;
        goOn(damaged);
      }
    }
  });

  it("with a record twice, or in another's place", () => {
    const start = bytes.indexOf(10) + 1;
    const size = 12 + 4 * (2 * 3 + 2 + 3) + '"id 0"\n0'.length;
    const [first, rest] = [bytes.subarray(start, start + size), bytes.subarray(start + size)];
    expect(goOn(Buffer.concat([bytes.subarray(0, start + size), first, rest])).done).toBe(1);
    expect(goOn(Buffer.concat([bytes.subarray(0, start), rest, first])).done).toBe(0);
  });

  it("of another run is refused, and left alone", () => {
    for (const other of [{ model: "n" }, { options: "[1]" }, { width: 3 }]) {
      expect(() => new Store(at("whole"), { ...identity, ...other }, resume)).toThrow("is of another run");
      expect(readFileSync(at("whole")).equals(bytes)).toBe(true);
    }
  });

  it("of the form without checksums is refused by name, and left alone", () => {
    const old = Buffer.concat([Buffer.from(`${JSON.stringify(identity)}\n`), Buffer.alloc(300)]);
    writeFileSync(at("old"), old);
    expect(() => new Store(at("old"), identity, resume)).toThrow(/old was left by .* no checksums, .*; remove it/);
    expect(readFileSync(at("old")).equals(old)).toBe(true);
  });

  it("that another may still have open is gone on with in a copy", () => {
    writeFileSync(at("p"), readFileSync(at("half")));
    const former = new Store(at("p"), identity, resume);
    const store = finish(at("p"), { ...resume, copy: true });
    former.append(...result(3, 1));
    former.flush(); // it wakes up and writes
    former.close();
    expect(contents(store)).toBe(whole);
    expect(readFileSync(at("p")).equals(bytes)).toBe(true);
    finish(at("none yet"), { ...resume, copy: true }).close();
  });

  it("is written by its owner alone", () => {
    const owner: Owner = { check: () => undefined, beat: () => undefined };
    const store = new Store(at("owned"), identity, { resume: false, owner });
    owner.check = () => {
      throw new Error("no more");
    };
    store.append(...result(0, 3));
    const before = readFileSync(at("owned"));
    expect(() => store.flush()).toThrow("no more");
    expect(readFileSync(at("owned")).equals(before)).toBe(true);
    store.close();
  });
});

describe("an output", () => {
  const keep = [
    { name: "id", type: "string" },
    { name: "number", type: "int64" },
  ] as const;
  const { signal } = new AbortController();

  /** A store of so many sequences, in memory. */
  function storeOf(
    count: number,
    each: (i: number) => void = () => undefined,
  ): Pick<Store, "lengths" | "done" | "bytes" | "records"> {
    const all = Array.from({ length: count }, (_, i) => lengths[i % 5] as number);
    return {
      lengths: all,
      done: count,
      bytes: 0,
      *records(): Generator<StoredRecord> {
        for (const [i, length] of all.entries()) {
          each(i);
          const [, arrays, kept] = result(i, length);
          const [output, hn, cn] = arrays.map((array) => Buffer.from(array.buffer)) as [Buffer, Buffer, Buffer];
          yield { length, output, hn, cn, kept };
        }
      },
    };
  }

  it("of over a megabyte holds every value once, in its place", async () => {
    const count = 55_000;
    await writeOutput(at("large.npy"), { store: storeOf(count), identity, keep: [], signal });
    const file = readFileSync(at("large.npy"));
    const data = file.subarray(10 + file.readUInt16LE(8));
    const wanted = Buffer.concat([...storeOf(count).records()].map(({ output }) => output));
    expect(data.length).toBeGreaterThan(2 ** 20);
    expect(data.equals(wanted)).toBe(true);
    await writeOutput(at("large.jsonl"), { store: storeOf(count), identity, keep, signal });
    const lines = readFileSync(at("large.jsonl"), "utf8").trimEnd().split("\n");
    expect(lines.length).toBe(count);
    lines.forEach((line, i) => {
      if (i % 997 === 0) expect(JSON.parse(line)).toMatchObject({ id: `id ${i}`, number: i });
    });
  });

  it.each(["npy", "npz", "jsonl", "parquet"])(
    "that fails while it is written leaves what was there: .%s",
    async (end) => {
      const path = at(`kept.${end}`);
      for (const before of [undefined, "the last run's"]) {
        if (before !== undefined) writeFileSync(path, before);
        let seen = 0;
        const store = storeOf(5000, (i) => {
          // The file that will be the output must not be it before its time, nor be touched.
          expect(existsSync(path) ? readFileSync(path, "utf8") : undefined).toBe(before);
          if (i === 4000 && ++seen === (end === "npy" ? 1 : 2)) throw new Error("the disk is full");
        });
        const keeps = end === "npy" ? [] : keep;
        await expect(writeOutput(path, { store, identity, keep: keeps, signal })).rejects.toThrow("the disk is full");
        expect(existsSync(path) ? readFileSync(path, "utf8") : undefined).toBe(before);
        expect(readdirSync(folder).filter((name) => name.includes("writing"))).toEqual([]);
      }
    },
  );

  it.each(["npy", "npz", "jsonl", "parquet"])("that is stopped leaves what was there: .%s", async (end) => {
    const path = at(`stopped.${end}`);
    writeFileSync(path, "the last run's");
    const stop = new AbortController();
    let written = 0;
    const store = storeOf(110_000, (i) => {
      written = i;
      if (i === 10_000) setImmediate(() => stop.abort(new Error("stopped by SIGINT")));
    });
    const results = { store, identity, keep: [], signal: stop.signal };
    await expect(writeOutput(path, results)).rejects.toThrow("stopped by SIGINT");
    expect(written).toBeLessThan(100_000);
    expect(readFileSync(path, "utf8")).toBe("the last run's");
    expect(readdirSync(folder).filter((name) => name.includes("writing"))).toEqual([]);
  });
});
