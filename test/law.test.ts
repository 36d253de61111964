// The law of native/kernels/arithmetic.h is what the addon computes, to the letter: support/law.ts is written from its text
// alone, and has the addon's bits, in every cell, in both types, on both sides of each constant.

import { describe, expect, it } from "vitest";
import { Linear, manualSeed, runtimeInfo, Tensor } from "../lib/index.js";
import { named } from "./support/cells.js";
import { expectSameBits } from "./support/compare.js";
import { dense, setUp } from "./support/exactness-passes.js";
import type { Shape } from "./support/exactness-shapes.js";
import { uniform } from "./support/fixture.js";
import { byLaw, linearByLaw } from "./support/law.js";
import { oracleModel, rowsOf } from "./support/oracle-case.js";

const DTYPES = ["float32", "float64"] as const;

/** Sizes on both sides of the chains' lengths, of the hidden size that chooses between them, and of a short input. */
const GRID = [1, 7, 8, 9, 16, 17, 64, 65, 130].flatMap((inputSize) =>
  [1, 8, 16, 17, 33, 65, 130].map((hiddenSize) => [
    inputSize,
    hiddenSize,
    { bias: (inputSize + hiddenSize) % 3 !== 0 },
  ]),
) as [number, number, Partial<Shape>][];

const STRUCTURES: [inputSize: number, hiddenSize: number, more: Partial<Shape>][] = [
  [3, 6, { numLayers: 3, bidirectional: true, lengths: [3, 3] }],
  [20, 18, { numLayers: 2, bidirectional: true, bias: false }],
  [4, 12, { scale: 16 }],
];
const PROJECTIONS: typeof STRUCTURES = [
  [5, 16, { projSize: 9 }],
  [5, 70, { projSize: 17, numLayers: 2 }],
];

describe.each(named)(`%s on ${runtimeInfo().isa}`, (_, cell) => {
  const all = [...GRID, ...STRUCTURES, ...(cell.kind === "lstm" ? PROJECTIONS : [])];
  const shapes = all.map(([inputSize, hiddenSize, more]) => {
    const shape: Shape = { name: "", inputSize, hiddenSize, lengths: [3], ...more };
    return [`${inputSize} → ${hiddenSize} ${JSON.stringify(more)}`, shape] as const;
  });

  it.each(shapes)("computes by the law: %s", (__, shape) => {
    const { hiddenSize, numLayers = 1, bidirectional = false } = shape;
    for (const dtype of DTYPES) {
      const setup = setUp(cell, shape, dtype);
      const sizes = { cell: cell.kind, hiddenSize, numLayers, bidirectional };
      const model = { ...oracleModel(sizes, setup.timeMajor), dtype };
      for (const [k, results] of dense(setup, false).entries()) {
        const [h0, c0 = []] = setup.states.map((state) => rowsOf(state.select(1, k)));
        const law = byLaw(model, rowsOf(setup.sequences[k]!), h0!, c0);
        for (const key of cell.keys) {
          const { data, shape: of } = results[key]!;
          const expected = new Tensor(data.slice().fill(0), of);
          expected.data.set(law[key]);
          expectSameBits(results[key]!, expected, `${dtype}, sequence ${k}, ${key}`);
        }
      }
    }
  });
});

describe(`Linear on ${runtimeInfo().isa}`, () => {
  it.each([1, 63, 64, 65, 130, 200])("computes by the law: %i columns", (columns) => {
    for (const dtype of DTYPES) {
      for (const bias of [true, false]) {
        manualSeed(columns);
        const linear = new Linear(columns, 5, { bias, dtype });
        const x = uniform([columns], dtype);
        const { weight, bias: given } = linear.stateDict();
        const expected = new Tensor(linear.forward(x).data.slice().fill(0), [5]);
        expected.data.set(linearByLaw(dtype, x.data, weight!.data, given?.data, 5));
        expectSameBits(linear.forward(x), expected, `${dtype}, bias ${bias}`);
      }
    }
  });

  it("is a law that other sums break", () => {
    const [x, w] = [1, 1].map(() => uniform([130], "float32").data) as [Float32Array, Float32Array];
    const plain = x.reduce((sum, value, k) => Math.fround(sum + Math.fround(value * w[k]!)), 0);
    expect(linearByLaw("float32", x, w, undefined, 1)[0]).not.toBe(plain);
  });
});
