// The exactness contract of every cell: a sequence's output, hn and cn are the same bits alone, in a batch, in any layout, packed or
// dense, sync or async, whole or in pieces, for any number of threads, and (by the committed digests) on every
// instruction set. vitest.config.ts runs this file once for each instruction set of the machine.

import { afterAll, afterEach, describe, expect, it } from "vitest";
import { getNumThreads, runtimeInfo, setNumThreads } from "../lib/index.js";
import { expectSameList, lstm, named } from "./support/cells.js";
import { committedDigests } from "./support/digests.js";
import * as passes from "./support/exactness-passes.js";
import { SHAPES, type Shape, shapesOf } from "./support/exactness-shapes.js";
import { itIsExact, reference } from "./support/exactness-suite.js";

const DTYPES = ["float32", "float64"] as const;
const { isa } = runtimeInfo();
const digests = committedDigests("bits.json");
const threadsBefore = getNumThreads();
afterEach(() => setNumThreads(threadsBefore));

it("runs on the instruction set that vitest.config.ts names this project after", ({ task }) => {
  expect(isa).toBe(task.file.projectName);
});

const each = named.flatMap(([name, cell]) => DTYPES.map((dtype) => [name, dtype, cell] as const));

describe.each(each)(`bits of %s on ${isa}, %s`, (_, dtype, cell) => {
  describe.each(shapesOf(cell).map((shape) => [shape.name, shape] as const))("%s", (__, shape) => {
    const setup = passes.setUp(cell, shape, dtype);
    itIsExact(cell, shape, setup, (results) => digests.judge(passes.bitsName(cell, shape, dtype), results));
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

afterAll(() => digests.finish());
