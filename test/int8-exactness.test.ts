// The exactness contract of weights in 8 bits, which no other int8 LSTM has: a sequence's bits are the same alone, beside any other,
// in any layout, whole, in pieces or streamed, for any number of threads, and whatever comes after; and (by the committed
// digests) on every instruction set. vitest.config.ts runs this file once for each.

import { afterAll, afterEach, describe, expect, it } from "vitest";
import { cat, getNumThreads, Linear, manualSeed, runtimeInfo, setNumThreads, Tensor } from "../lib/index.js";
import { expectSameList, lstm, named, type Results, resultsOf } from "./support/cells.js";
import { expectSameBits } from "./support/compare.js";
import { committedDigests } from "./support/digests.js";
import * as passes from "./support/exactness-passes.js";
import { type Shape, shapesOf } from "./support/exactness-shapes.js";
import { itIsExact, reference } from "./support/exactness-suite.js";
import { uniform } from "./support/fixture.js";
import { LINEAR_SHAPES, linearIsExact } from "./support/linear-suite.js";

const { isa } = runtimeInfo();
const digests = committedDigests("int8-bits.json");
const threadsBefore = getNumThreads();
afterEach(() => setNumThreads(threadsBefore));
afterAll(() => digests.finish());

const times = ({ data, shape }: Tensor, factor: number): Tensor =>
  new Tensor(
    data.map((x) => x * factor),
    shape,
  );

/** The setup with its first sequence once more, `factor` times as large, its states too, before all others. */
function beside(setup: passes.Setup, factor: number): passes.Setup {
  const states = setup.states.map((state) => cat([times(state.slice(1, 0, 1), factor), state], 1));
  return { ...setup, sequences: [times(setup.sequences[0]!, factor), ...setup.sequences], states };
}

/** The setup with the last frame of every sequence another. */
const withOtherEnds = (setup: passes.Setup): passes.Setup => ({
  ...setup,
  sequences: setup.sequences.map((sequence) => {
    const last = sequence.shape[0]! - 1;
    const end = times(sequence.slice(0, last, last + 1), -100);
    return last === 0 ? end : cat([sequence.slice(0, 0, last), end]);
  }),
});

const isEqual = ({ lengths }: Shape): boolean => new Set(lengths).size === 1;

describe.each(named)(`int8 bits of %s on ${isa}`, (_, cell) => {
  describe.each(shapesOf(cell).map((shape) => [shape.name, shape] as const))("%s", (__, shape) => {
    const setup = passes.storedAs("int8", cell, passes.setUp(cell, shape, "float32"));
    itIsExact(cell, shape, setup, (results) => digests.judge(passes.bitsName(cell, shape, "int8"), results));

    it.each([10, 1e6])("is the same beside a sequence %d times as large", (factor) => {
      const expected = reference(setup);
      const mixed = beside(setup, factor);
      for (const threads of [1, 2]) {
        setNumThreads(threads);
        expectSameList(passes.packed(mixed).slice(1), expected, `packed, ${threads} threads`);
        if (isEqual(shape)) expectSameList(passes.dense(mixed, true).slice(1), expected, `dense, ${threads} threads`);
      }
    });

    it("is the same in a batch job", async () => {
      setNumThreads(2);
      const from = setup.sequences.map((sequence) => resultsOf(...setup.timeMajor.forward(sequence)));
      const results: Results[] = [];
      for await (const { output, hn, cn } of setup.timeMajor.map(setup.sequences)) {
        results.push({ output, hn, ...(cn && { cn }) });
      }
      expectSameList(results, from, "map");
    });

    if (shape.bidirectional) return;

    it("is the same frame by frame", () => {
      const expected = reference(setup);
      for (const threads of [1, 2]) {
        setNumThreads(threads);
        expectSameList(passes.streamed(setup), expected, `streamed, ${threads} threads`);
      }
    });

    it("does not depend on what comes after", () => {
      const expected = reference(setup);
      const [others, together] = [passes.alone, passes.packed].map((run) => run(withOtherEnds(setup)));
      let changed = false;
      for (const [k, { output }] of expected.entries()) {
        const last = output.shape[0]! - 1;
        const of = (results: Results[] | undefined, from: number, to: number): Tensor =>
          results![k]!.output.slice(0, from, to);
        changed ||= of(others, last, last + 1).data.some((x, i) => x !== of(expected, last, last + 1).data[i]);
        if (last === 0) continue;
        expectSameBits(of(others, 0, last), of(expected, 0, last), `sequence ${k}`);
        expectSameBits(of(together, 0, last), of(expected, 0, last), `packed, sequence ${k}`);
      }
      expect(changed).toBe(true);
    });
  });

  // Every way in which a batch can end within a register tile or a row slot, with x in float and in 8 bits.
  it.each([[6, 1], [6, 2], [22, 2], ...(cell === lstm ? [[22, 3]] : [])] as [number, number][])(
    "gives each sequence of %i features the same bits in batches of 1 to 40, %i threads",
    (inputSize, threads) => {
      const shape: Shape = { name: "", inputSize, hiddenSize: 20, lengths: Array.from({ length: 40 }, () => 3) };
      const setup = passes.storedAs("int8", cell, passes.setUp(cell, shape, "float32"));
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
      const shape: Shape = { name: "", inputSize: 21, hiddenSize, lengths: [4, 2, 4, 1, 3, 4, 4] };
      const setup = passes.storedAs("int8", cell, passes.setUp(cell, shape, "float32"));
      const expected = reference(setup, cell.kind === "rnn_relu" && hiddenSize < 8);
      setNumThreads(2);
      expectSameList(passes.packed(setup), expected, `${hiddenSize} units`);
    }
  });

  it("gives overlapping async passes and sync passes the same bits", async () => {
    const shapes = shapesOf(cell).filter(({ name }) =>
      /^(neither|projection|more rows than slots, both|one sequence, both)/.test(name),
    );
    const setups = shapes.map((shape) => passes.storedAs("int8", cell, passes.setUp(cell, shape, "float32")));
    const expected = setups.map((setup) => reference(setup));
    setNumThreads(2);
    const pending = [...setups, ...setups].map(passes.packedAsync);
    for (const [k, setup] of setups.entries()) expectSameList(passes.packed(setup), expected[k]!, "sync meanwhile");
    for (const [k, results] of (await Promise.all(pending)).entries()) {
      expectSameList(results, expected[k % setups.length]!, `pass ${k}`);
    }
  });
});

describe.each(LINEAR_SHAPES)(`int8 bits of a Linear on ${isa}, $rows rows, $inFeatures → $outFeatures`, (shape) => {
  const { inFeatures, outFeatures, rows } = shape;
  manualSeed(21);
  const linear = new Linear(inFeatures, outFeatures, { weightDtype: "int8" });
  const input = uniform([rows, inFeatures], "float32");
  linearIsExact(linear, input, (output) => digests.judge(`Linear ${JSON.stringify(shape)}`, [{ output }]));

  it("are the same beside a row a million times as large", () => {
    const expected = linear.forward(input);
    expectSameBits(linear.forward(cat([times(input.slice(0, 0, 1), 1e6), input])).slice(0, 1), expected);
  });
});
