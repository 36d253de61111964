// NaN, infinities, huge, tiny and saturating numbers: NaN where torch has NaN and nowhere else, the same infinities, and
// what is finite close to torch's. And a sequence that holds such numbers changes no bit of the others in its batch.

import { describe, expect, it } from "vitest";
import { packSequence, runtimeInfo, setNumThreads, type Tensor, unpackSequence } from "../lib/index.js";
import { type Cell, expectSameResults, named, stateOf } from "./support/cells.js";
import { expectClose, expectSameBits } from "./support/compare.js";
import { choose, packed, type Setup, setUp } from "./support/exactness-passes.js";
import { type Case, type Rebuilt, readFixture, rebuild, run } from "./support/fixture.js";

type Value = number | "nan" | "inf" | "-inf";

/** A value written over part of an argument; a null index means all along that dim. */
interface Edit {
  tensor: "input" | "h0" | "c0";
  index: [number | null, number | null, number | null];
  value: Value;
}

interface ExtremeCase extends Case {
  edits: Edit[];
}

const fixtures = (["extremes", "extremes-cells"] as const).map((name) => readFixture<ExtremeCase>(name));
/** The cases of a cell, and torch's results of each. */
const casesOf = ({ kind, keys }: Cell) =>
  fixtures
    .flatMap(({ cases, tensor }) => cases.map((c) => ({ c, wanted: keys.map((key) => c[key] && tensor(c[key])) })))
    .filter(({ c }) => c.cell === kind)
    .map(({ c, wanted }) => [c.name, c, wanted as Tensor[]] as const);
const valuesOf = (tensors: readonly Tensor[]): number[] => tensors.flatMap(({ data }) => Array.from(data));
const words = { nan: Number.NaN, inf: Number.POSITIVE_INFINITY, "-inf": Number.NEGATIVE_INFINITY };
const numberOf = (value: Value): number => (typeof value === "string" ? words[value] : value);

function apply({ index, value }: Edit, t: Tensor): void {
  const [, rows, width] = t.shape as [number, number, number];
  for (let k = 0; k < t.size; k++) {
    const at = [Math.floor(k / (rows * width)), Math.floor(k / width) % rows, k % width];
    if (index.every((wanted, d) => wanted === null || wanted === at[d])) t.data[k] = numberOf(value);
  }
}

function edited(c: ExtremeCase): Rebuilt {
  const rebuilt = rebuild(c);
  const [h0, c0] = rebuilt.states!;
  const tensors = { input: rebuilt.input, h0, c0 };
  for (const edit of c.edits) apply(edit, tensors[edit.tensor]!);
  return rebuilt;
}

/** Gates of size s carry rounding errors in proportion to s; inputs beyond 1000 leave every gate saturated. */
function tolerance({ cell, dtype, edits }: ExtremeCase): number {
  const sizes = edits.filter(({ tensor }) => tensor === "input").map(({ value }) => Math.abs(numberOf(value)));
  const largest = Math.max(1, ...sizes.filter((size) => size <= 1000).map((size) => size / 16));
  // What relu leaves of 1e30 and -1e30 is a thousandth of them, with that much less of their precision.
  const cancelled = cell === "rnn_relu" && edits.some(({ value }) => Math.abs(numberOf(value)) >= 1e30) ? 10 : 1;
  return (dtype === "float32" ? 5e-6 : 1e-12) * largest * cancelled;
}

describe.each(named)(`extreme numbers in %s as in torch, on ${runtimeInfo().isa}`, (_, cell) => {
  const cases = casesOf(cell);

  it.each(cases)("%s", (__, c, wanted) => {
    const result = run(c, edited(c));
    for (const [k, key] of cell.keys.entries()) {
      const limit = tolerance(c);
      expectClose(result[key]!, wanted[k]!, { atol: limit, rtol: limit, label: key, nonFinite: true });
    }
  });

  it("holds NaN in some fixtures, an infinity in others, and neither in most", () => {
    const kinds = cases.map(([, , wanted]) => {
      const values = valuesOf(wanted);
      if (values.some(Number.isNaN)) return "nan";
      return values.every(Number.isFinite) ? "finite" : "infinite";
    });
    const count = (kind: string): number => kinds.filter((k) => k === kind).length;
    // Of GRU and tanh only a state can be infinite, and none is given so.
    expect(count("nan")).toBeGreaterThan(cases.length / 8);
    if (cell.kind === "lstm" || cell.kind === "rnn_relu") expect(count("infinite")).toBeGreaterThan(0);
    expect(count("finite")).toBeGreaterThan(cases.length / 2);
  });
});

describe.each(named)(`small numbers in %s on ${runtimeInfo().isa}`, (_, cell) => {
  // Without a bias the gates g and the cells are as small as the input: an absolute tolerance would prove nothing.
  const small = casesOf(cell).filter(([name, { bias }]) => !bias && /\b(tiny|denormals)\b/.test(name));

  it.each(small)("keep their relative size: %s", (__, c, wanted) => {
    const result = run(c, edited(c));
    for (const [place, key] of cell.keys.entries()) {
      const expected = wanted[place]!;
      const largest = Math.max(...Array.from(expected.data, Math.abs));
      expect(largest).toBeGreaterThan(0);
      expect(largest).toBeLessThan(1e-29);
      for (const [k, x] of expected.data.entries()) {
        expect(Math.abs(result[key]!.data[k]! - x), `${key}[${k}], torch has ${x}`).toBeLessThanOrEqual(1e-4 * largest);
      }
    }
  });

  it("are among the fixtures", () => expect(small.length).toBe(4));
});

describe.each(
  named.flatMap(([name, cell]) => (["float32", "float64"] as const).map((dtype) => [name, dtype, cell] as const)),
)(`one bad sequence among others, %s, %s, ${runtimeInfo().isa}`, (_, dtype, cell) => {
  const values: Value[] = ["nan", "inf", "-inf", 3e38];
  const shape = {
    name: "",
    inputSize: 7,
    hiddenSize: 21,
    lengths: [5, 9, 2, 9, 7, 1, 4, 9, 3, 6, 8, 9, 5, 2, 9, 9, 4, 9],
  };

  /** The setup with one number written into sequence `row`: its input, or its h0 or c0. */
  function spoil(setup: Setup, row: number, where: Edit["tensor"], value: Value): Setup {
    const spoilt = choose(setup, [...setup.sequences.keys()]);
    if (where === "input") spoilt.sequences[row]!.data[3] = numberOf(value);
    else apply({ tensor: where, index: [0, row, 4], value }, spoilt.states[where === "h0" ? 0 : 1]!);
    return spoilt;
  }

  const structures = [{}, { numLayers: 2, bidirectional: true }, ...(cell.kind === "lstm" ? [{ projSize: 5 }] : [])];
  for (const where of (["input", "h0", "c0"] as const).slice(0, cell.keys.length)) {
    it.each(values)(`${where} of %s changes no other`, (value) => {
      for (const options of structures) {
        const clean = packed(setUp(cell, { ...shape, ...options }, dtype));
        for (const threads of [1, 3]) {
          setNumThreads(threads);
          for (const row of [0, 3, 5, 17]) {
            const results = packed(spoil(setUp(cell, { ...shape, ...options }, dtype), row, where, value));
            for (const [k, result] of results.entries()) {
              if (k === row) continue;
              expectSameResults(result, clean[k]!, `sequence ${k}, bad ${row}`);
            }
            const own = valuesOf(Object.values(results[row]!));
            const before = valuesOf(Object.values(clean[row]!));
            expect(own.some((x, k) => !Object.is(x, before[k]))).toBe(true);
            if (value === "nan") expect(own.some(Number.isNaN)).toBe(true);
          }
        }
      }
    });
  }

  it("NaN in a step leaves the steps before it alone", () => {
    const setup = setUp(cell, { ...shape, lengths: [9, 9, 6] }, dtype);
    const clean = packed(setup);
    setup.sequences[1]!.data[4 * 7 + 2] = Number.NaN;
    const input = packSequence(setup.sequences, { enforceSorted: false });
    const [output] = setup.timeMajor.forward(input, stateOf(setup.states));
    const bad = unpackSequence(output)[1]!;
    expectSameBits(bad.slice(0, 0, 4), clean[1]!.output.slice(0, 0, 4), "steps before");
    expect(bad.slice(0, 4).data.every(Number.isNaN)).toBe(true);
  });
});
