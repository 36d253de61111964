// Weights in 8 bits are computed by the section INT8 of native/kernels/arithmetic.h, to the letter: support/law-int8.ts is written
// from its text alone, and has the addon's bits, in every cell, on both sides of what stays float, at every odd size.

import { describe, expect, it } from "vitest";
import { Linear, manualSeed, runtimeInfo, Tensor } from "../lib/index.js";
import { type Cell, named, type Results } from "./support/cells.js";
import { expectSameBits } from "./support/compare.js";
import { dense, setUp, storedAs } from "./support/exactness-passes.js";
import type { Shape } from "./support/exactness-shapes.js";
import { uniform } from "./support/fixture.js";
import { byLaw } from "./support/law.js";
import { linearInt8, walkInt8 } from "./support/law-int8.js";
import { oracleModel, rowsOf } from "./support/oracle-case.js";

type Row = [inputSize: number, hiddenSize: number, more: Partial<Shape>];

/** On both sides of the longest x that stays float, and sizes that fill neither a group of terms nor a vector, nor a panel. */
const GRID: Row[] = [1, 4, 15, 16, 17, 18, 31, 64, 65, 130].flatMap((inputSize) =>
  [1, 3, 8, 16, 17, 33, 65, 130].map(
    (hiddenSize): Row => [inputSize, hiddenSize, { bias: (inputSize + hiddenSize) % 3 !== 0 }],
  ),
);
const STRUCTURES: Row[] = [
  [3, 6, { numLayers: 3, bidirectional: true, lengths: [3, 3] }], // 12 wide above, which stays float
  [3, 9, { numLayers: 3, bidirectional: true, lengths: [3, 3] }], // 18
  [20, 18, { numLayers: 2, bidirectional: true, bias: false }],
  [40, 12, { scale: 1e6 }],
  [40, 12, { scale: 1e-30 }],
  [24, 40, { lengths: new Array(50).fill(2) }], // tall tiles
];
const PROJECTIONS: Row[] = [
  [5, 16, { projSize: 9 }],
  [5, 70, { projSize: 17, numLayers: 2 }],
  [33, 21, { projSize: 7, numLayers: 2, bidirectional: true, lengths: new Array(11).fill(2) }],
  [18, 130, { projSize: 1, bias: false }],
];

/** The law's results in the tensors of the addon's. */
function expectLaw(cell: Cell, actual: Results, law: ReturnType<typeof byLaw>, label: string): void {
  for (const key of cell.keys) {
    const { data, shape } = actual[key]!;
    const expected = new Tensor(data.slice().fill(0), shape);
    expected.data.set(law[key]);
    expectSameBits(actual[key]!, expected, `${label}, ${key}`);
  }
}

describe.each(named)(`%s in int8 on ${runtimeInfo().isa}`, (_, cell) => {
  const all = [...GRID, ...STRUCTURES, ...(cell.kind === "lstm" ? PROJECTIONS : [])];
  const shapes = all.map(([inputSize, hiddenSize, more]) => {
    const shape: Shape = { name: "", inputSize, hiddenSize, lengths: [3], ...more };
    return [`${inputSize} → ${hiddenSize} ${JSON.stringify(more)}`, shape] as const;
  });

  it.each(shapes)("computes by the law: %s", (__, shape) => {
    const { hiddenSize, numLayers = 1, bidirectional = false } = shape;
    const drawn = setUp(cell, shape, "float32");
    const setup = storedAs("int8", cell, drawn);
    const sizes = { cell: cell.kind, hiddenSize, numLayers, bidirectional };
    const model = { ...oracleModel(sizes, drawn.timeMajor), dtype: "float32" } as const;
    const several = dense(setup, false);
    for (const [k, results] of several.entries()) {
      const [h0, c0 = []] = setup.states.map((state) => rowsOf(state.select(1, k)));
      const law = byLaw(model, rowsOf(setup.sequences[k]!), h0!, c0, walkInt8);
      expectLaw(cell, results, law, `sequence ${k}`);
    }
  });
});

describe(`Linear in int8 on ${runtimeInfo().isa}`, () => {
  it.each([1, 3, 4, 5, 16, 17, 63, 64, 65, 130, 200, 1001])("computes by the law: %i columns", (columns) => {
    for (const [rows, outputs, bias] of [
      [1, 5, true],
      [13, 37, false],
      [3, 130, true],
    ] as const) {
      manualSeed(columns);
      const wide = new Linear(columns, outputs, { bias });
      const linear = Linear.fromStateDict(wide.stateDict(), { weightDtype: "int8" });
      const x = uniform([rows, columns], "float32", 3);
      const { weight, bias: given } = wide.stateDict();
      const y = linear.forward(x);
      const expected = new Tensor(y.data.slice().fill(0), y.shape);
      expected.data.set(rowsOf(x).flatMap((row) => linearInt8(row, weight!.data, given?.data)));
      expectSameBits(y, expected, `${rows} rows, ${outputs} outputs, bias ${bias}`);
    }
  });

  it("is another than the float law", () => {
    manualSeed(1);
    const wide = new Linear(130, 1, { bias: false });
    const x = uniform([130], "float32");
    const int8 = linearInt8(x.data, wide.stateDict().weight!.data, undefined)[0]!;
    const float = wide.forward(x).data[0]!;
    expect(Math.abs(int8 - float)).toBeGreaterThan(1e-6);
    expect(Math.abs(int8 - float)).toBeLessThan(1e-2);
  });
});
