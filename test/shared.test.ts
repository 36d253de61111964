// One copy of the weights for many: share and fromShared give the same module, each holder goes its own way, and a handle
// that is none, or whose bytes are changed, is an error or wrong numbers, never a crash.

import { once } from "node:events";
import { MessageChannel, Worker } from "node:worker_threads";
import { beforeAll, describe, expect, it } from "vitest";
import { Embedding, Linear, LSTM, manualSeed, randn, type SharedModule, Tensor } from "../lib/index.js";
import { expectSameResults, type ModuleOptions, named, resultsOf } from "./support/cells.js";
import { buildPackage } from "./support/cli.js";
import { expectSameBits } from "./support/compare.js";
import { expectCoded } from "./support/expect-coded.js";

const bits = ({ data }: Tensor): string => Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex");
const bitsOf = (dict: Record<string, Tensor>): Record<string, string> =>
  Object.fromEntries(Object.entries(dict).map(([name, tensor]) => [name, bits(tensor)]));

const models: [string, ModuleOptions][] = [
  ["plain", {}],
  ["deep, both ways", { numLayers: 3, bidirectional: true, dropout: 0.25 }],
  ["without bias, batch first", { bias: false, batchFirst: true }],
  ["float64", { dtype: "float64" }],
  ["float16 weights", { weightDtype: "float16" }],
  ["int8 weights", { weightDtype: "int8", numLayers: 2 }],
];
const projected: typeof models = [["projected", { numLayers: 3, bidirectional: true, projSize: 7, dropout: 0.25 }]];

const all = named.flatMap(([name, cell]) =>
  [...models, ...(cell.kind === "lstm" ? projected : [])].map(
    ([what, options]) => [name, what, cell, options] as const,
  ),
);

describe.each(all)("%s that is shared: %s", (_, __, cell, options) => {
  const make = () => cell.make(5, 21, options);
  const x = randn([4, 3, 5], options.dtype);

  it("is the same when opened, and stays what it was", () => {
    const module = make();
    const before = { ...module };
    const results = resultsOf(...module.forward(x));
    const dict = bitsOf(module.stateDict());
    const handle = structuredClone(module.share()); // as postMessage hands it on
    manualSeed(1);
    const opened = cell.fromShared(handle);
    const drawn = randn([1]);
    manualSeed(1);
    expect(randn([1])).toEqual(drawn); // none were drawn for it
    expect({ ...opened }).toEqual(before);
    for (const one of [module, opened]) {
      expectSameResults(resultsOf(...one.forward(x)), results);
      expect(bitsOf(one.stateDict())).toEqual(dict);
    }
  });

  it("leaves each holder its own: loadStateDict, dispose, streams, passes under way", async () => {
    const [module, other] = [make(), make()];
    const name = cell.name.split(" ")[0] as string;
    const old = module.forward(x)[0];
    const fresh = other.forward(x)[0];
    const stream = options.bidirectional ? undefined : module.stream({ batchSize: 3 });
    const handle = module.share();
    const [a, b] = [cell.fromShared(handle), cell.fromShared(handle)];
    const coming = [module.forwardAsync(x), a.forwardAsync(x)];
    module.loadStateDict(other.stateDict());
    expectSameBits(module.forward(x)[0], fresh);
    for (const one of [a, b]) expectSameBits(one.forward(x)[0], old);
    a.dispose();
    expectCoded(() => a.forward(x), Error, "ERR_DISPOSED", name);
    expectCoded(() => a.share(), Error, "ERR_DISPOSED", name);
    expectSameBits(b.forward(x)[0], old);
    for (const pass of coming) expectSameBits((await pass)[0], old);
    const second = module.share(); // of the new weights
    expect(second.weights).not.toBe(handle.weights);
    expectSameBits(cell.fromShared(second).forward(x)[0], fresh);
    expectSameBits(cell.fromShared(handle).forward(x)[0], old);
    if (stream === undefined) return;
    const rows = options.batchFirst ? [3, 4] : [4, 3];
    const frames = new Tensor(x.data, [...rows, 5]);
    expectSameBits(stream.step(frames), module.forward(frames)[0]);
  });

  it("shares the very same memory each time, and what is opened shares it too", () => {
    const module = make();
    const { weights } = module.share();
    expect(module.share().weights).toBe(weights);
    expect(cell.fromShared(module.share()).share().weights).toBe(weights);
    new Uint8Array(weights).fill(0);
    expect(Object.values(module.stateDict()).every(({ data }) => data.every((value) => value === 0))).toBe(true);
  });
});

describe("a Linear that is shared", () => {
  it("is the same when opened, and each holder goes its own way", () => {
    for (const options of [{}, { bias: false }, { dtype: "float64" }] as const) {
      const [linear, other] = [new Linear(5, 37, options), new Linear(5, 37, options)];
      const x = randn([4, 5], (options as { dtype?: "float64" }).dtype);
      const old = linear.forward(x);
      const dict = bitsOf(linear.stateDict());
      const opened = Linear.fromShared(structuredClone(linear.share()));
      expect({ ...opened }).toEqual({ ...linear });
      expectSameBits(opened.forward(x), old);
      expect(bitsOf(opened.stateDict())).toEqual(dict);
      linear.loadStateDict(other.stateDict());
      expectSameBits(linear.forward(x), other.forward(x));
      linear.dispose();
      expectSameBits(opened.forward(x), old);
    }
  });
});

describe("a handle", () => {
  const handle = (): SharedModule => new LSTM(3, 8, { numLayers: 2 }).share();
  const spoil = (change: object): SharedModule => ({ ...handle(), ...change });
  const bytes = handle().weights.byteLength;
  const shared = (length: number): SharedArrayBuffer => new SharedArrayBuffer(length);

  it.each<[string, unknown]>([
    ...[undefined, null, 3, "text", {}, [], shared(8)].map((value): [string, unknown] => [`is ${typeof value}`, value]),
    ["has no weights", spoil({ weights: undefined })],
    ["has weights of its own", spoil({ weights: new ArrayBuffer(bytes) })],
    ["has a view of weights", spoil({ weights: new Uint8Array(shared(bytes)) })],
    [
      "has what claims to be shared",
      spoil({ weights: Object.setPrototypeOf(new ArrayBuffer(bytes), SharedArrayBuffer.prototype) }),
    ],
    ["has no sizes", spoil({ sizes: undefined })],
    ["has one size", spoil({ sizes: [3] })],
    ["has sizes that are none", spoil({ sizes: ["3", 8] })],
    ["has an option of the wrong kind", spoil({ options: { ...handle().options, bias: 1 } })],
    ["has an option that is none", spoil({ options: { ...handle().options, layers: 2 } })],
    ["has an option of no such dtype", spoil({ options: { ...handle().options, dtype: "int8" } })],
  ])("of the wrong kind is refused: it %s", (_, given) => {
    let thrown: unknown;
    try {
      LSTM.fromShared(given as SharedModule);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(TypeError);
    expect(thrown).toMatchObject({ code: expect.stringMatching(/^ERR_(ARG_TYPE|OPTION|DTYPE)$/) });
  });

  it.each<[string, object]>([
    ["is a Linear's", { module: "Linear" }],
    ["has no module", { module: undefined }],
    ["is of another version", { layout: handle().layout.replace(/^\S+/, "0.0.0") }],
    ["is of another instruction set", { layout: handle().layout.replace(/\S+$/, "sse2") }],
    ["has no layout", { layout: undefined }],
    ["is short", { weights: shared(bytes - 1) }],
    ["is empty", { weights: shared(0) }],
    ["is long", { weights: shared(bytes + 64) }],
    ["is of a larger model", { sizes: [3, 9] }],
    ["is of a huge model", { sizes: [2 ** 24, 2 ** 24] }],
    ["is of a smaller model", { sizes: [2, 8] }],
    ["has negative sizes", { sizes: [-3, 8] }],
    ["has more layers", { options: { ...handle().options, numLayers: 4096 } }],
  ])("of the wrong value is refused: it %s", (_, change) => {
    expectCoded(() => LSTM.fromShared(spoil(change)), RangeError, "ERR_ARG_VALUE");
  });

  it("is read once, whatever its getters answer the second time", () => {
    const good = handle();
    const tricky = Object.defineProperties({} as SharedModule, {
      ...Object.fromEntries(
        Object.entries(good).map(([key, value]) => {
          let reads = 0;
          return [key, { enumerable: true, get: () => (reads++ === 0 ? value : shared(1)) }];
        }),
      ),
    });
    expect(LSTM.fromShared(tricky).forward(randn([2, 3]))[0].shape).toEqual([2, 8]);
  });

  it("over a buffer that grows is refused or computes on", () => {
    const Growable = SharedArrayBuffer as unknown as new (
      length: number,
      options: { maxByteLength: number },
    ) => SharedArrayBuffer & { grow(length: number): void };
    const weights = new Growable(bytes, { maxByteLength: 4 * bytes });
    const lstm = LSTM.fromShared(spoil({ weights }));
    weights.grow(4 * bytes);
    expect(lstm.forward(randn([2, 3]))[0].data.every((value) => value === 0)).toBe(true);
  });

  it("whose bytes are anything gives numbers, or none", () => {
    const given = handle();
    const lstm = LSTM.fromShared(given);
    for (const fill of [0xff, 0x7f, 0x80, 0x01]) {
      new Uint8Array(given.weights).fill(fill);
      expect(lstm.forward(randn([5, 40, 3]))[0].shape).toEqual([5, 40, 8]);
      expect(Object.keys(lstm.stateDict())).toHaveLength(8);
    }
  });
});

describe("what is no plain data", () => {
  const lstm = new LSTM(3, 4);
  it.each<[string, object]>([
    ["an LSTM", lstm],
    ["a Linear", new Linear(2, 3)],
    ["an Embedding", new Embedding(2, 3)],
    ["a stream", lstm.stream()],
  ])("cannot be cloned, and the error names it: %s", (_, object) => {
    const name = object.constructor.name;
    const { port1, port2 } = new MessageChannel();
    for (const clone of [() => structuredClone(object), () => port1.postMessage({ within: [object] })]) {
      let thrown: unknown;
      try {
        clone();
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toMatchObject({ name: "DataCloneError", message: `[object ${name}] could not be cloned.` });
    }
    port2.close();
    expect(Object.getOwnPropertySymbols(object)).toEqual([]);
    expect("register" in object).toBe(false); // nothing of the kind of object that it is made as
  });

  it("and tensors are: what comes out is taken wherever a tensor is", () => {
    const x = randn([2, 3]);
    expectSameBits(lstm.forward(structuredClone(x))[0], lstm.forward(x)[0]);
  });
});

describe("worker threads", () => {
  beforeAll(buildPackage);

  it("compute what the sharer does, each until it is done with it", async () => {
    const script = `
      const { parentPort, workerData } = require("node:worker_threads");
      import(workerData.package).then(async ({ LSTM }) => {
        const lstm = LSTM.fromShared(workerData.handle);
        const [output] = await lstm.forwardAsync(workerData.x);
        parentPort.postMessage(output);
        if (workerData.loads) lstm.loadStateDict(new LSTM(16, 40).stateDict());
        lstm.dispose();
      });`;
    const lstm = new LSTM(16, 40);
    const x = randn([30, 2, 16]);
    const wanted = lstm.forward(x)[0];
    const handle = lstm.share();
    const entry = new URL("../dist/index.js", import.meta.url).href;
    const outputs = await Promise.all(
      [true, false, true].map(async (loads) => {
        const worker = new Worker(script, { eval: true, workerData: { package: entry, handle, x, loads } });
        const [output] = (await once(worker, "message")) as [Tensor];
        await once(worker, "exit");
        return output;
      }),
    );
    for (const { data, shape } of outputs) expectSameBits(new Tensor(data, shape), wanted);
    expectSameBits(lstm.forward(x)[0], wanted);
  });
});
