// What the raw addon makes of nonsense given to the methods that read and share weights; and that what it reads out is what
// was loaded, to the bit. As in binding.test.ts, under the sanitizers it is worth the most.

import { describe, expect, it } from "vitest";
import type { FloatArray, NativeWeights, RecurrentConfig } from "../binding.js";
import { native } from "../lib/native.js";
import { widenFloat16 } from "../lib/weights/half.js";
import { gatesOf, withoutC } from "./support/binding-model.js";
import { detach, growable, shrunk } from "./support/odd-buffers.js";

const any = (value: unknown): never => value as never;
const disposed = expect.objectContaining({ code: "ERR_DISPOSED", message: expect.stringContaining("dispose()") });
const refusal = expect.objectContaining({ code: expect.stringMatching(/^ERR_(ARG_TYPE|ARG_VALUE)$/) });

/** The sizes of a module's parameters in torch's order; of the biases whether they are. */
function parametersOf(config: RecurrentConfig): { size: number; isBias: boolean }[] {
  const { cell, inputSize, hiddenSize, projSize, numLayers, bidirectional, bias } = config;
  const rows = gatesOf[cell] * hiddenSize;
  const [real, directions] = [projSize || hiddenSize, bidirectional ? 2 : 1];
  return Array.from({ length: numLayers * directions }, (_, i) => [
    { size: rows * (i < directions ? inputSize : directions * real), isBias: false },
    { size: rows * real, isBias: false },
    ...(bias ? [1, 2].map(() => ({ size: rows, isBias: true })) : []),
    ...(projSize > 0 ? [{ size: projSize * hiddenSize, isBias: false }] : []),
  ]).flat();
}

let state = 1;
/** A word of 32 random bits: any float there is, NaN payloads and subnormal numbers too. */
function word(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  const high = state >>> 16;
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return ((high << 16) | (state >>> 16)) >>> 0;
}

const special = [0, 0x80000000, 0x7f800000, 0xff800000, 0x7f800001, 0xffc12345, 1, 0x80000001, 0x7fc00000];
/** Floats of any bits; doubles of any bits; or halves of any bits, widened. */
function anyBits(size: number, kind: "float32" | "float64" | "float16"): FloatArray {
  if (kind === "float16") return widenFloat16(Uint16Array.from({ length: size }, () => word() >>> 16));
  const words = Uint32Array.from({ length: kind === "float64" ? 2 * size : size }, (_, i) =>
    i % 5 === 0 ? (special[word() % special.length] as number) : word(),
  );
  return kind === "float64" ? new Float64Array(words.buffer) : new Float32Array(words.buffer);
}

const wordsOf = ({ buffer, byteOffset, byteLength }: FloatArray): Uint32Array =>
  new Uint32Array(buffer, byteOffset, byteLength / 4);
const blank = (array: FloatArray): FloatArray => (array.slice() as Float32Array).fill(0.25);

const sizesOfOne = { inputSize: 3, hiddenSize: 5, projSize: 0, numLayers: 1 } as const;
const base = { cell: "lstm", ...sizesOfOne, bidirectional: false, bias: true } as const;
const configs: RecurrentConfig[] = [];
for (const hiddenSize of [1, 2, 7, 8, 16, 33]) {
  for (const inputSize of [1, 5, 64, 130]) {
    configs.push({ ...base, hiddenSize, inputSize, dtype: hiddenSize % 2 === 0 ? "float64" : "float32" });
    configs.push({ ...base, hiddenSize, inputSize, dtype: "float32", weightDtype: "float16", bias: inputSize > 1 });
  }
}
for (const cell of withoutC) {
  for (const [inputSize, hiddenSize] of [
    [1, 1],
    [5, 7],
    [130, 16],
    [64, 33],
  ] as const) {
    const one = { ...base, cell, inputSize, hiddenSize };
    configs.push({ ...one, dtype: inputSize > 100 ? "float64" : "float32", bias: hiddenSize !== 7 });
    configs.push({ ...one, dtype: "float32", weightDtype: "float16", numLayers: 2, bidirectional: true });
  }
}
configs.push(
  { ...base, projSize: 3, numLayers: 3, bidirectional: true, dtype: "float32" },
  { ...base, hiddenSize: 40, projSize: 33, numLayers: 2, bidirectional: true, bias: false, dtype: "float64" },
  { ...base, hiddenSize: 40, projSize: 17, numLayers: 2, dtype: "float32", weightDtype: "float16" },
);

describe("what is read", () => {
  it.each(configs.map((config) => [JSON.stringify(config), config] as const))("is what was loaded: %s", (_, config) => {
    const given = parametersOf(config).map(({ size, isBias }) =>
      anyBits(size, config.weightDtype === "float16" && !isBias ? "float16" : config.dtype),
    );
    const made = new native.Recurrent(config);
    made.load(given);
    const kept = given.map(wordsOf).map((words) => words.slice());
    const check = (one: NativeWeights): void => {
      const out = given.map(blank);
      one.read(out);
      expect(out.map(wordsOf)).toEqual(kept);
    };
    check(made);
    for (const array of given) (array as Float32Array).fill(7); // they are not kept
    check(made);
    const memory = new Uint8Array(new SharedArrayBuffer(made.byteLength()));
    made.share(memory);
    check(made);
    const opened = new native.Recurrent(config);
    opened.open(memory);
    made.dispose();
    check(opened);
    opened.load(given);
    const later = given.map(blank);
    opened.read(later);
    expect(later.map(wordsOf)).toEqual(given.map(wordsOf));
  });

  it.each(["float32", "float64"] as const)("is what was loaded into a Linear in %s", (dtype) => {
    for (const [inFeatures, outFeatures] of [
      [1, 1],
      [5, 31],
      [65, 32],
      [130, 70],
    ] as const) {
      for (const bias of [true, false]) {
        const given = [anyBits(inFeatures * outFeatures, dtype), ...(bias ? [anyBits(outFeatures, dtype)] : [])];
        const made = new native.Linear({ inFeatures, outFeatures, bias, dtype });
        made.load(given);
        const out = given.map(blank);
        made.read(out);
        expect(out.map(wordsOf)).toEqual(given.map(wordsOf));
      }
    }
  });
});

const zeros = (length: number): Float32Array => new Float32Array(length);
const int8 = { dtype: "float32", weightDtype: "int8" } as const;
const linearConfig = { inFeatures: 3, outFeatures: 5, bias: true, dtype: "float32" } as const;
const makers: [string, () => NativeWeights, number[]][] = [
  ["LSTM", () => new native.Recurrent({ ...base, dtype: "float32" }), [60, 100, 20, 20]],
  ["GRU", () => new native.Recurrent({ ...base, cell: "gru", dtype: "float32" }), [45, 75, 15, 15]],
  ["Linear", () => new native.Linear(linearConfig), [15, 5]],
  [
    "LSTM in int8",
    () => new native.Recurrent({ ...base, inputSize: 20, projSize: 3, ...int8 }),
    [20 * 20, 20 * 3, 20, 20, 15],
  ],
  ["GRU in int8, x in float", () => new native.Recurrent({ ...base, cell: "gru", ...int8 }), [45, 75, 15, 15]],
  ["Linear in int8", () => new native.Linear({ ...linearConfig, ...int8 }), [15, 5]],
];

describe.each(makers)("%s", (name, fresh, sizes) => {
  const loaded = (): NativeWeights => {
    const made = fresh();
    made.load(sizes.map((size) => zeros(size).fill(0.5)));
    return made;
  };
  const memoryOf = (one: NativeWeights): Uint8Array => new Uint8Array(new SharedArrayBuffer(one.byteLength()));
  const contents = (one: NativeWeights): Float32Array[] => {
    const out = sizes.map(zeros);
    one.read(out);
    return out;
  };

  const strangers: unknown[] = [
    ...[undefined, null, true, 3, 3n, "text", Symbol("s"), () => 0, {}, [], [1, 2, 3]],
    ...[new ArrayBuffer(64), new SharedArrayBuffer(64), new DataView(new ArrayBuffer(64)), new Proxy(zeros(64), {})],
  ];

  it("reads into nothing that does not fit", () => {
    const one = loaded();
    const list = sizes.map(zeros);
    const bad: unknown[] = [...strangers, list.slice(1), [...list, zeros(1)], new Array(sizes.length)];
    for (const i of sizes.keys()) {
      const size = sizes[i] as number;
      for (const array of [zeros(0), zeros(size - 1), zeros(size + 1), detach(zeros(size)), shrunk(size)]) {
        bad.push(list.with(i, array));
      }
      for (const other of [null, undefined, new Float64Array(size), new Int32Array(size)])
        bad.push(list.with(i, any(other)));
    }
    for (const value of bad) expect(() => one.read(any(value))).toThrow(refusal);
    expect(list.every((array) => array.every((value) => value === 0))).toBe(true);
  });

  it("shares with and opens nothing but the whole of a SharedArrayBuffer of its length", () => {
    const one = loaded();
    const before = contents(one);
    const bytes = one.byteLength();
    expect(Number.isInteger(bytes) && bytes > (name.includes("int8") ? 1 : 4) * sizes.reduce((a, b) => a + b)).toBe(
      true,
    );
    const [growing, grow] = growable(bytes);
    const bad: unknown[] = [
      ...strangers,
      new Uint8Array(bytes),
      Object.setPrototypeOf(new Uint8Array(new ArrayBuffer(bytes)), Object.getPrototypeOf(memoryOf(one))),
      ...[0, 1, bytes - 1, bytes + 1, 2 * bytes].map((length) => new Uint8Array(new SharedArrayBuffer(length))),
      new Uint8Array(new SharedArrayBuffer(bytes + 64), 64, bytes),
      new Uint8Array(new SharedArrayBuffer(bytes + 64), 0, bytes - 1),
      new Int8Array(new SharedArrayBuffer(bytes)),
      new Uint8ClampedArray(new SharedArrayBuffer(bytes)),
      new Float32Array(new SharedArrayBuffer(4 * bytes)),
      growing,
    ];
    for (const value of bad) {
      expect(() => one.share(any(value))).toThrow(refusal);
      expect(() => one.open(any(value))).toThrow(refusal);
      expect(() => fresh().open(any(value))).toThrow(refusal);
    }
    grow(8 * bytes);
    expect(contents(one)).toEqual(before);
  });

  it("goes on when memory it shares is changed, and when it is shared with itself", () => {
    const one = loaded();
    const before = contents(one);
    const memory = memoryOf(one);
    one.share(memory);
    one.share(memory);
    one.open(memory);
    expect(contents(one)).toEqual(before);
    memory.fill(0xff);
    contents(one);
    one.share(memoryOf(one));
    expect(contents(one).every((array) => array.every((value) => Number.isNaN(value)))).toBe(true);
    one.load(before);
    expect(contents(one)).toEqual(before);
  });

  it("refuses before there are weights and after dispose", () => {
    const bare = fresh();
    const memory = memoryOf(bare);
    expect(() => bare.read(sizes.map(zeros))).toThrow(refusal);
    expect(() => bare.share(memory)).toThrow(refusal);
    const gone = loaded();
    gone.share(memory);
    gone.dispose();
    gone.dispose();
    for (const call of [() => gone.read(sizes.map(zeros)), () => gone.share(memory), () => gone.open(memory)]) {
      expect(call).toThrow(disposed);
    }
    expect(() => gone.byteLength()).toThrow(disposed);
    bare.open(memory);
    expect(contents(bare).every((array) => array.every((value) => value === 0.5))).toBe(true);
  });

  it("refuses a receiver that is none of its own", () => {
    const { read, share, open, byteLength } = loaded();
    for (const receiver of [undefined, null, {}, zeros(3), Object.create(loaded())]) {
      for (const method of [read, share, open, byteLength]) expect(() => method.call(any(receiver), any(0))).toThrow();
    }
  });
});

describe("memory that there is not", () => {
  it("is an error, for sizes whose weights no memory holds", () => {
    const size = 2 ** 24;
    const huge: RecurrentConfig = { ...base, inputSize: size, hiddenSize: size, numLayers: 2 ** 16, dtype: "float64" };
    expect(() => new native.Recurrent(huge).byteLength()).toThrow("out of memory");
    expect(() => new native.Recurrent({ ...huge, numLayers: 1 }).byteLength()).toThrow("out of memory");
    const linear = new native.Linear({ inFeatures: size, outFeatures: size, bias: true, dtype: "float64" });
    expect(linear.byteLength()).toBeGreaterThan(2 ** 50);
    // 2^16 · 2^24 rows of 2^24 are 2^64 elements, which 64 bits count as none.
    for (const hiddenSize of [size, size / 2, size / 4]) {
      expect(() => new native.Recurrent({ ...huge, hiddenSize }).stream(size, false)).toThrow("out of memory");
    }
  });
});
