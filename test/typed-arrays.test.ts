// A typed array keeps its dtype wherever it is given, and nothing is rounded unasked; and to who gives numbers that are no
// tensor yet, the error says how to make one, in words that are right when followed to the letter.

import { describe, expect, it } from "vitest";
import { type DType, LSTM, type NestedInput, rand, stack, Tensor, tensor } from "../lib/index.js";
import { expectCoded } from "./support/expect-coded.js";
import { detach } from "./support/odd-buffers.js";

const any = (value: unknown): never => value as never;
const third = 1 / 3;

type HalfMaker = { from(values: readonly number[]): NestedInput };
const Half = (globalThis as { Float16Array?: HalfMaker }).Float16Array;

describe("tensor() of typed arrays", () => {
  it.each<[string, NestedInput, DType, number[], number[]]>([
    ["a Float64Array", Float64Array.of(0.1, third), "float64", [2], [0.1, third]],
    ["a Float32Array", Float32Array.of(0.1), "float32", [1], [Math.fround(0.1)]],
    ["an Int32Array", Int32Array.of(2 ** 31 - 1, -5), "int32", [2], [2 ** 31 - 1, -5]],
    ["an empty Float64Array", new Float64Array(0), "float64", [0], []],
    ["Float64Arrays in a list", [Float64Array.of(0.1), Float64Array.of(third)], "float64", [2, 1], [0.1, third]],
    ["a Float64Array deep inside", [[[Float64Array.of(0.1)]]], "float64", [1, 1, 1, 1], [0.1]],
    ["a Float64Array beside plain numbers", [[0.1], Float64Array.of(third)], "float64", [2, 1], [0.1, third]],
    ["plain numbers", [0.1, third], "float32", [2], [Math.fround(0.1), Math.fround(third)]],
    ["a plain number", 0.1, "float32", [], [Math.fround(0.1)]],
    ["bytes", any(Uint8Array.of(1, 255)), "float32", [2], [1, 255]],
    ["a Uint32Array that float32 holds", any(Uint32Array.of(2 ** 31)), "float32", [1], [2 ** 31]],
  ])("%s", (_, nested, dtype, shape, values) => {
    const made = tensor(nested);
    expect([made.dtype, made.shape, [...made.data]]).toEqual([dtype, shape, values]);
  });

  it.skipIf(Half === undefined)("a Float16Array is widened (where the language has them)", () => {
    const every = Array.from({ length: 2 ** 16 }, (_, bits) => bits); // each as a float16's bits
    const halves = new (Half as unknown as new (buffer: ArrayBufferLike) => Float32Array)(
      Uint16Array.from(every).buffer,
    );
    const made = tensor(halves);
    expect(made.dtype).toBe("float32");
    expect(made.data).toEqual(Float32Array.from(halves));
    const foreign = { data: halves.subarray(0, 6), dims: [2, 3] };
    expect(stack([foreign]).dtype).toBe("float32");
    expect(tensor([halves.subarray(0, 2)]).dtype).toBe("float32");
  });

  it("copies", () => {
    const given = Float64Array.of(1, 2);
    const made = tensor(given);
    given[0] = 9;
    expect([...made.data]).toEqual([1, 2]);
  });

  it("converts when it is told to", () => {
    expect(tensor(Float64Array.of(0.1), "float32").data).toEqual(Float32Array.of(0.1));
    expect(tensor(Int32Array.of(3), "float64").data).toEqual(Float64Array.of(3));
    expect(tensor(Float64Array.of(3), "int32").data).toEqual(Int32Array.of(3));
    expect(tensor([Float64Array.of(0.1), Float32Array.of(1)], "float64").dtype).toBe("float64");
  });

  it.each<[string, () => unknown, typeof TypeError, string, string]>([
    [
      "several dtypes",
      () => tensor([Float64Array.of(1), Float32Array.of(1)]),
      TypeError,
      "ERR_DTYPE",
      "float64 and float32",
    ],
    ["bigints", () => tensor(any(BigInt64Array.of(1n))), TypeError, "ERR_ARG_TYPE", "1n"],
    [
      "a Uint32Array that it would round",
      () => tensor(any(Uint32Array.of(2 ** 32 - 1))),
      RangeError,
      "ERR_ARG_VALUE",
      "4294967295",
    ],
    ["fractions as int32", () => tensor(Float64Array.of(0.5), "int32"), RangeError, "ERR_ARG_VALUE", "0.5"],
    ["a detached one", () => tensor(detach(new Float64Array(3))), RangeError, "ERR_SHAPE", "detached"],
    ["a ragged list", () => tensor([Float64Array.of(1), Float64Array.of(1, 2)]), RangeError, "ERR_SHAPE", "length 1"],
  ])("refuses %s", (_, call, kind, code, piece) => {
    expectCoded(call, kind, code, piece);
  });
});

describe("the way to a tensor", () => {
  const lstm = new LSTM(3, 4);
  const messageFor = (value: unknown): string =>
    expectCoded(() => lstm.forward(any(value)), TypeError, "ERR_ARG_TYPE", "input: expected a tensor").message;
  const numbers = Float32Array.from({ length: 6 }, (_, i) => i / 7);

  /** Does what the hint says, with the names that it uses. */
  function follow(message: string, buffer: Uint8Array): Tensor {
    const [, hint = ""] = /new Tensor\((.*), shape\)\)$/.exec(message) ?? [];
    const make = new Function("buffer", `return ${hint}`) as (buffer: Uint8Array) => Float32Array;
    return new Tensor(make(buffer), [2, 3]);
  }

  it.each<[string, () => Uint8Array]>([
    ["a Buffer in Node's pool", () => Buffer.from(new Uint8Array(numbers.buffer))],
    ["a Buffer somewhere in another", () => Buffer.concat([Buffer.alloc(8), Buffer.from(numbers.buffer)]).subarray(8)],
    [
      "a Buffer where no float32 may start",
      () => Buffer.concat([Buffer.alloc(3), Buffer.from(numbers.buffer)]).subarray(3),
    ],
    ["a Uint8Array", () => new Uint8Array(numbers.buffer)],
  ])("from %s", (_, make) => {
    Buffer.from("x"); // so that the pool is not at its start
    const buffer = make();
    expect(follow(messageFor(buffer), buffer).data).toEqual(numbers);
    const inside = expectCoded(() => lstm.forward(any({ data: buffer, shape: [24] })), TypeError, "ERR_DTYPE").message;
    expect(follow(inside, buffer).data).toEqual(numbers);
  });

  it("from nested numbers and from a bare typed array", () => {
    expect(messageFor([[1, 2, 3]])).toMatch(/\(tensor\(…\) makes a tensor of it\)$/);
    expect(messageFor(new Float32Array(6))).toMatch(/\(new Tensor\(…, shape\) makes a tensor of it\)$/);
    expectCoded(() => stack(any([[1, 2]])), TypeError, "ERR_ARG_TYPE", "tensor(…)");
  });

  it.each<[string, unknown]>([
    ["ragged lists", [[1], [1, 2]]],
    ["lists of text", [["1"]]],
    ["lists with holes", new Array(3)],
    ["bytes that are no whole float32s", Buffer.alloc(7)],
    ["no bytes", Buffer.alloc(0)],
    ["an object", {}],
    ["tensors in a list", [rand([2, 3])]],
  ])("is not shown where it would lead astray: %s", (_, value) => {
    expect(messageFor(value)).not.toMatch(/tensor\(…\)|new Tensor/);
  });
});
