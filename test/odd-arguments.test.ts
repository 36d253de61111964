// Odd values, one at a time, in every place of every public function: detached and resized buffers, proxies that refuse or
// lie, getters that throw, cycles, huge and empty lists, primitives. A call may work or throw; what it throws has one of the
// codes, names what was wrong, and comes at once. Every function and class that lib/index.ts exports must be in the table.

import { describe, expect, it } from "vitest";
import { errorCodes } from "../lib/check.js";
import * as face from "../lib/index.js";
import { detach, resizable, shrunk } from "./support/odd-buffers.js";

const refuse = (): never => {
  throw new Error("do not touch");
};
const refusing: ProxyHandler<object> = Object.fromEntries(
  ["get", "has", "ownKeys", "getOwnPropertyDescriptor", "getPrototypeOf", "set"].map((trap) => [trap, refuse]),
);
const revoked = (target: object): object => {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
};
const cyclic: unknown[] = [];
cyclic.push(cyclic);
const deep = (depth: number): unknown => {
  let value: unknown = 1;
  for (let d = 0; d < depth; d++) value = [value];
  return value;
};
const throwing = (...keys: string[]): object =>
  Object.defineProperties({}, Object.fromEntries(keys.map((key) => [key, { get: refuse, enumerable: true }])));
const resized = (): Float32Array => {
  const [array, resize] = resizable(6);
  resize(0);
  return array;
};
const lying = { data: new Float32Array(6), shape: [2, 3], batchSizes: [1e9] };
const shifting = {
  shape: [2, 3],
  get data() {
    return Math.random() < 0.5 ? new Float32Array(6) : detach(new Float32Array(6));
  },
};

const odd: Record<string, () => unknown> = {
  undefined: () => undefined,
  null: () => null,
  NaN: () => Number.NaN,
  "minus zero": () => -0,
  infinity: () => Number.POSITIVE_INFINITY,
  "2^53": () => 2 ** 53,
  "a bigint": () => 10n ** 40n,
  "a symbol": () => Symbol("s"),
  "a long string": () => "x".repeat(1e6),
  "a function": () => refuse,
  "an empty list": () => [],
  "a list of holes": () => new Array(2 ** 32 - 1),
  "a sparse list": () => Object.assign([], { 1000000: 1 }),
  "a cycle": () => cyclic,
  "a deep nest": () => deep(10_000),
  "a ragged nest": () => [[1], [2, 3]],
  "a nest": () => [[1, 2, 3]],
  "a detached Float32Array": () => detach(new Float32Array(6)),
  "a detached Float64Array": () => detach(new Float64Array(6)),
  "a detached Int32Array": () => detach(new Int32Array(2)),
  "a shrunk Float32Array": () => shrunk(6),
  "a resized Float32Array": resized,
  "shared memory": () => new Int32Array(new SharedArrayBuffer(8)),
  "a bare SharedArrayBuffer": () => new SharedArrayBuffer(24),
  "a detached tensor": () => {
    const tensor = face.rand([2, 3]);
    detach(tensor.data);
    return tensor;
  },
  "a tensor over shared memory": () => new face.Tensor(new Float32Array(new SharedArrayBuffer(24)), [2, 3]),
  "detached data": () => ({ data: detach(new Float32Array(6)), shape: [2, 3] }),
  "detached data and shape": () => ({ data: new Float32Array(6), shape: detach(new Int32Array(2)) }),
  "a detached stride": () => ({ data: new Float32Array(6), shape: [2, 3], stride: detach(new Int32Array(2)) }),
  "a shape of a billion dims": () => ({ data: new Float32Array(6), shape: new Array(1e9) }),
  "a tensor whose data changes": () => shifting,
  "a tensor with a lie": () => lying,
  "a Buffer": () => Buffer.from([1, 2, 3, 4, 5, 6, 7, 8]),
  "a proxy that refuses": () => new Proxy({}, refusing),
  "a proxy of a list that refuses": () => new Proxy([1, 2], refusing),
  "a proxy of a tensor": () => new Proxy(face.rand([2, 3]), {}),
  "a revoked proxy": () => revoked({}),
  "a revoked proxy of a list": () => revoked([1, 2]),
  "a list of a revoked proxy": () => [revoked({})],
  "a list with a getter that throws": () => Object.defineProperty([1, 2, 3], 0, { get: refuse }),
  "getters that throw": () =>
    throwing("data", "shape", "batchSizes", "weight", "weight_ih_l0", "batchFirst", "dim", "prefix"),
  "getters of data that throw": () => ({
    data: new Float32Array(6),
    ...{},
    get shape() {
      return refuse();
    },
  }),
  "a state dict whose getter throws": () => throwing("weight"),
  "a class instance": () => new (class Odd {})(),
  "a Date": () => new Date(Number.NaN),
};

const { LSTM, GRU, RNN, LSTMCell, GRUCell, RNNCell, Linear, Embedding, Tensor, PackedSequence, rand, tensor } = face;
const lstm = new LSTM(3, 4);
const gru = new GRU(3, 4);
const rnn = new RNN(3, 4);
const gruStream = gru.stream();
const lstmCell = new LSTMCell(3, 4);
const gruCell = new GRUCell(3, 4);
const rnnCell = new RNNCell(3, 4);
const linear = new Linear(3, 4);
const embedding = new Embedding(5, 2);
const stream = lstm.stream();
const x = rand([2, 3]);
const packed = face.packSequence([x]);
type Call = (...args: never[]) => unknown;
const method = (call: (...args: never[]) => unknown): Call => call;

/** Every public function, constructor and method: the call, and good arguments, of which one at a time is replaced. */
const calls: Record<string, [call: Call, good: readonly unknown[]]> = {
  "new Tensor": [method((data, shape) => new Tensor(data, shape)), [new Float32Array(6), [2, 3]]],
  "Tensor.isTensor": [Tensor.isTensor as Call, [x]],
  "Tensor at": [method((...index) => x.at(...index)), [0, 0]],
  "Tensor select": [method((dim, index) => x.select(dim, index)), [0, 0]],
  "Tensor slice": [method((dim, start, end) => x.slice(dim, start, end)), [0, 0, 1]],
  "Tensor indexSelect": [method((dim, index) => x.indexSelect(dim, index)), [0, [0]]],
  "Tensor reshape": [method((shape) => x.reshape(shape)), [[3, 2]]],
  "Tensor transpose": [method((a, b) => x.transpose(a, b)), [0, 1]],
  tensor: [tensor as Call, [[1, 2], "float32"]],
  full: [face.full as Call, [[2], 1, "float32"]],
  zeros: [face.zeros as Call, [[2], "float32"]],
  ones: [face.ones as Call, [[2], "float32"]],
  stack: [face.stack as Call, [[x, x], 0]],
  "stack of one": [method((one) => face.stack([x, one])), [x]],
  cat: [face.cat as Call, [[x, x], 0]],
  sort: [face.sort as Call, [x, { dim: 0 }]],
  allclose: [face.allclose as Call, [x, x, { rtol: 0 }]],
  rand: [face.rand as Call, [[2], "float32"]],
  randn: [face.randn as Call, [[2], "float32"]],
  manualSeed: [face.manualSeed as Call, [1]],
  setNumThreads: [face.setNumThreads as Call, [face.getNumThreads()]],
  getNumThreads: [face.getNumThreads as Call, []],
  runtimeInfo: [face.runtimeInfo as Call, []],
  invertPermutation: [face.invertPermutation as Call, [[0, 1]]],
  "new PackedSequence": [
    method((...a) => new PackedSequence(...(a as unknown as [never, never]))),
    [x, [1, 1], [0], [0]],
  ],
  packPaddedSequence: [face.packPaddedSequence as Call, [rand([2, 1, 3]), [2], { batchFirst: false }]],
  padPackedSequence: [face.padPackedSequence as Call, [packed, { batchFirst: false }]],
  packSequence: [face.packSequence as Call, [[x], { enforceSorted: true }]],
  padSequence: [face.padSequence as Call, [[x], { batchFirst: true }]],
  unpackSequence: [face.unpackSequence as Call, [packed]],
  unpadSequence: [face.unpadSequence as Call, [rand([2, 1, 3]), [2], { batchFirst: false }]],
  "new LSTM": [method((i, h, o) => new LSTM(i, h, o)), [3, 4, { numLayers: 1 }]],
  "LSTM forward": [method((a, b, c) => lstm.forward(a, b, c)), [x, [rand([1, 4]), rand([1, 4])], {}]],
  "LSTM forward of a state's half": [method((h) => lstm.forward(x, [h, rand([1, 4])])), [rand([1, 4])]],
  "LSTM forward of packed": [method((sizes) => lstm.forward({ data: x, batchSizes: sizes } as never)), [[1, 1]]],
  "LSTM forward out": [method((out) => lstm.forward(x, null, { out })), [lstm.forward(x)]],
  "LSTM forwardAsync": [method((a, b) => lstm.forwardAsync(a, b)), [x, null]],
  "LSTM map": [method((a, b) => lstm.map(a, b)), [[x], { maxBatchTokens: 3 }]],
  "LSTM map of an item": [method(async (a) => (await lstm.map([a]).next()).value), [x]],
  "LSTM stream": [method((a) => lstm.stream(a)), [{ batchSize: 1 }]],
  "LSTM loadStateDict": [method((a, b) => lstm.loadStateDict(a, b)), [lstm.stateDict(), { prefix: "" }]],
  "LSTM fromStateDict": [LSTM.fromStateDict as Call, [lstm.stateDict(), { prefix: "" }]],
  "stream step": [method((a, b) => stream.step(a, b)), [rand([1, 3]), [0]]],
  "stream reset": [method((a) => stream.reset(a)), [0]],
  "stream state": [method((a) => Object.assign(stream, { state: a })), [stream.state]],
  "new GRU": [method((i, h, o) => new GRU(i, h, o)), [3, 4, { numLayers: 1 }]],
  "GRU forward": [method((a, b, c) => gru.forward(a, b, c)), [x, rand([1, 4]), {}]],
  "GRU forward out": [method((out) => gru.forward(x, null, { out })), [gru.forward(x)]],
  "GRU forwardAsync": [method((a, b) => gru.forwardAsync(a, b)), [x, rand([1, 4])]],
  "GRU map": [method((a, b) => gru.map(a, b)), [[x], { maxBatchTokens: 3 }]],
  "GRU loadStateDict": [method((a, b) => gru.loadStateDict(a, b)), [gru.stateDict(), { prefix: "" }]],
  "GRU fromStateDict": [GRU.fromStateDict as Call, [gru.stateDict(), { prefix: "" }]],
  "GRU stream step": [method((a, b) => gruStream.step(a, b)), [rand([1, 3]), [0]]],
  "GRU stream state": [method((a) => Object.assign(gruStream, { state: a })), [gruStream.state]],
  "new RNN": [method((i, h, o) => new RNN(i, h, o)), [3, 4, { nonlinearity: "relu" }]],
  "RNN nonlinearity": [method((nonlinearity) => new RNN(3, 4, { nonlinearity })), ["relu"]],
  "RNN forward": [method((a, b, c) => rnn.forward(a, b, c)), [x, rand([1, 4]), {}]],
  "RNN fromStateDict": [RNN.fromStateDict as Call, [rnn.stateDict(), { nonlinearity: "relu" }]],
  "new LSTMCell": [method((i, h, o) => new LSTMCell(i, h, o)), [3, 4, { bias: true }]],
  "LSTMCell forward": [method((a, b) => lstmCell.forward(a, b)), [x, [rand([2, 4]), rand([2, 4])]]],
  "LSTMCell forward of a state's half": [method((h) => lstmCell.forward(x, [h, rand([2, 4])])), [rand([2, 4])]],
  "LSTMCell loadStateDict": [method((a, b) => lstmCell.loadStateDict(a, b)), [lstmCell.stateDict(), {}]],
  "LSTMCell fromStateDict": [LSTMCell.fromStateDict as Call, [lstmCell.stateDict(), {}]],
  "new GRUCell": [method((i, h, o) => new GRUCell(i, h, o)), [3, 4, { bias: true }]],
  "GRUCell forward": [method((a, b) => gruCell.forward(a, b)), [x, rand([2, 4])]],
  "GRUCell fromStateDict": [GRUCell.fromStateDict as Call, [gruCell.stateDict(), {}]],
  "new RNNCell": [method((i, h, o) => new RNNCell(i, h, o)), [3, 4, { nonlinearity: "relu" }]],
  "RNNCell forward": [method((a, b) => rnnCell.forward(a, b)), [x, rand([2, 4])]],
  "RNNCell fromStateDict": [RNNCell.fromStateDict as Call, [rnnCell.stateDict(), { nonlinearity: "tanh" }]],
  "new Linear": [method((i, o, options) => new Linear(i, o, options)), [3, 4, { bias: true }]],
  "Linear forward": [method((a) => linear.forward(a)), [x]],
  "Linear forwardAsync": [method((a) => linear.forwardAsync(a)), [x]],
  "Linear loadStateDict": [method((a, b) => linear.loadStateDict(a, b)), [linear.stateDict(), { prefix: "" }]],
  "Linear fromStateDict": [Linear.fromStateDict as Call, [linear.stateDict(), { prefix: "" }]],
  "new Embedding": [method((n, d, options) => new Embedding(n, d, options)), [5, 2, { paddingIdx: 0 }]],
  "Embedding forward": [method((a) => embedding.forward(a)), [[0, 1]]],
  "Embedding loadStateDict": [method((a, b) => embedding.loadStateDict(a, b)), [embedding.stateDict(), {}]],
  "Embedding fromStateDict": [Embedding.fromStateDict as Call, [embedding.stateDict(), {}]],
  "Embedding fromPretrained": [Embedding.fromPretrained as Call, [rand([5, 2]), {}]],
};

/** Their arguments are files, which have tests of their own. */
const readers = /^(load|save)/;

async function thrownBy(call: Call, args: readonly unknown[]): Promise<unknown> {
  try {
    await call(...(args as never[]));
    return undefined;
  } catch (error) {
    return error ?? new Error("null was thrown");
  }
}

describe.each(Object.entries(calls))("%s", (name, [call, good]) => {
  it("takes what it should", async () => {
    expect(await thrownBy(call, good)).toBeUndefined();
  });

  it.runIf(good.length > 0)("answers odd arguments at once, with codes", async () => {
    for (const [what, make] of Object.entries(odd)) {
      for (let place = 0; place < good.length; place++) {
        const started = performance.now();
        const error = await thrownBy(call, good.with(place, make()));
        const label = `${name}, argument ${place}: ${what}`;
        if (error !== undefined) {
          expect(error, label).toBeInstanceOf(Error);
          const { code, message, stack } = error as Error & { code: unknown };
          expect(errorCodes, `${label}: ${stack}`).toContain(code);
          expect(message, label).toMatch(/^[^:]{1,60}: /);
          expect(message.length, label).toBeLessThan(1000);
        }
        expect(performance.now() - started, label).toBeLessThan(5000);
      }
    }
  });
});

describe("the table", () => {
  it("has every function and class that the package exports", () => {
    const exported = Object.entries(face).filter(([name, value]) => typeof value === "function" && !readers.test(name));
    const missing = exported.filter(([name]) => !Object.keys(calls).some((key) => key.split(" ").includes(name)));
    expect(missing.map(([name]) => name)).toEqual([]);
  });
});
