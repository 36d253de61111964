// The stream: step by step or in chunks it gives the bits of the whole sequence, for all rows or those named, on any number
// of threads and (vitest.config.ts runs this file once for each) on every instruction set; its state can be saved and set;
// whatever it is given, the states of other rows stay. That it allocates nothing is in stream-allocation.test.ts, and what
// the raw addon makes of nonsense in binding-stream.test.ts.

import { afterEach, describe, expect, it } from "vitest";
import { getNumThreads, LSTM, manualSeed, rand, setNumThreads, Tensor } from "../lib/index.js";
import { cells, type Module, type ModuleOptions, type State, tensorsOf } from "./support/cells.js";
import { expectSameBits } from "./support/compare.js";
import { expectCoded } from "./support/expect-coded.js";
import { uniform } from "./support/fixture.js";
import { detach, resizable } from "./support/odd-buffers.js";

const any = (value: unknown): never => value as never;
const copy = (t: Tensor): Tensor => new Tensor(t.data.slice(), t.shape);
const threadsBefore = getNumThreads();
afterEach(() => setNumThreads(threadsBefore));

const MODELS: readonly [cell: string, inputSize: number, hiddenSize: number, batch: number, options: ModuleOptions][] =
  [
    ["LSTM", 1, 1, 1, {}],
    ["LSTM", 5, 12, 1, { numLayers: 3 }],
    ["LSTM", 64, 64, 1, {}],
    ["LSTM", 13, 37, 9, { numLayers: 2, projSize: 11 }],
    ["LSTM", 3, 64, 70, { numLayers: 2, bias: false }],
    ["LSTM", 40, 521, 1, {}],
    ["LSTM", 40, 300, 3, { projSize: 70 }],
    ["LSTM", 17, 20, 6, { dtype: "float64", batchFirst: true, numLayers: 2 }],
    ["GRU", 5, 12, 1, { numLayers: 3 }],
    ["GRU", 13, 37, 9, { numLayers: 2 }],
    ["GRU", 40, 521, 1, { bias: false }],
    ["GRU", 17, 20, 6, { dtype: "float64", batchFirst: true, numLayers: 2 }],
    ["RNN tanh", 3, 64, 70, { numLayers: 2 }],
    ["RNN tanh", 64, 64, 1, { weightDtype: "float16" }],
    ["RNN relu", 13, 37, 9, { dtype: "float64", batchFirst: true }],
    ["LSTM", 40, 300, 3, { projSize: 70, weightDtype: "int8" }],
    ["LSTM", 13, 37, 9, { numLayers: 2, weightDtype: "int8" }],
    ["LSTM", 40, 521, 1, { weightDtype: "int8" }],
    ["GRU", 17, 37, 70, { numLayers: 2, batchFirst: true, weightDtype: "int8" }],
    ["RNN tanh", 64, 64, 1, { weightDtype: "int8" }],
  ];

describe.each(MODELS)("%s %i → %i, %i rows, %o", (name, inputSize, hiddenSize, batch, options) => {
  const steps = 12;
  manualSeed(4);
  const module = cells.find((cell) => cell.name === name)!.make(inputSize, hiddenSize, options);
  const timeDim = module.batchFirst ? 1 : 0;
  const lead = module.batchFirst ? [batch, steps] : [steps, batch];
  const input = uniform([...lead, inputSize], module.dtype);
  setNumThreads(1);
  const [whole, final] = module.forward(input);
  const state = tensorsOf(final);
  setNumThreads(threadsBefore);
  const at = (t: Tensor, step: number): Tensor => t.select(timeDim, step);

  const expectState = (actual: State): void => {
    for (const [k, wanted] of state.entries()) expectSameBits(tensorsOf(actual)[k]!, wanted, `state ${k}`);
  };

  it.each([1, 2, 3, 4])("is the whole sequence, frame by frame and in chunks, on %i threads", (threads) => {
    setNumThreads(threads);
    const stream = module.stream({ batchSize: batch });
    for (let t = 0; t < steps; t++) expectSameBits(stream.step(at(input, t)), at(whole, t), `step ${t}`);
    expectState(stream.state);
    stream.reset();
    for (let t = 0, size = 1; t < steps; t += size, size = (size % 4) + 1) {
      const chunk = stream.step(input.slice(timeDim, t, t + size));
      expectSameBits(chunk, whole.slice(timeDim, t, t + size), `chunk at ${t}`);
    }
    expectState(stream.state);
  });

  it("goes on from a saved state, here and in forward", () => {
    const [first, second] = [module.stream({ batchSize: batch }), module.stream({ batchSize: batch })];
    first.step(input.slice(timeDim, 0, 5));
    const saved = first.state;
    first.step(at(input, 0)); // what is saved is a copy
    second.state = saved;
    const rest = input.slice(timeDim, 5);
    expectSameBits(module.forward(rest, saved)[0], whole.slice(timeDim, 5), "forward");
    expectSameBits(second.step(rest), whole.slice(timeDim, 5), "stream");
    expectState(second.state);
  });

  if (batch > 1) {
    it.each([1, 2, 4])("rows join and leave, on %i threads", (threads) => {
      setNumThreads(threads);
      const stream = module.stream({ batchSize: batch });
      // Row k goes through sequence (k + 1) % batch, from tick k % 4 on, and rests in every third tick.
      const done = new Array<number>(batch).fill(0);
      for (let tick = 0; done.some((n) => n < steps); tick++) {
        const rows = Array.from({ length: batch }, (_, k) => batch - 1 - k).filter(
          (k) => tick >= k % 4 && (tick + k) % 3 !== 0 && done[k]! < steps,
        );
        if (rows.length === 0) continue;
        const frames = rows.map((k) => at(input, done[k]!).select(0, (k + 1) % batch));
        const x = new Tensor(Kind(module).from(frames.flatMap(({ data }) => [...data])), [rows.length, inputSize]);
        const h = stream.step(x, tick % 2 === 0 ? rows : Int32Array.from(rows));
        for (const [i, k] of rows.entries()) {
          expectSameBits(h.select(0, i), at(whole, done[k]!).select(0, (k + 1) % batch), `tick ${tick}, row ${k}`);
          done[k]!++;
        }
      }
      const order = Array.from({ length: batch }, (_, k) => (k + 1) % batch);
      for (const [k, reached] of tensorsOf(stream.state).entries())
        expectSameBits(reached, state[k]!.indexSelect(1, order), `state ${k}`);
    });

    it("resets one row and leaves the others", () => {
      const stream = module.stream({ batchSize: batch });
      stream.step(input);
      stream.reset(-1);
      for (const [k, now] of tensorsOf(stream.state).entries()) {
        expectSameBits(now.slice(1, 0, -1), state[k]!.slice(1, 0, -1), "others");
        expect(now.select(1, -1).data.every((value) => value === 0)).toBe(true);
      }
      stream.reset(0);
      for (const now of tensorsOf(stream.state)) expect(now.select(1, 0).data.every((value) => value === 0)).toBe(true);
    });
  }
});

function Kind({ dtype }: Module): Float32ArrayConstructor | Float64ArrayConstructor {
  return dtype === "float32" ? Float32Array : Float64Array;
}

describe("a stream", () => {
  const lstm = new LSTM(3, 4);

  it("takes a frame (I) and gives (R) when it is alone", () => {
    const stream = lstm.stream();
    const x = rand([3]);
    expect(stream.step(x).shape).toEqual([4]);
    expectSameBits(
      stream.step(x).reshape([1, 4]),
      lstm.forward(new Tensor(new Float32Array([...x.data, ...x.data]), [2, 3]))[0].slice(0, 1),
    );
  });

  it("gives out one memory again and again, and makes another when that is transferred away or resized", () => {
    const stream = lstm.stream({ batchSize: 2 });
    const x = rand([2, 3]);
    const first = stream.step(x);
    const kept = copy(first);
    expect(stream.step(x)).toBe(first);
    expect(first.data).not.toEqual(kept.data);
    detach(first.data as Float32Array);
    const next = stream.step(x);
    expect(Object.is(next, first)).toBe(false);
    expect(next.data.every((value) => value !== 0)).toBe(true);
  });

  it("uses new weights from the next step on, and outlives its model's collection", () => {
    const [model, other] = [new LSTM(3, 4), new LSTM(3, 4)];
    const stream = model.stream();
    const x = rand([1, 3]);
    stream.step(x);
    const saved = stream.state;
    model.loadStateDict(other.stateDict());
    expectSameBits(stream.step(x), other.forward(x.reshape([1, 1, 3]), saved)[0].select(0, 0));
  });

  it("ends with its model's dispose, and with its own", () => {
    const model = new LSTM(3, 4);
    const [stream, gone] = [model.stream(), model.stream()];
    const state = stream.state;
    gone.dispose();
    gone.dispose();
    model.dispose();
    for (const call of [
      () => stream.step(rand([1, 3])),
      () => model.stream(),
      () => gone.step(rand([1, 3])),
      () => gone.state,
      () => gone.reset(),
      () => {
        gone.state = state;
      },
    ]) {
      expectCoded(call, Error, "ERR_DISPOSED", "dispose()");
    }
    expect(stream.state).toEqual(state);
  });

  it("keeps NaN in its own row", () => {
    const stream = lstm.stream({ batchSize: 3 });
    const x = rand([3, 3]);
    x.data[4] = Number.NaN;
    const h = stream.step(x);
    expect([0, 1, 2].map((row) => h.select(0, row).data.some(Number.isNaN))).toEqual([false, true, false]);
    stream.reset(1);
    expect(stream.step(rand([3, 3])).data.every(Number.isFinite)).toBe(true);
  });
});

describe("bad calls", () => {
  const lstm = new LSTM(3, 4, { numLayers: 2 });
  const stream = lstm.stream({ batchSize: 2 });
  const alone = lstm.stream();
  const x = rand([2, 3]);
  stream.step(x);
  const before = stream.state;
  const [data, resize] = resizable(6);
  const resized = new Tensor(data, [2, 3]);
  resize(8);

  it.each<[string, () => unknown, typeof TypeError | typeof RangeError, string, string]>([
    [
      "a bidirectional model",
      () => new LSTM(3, 4, { bidirectional: true }).stream(),
      RangeError,
      "ERR_ARG_VALUE",
      "one direction",
    ],
    ["batchSize 0", () => lstm.stream({ batchSize: 0 }), RangeError, "ERR_ARG_VALUE", "batchSize"],
    ["batchSize as text", () => lstm.stream(any({ batchSize: "2" })), TypeError, "ERR_ARG_TYPE", "batchSize"],
    ["batch_size", () => lstm.stream(any({ batch_size: 2 })), TypeError, "ERR_OPTION", '"batchSize"'],
    ["a batch as a bare number", () => lstm.stream(any(2)), TypeError, "ERR_ARG_TYPE", "options"],
    ["no frame", () => stream.step(any(undefined)), TypeError, "ERR_ARG_TYPE", "x"],
    ["a bare array", () => stream.step(any(new Float32Array(6))), TypeError, "ERR_ARG_TYPE", "x"],
    [
      "another width",
      () => stream.step(rand([2, 4])),
      RangeError,
      "ERR_SHAPE",
      "a frame of shape (2, 3) or a chunk of shape (T, 2, 3)",
    ],
    ["another batch", () => stream.step(rand([3, 3])), RangeError, "ERR_SHAPE", "shape (3, 3)"],
    ["another batch in a chunk", () => stream.step(rand([2, 3, 3])), RangeError, "ERR_SHAPE", "(2, 3, 3)"],
    ["a chunk of no frames", () => stream.step(rand([0, 2, 3])), RangeError, "ERR_SHAPE", "T from 1"],
    ["one frame (I) for two", () => stream.step(rand([3])), RangeError, "ERR_SHAPE", "shape (3,)"],
    ["(T, I) for one", () => alone.step(rand([5, 3])), RangeError, "ERR_SHAPE", "(1, 3) or (3,)"],
    ["rank 4", () => stream.step(rand([1, 1, 2, 3])), RangeError, "ERR_SHAPE", "(1, 1, 2, 3)"],
    ["float64", () => stream.step(rand([2, 3], "float64")), TypeError, "ERR_DTYPE", "float32"],
    ["a shrunk frame", () => stream.step(resized), RangeError, "ERR_SHAPE", "resized"],
    ["rows beyond", () => stream.step(x, [0, 2]), RangeError, "ERR_ARG_VALUE", "from 0 to 1, but got 2 at place 1"],
    ["negative rows", () => stream.step(x, Int32Array.of(-1, 0)), RangeError, "ERR_ARG_VALUE", "but got -1"],
    ["a row twice", () => stream.step(x, [1, 1]), RangeError, "ERR_ARG_VALUE", "different rows"],
    ["no rows", () => stream.step(x, []), RangeError, "ERR_SHAPE", "(0, 3)"],
    ["fewer rows than frames", () => stream.step(x, [1]), RangeError, "ERR_SHAPE", "(1, 3)"],
    ["more rows than there are", () => stream.step(rand([3, 3]), [0, 1, 2]), RangeError, "ERR_ARG_VALUE", "1 to 2"],
    ["rows that are no list", () => stream.step(x, any(1)), TypeError, "ERR_ARG_TYPE", "rows"],
    ["half a row", () => stream.step(x, [0, 0.5]), RangeError, "ERR_ARG_VALUE", "0.5"],
    ["a reset beyond", () => stream.reset(2), RangeError, "ERR_ARG_VALUE", "row"],
    ["a reset of text", () => stream.reset(any("0")), TypeError, "ERR_ARG_TYPE", "row"],
    ["half a state", () => Object.assign(stream, { state: [before[0]] }), TypeError, "ERR_ARG_TYPE", "only h0"],
    [
      "a state of another batch",
      () => Object.assign(stream, { state: alone.state }),
      RangeError,
      "ERR_SHAPE",
      "(2, 2, 4)",
    ],
  ])("%s", (_, call, kind, code, piece) => {
    expectCoded(call, kind, code, piece);
    expect(stream.state).toEqual(before);
  });
});
