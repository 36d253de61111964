// What the raw addon makes of nonsense: it must throw, whatever it is given, and never crash or touch memory that is
// not its own. Nobody calls it so but a bug in lib/, and this test; under the sanitizers it is worth the most.

import { describe, expect, it } from "vitest";
import type { PassArgs, RecurrentConfig } from "../binding.js";
import { native } from "../lib/native.js";
import { config, dense, hidden, joined, model, packed, parameters, withoutC, zeros } from "./support/binding-model.js";
import { detach, shrunk } from "./support/odd-buffers.js";

const any = (value: unknown): never => value as never;

const lstm = model();

/** Things that are of the wrong kind wherever they are given, but for null where null is allowed. */
const strangers: unknown[] = [
  ...[undefined, true, 3, 3n, "text", Symbol("s"), () => 0, {}, [], [1, 2, 3]],
  ...[new ArrayBuffer(64), new DataView(new ArrayBuffer(64)), new Uint8Array(64), new BigInt64Array(64)],
  ...[new Float64Array(64), new Uint32Array(64), { length: 64, BYTES_PER_ELEMENT: 4 }, new Proxy(zeros(64), {})],
];

const names = "input output h0 c0 hn cn steps batch batchFirst batchSizes sortedIndices lengths".split(" ");
const nullable = new Set([2, 3, 9, 10, 11]); // h0, c0, batchSizes, sortedIndices, lengths

/** Every way to spoil argument `i` of a call. */
function spoiled(make: () => PassArgs, i: number): [what: string, args: PassArgs][] {
  const now = (make() as unknown[])[i];
  const bad: [string, unknown][] = [];
  for (const stranger of strangers) {
    const absent = stranger === undefined && nullable.has(i);
    const fits = typeof stranger === typeof now && typeof now !== "object";
    if (!absent && !fits) bad.push([`${typeof stranger} ${describeKind(stranger)}`, stranger]);
  }
  if (now instanceof Float32Array) {
    for (const length of [0, 1, now.length - 1, now.length + 1, 2 * now.length]) {
      bad.push([`${length} elements`, zeros(length)]);
    }
    bad.push(["detached", detach(zeros(now.length))], ["shrunk", shrunk(now.length)]);
  }
  if (now instanceof Int32Array) {
    const lists = [[], [0], [-1, -1], [2, 2], [1, 1], [2, 2, 1], [2, 2, 1, 1, 1], [2, 2, 1, 0], [1, 2, 2, 1]];
    lists.push([2, 2, 1, -1], [2 ** 31 - 1, 2 ** 31 - 1, 1, 1], [2, 2, 2, 2], [-(2 ** 31), 0]);
    for (const list of lists) bad.push([`[${list}]`, Int32Array.from(list)]);
    bad.push(["detached", detach(now.slice())]);
  }
  if (typeof now === "number") {
    for (const value of [
      0,
      -1,
      0.5,
      3,
      5,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      2 ** 31,
      2 ** 32 + 4,
      2 ** 53,
      1e308,
    ]) {
      bad.push([String(value), value]);
    }
  }
  return bad.map(([what, value]) => [what, (make() as unknown[]).with(i, value) as PassArgs]);
}

function describeKind(value: unknown): string {
  return typeof value === "object" && value !== null ? value.constructor.name : String(value);
}

const disposed = expect.objectContaining({ code: "ERR_DISPOSED", message: expect.stringContaining("dispose()") });
const refusal = expect.objectContaining({
  code: expect.stringMatching(/^ERR_(ARG_TYPE|ARG_VALUE)$/),
  message: expect.stringMatching(/./),
});

describe.each<[string, () => PassArgs]>([
  ["dense", dense],
  ["packed", packed],
  ["joined", joined],
])("forward with %s arguments", (_, make) => {
  it("runs as they are", () => {
    const args = make();
    lstm.forward(...args);
    expect(Array.from(args[1]).every((value) => value !== 0)).toBe(true);
  });

  // sortedIndices is read only with batchSizes.
  const read = names.filter((name) => name !== "sortedIndices" || make()[9] !== null);

  it.each(read)("refuses a spoiled %s", (name) => {
    const all = spoiled(make, names.indexOf(name));
    expect(all.length).toBeGreaterThan(10);
    for (const [what, args] of all) expect(() => lstm.forward(...args), what).toThrow(refusal);
  });

  it.each(read)("refuses a spoiled %s asynchronously, at once", (name) => {
    for (const [what, args] of spoiled(make, names.indexOf(name))) {
      expect(() => lstm.forwardAsync(...args, () => {}), what).toThrow(refusal);
    }
  });

  it("refuses fewer arguments than there are", () => {
    for (let count = 0; count < 9; count++) {
      expect(() => lstm.forward(...(make().slice(0, count) as unknown as PassArgs))).toThrow(refusal);
    }
  });
});

describe.each(withoutC)("%s, which has no c,", (cell) => {
  const { made, args } = hidden(cell);

  it("runs with null for c0 and cn", () => {
    const good = args();
    made.forward(...good);
    expect(Array.from(good[1]).every((value) => value !== 0.5)).toBe(true);
    expect(Array.from(good[4]).every((value) => value !== 0.5)).toBe(true);
  });

  it.each(["c0", "cn"])("refuses anything else for %s", (name) => {
    for (const stranger of [...strangers.slice(1), zeros(0), zeros(4), detach(zeros(4))]) {
      const bad = (args() as unknown[]).with(names.indexOf(name), stranger) as PassArgs;
      expect(() => made.forward(...bad), describeKind(stranger)).toThrow(refusal);
      expect(() => made.forwardAsync(...bad, () => {}), describeKind(stranger)).toThrow(refusal);
    }
  });

  it("refuses states of another size, and an LSTM's weights", () => {
    for (const [place, length] of [
      [2, 3],
      [2, 8],
      [4, 3],
      [4, 8],
    ] as const) {
      const bad = (args() as unknown[]).with(place, zeros(length)) as PassArgs;
      expect(() => made.forward(...bad)).toThrow(refusal);
    }
    expect(() => made.load([24, 16, 8, 8].map(zeros))).toThrow(refusal);
  });

  it("has streams whose state is h alone", () => {
    const stream = made.stream(2, false);
    const [input, output, h] = [zeros(6).fill(0.5), zeros(4), zeros(4)];
    stream.write(zeros(4).fill(0.25), null);
    stream.read(h, null);
    expect(Array.from(h)).toEqual([0.25, 0.25, 0.25, 0.25]);
    stream.step(input, output, 1, undefined);
    stream.read(h, null);
    expect(h).toEqual(output);
    for (const c of [zeros(4), zeros(0), 3, {}]) {
      expect(() => stream.read(h, any(c))).toThrow(refusal);
      expect(() => stream.write(h, any(c))).toThrow(refusal);
    }
    for (const bad of [null, undefined, zeros(3), zeros(8)]) expect(() => stream.read(any(bad), null)).toThrow(refusal);
  });
});

describe("forwardAsync", () => {
  it("refuses a callback that is none", () => {
    for (const done of [undefined, null, 3, {}]) {
      expect(() => lstm.forwardAsync(...dense(), any(done))).toThrow(refusal);
    }
  });

  it("reports once, and lives through aborts before, after and again", async () => {
    let reports = 0;
    const args = dense();
    const job = await new Promise<{ abort(): void }>((resolve) => {
      const started = lstm.forwardAsync(...args, () => {
        reports++;
        resolve(started);
      });
    });
    for (let i = 0; i < 3; i++) job.abort();
    const { abort } = job;
    abort.call(undefined);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(reports).toBe(1);
    const wanted = dense();
    lstm.forward(...wanted);
    expect(args).toEqual(wanted);
  });

  it("ends well when model, arguments and job are left behind", async () => {
    const reports = Array.from({ length: 50 }, async () => {
      const own = model();
      const args = dense();
      await new Promise<void>((resolve) => {
        own.forwardAsync(...args, () => resolve());
        own.dispose();
      });
      return args[1];
    });
    const wanted = dense();
    lstm.forward(...wanted);
    for (const output of await Promise.all(reports)) expect(output).toEqual(wanted[1]);
  });
});

describe("load", () => {
  const full = parameters();
  it.each<[string, unknown]>([
    ...strangers.map((stranger): [string, unknown] => [`${typeof stranger} ${describeKind(stranger)}`, stranger]),
    ["too few", full.slice(1)],
    ["too many", [...full, zeros(10)]],
    ["holes", new Array(full.length)],
    ["something array-like", { ...full, length: full.length }],
    ["a short weight", full.with(0, zeros(59))],
    ["a long weight", full.with(19, zeros(11))],
    ["float64 among float32", full.with(3, any(new Float64Array(20)))],
    ["a detached weight", full.with(5, detach(zeros(60)))],
    ["a shrunk weight", full.with(5, shrunk(60))],
    ["null among them", full.with(7, any(null))],
  ])("refuses %s, and keeps the old weights", (_, bad) => {
    const wanted = dense();
    lstm.forward(...wanted);
    expect(() => lstm.load(any(bad))).toThrow(refusal);
    const after = dense();
    lstm.forward(...after);
    expect(after).toEqual(wanted);
  });

  it("is not fooled by a getter that detaches what was read before it", () => {
    const list = parameters();
    Object.defineProperty(list, 19, { get: () => detach(list[0] as Float32Array) && zeros(10) });
    expect(() => lstm.load(list)).toThrow(refusal);
  });

  it("passes on what a getter throws", () => {
    const list = parameters();
    Object.defineProperty(list, 3, {
      get() {
        throw new Error("from the getter");
      },
    });
    expect(() => lstm.load(list)).toThrow("from the getter");
  });
});

describe("the constructor", () => {
  const sizes = [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 53, "3", null, undefined, {}, 3n];
  const bad: [string, unknown][] = [
    ...[undefined, null, 3, "text"].map((value): [string, unknown] => [`${value} for a config`, value]),
    ...(["inputSize", "hiddenSize", "numLayers"] as const).flatMap((key) =>
      sizes.map((value): [string, unknown] => [`${key} ${typeof value} ${String(value)}`, { ...config, [key]: value }]),
    ),
    ...[5, 6, -1, 0.5, Number.NaN].map((value): [string, unknown] => [
      `projSize ${value}`,
      { ...config, projSize: value },
    ]),
    ...[undefined, null, 0, "", "LSTM", "rnn"].map((value): [string, unknown] => [
      `cell ${value}`,
      { ...config, projSize: 0, cell: value },
    ]),
    ...withoutC.map((cell): [string, unknown] => [`a projection in ${cell}`, { ...config, cell }]),
    ...[1, "true", null].map((value): [string, unknown] => [`bias ${value}`, { ...config, bias: value }]),
    ...[1, "true", null].map((value): [string, unknown] => [
      `bidirectional ${value}`,
      { ...config, bidirectional: value },
    ]),
    ...["dtype", "weightDtype"].flatMap((key) =>
      ["int32", "", null, 32].map((value): [string, unknown] => [`${key} ${value}`, { ...config, [key]: value }]),
    ),
    ...["float16", "int8"].map((weightDtype): [string, unknown] => [
      `${weightDtype} weights of float64`,
      { ...config, dtype: "float64", weightDtype },
    ]),
    ["int8 weights too long", { ...config, inputSize: 133_145, weightDtype: "int8" }],
  ];
  it.each(bad)("refuses %s", (_, given) => {
    expect(() => new native.Recurrent(any(given))).toThrow(refusal);
  });

  it("refuses to be called without new", () => {
    expect(() => (native.Recurrent as unknown as (given: RecurrentConfig) => unknown)(config)).toThrow();
  });

  it("passes on what a getter throws", () => {
    const given = {
      ...config,
      get dtype(): never {
        throw new Error("from the getter");
      },
    };
    expect(() => new native.Recurrent(given)).toThrow("from the getter");
  });
});

describe("methods", () => {
  it("refuse a receiver that is none of theirs", () => {
    const { load, forward, forwardAsync, dispose } = lstm;
    for (const receiver of [undefined, null, {}, [], zeros(3), native, Object.create(lstm)]) {
      expect(() => forward.apply(any(receiver), dense())).toThrow();
      expect(() => forwardAsync.apply(any(receiver), [...dense(), () => {}])).toThrow();
      expect(() => load.call(any(receiver), parameters())).toThrow();
      expect(() => dispose.call(any(receiver))).toThrow();
    }
  });

  it("refuse to run before weights are loaded and after dispose", () => {
    const bare = new native.Recurrent(config);
    expect(() => bare.forward(...dense())).toThrow("weights to have been loaded");
    expect(() => bare.forwardAsync(...dense(), () => {})).toThrow(refusal);
    const gone = model();
    gone.dispose();
    gone.dispose();
    expect(() => gone.forward(...dense())).toThrow(disposed);
    expect(() => gone.forwardAsync(...dense(), () => {})).toThrow(disposed);
    expect(() => gone.load(parameters())).toThrow(disposed);
  });
});

describe("threads", () => {
  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 53, 1025, "2", null, undefined, {}])(
    "refuses %s",
    (n) => {
      const before = native.getNumThreads();
      expect(() => native.setNumThreads(any(n))).toThrow(refusal);
      expect(native.getNumThreads()).toBe(before);
    },
  );
});
