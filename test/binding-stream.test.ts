// What the raw addon makes of nonsense given to a stream: it must throw, leave the states, and never touch memory that is not
// its own. As in binding.test.ts, under the sanitizers it is worth the most.

import { describe, expect, it } from "vitest";
import { native } from "../lib/native.js";
import { detach, shrunk } from "./support/odd-buffers.js";

const any = (value: unknown): never => value as never;

describe("the raw addon", () => {
  const sizes = { inputSize: 3, hiddenSize: 4, projSize: 0, numLayers: 1 } as const;
  const config = { cell: "lstm", ...sizes, bidirectional: false, bias: false } as const;
  const made = new native.Recurrent({ ...config, dtype: "float32" });
  made.load([new Float32Array(48).fill(0.1), new Float32Array(64).fill(0.1)]);
  const zeros = (length: number): Float32Array => new Float32Array(length);
  const stream = made.stream(2, false);
  const good = (): unknown[] => [zeros(12).fill(0.5), zeros(16), 2, undefined];
  const refusal = expect.objectContaining({ code: expect.stringMatching(/^ERR_(ARG_TYPE|ARG_VALUE)$/) });
  const strangers: unknown[] = [
    null,
    true,
    3n,
    "text",
    {},
    [],
    [0, 1],
    zeros,
    new ArrayBuffer(48),
    new Float64Array(12),
  ];
  const odd = [0, 1, 11, 13, 24].map(zeros).concat(detach(zeros(12)), shrunk(12), detach(zeros(16)), shrunk(16));

  it("refuses whatever does not fit, and the states stay", () => {
    stream.step(...(good() as Parameters<typeof stream.step>));
    const read = (): Float32Array[] => {
      const halves = [zeros(8), zeros(8)] as [Float32Array, Float32Array];
      stream.read(...halves);
      return halves;
    };
    const before = read();
    const steps = [0, -1, 1, 3, 0.5, Number.NaN, 2 ** 31, 2 ** 53, "2", null];
    const rows = [
      true,
      3n,
      "text",
      {},
      zeros,
      new Float64Array(2),
      [],
      [2],
      [-1],
      [0, 0],
      [0, 1, 0],
      [2 ** 31 - 1],
    ].map((row) => (Array.isArray(row) && row.every((n) => typeof n === "number") ? Int32Array.from(row) : row));
    const spoiled = [
      [...strangers, undefined, ...odd],
      [...strangers, undefined, ...odd],
      steps,
      [...rows, zeros(2), detach(Int32Array.of(0, 1))],
    ];
    for (const [i, values] of spoiled.entries()) {
      for (const value of values) {
        const fits = value instanceof Float32Array && value.length === (i === 0 ? 12 : 16) && i < 2;
        if (fits) continue;
        expect(
          () => stream.step(...(good().with(i, value) as Parameters<typeof stream.step>)),
          `argument ${i}: ${typeof value}`,
        ).toThrow(refusal);
      }
    }
    for (const value of [...strangers, ...odd]) {
      expect(() => stream.read(any(value), zeros(8))).toThrow(refusal);
      expect(() => stream.write(zeros(8), any(value))).toThrow(refusal);
    }
    for (const row of [-2, 2, 0.5, Number.NaN, "0", undefined, null])
      expect(() => stream.reset(any(row))).toThrow(refusal);
    expect(read()).toEqual(before);
  });

  it("makes no stream of nonsense", () => {
    for (const batch of [0, -1, 0.5, 2 ** 31, Number.NaN, "2", undefined, null, {}]) {
      expect(() => made.stream(any(batch), false)).toThrow(refusal);
    }
    expect(() => made.stream(2, any(1))).toThrow(refusal);
    expect(() => new native.Recurrent({ ...config, bidirectional: true, dtype: "float32" }).stream(1, false)).toThrow(
      refusal,
    );
    for (const receiver of [
      undefined,
      null,
      {},
      stream,
      new native.Linear({ inFeatures: 1, outFeatures: 1, bias: false, dtype: "float32" }),
    ]) {
      expect(() => made.stream.call(any(receiver), 1, false)).toThrow();
    }
  });

  it("refuses to step before weights are loaded and after dispose, on any receiver", () => {
    const { step, dispose } = new native.Recurrent({ ...config, dtype: "float32" }).stream(2, false);
    expect(() => step(...(good() as Parameters<typeof step>))).toThrow("dispose()");
    dispose();
    expect(() => step(...(good() as Parameters<typeof step>))).toThrow("dispose()");
  });
});
