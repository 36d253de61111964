// The cells that the caller steps, LSTMCell, GRUCell and RNNCell: torch's numbers, the bits of their module's step, state dicts
// and errors; and the initial weights that torch draws.

import { describe, expect, it } from "vitest";
import type { CellKind } from "../binding.js";
import {
  GRUCell,
  LSTMCell,
  manualSeed,
  packPaddedSequence,
  RNN,
  RNNCell,
  rand,
  runtimeInfo,
  type Tensor,
  zeros,
} from "../lib/index.js";
import { cellOf, type FloatDType, type Hx, named, type State, stateOf, tensorsOf } from "./support/cells.js";
import { expectClose, expectSameBits } from "./support/compare.js";
import { expectCoded } from "./support/expect-coded.js";
import { bars, checksum, uniform } from "./support/fixture.js";
import { readManifest, type StoredTensor, tensorOf } from "./support/stored.js";

interface CellOptions {
  bias?: boolean;
  dtype?: FloatDType;
  weightDtype?: "float16" | "int8";
}

/** Whatever an LSTMCell, a GRUCell and an RNNCell all are. */
interface SteppedCell {
  forward(x: Tensor, hx?: Hx | null): State;
  stateDict(): Record<string, Tensor>;
  loadStateDict(dict: Record<string, Tensor>): void;
  dispose(): void;
}

const seen = (cell: LSTMCell | GRUCell | RNNCell): SteppedCell => cell as unknown as SteppedCell;

function makeCell(kind: CellKind, inputSize: number, hiddenSize: number, options: CellOptions = {}): SteppedCell {
  if (kind === "lstm") return seen(new LSTMCell(inputSize, hiddenSize, options));
  if (kind === "gru") return seen(new GRUCell(inputSize, hiddenSize, options));
  return seen(new RNNCell(inputSize, hiddenSize, { ...options, nonlinearity: kind === "rnn_relu" ? "relu" : "tanh" }));
}

interface Single {
  name: string;
  cell: CellKind;
  seed: number;
  dtype: FloatDType;
  inputSize: number;
  hiddenSize: number;
  bias: boolean;
  batch: number | null;
  state: boolean;
  scale: number;
  crc: { weights: number; inputs: number };
  results: StoredTensor[];
}

interface Drawn {
  cell: CellKind;
  what: "stack" | "step";
  seed: number;
  args: [number, number, CellOptions & { numLayers?: number; bidirectional?: boolean }];
  tensors: Record<string, StoredTensor>;
}

const { torch, cases, initial } = readManifest<{ torch: string; cases: Single[]; initial: Drawn[] }>("cells");

describe(`cells as in torch ${torch} on ${runtimeInfo().isa}`, () => {
  it.each(cases.map((c) => [c.name, c] as const))("%s", (_, c) => {
    manualSeed(c.seed);
    const cell = makeCell(c.cell, c.inputSize, c.hiddenSize, { bias: c.bias, dtype: c.dtype });
    const lead = c.batch === null ? [] : [c.batch];
    const x = uniform([...lead, c.inputSize], c.dtype, c.scale);
    const count = c.state ? c.results.length : 0;
    const states = Array.from({ length: count }, () => uniform([...lead, c.hiddenSize], c.dtype));
    expect({ weights: checksum(Object.values(cell.stateDict())), inputs: checksum([x, ...states]) }).toEqual(c.crc);
    const results = tensorsOf(cell.forward(x, c.state ? stateOf(states) : null));
    expect(results.length).toBe(c.results.length);
    for (const [k, stored] of c.results.entries()) expectClose(results[k]!, tensorOf(stored), bars(c));
  });

  it("hold both kinds of every option for each cell", () => {
    for (const [, { kind }] of named) {
      const own = cases.filter(({ cell }) => cell === kind);
      for (const test of [
        (c: Single) => c.dtype === "float64",
        (c: Single) => c.batch === null,
        (c: Single) => c.state,
        (c: Single) => c.bias,
      ]) {
        expect(own.filter(test).length).toBeGreaterThan(0);
        expect(own.filter((c) => !test(c)).length).toBeGreaterThan(0);
      }
    }
  });
});

describe("initial weights", () => {
  it.each(initial.map((drawn) => [drawn.cell, drawn.what, drawn] as const))(
    "are torch's to the bit, %s, a %s",
    (kind, what, { seed, args: [inputSize, hiddenSize, options], tensors }) => {
      manualSeed(seed);
      const made =
        what === "stack"
          ? cellOf(kind).make(inputSize, hiddenSize, options)
          : makeCell(kind, inputSize, hiddenSize, options);
      const dict = made.stateDict();
      expect(Object.keys(dict)).toEqual(Object.keys(tensors));
      for (const [name, stored] of Object.entries(tensors)) expectSameBits(dict[name]!, tensorOf(stored), name);
    },
  );

  it("are those of all modules and cells but the second RNN, which draws as the first does", () => {
    expect(initial.map(({ cell, what }) => `${cell} ${what}`).sort()).toEqual(
      ["gru", "lstm", "rnn_tanh"].flatMap((cell) => [`${cell} stack`, `${cell} step`]),
    );
    manualSeed(1);
    const tanh = new RNN(3, 4).stateDict();
    manualSeed(1);
    expect(new RNN(3, 4, { nonlinearity: "relu" }).stateDict()).toEqual(tanh);
  });
});

describe.each(named)("the cell of %s", (_, { kind, make, fromStateDict }) => {
  it("steps as its module does, to the bit, with a batch, without, and from zeros", () => {
    for (const options of [
      ...[{}, { bias: false }, { dtype: "float64" }],
      ...(["float16", "int8"] as const).map((weightDtype) => ({ weightDtype })),
    ] as CellOptions[]) {
      const cell = makeCell(kind, 5, 18, options);
      const layer = Object.fromEntries(Object.entries(cell.stateDict()).map(([name, t]) => [`${name}_l0`, t]));
      const module = fromStateDict(layer, { weightDtype: options.weightDtype });
      const { dtype = "float32" } = options;
      const frames = Array.from({ length: 4 }, () => rand([3, 5], dtype));
      let state: State | undefined;
      let wanted: State | undefined;
      for (const x of frames) {
        state = cell.forward(x, state);
        wanted = module.forward(x.reshape([1, 3, 5]), wanted)[1];
        for (const [k, tensor] of tensorsOf(state).entries()) {
          expectSameBits(tensor.reshape([1, 3, 18]), tensorsOf(wanted)[k]!);
        }
      }
      const alone = cell.forward(frames[0]!.select(0, 1));
      const first = tensorsOf(cell.forward(frames[0]!));
      for (const [k, tensor] of tensorsOf(alone).entries()) expectSameBits(tensor, first[k]!.select(0, 1));
    }
  });

  it("gives new tensors each time, and grows and shrinks with the batch", () => {
    const cell = makeCell(kind, 3, 4);
    const [small, large] = [rand([1, 3]), rand([40, 3])];
    const first = tensorsOf(cell.forward(small));
    const kept = first.map(({ data }) => data.slice());
    expect(tensorsOf(cell.forward(large)).map(({ shape }) => shape)).toEqual(first.map(() => [40, 4]));
    expectSameBits(tensorsOf(cell.forward(small))[0]!, first[0]!);
    expect(first.map(({ data }) => data)).toEqual(kept);
  });

  it("has torch's names, and takes and gives the weights of a module of one layer", () => {
    const cell = makeCell(kind, 3, 4);
    const rows = 4 * cellOf(kind).gates;
    expect(Object.entries(cell.stateDict()).map(([name, { shape }]) => [name, shape])).toEqual([
      ["weight_ih", [rows, 3]],
      ["weight_hh", [rows, 4]],
      ["bias_ih", [rows]],
      ["bias_hh", [rows]],
    ]);
    expect(Object.keys(makeCell(kind, 3, 4, { bias: false }).stateDict())).toEqual(["weight_ih", "weight_hh"]);
    const other = makeCell(kind, 3, 4);
    other.loadStateDict(cell.stateDict());
    expect(other.stateDict()).toEqual(cell.stateDict());
    const taken = fromStateDict(cell.stateDict());
    const x = rand([2, 3]);
    expectSameBits(taken.forward(x.reshape([1, 2, 3]))[0].reshape([2, 4]), tensorsOf(cell.forward(x))[0]!);
    const from = { lstm: LSTMCell, gru: GRUCell, rnn_tanh: RNNCell, rnn_relu: RNNCell }[kind];
    const options = kind === "rnn_relu" ? { nonlinearity: "relu" as const } : {};
    const back = seen(from.fromStateDict(make(3, 4).stateDict(), options));
    expect(Object.keys(back.stateDict())).toEqual(["weight_ih", "weight_hh", "bias_ih", "bias_hh"]);
  });

  it("refuses what does not fit, and all after dispose", () => {
    const cell = makeCell(kind, 3, 4);
    const fits = "shape (B, 3) with B from 1, or (3,)";
    expectCoded(() => cell.forward(rand([2, 5])), RangeError, "ERR_SHAPE", fits);
    expectCoded(() => cell.forward(rand([2, 2, 3])), RangeError, "ERR_SHAPE", fits);
    expectCoded(() => cell.forward(zeros([0, 3])), RangeError, "ERR_SHAPE", fits);
    expectCoded(() => cell.forward(rand([2, 3], "float64")), TypeError, "ERR_DTYPE", "float32");
    const wrong = stateOf(tensorsOf(cell.forward(rand([3, 3]))));
    expectCoded(() => cell.forward(rand([2, 3]), wrong), RangeError, "ERR_SHAPE", "h: expected shape (2, 4)");
    expectCoded(() => cell.forward(rand([3]), wrong), RangeError, "ERR_SHAPE", "h: expected shape (4,)");
    cell.dispose();
    cell.dispose();
    expectCoded(() => cell.forward(rand([2, 3])), Error, "ERR_DISPOSED", "Cell: used after dispose()");
    expectCoded(() => cell.stateDict(), Error, "ERR_DISPOSED");
  });
});

describe.each(named)("shapes of %s", (_, { kind, keys, make }) => {
  const T = 5;
  const B = 3;
  it.each([
    [{}, 1, 1],
    [{ numLayers: 2 }, 1, 2],
    [{ bidirectional: true }, 2, 1],
    [{ numLayers: 3, bidirectional: true, dtype: "float64" as const }, 2, 3],
  ])("%o", (options, D, L) => {
    const { dtype = "float32" } = options as { dtype?: FloatDType };
    const states = (batch: number[]): number[][] => keys.slice(1).map(() => [L * D, ...batch, 4]);
    const timeMajor = make(2, 4, options);
    const batchFirst = make(2, 4, { ...options, batchFirst: true });
    const shapes = ([output, state]: [Tensor, State]): unknown => [
      output.shape,
      ...tensorsOf(state).map((t) => t.shape),
    ];
    expect(shapes(timeMajor.forward(rand([T, B, 2], dtype)))).toEqual([[T, B, 4 * D], ...states([B])]);
    expect(shapes(batchFirst.forward(rand([B, T, 2], dtype)))).toEqual([[B, T, 4 * D], ...states([B])]);
    expect(shapes(timeMajor.forward(rand([T, 2], dtype)))).toEqual([[T, 4 * D], ...states([])]);
    const [packed, state] = timeMajor.forward(packPaddedSequence(rand([T, B, 2], dtype), [5, 4, 2]));
    expect(packed.data.shape).toEqual([11, 4 * D]);
    expect(tensorsOf(state).map((t) => t.shape)).toEqual(states([B]));
    expect({ ...timeMajor }.dtype).toBe(dtype);
    expect("projSize" in timeMajor).toBe(kind === "lstm");
  });
});
