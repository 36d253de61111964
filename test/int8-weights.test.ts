// Weights in 8 bits: what each is rounded to and what a state dict gives back; rows of weights and of activations that are zero,
// tiny, huge, NaN or infinite; sums up to what 32 bits hold and sizes beyond; integers that an ONNX file has.
// vitest.config.ts runs this on each instruction set.

import { describe, expect, it } from "vitest";
import {
  GRU,
  Linear,
  LSTM,
  LSTMCell,
  loadOnnx,
  manualSeed,
  RNN,
  rand,
  runtimeInfo,
  Tensor,
  zeros,
} from "../lib/index.js";
import { native } from "../lib/native.js";
import { type Cell, expectSameResults, lstm, named, resultsOf } from "./support/cells.js";
import { expectSameBits } from "./support/compare.js";
import { expectCoded } from "./support/expect-coded.js";
import { uniform } from "./support/fixture.js";
import { linearInt8, quantizeWeights } from "./support/law-int8.js";
import { rowsOf } from "./support/oracle-case.js";
import { field, initializer, model, node, tensorProto } from "./support/proto.js";

const { fround } = Math;
const { isa } = runtimeInfo();
const any = (value: unknown): never => value as never;
const tensorOf = (rows: readonly (readonly number[])[]): Tensor =>
  new Tensor(Float32Array.from(rows.flat()), [rows.length, rows[0]!.length]);

/** What a matrix is after its rows were rounded. */
function rounded(matrix: Tensor): Tensor {
  const rows = rowsOf(matrix).map((row) => {
    const { q, scale } = quantizeWeights(row);
    return q.map((value) => fround(value * scale) + 0); // an integer has no negative zero
  });
  return tensorOf(rows);
}

/** Every row drawn at a size of its own, from about 2^-120 to near the largest. */
function anySizes(shape: readonly number[]): Tensor {
  const t = uniform(shape, "float32");
  const width = shape.at(-1)!;
  return new Tensor(
    t.data.map((x, i) => x * 2 ** ((((Math.floor(i / width) * 37) % 230) - 110) as number)),
    shape,
  );
}

describe.each(named)(`int8 weights of %s on ${isa}`, (_, cell) => {
  const options = [{}, { bias: false }, { numLayers: 2, bidirectional: true }];
  const all = [...options, ...(cell.kind === "lstm" ? [{ numLayers: 2, projSize: 7 }] : [])];
  const sizes = [3, 16, 17, 40].flatMap((inputSize) => all.map((more) => [inputSize, more] as const));

  it.each(sizes)("are rounded row by row, x of 16 and biases kept: %i → 19 %o", (inputSize, more) => {
    manualSeed(5);
    const drawn = cell.make(inputSize, 19, more).stateDict();
    const given = Object.fromEntries(
      Object.entries(drawn).map(([name, { shape }]) => [
        name,
        name.startsWith("weight") ? anySizes(shape) : uniform(shape, "float32"),
      ]),
    );
    const int8 = cell.fromStateDict(given, { weightDtype: "int8" });
    const dict = int8.stateDict();
    expect(Object.keys(dict)).toEqual(Object.keys(given));
    for (const [name, matrix] of Object.entries(given)) {
      const kept = name.startsWith("bias") || (name.startsWith("weight_ih") && matrix.shape[1]! <= 16);
      expectSameBits(dict[name]!, kept ? matrix : rounded(matrix), name);
      if (!kept) expect(dict[name]!.data).not.toEqual(matrix.data);
    }
    const again = cell.fromStateDict(dict, { weightDtype: "int8" });
    for (const [name, tensor] of Object.entries(again.stateDict())) expectSameBits(tensor, dict[name]!, name);
    const [one, two] = [drawn, cell.fromStateDict(drawn, { weightDtype: "int8" }).stateDict()].map((from) => {
      const later = cell.make(inputSize, 19, { ...more, weightDtype: "int8" });
      later.loadStateDict(from);
      return later;
    });
    const x = rand([4, inputSize]);
    expectSameResults(resultsOf(...one!.forward(x)), resultsOf(...two!.forward(x)));
  });

  it("draws what a float32 model draws", () => {
    manualSeed(3);
    const drawn = cell.make(20, 9).stateDict();
    manualSeed(3);
    const int8 = cell.make(20, 9, { weightDtype: "int8" });
    expect([int8.dtype, int8.weightDtype]).toEqual(["float32", "int8"]);
    expectSameBits(int8.stateDict().weight_hh_l0!, rounded(drawn.weight_hh_l0!));
  });

  it("keep what they have where a dict does not fit", () => {
    const int8 = cell.make(20, 9, { weightDtype: "int8" });
    const before = int8.stateDict();
    expectCoded(() => int8.loadStateDict({}), RangeError, "ERR_STATE_DICT", 'weightDtype: "int8"');
    expect(int8.stateDict()).toEqual(before);
  });

  it("of a row that is not finite make its own units NaN, and no others", () => {
    const dict = cell.make(20, 9).stateDict();
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      for (const name of ["weight_ih_l0", "weight_hh_l0"]) {
        const spoilt = new Tensor(dict[name]!.data.slice(), dict[name]!.shape);
        const width = spoilt.shape[1]!;
        spoilt.data[4 * width + 2] = value; // the fifth unit's first gate
        const int8 = cell.fromStateDict({ ...dict, [name]: spoilt }, { weightDtype: "int8" });
        const { data } = int8.stateDict()[name]!;
        expect(data.subarray(4 * width, 5 * width).every(Number.isNaN)).toBe(true);
        expect(data.filter(Number.isNaN).length).toBe(width);
        const [h] = int8.forward(rand([1, 20]));
        expect(Array.from(h.data, Number.isNaN)).toEqual(Array.from({ length: 9 }, (__, unit) => unit === 4));
      }
    }
  });

  it("give a sequence with a frame that is not finite NaN from there on, and the others their bits", () => {
    const int8 = cell.make(20, 9, { weightDtype: "int8" });
    const x = uniform([5, 3, 20], "float32");
    const [clean] = int8.forward(x);
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const spoilt = new Tensor(x.data.slice(), x.shape);
      spoilt.data[(2 * 3 + 1) * 20 + 19] = value; // the second sequence's third frame
      const [output] = int8.forward(spoilt);
      for (const k of [0, 2]) expectSameBits(output.select(1, k), clean.select(1, k), `sequence ${k}`);
      expectSameBits(output.select(1, 1).slice(0, 0, 2), clean.select(1, 1).slice(0, 0, 2), "frames before");
      expect(output.select(1, 1).slice(0, 2).data.every(Number.isNaN)).toBe(true);
    }
  });
});

/** Fails unless both are the same numbers, any NaN being as good as another. */
function expectSame(actual: Tensor, expected: readonly number[], label: string): void {
  expect(Array.from(actual.data), label).toEqual(Array.from(expected, fround));
}

describe(`int8 rows of a Linear on ${isa}`, () => {
  const width = 37;
  const row = (make: (k: number) => number): number[] => Array.from({ length: width }, (_, k) => fround(make(k)));
  const wave = (k: number): number => Math.sin(k + 1);
  const rows: [what: string, row: number[]][] = [
    ["zero", row(() => 0)],
    ["negative zero", row(() => -0)],
    ["the smallest numbers", row((k) => (k % 3) * 2 ** -149)],
    ["subnormal", row((k) => wave(k) * 2 ** -130)],
    ["below 2^-120", row((k) => wave(k) * 2 ** -121)],
    ["2^-120", row((k) => (k === 5 ? -(2 ** -120) : wave(k) * 2 ** -121))],
    ["ordinary", row(wave)],
    ["of one large number", row((k) => (k === 7 ? 1e30 : wave(k)))],
    ["halfway between integers", row((k) => (k === 0 ? 127 : (k % 9) - 4.5))],
    ["huge", row((k) => wave(k) * 3.4e38)],
    ["NaN", row((k) => (k === 36 ? Number.NaN : wave(k)))],
    ["infinite", row((k) => (k === 0 ? Number.NEGATIVE_INFINITY : wave(k)))],
  ];
  const weight = tensorOf(rows.map(([, values]) => values));
  const bias = new Tensor(
    Float32Array.from(rows, (_, k) => k / 8),
    [rows.length],
  );
  const linear = Linear.fromStateDict({ weight, bias }, { weightDtype: "int8" });

  it("come back as what they were rounded to", () => {
    expectSame(linear.stateDict().weight!, Array.from(rounded(weight).data), "weight");
    expectSameBits(linear.stateDict().bias!, bias);
  });

  it.each(rows)("are defined for a row of x that is %s", (_, x) => {
    const expected = linearInt8(x, weight.data, bias.data);
    const one = new Tensor(Float32Array.from(x), [width]);
    expectSame(linear.forward(one), expected, "alone");
    const among = linear.forward(tensorOf([...rows.map(([, values]) => values), x]));
    expectSame(among.select(0, rows.length), expected, "among others");
  });
});

describe(`sums on ${isa}`, () => {
  const most = 133_144;
  const signs = (k: number): number => (((k * 7919) >> 3) % 2 === 0 ? 1 : -1);

  it("are exact up to the limit", () => {
    const rows = [() => 127, () => -127, (k: number) => 127 * signs(k), (k: number) => ((k * 31) % 255) - 127];
    const integers = rows.map((make) => Array.from({ length: most }, (_, k) => (k === 0 ? 127 : make(k))));
    const weight = tensorOf(integers); // with a scale of 1
    const linear = Linear.fromStateDict({ weight }, { weightDtype: "int8" });
    expectSameBits(linear.stateDict().weight!, weight);
    for (const x of integers) {
      const expected = integers.map((w) => fround(w.reduce((sum, value, k) => sum + value * x[k]!, 0)));
      expectSame(linear.forward(new Tensor(Float32Array.from(x), [most])), expected, `x from ${x[1]}`);
    }
    expect(fround(most * 127 ** 2)).toBe(2147479552);
    expect((most + 1) * 127 ** 2).toBeGreaterThan(2 ** 31 - 1);
  });

  it("beyond it are refused by name, by the addon too", () => {
    const tell = 'expected at most 133144 with weightDtype "int8", but got';
    const int8 = { weightDtype: "int8" } as const;
    const over = most + 1;
    const cases: [make: () => unknown, message: string][] = [
      [() => new Linear(over, 1, int8), `inFeatures: ${tell} 133145`],
      [() => Linear.fromStateDict({ weight: zeros([1, over]) }, int8), `inFeatures: ${tell} 133145`],
      [() => new LSTM(over, 1, int8), `inputSize: ${tell} 133145`],
      [() => new LSTM(1, over, int8), `hiddenSize: ${tell} 133145`],
      [() => new LSTM(1, over, { ...int8, projSize: 1 }), `hiddenSize: ${tell} 133145`],
      [
        () => new GRU(1, 66_573, { ...int8, numLayers: 2, bidirectional: true }),
        `the next layer's input: ${tell} 133146`,
      ],
      [() => new LSTMCell(over, 1, int8), `inputSize: ${tell} 133145`],
      [() => RNN.fromStateDict({ weight_ih_l0: zeros([1, over]), weight_hh_l0: zeros([1, 1]) }, int8), "inputSize"],
    ];
    for (const [make, message] of cases) expectCoded(make, RangeError, "ERR_ARG_VALUE", message);
    expect(new LSTM(over, 1).inputSize).toBe(over);
    expect(new LSTM(most, 1, int8).inputSize).toBe(most);
    const sizes = { projSize: 0, numLayers: 1, bidirectional: false, bias: false, dtype: "float32" } as const;
    const recurrent = { cell: "rnn_tanh", inputSize: 1, hiddenSize: 1, ...sizes, ...int8 } as const;
    const linear = { outFeatures: 1, bias: false, dtype: "float32", ...int8 } as const;
    for (const make of [
      () => new native.Linear({ ...linear, inFeatures: over }),
      () => new native.Recurrent({ ...recurrent, inputSize: over }),
      () => new native.Recurrent({ ...recurrent, hiddenSize: over }),
      () => new native.Recurrent({ ...recurrent, hiddenSize: 66_573, numLayers: 2, bidirectional: true }),
    ]) {
      expectCoded(make, RangeError, "ERR_ARG_VALUE", "133144");
    }
  });
});

describe("memory", () => {
  it.each([
    ["LSTM", 512, 512, {}],
    ["LSTM", 40, 521, { numLayers: 2, projSize: 64 }],
    ["GRU", 512, 512, { bidirectional: true }],
    ["RNN tanh", 512, 512, {}],
  ] as [string, number, number, object][])("is a quarter: %s %i → %i %o", (name, inputSize, hiddenSize, more) => {
    const cell = named.find(([of]) => of === name)![1] as Cell;
    const bytes = (weightDtype?: "int8") => {
      return cell.make(inputSize, hiddenSize, { ...more, ...(weightDtype && { weightDtype }) }).share().weights
        .byteLength;
    };
    expect(bytes("int8") / bytes()).toBeLessThan(0.31);
    expect(bytes("int8") / bytes()).toBeGreaterThan(0.19);
  });

  it("is a quarter of a Linear's", () => {
    const ratio =
      new Linear(512, 512, { weightDtype: "int8" }).share().weights.byteLength /
      new Linear(512, 512).share().weights.byteLength;
    expect(ratio).toBeLessThan(0.31);
    expect(ratio).toBeGreaterThan(0.19);
  });
});

describe("a DynamicQuantizeLSTM node", () => {
  it("gives the same integers back where a channel's largest is 127", () => {
    const [inputs, hidden] = [21, 13];
    const rows = 4 * hidden;
    const columnsOf = (width: number): Int8Array =>
      Int8Array.from({ length: width * rows }, (_, at) => {
        const [k, row] = [Math.floor(at / rows), at % rows];
        return k === row % width ? (row % 2 === 0 ? 127 : -127) : ((k * 53 + row * 17) % 255) - 127;
      });
    const [w, r] = [columnsOf(inputs), columnsOf(hidden)];
    const scales = Float32Array.from({ length: rows }, (_, row) => (row + 1) * 1.2345e-4);
    const bytes = ({ buffer }: Int8Array | Float32Array): Buffer => Buffer.from(buffer);
    const file = model([
      node(
        "DynamicQuantizeLSTM",
        ["x", "W", "R", "", "", "", "", "", "ws", "wz", "rs", "rz"],
        ["y"],
        [field(7, "com.microsoft")],
      ),
      ...[
        tensorProto("W", [1, inputs, rows], bytes(w), 3),
        tensorProto("R", [1, hidden, rows], bytes(r), 3),
        ...["ws", "rs"].map((name) => tensorProto(name, [1, rows], bytes(scales))),
        ...["wz", "rz"].map((name) => tensorProto(name, [1, rows], Buffer.alloc(rows), 3)),
      ].map(initializer),
    ]);
    const [found] = loadOnnx(file);
    const int8 = LSTM.fromStateDict(found!.stateDict, { weightDtype: "int8" }).stateDict();
    const order = [0, 2, 3, 1]; // of torch's gates, where ONNX has each
    for (const [name, from, width] of [
      ["weight_ih_l0", w, inputs],
      ["weight_hh_l0", r, hidden],
    ] as const) {
      for (const [row, weights] of rowsOf(int8[name]!).entries()) {
        const column = order[Math.floor(row / hidden)]! * hidden + (row % hidden);
        const integers = Array.from(weights, (weight) => weight / scales[column]!);
        const expected = Array.from({ length: width }, (_, k) => from[k * rows + column]!);
        expect(integers.map(Math.round), `${name}, row ${row}`).toEqual(expected.map((q) => q + 0));
        expect(Math.max(...integers.map((q) => Math.abs(q - Math.round(q))))).toBeLessThan(1e-4);
      }
    }
  });
});

describe("what int8 goes together with", () => {
  it("is float32, in recurrent modules, cells and Linear", () => {
    const both = { dtype: "float64", weightDtype: "int8" } as const;
    const tell = 'weightDtype: expected "float64", as the dtype is, but got "int8"';
    const wide = new LSTM(3, 4, { dtype: "float64" }).stateDict();
    for (const make of [
      ...named.map(
        ([, cell]) =>
          () =>
            cell.make(3, 4, both),
      ),
      () => new LSTMCell(3, 4, both),
      () => new Linear(3, 4, both),
      () => lstm.fromStateDict(wide, { weightDtype: "int8" }),
      () => Linear.fromStateDict({ weight: zeros([2, 2], "float64") }, { weightDtype: "int8" }),
    ]) {
      expectCoded(make, TypeError, "ERR_DTYPE", tell);
    }
    const linear = 'weightDtype: expected "float32" or "int8", but got';
    expectCoded(() => new Linear(3, 4, any({ weightDtype: "float16" })), TypeError, "ERR_DTYPE", `${linear} "float16"`);
    expectCoded(() => new Linear(3, 4, any({ weightDtype: 8 })), TypeError, "ERR_ARG_TYPE", `${linear} 8`);
    expect(new Linear(3, 4, { weightDtype: "int8" }).weightDtype).toBe("int8");
    expect(new Linear(3, 4, { dtype: "float64", weightDtype: "float64" }).weightDtype).toBe("float64");
  });
});
