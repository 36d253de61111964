// The exactness contract of every cell: a sequence's output, hn and cn are the same bits alone, in a batch, in any layout, packed or
// dense, sync or async, whole or in pieces, for any number of threads, and (by the committed digests) on every
// instruction set. vitest.config.ts runs this file once for each instruction set of the machine.

import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { getNumThreads, runtimeInfo, setNumThreads, type Tensor } from "../lib/index.js";
import { type Cell, expectSameList, lstm, named, type Results } from "./support/cells.js";
import * as passes from "./support/exactness-passes.js";
import { SHAPES, type Shape, shapesOf } from "./support/exactness-shapes.js";

const DTYPES = ["float32", "float64"] as const;
/** Numbers of threads; of GRU and RNN, which go the LSTM's ways through the core, fewer. */
const threadsFor = (cell: Cell): number[] => (cell === lstm ? [1, 2, 3, 4] : [1, 3]);

const { isa } = runtimeInfo();
const threadsBefore = getNumThreads();
afterEach(() => setNumThreads(threadsBefore));

/** Each sequence alone on one thread: what every other way is held against. A few units of relu may all be at zero. */
function reference(setup: passes.Setup, mayBeZero = false): Results[] {
  setNumThreads(1);
  const results = passes.alone(setup);
  for (const result of results) {
    for (const { data } of Object.values(result) as Tensor[]) {
      expect(data.every(Number.isFinite)).toBe(true);
      expect(mayBeZero || data.some((x) => x !== 0)).toBe(true);
    }
  }
  return results;
}

const isEqual = (shape: Shape): boolean => new Set(shape.lengths).size === 1;

/** A fixed order that is neither the caller's nor the sorted one. */
function shuffled(n: number): number[] {
  const picks = Array.from({ length: n }, (_, k) => k);
  for (let k = n - 1, r = 12345; k > 0; k--) {
    r = (r * 1103515245 + 12345) % 2147483648;
    const j = r % (k + 1);
    [picks[k], picks[j]] = [picks[j]!, picks[k]!];
  }
  return picks;
}

it("runs on the instruction set that vitest.config.ts names this project after", ({ task }) => {
  expect(isa).toBe(task.file.projectName);
});

const each = named.flatMap(([name, cell]) => DTYPES.map((dtype) => [name, dtype, cell] as const));

describe.each(each)(`bits of %s on ${isa}, %s`, (_, dtype, cell) => {
  describe.each(shapesOf(cell).map((shape) => [shape.name, shape] as const))("%s", (__, shape) => {
    const setup = passes.setUp(cell, shape, dtype);
    let kept: Results[] | undefined;
    const alone = (): Results[] => {
      kept ??= reference(setup);
      return kept;
    };

    it("has the committed digest", () => digests.judge(passes.bitsName(cell, shape, dtype), alone()));

    it.each(threadsFor(cell))("is the same in every layout on %i threads", async (threads) => {
      const expected = alone();
      setNumThreads(threads);
      expect(getNumThreads()).toBe(threads);
      expectSameList(passes.packed(setup), expected, "packed");
      expectSameList(passes.packedSorted(setup), expected, "packed sorted");
      expectSameList(await passes.packedAsync(setup), expected, "packed async");
      if (!isEqual(shape)) return;
      expectSameList(passes.dense(setup, false), expected, "dense");
      expectSameList(passes.dense(setup, true), expected, "dense batch-first");
      expectSameList(await passes.denseAsync(setup), expected, "dense async");
    });

    it("is the same alone on many threads, and as a batch of one", () => {
      const expected = alone();
      setNumThreads(4);
      expectSameList(passes.alone(setup), expected, "alone, 4 threads");
      setNumThreads(2);
      expectSameList(passes.aloneBatchFirst(setup), expected, "batch of one, 2 threads");
    });

    if (!shape.bidirectional) {
      it("is the same in pieces with the state carried over", () => {
        const expected = alone();
        setNumThreads(1);
        expectSameList(passes.inPieces(setup, 3), expected, "pieces of 3");
        setNumThreads(2);
        expectSameList(passes.inPieces(setup, 1), expected, "single steps");
        if (isEqual(shape)) expectSameList(passes.denseInPieces(setup, 2), expected, "dense pieces of 2");
      });
    }

    const n = shape.lengths.length;
    if (n > 1) {
      it("is the same whoever else is in the batch, in any order", () => {
        const expected = alone();
        setNumThreads(2);
        const picks = shuffled(n);
        expectSameList(passes.restore(passes.packed(passes.choose(setup, picks)), picks), expected, "shuffled");
        const some = picks.slice(0, Math.ceil(n / 3));
        const expectedSome = some.map((k) => expected[k]!);
        expectSameList(passes.packed(passes.choose(setup, some)), expectedSome, "a third of the batch");
      });
    }
  });
});

describe.each(each)(`batch sizes of %s on ${isa}, %s`, (_, dtype, cell) => {
  // Every way in which a batch can end within a register tile or a row slot.
  it.each(cell === lstm ? [1, 2, 3] : [2])(
    "gives each sequence the same bits in batches of 1 to 40, %i threads",
    (threads) => {
      const shape: Shape = { name: "", inputSize: 6, hiddenSize: 20, lengths: Array.from({ length: 40 }, () => 3) };
      const setup = passes.setUp(cell, shape, dtype);
      const expected = reference(setup);
      setNumThreads(threads);
      for (let n = 1; n <= 40; n++) {
        const first = Array.from({ length: n }, (_, k) => k);
        expectSameList(passes.dense(passes.choose(setup, first), n % 2 === 0), expected.slice(0, n), `batch of ${n}`);
      }
    },
  );

  it("gives the same bits for every hidden size from 1 to 40, in a batch and alone", () => {
    for (let hiddenSize = 1; hiddenSize <= 40; hiddenSize++) {
      const setup = passes.setUp(cell, { name: "", inputSize: 3, hiddenSize, lengths: [4, 2, 4, 1, 3, 4, 4] }, dtype);
      const expected = reference(setup, cell.kind === "rnn_relu" && hiddenSize < 8);
      setNumThreads(2);
      expectSameList(passes.packed(setup), expected, `${hiddenSize} units`);
    }
  });
});

describe(`concurrency on ${isa}`, () => {
  it("gives overlapping async passes and sync passes the same bits", async () => {
    const shapes = SHAPES.filter(({ name }) =>
      /^(neither|projection|more rows than slots, both|one sequence, both)/.test(name),
    );
    expect(shapes.length).toBeGreaterThan(3);
    const setups = named.flatMap(([, cell]) =>
      shapes.filter((shape) => shapesOf(cell).includes(shape)).map((shape) => passes.setUp(cell, shape, "float32")),
    );
    const expected = setups.map((setup) => reference(setup));
    setNumThreads(2);
    const pending = [...setups, ...setups, ...setups].map(passes.packedAsync);
    for (const [k, setup] of setups.entries()) expectSameList(passes.packed(setup), expected[k]!, "sync meanwhile");
    for (const [k, results] of (await Promise.all(pending)).entries()) {
      expectSameList(results, expected[k % setups.length]!, `pass ${k}`);
    }
  });

  it("repeats itself to the bit", () => {
    const setup = passes.setUp(lstm, SHAPES[4]!, "float32");
    const first = passes.packed(setup);
    for (let n = 0; n < 10; n++) expectSameList(passes.packed(setup), first, `repeat ${n}`);
  });
});

/** The committed digests. PACKED_LSTM_WRITE_BITS=1 writes them anew, when the arithmetic is meant to change. */
const digests = (() => {
  const file = new URL("./fixtures/bits.json", import.meta.url);
  const writing = process.env.PACKED_LSTM_WRITE_BITS === "1";
  const committed: Record<string, string> = writing ? {} : JSON.parse(readFileSync(file, "utf8"));
  return {
    judge(name: string, results: readonly Results[]): void {
      const digest = passes.digest(results);
      if (writing) committed[name] = digest;
      expect(digest, `${name}: other bits on ${isa} than test/fixtures/bits.json has`).toBe(committed[name]);
    },
    finish(): void {
      if (writing) writeFileSync(file, `${JSON.stringify(committed, null, 2)}\n`);
    },
  };
})();

afterAll(() => digests.finish());
