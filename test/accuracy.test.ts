// Accuracy against float64: over all float32 cases our error is no larger than torch's own float32 error, at its worst
// and on average. The truth is the oracle's, and where stored torch's own float64 on the same numbers. This judges all
// cases together against the torch that wrote the fixtures: of single cases, or of another torch, it says nothing.

import { describe, expect, it } from "vitest";
import { manualSeed, randn, runtimeInfo, type Tensor } from "../lib/index.js";
import { cellOf, gru, lstm, named, type Results } from "./support/cells.js";
import { expectClose } from "./support/compare.js";
import { alone, setUp } from "./support/exactness-passes.js";
import { shapesOf } from "./support/exactness-shapes.js";
import { bars, type Case, readFixture, rebuild, run, type Truth } from "./support/fixture.js";
import { oracle } from "./support/oracle.js";
import { oracleCase, oracleModel, rowsOf } from "./support/oracle-case.js";

const fixtures = (["parity", "parity-cells"] as const).map((name) => readFixture<Case & Partial<Truth>>(name));
const torchs = fixtures.map(({ torch }) => torch).join(" and ");
const cases = fixtures.flatMap(({ cases: of, tensor }) =>
  of.filter(({ dtype }) => dtype === "float32").map((c) => ({ ...c, tensor })),
);
const trueKeys = { output: "trueOutput", hn: "trueHn", cn: "trueCn" } as const;

/** Worst and root-mean-square of the differences collected. */
class Errors {
  max = 0;
  #squares = 0;
  #count = 0;

  /** @param scaled whether an error counts relative to a truth beyond 1 */
  add(value: Tensor, truth: Tensor, scaled: boolean): void {
    expect(value.shape).toEqual(truth.shape);
    for (let k = 0; k < truth.size; k++) {
      const size = scaled ? Math.max(1, Math.abs(truth.data[k]!)) : 1;
      const error = Math.abs(value.data[k]! - truth.data[k]!) / size;
      if (!(error <= this.max)) this.max = error;
      this.#squares += error * error;
      this.#count++;
    }
  }

  get rms(): number {
    return Math.sqrt(this.#squares / this.#count);
  }

  toString(): string {
    return `worst ${this.max.toExponential(2)}, rms ${this.rms.toExponential(2)}`;
  }
}

type AccuracyCase = (typeof cases)[number];

interface Measured {
  result: Results;
  truth: Results;
}

const measured = new Map<AccuracyCase, Measured>();

/** Our result and the oracle's, worked out once per case. */
function measure(c: AccuracyCase): Measured {
  let known = measured.get(c);
  if (!known) {
    const rebuilt = rebuild(c);
    known = { result: run(c, rebuilt), truth: oracleCase(c, rebuilt) };
    measured.set(c, known);
  }
  return known;
}

/** Our errors and torch's over the chosen cases. */
function collect(
  chosen: readonly AccuracyCase[],
  truthOf: (c: AccuracyCase, key: keyof Results) => Tensor,
): { ours: Errors; theirs: Errors } {
  const ours = new Errors();
  const theirs = new Errors();
  for (const c of chosen) {
    const { scaled = false } = bars(c);
    for (const key of cellOf(c.cell).keys) {
      const truth = truthOf(c, key);
      ours.add(measure(c).result[key]!, truth, scaled);
      theirs.add(c.tensor(c[key]!), truth, scaled);
    }
  }
  expect(theirs.max).toBeGreaterThan(1e-8);
  expect(theirs.max).toBeLessThan(5e-6);
  return { ours, theirs };
}

// The contract asks for 1 everywhere. An RNN with tanh is at 1.02 on average, at most 1.04 in a subset, and its worst of the cases
// without saturation is one of 1.14: most of these have a single row, whose sums torch takes over sixteen lanes.
const contract = { rms: 1, worst: 1 };
const allowed: Readonly<Record<string, typeof contract>> = { rnn_tanh: { rms: 1.04, worst: 1.15 } };

describe.each(named)(`float32 errors of %s on ${runtimeInfo().isa}, beside those of torch ${torchs}`, (_, { kind }) => {
  const own = cases.filter(({ cell }) => cell === kind);

  it.each<[string, (c: Case) => boolean]>([
    ["all cases", () => true],
    ["the cases without saturated gates", ({ scale }) => scale === 1],
    ["the cases with saturated gates", ({ scale }) => scale === 8],
  ])("are no larger than they may be over %s, the oracle being the truth", (__, chosen) => {
    const { rms, worst } = allowed[kind] ?? contract;
    const { ours, theirs } = collect(own.filter(chosen), (c, key) => measure(c).truth[key]!);
    const both = `ours: ${ours}; torch's: ${theirs}`;
    expect(ours.max, both).toBeLessThanOrEqual(worst * theirs.max);
    expect(ours.rms, both).toBeLessThanOrEqual(rms * theirs.rms);
  });

  // Root mean square only: the truths agree to 1e-12 (below), so the worst case is already judged over all cases above,
  // and which single saturated case is the worst of a subset is luck.
  it.runIf(kind === "lstm")("are no larger on average where torch's float64 is the truth", () => {
    const told = own.filter((c) => c.trueOutput);
    expect(told.length).toBeGreaterThanOrEqual(40);
    const { ours, theirs } = collect(told, (c, key) => c.tensor(c[trueKeys[key]]!));
    expect(ours.rms, `ours: ${ours}; torch's: ${theirs}`).toBeLessThanOrEqual(theirs.rms);
  });
});

describe("the two truths", () => {
  it("agree to 1e-12", () => {
    for (const c of cases.filter(({ trueOutput }) => trueOutput)) {
      for (const key of cellOf(c.cell).keys) {
        const label = `${c.name}, ${key}`;
        expectClose(measure(c).truth[key]!, c.tensor(c[trueKeys[key]]!), { atol: 1e-12, rtol: 0, label });
      }
    }
  });
});

describe.each(named)(`the oracle on the shapes of the exactness suite, %s, ${runtimeInfo().isa}`, (_, cell) => {
  const chosen = shapesOf(cell).filter(
    ({ scale = 1, hiddenSize, inputSize }) => scale === 1 && hiddenSize * inputSize < 25000,
  );
  it.each(chosen.map((shape) => [shape.name, shape] as const))("%s", (__, shape) => {
    for (const [dtype, atol] of [
      ["float32", 5e-6],
      ["float64", 1e-12],
    ] as const) {
      const setup = setUp(cell, shape, dtype);
      const { hiddenSize, numLayers = 1, bidirectional = false } = shape;
      const model = oracleModel({ cell: cell.kind, hiddenSize, numLayers, bidirectional }, setup.timeMajor);
      const results = alone(setup);
      for (const k of new Set([0, results.length - 1])) {
        const [h0, c0] = setup.states.map((t) => rowsOf(t.select(1, k)));
        const truth = oracle(model, rowsOf(setup.sequences[k]!), h0, c0);
        for (const key of cell.keys) {
          const flat = truth[key].flat();
          const { data } = results[k]![key]!;
          expect(data.length).toBe(flat.length);
          const error = (x: number, at: number): number => Math.abs(x - data[at]!) / Math.max(1, Math.abs(x));
          const worst = flat.reduce((w, x, at) => Math.max(w, error(x, at)), 0);
          expect(worst, `${dtype} ${key} of sequence ${k}`).toBeLessThanOrEqual(atol);
        }
      }
    }
  });
});

describe(`weights in int8 on ${runtimeInfo().isa}`, () => {
  // Half of what torch.ao's are off, and no more than onnxruntime's, of the table in bench/README.md.
  it.each([
    [lstm, 3, 64, 1, 3.2e-4],
    [lstm, 128, 256, 2, 3.1e-4],
    [lstm, 256, 256, 1, 1.5e-3],
    [gru, 256, 256, 1, 3.1e-3],
  ] as const)(
    "are nearer to float32 than the peers': $0.name $1 → $2, $3 layers",
    (cell, inputSize, size, numLayers, bar) => {
      manualSeed(1);
      const wide = cell.make(inputSize, size, { numLayers });
      const x = randn([30, 4, inputSize]);
      const [exact] = wide.forward(x);
      const [near] = cell.fromStateDict(wide.stateDict(), { weightDtype: "int8" }).forward(x);
      const squares = Array.from(near.data, (value, i) => (value - exact.data[i]!) ** 2).reduce((a, b) => a + b);
      expect(Math.sqrt(squares / near.size)).toBeLessThan(bar);
      expect(squares).toBeGreaterThan(0);
    },
  );
});
