// What the raw addon makes of arguments that act while they are read, and of memory that changes its length: resizable
// and shared buffers, getters that shrink or grow what was read before, proxies, objects with a valueOf. A call sees one
// state of its arguments, or refuses. Under the sanitizers it is worth the most.

import { describe, expect, it } from "vitest";
import type { NativeRecurrent, RecurrentConfig } from "../binding.js";
import { native } from "../lib/native.js";
import { growable, resizable } from "./support/odd-buffers.js";

const any = (value: unknown): never => value as never;
const refusal = expect.objectContaining({ code: expect.stringMatching(/^ERR_(ARG_TYPE|ARG_VALUE)$/) });

/** One layer: weight_ih 20 × 3, weight_hh 20 × 5, biases of 20. */
const config: RecurrentConfig = {
  ...{
    cell: "lstm",
    inputSize: 3,
    hiddenSize: 5,
    projSize: 0,
    numLayers: 1,
    bidirectional: false,
    bias: true,
    dtype: "float32",
  },
} as RecurrentConfig;
const sizes = [60, 100, 20, 20];

const filled = (length: number, value = 0.1): Float32Array => new Float32Array(length).fill(value);
const parameters = (): Float32Array[] => sizes.map((length) => filled(length));

function model(): NativeRecurrent {
  const made = new native.Recurrent(config);
  made.load(parameters());
  return made;
}

type Arrays = [
  input: Float32Array,
  output: Float32Array,
  h0: Float32Array,
  c0: Float32Array,
  hn: Float32Array,
  cn: Float32Array,
];

/** T 4, B 2. */
const lengths = [24, 40, 10, 10, 10, 10];
const fresh = (): Arrays => lengths.map((length) => filled(length, 0.5)) as Arrays;

function forward(lstm: NativeRecurrent, [input, output, h0, c0, hn, cn]: Arrays): void {
  lstm.forward(input, output, h0, c0, hn, cn, 4, 2, false, null, null, null);
}

function wanted(lstm: NativeRecurrent): Float32Array {
  const arrays = fresh();
  forward(lstm, arrays);
  return arrays[1];
}

const names = ["input", "output", "h0", "c0", "hn", "cn"];

describe("arrays over memory that can change its length", () => {
  const lstm = model();
  const expected = wanted(lstm);

  const makers: [string, (length: number) => Float32Array][] = [
    ["resizable", (length) => resizable(length)[0]],
    ["growable and shared", (length) => growable(length)[0]],
    ["shared", (length) => new Float32Array(new SharedArrayBuffer(4 * length))],
    ["at an offset", (length) => new Float32Array(new ArrayBuffer(4 * length + 40), 20, length)],
  ];

  it.each(makers)("%s, give the same results", (_, make) => {
    const arrays = lengths.map((length) => make(length).fill(0.5)) as Arrays;
    forward(lstm, arrays);
    expect(Array.from(arrays[1])).toEqual(Array.from(expected));
  });

  it.each(names.map((name, i) => [i, name] as const))("are refused when %i, %s, has shrunk or grown", (i) => {
    for (const bytes of [0, 4, 4 * (lengths[i] as number) - 4, 4 * (lengths[i] as number) + 4]) {
      const [array, resize] = resizable(lengths[i] as number);
      resize(bytes);
      const arrays = (fresh() as Float32Array[]).with(i, array) as Arrays;
      expect(() => forward(lstm, arrays), `${bytes} bytes`).toThrow(refusal);
    }
    const [array, grow] = growable(lengths[i] as number);
    grow(4 * (lengths[i] as number) + 4);
    expect(() => forward(lstm, (fresh() as Float32Array[]).with(i, array) as Arrays)).toThrow(refusal);
  });
});

/** A list that runs `act` when the element at `place` is read. */
function acting(list: Float32Array[], place: number, act: () => void): Float32Array[] {
  const value = list[place];
  const get = (): unknown => {
    act();
    return value;
  };
  return Object.defineProperty(list, place, { get });
}

describe("load", () => {
  it.each([0, 1, 2, 3])("sees one length of array %i, whatever a later getter makes of it", (changed) => {
    const lstm = model();
    const before = wanted(lstm);
    for (let reader = changed; reader < sizes.length; reader++) {
      const length = sizes[changed] as number;
      for (const bytes of [0, 4, 4 * length - 4, 4 * length + 4]) {
        const [array, resize] = resizable(length);
        const list = acting(parameters().with(changed, array), reader, () => resize(bytes));
        expect(() => lstm.load(list), `${bytes} bytes, by the getter of ${reader}`).toThrow(refusal);
      }
      const [shared, grow] = growable(length);
      const list = acting(parameters().with(changed, shared), reader, () => grow(4 * length + 4));
      expect(() => lstm.load(list), `grown, by the getter of ${reader}`).toThrow(refusal);
    }
    expect(wanted(lstm)).toEqual(before);
  });

  it("takes what a getter gives once, and asks no more", () => {
    const lstm = model();
    let reads = 0;
    lstm.load(acting(parameters(), 1, () => reads++));
    expect(reads).toBe(1);
  });

  it("lets a getter load and run the model itself", () => {
    const lstm = model();
    const list = acting(parameters(), 3, () => {
      lstm.load(sizes.map((length) => filled(length, 0.3)));
      wanted(lstm);
    });
    const expected = wanted(model());
    lstm.load(list);
    expect(wanted(lstm)).toEqual(expected); // the outer call ends last
  });

  it("refuses a list that shrinks while it is read, and ones that only look like lists", () => {
    const lstm = model();
    const shrinking: Float32Array[] = acting(parameters(), 0, () => shrinking.splice(1));
    expect(() => lstm.load(shrinking)).toThrow(refusal);
    let trapped = 0;
    const trap = { get: (of: object, key: PropertyKey): unknown => (trapped++ < 0 ? undefined : Reflect.get(of, key)) };
    for (const odd of [new Proxy(parameters(), trap), { ...parameters(), length: 4 }, new Set(parameters())]) {
      expect(() => lstm.load(any(odd))).toThrow(refusal);
    }
    expect(() => lstm.load(any(parameters().map((array) => new Proxy(array, trap))))).toThrow(refusal);
    expect(trapped).toBe(0);
  });

  it("takes subclasses for the arrays they are, without asking them", () => {
    class Odd extends Float32Array {
      override get length(): never {
        throw new Error("asked for its length");
      }
    }
    const lstm = model();
    lstm.load(parameters().map((array) => new Odd(array.buffer as ArrayBuffer)));
    expect(wanted(lstm)).toEqual(wanted(model()));
  });
});

describe("numbers", () => {
  let asked = 0;
  const ask = (): number => ++asked;
  const odd: unknown[] = [
    { valueOf: ask, toString: ask },
    { [Symbol.toPrimitive]: ask },
    new Object(2),
    new Date(),
    [2],
    2n,
    "2",
    new Proxy({}, { get: () => ask }),
  ];

  it("are never asked of an object", () => {
    const lstm = model();
    for (const value of odd) {
      const [input, output, h0, c0, hn, cn] = fresh();
      const run = (steps: unknown, batch: unknown, first: unknown = false): void =>
        lstm.forward(input, output, h0, c0, hn, cn, any(steps), any(batch), any(first), null, null, null);
      expect(() => run(value, 2)).toThrow(refusal);
      expect(() => run(4, value)).toThrow(refusal);
      expect(() => run(4, 2, value)).toThrow(refusal);
      expect(() => lstm.stream(any(value), false)).toThrow(refusal);
      expect(() => native.setNumThreads(any(value))).toThrow(refusal);
      expect(() => new native.Recurrent({ ...config, hiddenSize: any(value) })).toThrow(refusal);
      expect(() => new native.Linear(any({ inFeatures: value, outFeatures: 1, bias: true, dtype: "float32" }))).toThrow(
        refusal,
      );
      expect(() => native.lookup(filled(4), any(value), Int32Array.of(0), filled(2))).toThrow(refusal);
      expect(() => native.packRows(filled(4), filled(4), Int32Array.of(2), null, any(value), false)).toThrow(refusal);
    }
    expect(asked).toBe(0);
  });
});

describe("a config", () => {
  it("is read once, whatever it gives the second time", () => {
    const reads = new Map<PropertyKey, number>();
    const changing = new Proxy(config, {
      get(of, key) {
        const times = (reads.get(key) ?? 0) + 1;
        reads.set(key, times);
        return times === 1 ? Reflect.get(of, key) : 2 ** 20;
      },
    });
    const lstm = new native.Recurrent(changing);
    lstm.load(parameters());
    expect(wanted(lstm)).toEqual(wanted(model()));
    expect([...reads.values()].every((times) => times === 1)).toBe(true);
  });

  it("may make and run other models while it is read", () => {
    const busy = {
      ...config,
      get bias() {
        return wanted(model()).length > 0;
      },
    };
    const lstm = new native.Recurrent(busy);
    lstm.load(parameters());
    expect(wanted(lstm)).toEqual(wanted(model()));
  });
});
