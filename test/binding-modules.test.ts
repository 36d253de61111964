// What the raw addon makes of nonsense given to Linear and lookup: it must throw, and never crash or touch memory that is
// not its own. As in binding.test.ts, under the sanitizers it is worth the most.

import { describe, expect, it } from "vitest";
import type { NativeLinear } from "../binding.js";
import { native } from "../lib/native.js";
import { detach, shrunk } from "./support/odd-buffers.js";

const any = (value: unknown): never => value as never;
const zeros = (length: number): Float32Array => new Float32Array(length);

const refusal = expect.objectContaining({
  code: expect.stringMatching(/^ERR_(ARG_TYPE|ARG_VALUE)$/),
  message: expect.stringMatching(/./),
});

const disposed = expect.objectContaining({ code: "ERR_DISPOSED", message: expect.stringContaining("dispose()") });

const strangers: unknown[] = [
  ...[undefined, null, true, 3n, "text", Symbol("s"), () => 0, {}, [], [1, 2, 3]],
  ...[new ArrayBuffer(64), new DataView(new ArrayBuffer(64)), new Uint8Array(64), new Uint32Array(64)],
  ...[{ length: 64, BYTES_PER_ELEMENT: 4 }, new Proxy(zeros(64), {}), Object.create(Float32Array.prototype)],
];
const numbers = [0, -1, 0.5, 5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 32 + 4, 2 ** 53, "4"];
const odd = (length: number): Float32Array[] => [
  ...[0, 1, length - 1, length + 1, 2 * length].map(zeros),
  detach(zeros(length)),
  shrunk(length),
];

describe("Linear", () => {
  const config = { inFeatures: 3, outFeatures: 5, bias: true, dtype: "float32" } as const;
  const parameters = (): Float32Array[] => [zeros(15).fill(0.1), zeros(5).fill(1)];
  const make = (): NativeLinear => {
    const made = new native.Linear(config);
    made.load(parameters());
    return made;
  };
  const linear = make();
  const good = (): [Float32Array, Float32Array, number] => [zeros(12).fill(0.5), zeros(20), 4];
  const wanted = good();
  linear.forward(...wanted);

  it("runs good arguments", () => {
    expect(wanted[1].every((value) => Math.abs(value - 1.15) < 1e-6)).toBe(true);
  });

  const bad: [string, unknown[]][] = [];
  for (const [i, name] of ["input", "output", "rows"].entries()) {
    const spoil = (value: unknown): void => {
      bad.push([`${name}: ${typeof value} ${bad.length}`, (good() as unknown[]).with(i, value)]);
    };
    for (const stranger of [...strangers, new Float64Array([12, 20][i] ?? 1)]) spoil(stranger);
    if (i < 2) for (const array of odd(i === 0 ? 12 : 20)) spoil(array);
    else for (const number of numbers) spoil(number);
  }

  it.each(bad)("refuses a spoiled %s", (_, args) => {
    expect(() => linear.forward(...(args as [never, never, never]))).toThrow(refusal);
    expect(() => linear.forwardAsync(...(args as [never, never, never]), () => {})).toThrow(refusal);
  });

  it("refuses fewer arguments than there are, and a callback that is none", () => {
    for (let count = 0; count < 3; count++) {
      expect(() => linear.forward(...(good().slice(0, count) as [never, never, never]))).toThrow(refusal);
    }
    for (const done of [undefined, null, 3, {}]) {
      expect(() => linear.forwardAsync(...good(), any(done))).toThrow(refusal);
    }
  });

  it.each<[string, unknown]>([
    ...strangers.map((stranger, i): [string, unknown] => [`stranger ${i}`, stranger]),
    ["no bias", parameters().slice(0, 1)],
    ["three", [...parameters(), zeros(1)]],
    ["holes", new Array(2)],
    ["a short weight", parameters().with(0, zeros(14))],
    ["float64 for a bias", parameters().with(1, any(new Float64Array(5)))],
    ["a detached weight", parameters().with(0, detach(zeros(15)))],
    ["a shrunk bias", parameters().with(1, shrunk(5))],
  ])("refuses to load %s, and keeps the old weights", (_, list) => {
    expect(() => linear.load(any(list))).toThrow(refusal);
    const after = good();
    linear.forward(...after);
    expect(after).toEqual(wanted);
  });

  it("is not fooled by a getter that detaches what was read before it", () => {
    const list = parameters();
    Object.defineProperty(list, 1, { get: () => detach(list[0] as Float32Array) && zeros(5) });
    expect(() => linear.load(list)).toThrow(refusal);
  });

  it.each<[string, unknown]>([
    ...[undefined, null, 3, "text"].map((value): [string, unknown] => [`${value} for a config`, value]),
    ...numbers
      .filter((value) => value !== 5)
      .flatMap((value): [string, unknown][] => [
        [`inFeatures ${value}`, { ...config, inFeatures: value }],
        [`outFeatures ${value}`, { ...config, outFeatures: value }],
      ]),
    ["bias 1", { ...config, bias: 1 }],
    ["dtype int32", { ...config, dtype: "int32" }],
    ...["int4", "float16", "float64", "", null, 8].map((weightDtype): [string, unknown] => [
      `weightDtype ${weightDtype}`,
      { ...config, weightDtype },
    ]),
    ["int8 weights of float64", { ...config, dtype: "float64", weightDtype: "int8" }],
    ["int8 weights too long", { ...config, inFeatures: 133_145, weightDtype: "int8" }],
  ])("refuses to be made with %s", (_, given) => {
    expect(() => new native.Linear(any(given))).toThrow(refusal);
  });

  it("refuses a receiver that is none of its own, an LSTM too", () => {
    const lstm = new native.Recurrent({
      ...{ inputSize: 3, hiddenSize: 5, projSize: 0, numLayers: 1 },
      cell: "lstm",
      bidirectional: false,
      bias: true,
      dtype: "float32",
    });
    for (const receiver of [undefined, null, {}, zeros(3), Object.create(linear), lstm]) {
      expect(() => linear.forward.apply(any(receiver), good())).toThrow();
      expect(() => linear.load.call(any(receiver), parameters())).toThrow();
      expect(() => linear.dispose.call(any(receiver))).toThrow();
    }
  });

  it("refuses to run before weights are loaded and after dispose", () => {
    const gone = make();
    gone.dispose();
    gone.dispose();
    for (const [unusable, how] of [
      [new native.Linear(config), refusal],
      [gone, disposed],
    ] as const) {
      expect(() => unusable.forward(...good())).toThrow(how);
      expect(() => unusable.forwardAsync(...good(), () => {})).toThrow(how);
    }
    expect(() => gone.load(parameters())).toThrow(disposed);
  });

  it("ends a pass well when module and arguments are left behind, and after an abort", async () => {
    const outputs = await Promise.all(
      Array.from({ length: 50 }, (_, n) => {
        const [own, args] = [make(), good()];
        return new Promise<Float32Array>((resolve) => {
          const job = own.forwardAsync(...args, () => resolve(args[1]));
          own.dispose();
          if (n % 5 === 4) job.abort();
        });
      }),
    );
    for (const [n, output] of outputs.entries()) if (n % 5 !== 4) expect(output).toEqual(wanted[1]);
  });

  it("runs arguments that overlap without harm", () => {
    const all = zeros(32).fill(0.5);
    linear.forward(all.subarray(0, 12), all.subarray(3, 23), 4);
    expect(all.every(Number.isFinite)).toBe(true);
  });
});

describe("lookup", () => {
  const table = Float32Array.of(1, 2, 3, 4, 5, 6);
  const good = (): [Float32Array, number, Int32Array, Float32Array] => [table, 2, Int32Array.of(2, 0), zeros(4)];

  it("copies rows, and gives the number of indices", () => {
    const args = good();
    expect(native.lookup(...args)).toBe(2);
    expect(Array.from(args[3])).toEqual([5, 6, 1, 2]);
  });

  it("gives the place of the first index that is no row", () => {
    for (const index of [3, -1, 2 ** 31 - 1, -(2 ** 31)]) {
      expect(native.lookup(table, 2, Int32Array.of(0, index, index), zeros(6))).toBe(1);
    }
    expect(native.lookup(detach(zeros(6)), 2, Int32Array.of(0), zeros(2))).toBe(0); // no table, no rows
    expect(native.lookup(shrunk(6), 2, Int32Array.of(1), zeros(2))).toBe(0);
    expect(native.lookup(table, 4, Int32Array.of(1), zeros(4))).toBe(0); // a row that is not whole is none
  });

  const bad: [string, unknown[]][] = [];
  for (const [i, name] of ["table", "width", "indices", "output"].entries()) {
    const values: unknown[] = i === 1 ? numbers.filter((value) => value !== 5) : [...strangers];
    if (i === 2) values.push([0, 1], zeros(2), detach(Int32Array.of(2, 0)));
    if (i === 3) values.push(...odd(4), new Float64Array(4));
    for (const value of values)
      bad.push([`${name}: ${typeof value} ${bad.length}`, (good() as unknown[]).with(i, value)]);
  }
  it.each(bad)("refuses a spoiled %s", (_, args) => {
    expect(() => native.lookup(...(args as [never, never, never, never]))).toThrow(refusal);
  });
});
