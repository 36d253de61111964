// A stream fed what it gave, as torch's `h, hx = lstm(h, hx)` does: however input and output share memory, a step gives the
// bits that it gives of a copy. And its sibling in `forward`: results in memory that the call reads, told by address.

import { describe, expect, it } from "vitest";
import { LSTM, type LSTMOptions, manualSeed, rand, randn, Tensor } from "../lib/index.js";
import { native } from "../lib/native.js";
import { expectSameBits } from "./support/compare.js";
import { expectCoded } from "./support/expect-coded.js";

type FloatArray = Float32Array | Float64Array;

const copyOf = ({ data, shape }: Tensor): Tensor => new Tensor(data.slice(), shape);

type Case = [name: string, size: number, options: LSTMOptions, batch: number];
const cases: Case[] = [
  ["one unit", 1, {}, 1],
  ["a row", 24, {}, 1],
  ["an odd number of layers", 24, { numLayers: 3 }, 2],
  ["an even number of layers", 24, { numLayers: 2 }, 2],
  ["batch first", 20, { batchFirst: true, numLayers: 3 }, 3],
  ["float64", 20, { dtype: "float64" }, 2],
  ["float16 weights", 40, { weightDtype: "float16" }, 2],
  ["int8 weights", 40, { weightDtype: "int8" }, 2],
  ["a projection", 12, { projSize: 12 }, 4],
  ["many units", 300, {}, 1],
  ["many rows", 16, {}, 70],
];

describe.each(cases)("a step that takes what the last one gave: %s", (_, size, options, batch) => {
  const hidden = options.projSize === undefined ? size : size + 9;
  const setUp = () => {
    manualSeed(7);
    const lstm = new LSTM(size, hidden, options);
    return { a: lstm.stream({ batchSize: batch }), b: lstm.stream({ batchSize: batch }) };
  };
  const chunk = (steps: number): number[] => (options.batchFirst ? [batch, steps, size] : [steps, batch, size]);

  it.each([
    ["a frame", [batch, size]],
    ["a chunk", chunk(5)],
    ["a chunk of one", chunk(1)],
    ...(batch === 1 ? [["a frame without a batch", [size]] as [string, number[]]] : []),
  ] as [string, number[]][])("%s", (_, shape) => {
    const { a, b } = setUp();
    let h = a.step(randn(shape, options.dtype));
    a.reset();
    let g = b.step(copyOf(h)); // the same, off memory of its own
    h = a.step(h);
    for (let i = 0; i < 4; i++) {
      expectSameBits(h, g, `step ${i}`);
      [h, g] = [a.step(h), b.step(copyOf(g))];
    }
    expectSameBits(a.state[0], b.state[0]);
    expectSameBits(a.state[1], b.state[1]);
  });

  it("a part of it, another part of its memory, and rows", () => {
    const { a, b } = setUp();
    const whole = a.step(randn(chunk(6), options.dtype));
    b.state = a.state;
    const all = whole.data.length;
    const buffer = whole.data.buffer as ArrayBuffer;
    const frame = batch * size;
    const Kind = options.dtype === "float64" ? Float64Array : Float32Array;
    for (let at = 0; at + 2 * frame <= all; at += Math.max(1, Math.floor(frame / 2))) {
      const view = new Tensor(new Kind(buffer, at * Kind.BYTES_PER_ELEMENT, 2 * frame), chunk(2));
      const wanted = b.step(copyOf(view));
      expectSameBits(a.step(view), wanted, `from element ${at}`);
    }
    if (batch < 2) return;
    const rows = [batch - 1, 0];
    const two = new Tensor(new Kind(buffer, 0, 2 * size), [2, size]);
    const wanted = b.step(copyOf(two), rows);
    expectSameBits(a.step(two, rows), wanted, "rows");
    const later = new Tensor(new Kind(buffer, Kind.BYTES_PER_ELEMENT, 2 * size), [2, size]);
    const next = b.step(copyOf(later), rows);
    expectSameBits(a.step(later, rows), next, "rows, one element on");
  });
});

describe("the raw addon's step", () => {
  it.each([
    ["an ArrayBuffer", (bytes: number) => new ArrayBuffer(bytes) as ArrayBufferLike],
    ["a SharedArrayBuffer", (bytes: number) => new SharedArrayBuffer(bytes) as ArrayBufferLike],
  ])("may read and write any two parts of %s", (_, make) => {
    manualSeed(3);
    const [inputSize, hiddenSize, steps] = [5, 3, 4];
    const sizes = { inputSize, hiddenSize, projSize: 0, numLayers: 1 };
    const config = { cell: "lstm", ...sizes, bidirectional: false, bias: false } as const;
    const made = new native.Recurrent({ ...config, dtype: "float32" });
    made.load([12 * inputSize, 12 * hiddenSize].map((n) => randn([n]).data as FloatArray));
    const [a, b] = [made.stream(1, false), made.stream(1, false)];
    const [read, written] = [steps * inputSize, steps * hiddenSize];
    const memory = new Float32Array(make(4 * (read + 2 * written)));
    for (let to = 0; to <= memory.length - written; to++) {
      memory.set(rand([memory.length]).data);
      const wanted = new Float32Array(written);
      const input = memory.subarray(written, written + read);
      b.step(input.slice(), wanted, steps, undefined);
      const output = memory.subarray(to, to + written);
      a.step(input, output, steps, undefined);
      expect(output, `output at ${to}`).toEqual(wanted);
    }
  });
});

describe("results in memory that the call reads", () => {
  it("are refused, though the SharedArrayBuffers are two objects", () => {
    const lstm = new LSTM(4, 4);
    const memory = new SharedArrayBuffer(4 * 64);
    const again = structuredClone(memory);
    expect(again).not.toBe(memory);
    const at = (buffer: SharedArrayBuffer, from: number, shape: number[]) =>
      new Tensor(
        new Float32Array(
          buffer,
          4 * from,
          shape.reduce((a, b) => a * b, 1),
        ),
        shape,
      );
    const x = at(memory, 0, [3, 1, 4]);
    const hx = [at(memory, 12, [1, 1, 4]), at(memory, 16, [1, 1, 4])] as const;
    const apart = [at(again, 20, [3, 1, 4]), [at(again, 32, [1, 1, 4]), at(again, 36, [1, 1, 4])]] as const;
    const [output, [hn, cn]] = lstm.forward(x, hx);
    const given = lstm.forward(x, hx, { out: apart });
    for (const [i, tensor] of [output, hn, cn].entries()) expectSameBits([given[0], ...given[1]][i] as Tensor, tensor);
    const refuse = (out: typeof apart, pair: string): void => {
      expectCoded(() => lstm.forward(x, hx, { out }), RangeError, "ERR_ARG_VALUE", pair);
    };
    refuse([at(again, 9, [3, 1, 4]), apart[1]], "output and input");
    refuse([at(again, 15, [3, 1, 4]), apart[1]], "output and h0");
    refuse([at(again, 19, [3, 1, 4]), apart[1]], "output and c0");
    refuse([apart[0], [at(again, 31, [1, 1, 4]), apart[1][1]]], "output and hn");
    refuse([apart[0], [apart[1][0], at(again, 33, [1, 1, 4])]], "hn and cn");
    refuse([apart[0], [at(again, 16, [1, 1, 4]), apart[1][1]]], "hn and c0");
    refuse([apart[0], [apart[1][0], at(again, 13, [1, 1, 4])]], "cn and h0");
    const inPlace = [at(again, 12, [1, 1, 4]), at(again, 16, [1, 1, 4])] as const;
    const [, state] = lstm.forward(x, hx, { out: [apart[0], inPlace] });
    expectSameBits(state[0], hn);
    expectSameBits(state[1], cn);
  });
});
