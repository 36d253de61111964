// `forward` with `out`: the same bits as fresh results, in the caller's own tensors, whatever those held before; and what
// is no place to write to.

import { describe, expect, it } from "vitest";
import {
  full,
  GRU,
  LSTM,
  type LSTMOut,
  PackedSequence,
  packPaddedSequence,
  randn,
  setNumThreads,
  Tensor,
  type TensorLike,
  zeros,
} from "../lib/index.js";
import { type ModuleOptions, named, stateOf, tensorsOf } from "./support/cells.js";
import { expectCoded } from "./support/expect-coded.js";

const bits = ({ data }: Tensor) => Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex");
const nans = ({ shape, dtype }: Tensor) => full(shape, Number.NaN, dtype as "float32");

type Case = [name: string, options: ModuleOptions, shape: number[], threads: number];

describe.each(named)("results of %s in the caller's tensors", (_, cell) => {
  it.each<Case>([
    ["time-major", {}, [7, 3, 5], 1],
    ["batch-first", { batchFirst: true }, [3, 7, 5], 2],
    ["unbatched", {}, [7, 5], 1],
    ["float64", { dtype: "float64", ...(cell.kind === "lstm" && { projSize: 4 }) }, [7, 3, 5], 1],
    ["three layers both ways", { numLayers: 3, bidirectional: true }, [20, 30, 5], 2],
  ])("have the bits of new ones: %s", (__, options, shape, threads) => {
    setNumThreads(threads);
    const module = cell.make(5, 24, options);
    const x = randn(shape, options.dtype);
    const [output, state] = module.forward(x);
    const fresh = [output, ...tensorsOf(state)];
    const own = fresh.map(nans);
    const [given, end] = module.forward(x, null, { out: [own[0]!, stateOf(own.slice(1))] });
    const results = [given, ...tensorsOf(end)];
    expect(results.map(bits)).toEqual(fresh.map(bits));
    for (const [k, result] of results.entries()) expect(result).toBe(own[k]);
  });

  it.each([1, 2])("may be the state that a chain of calls goes on from, on %i threads", (threads) => {
    setNumThreads(threads);
    for (const [batch, hidden] of [
      [1, 700],
      [40, 32],
    ] as const) {
      const module = cell.make(5, hidden, { numLayers: 2, bidirectional: true });
      const x = randn([4, batch, 5]);
      let state = cell.keys.slice(1).map(() => randn([4, batch, hidden]));
      const inPlace = state.map(({ data, shape }) => new Tensor(data.slice(), shape));
      const kept = zeros([4, batch, 2 * hidden]);
      for (let call = 0; call < 3; call++) {
        const [output, next] = module.forward(x, stateOf(state));
        module.forward(x, stateOf(inPlace), { out: [kept, stateOf(inPlace)] });
        state = tensorsOf(next);
        expect([kept, ...inPlace].map(bits)).toEqual([output, ...state].map(bits));
      }
    }
  });
});

describe("results in the caller's tensors", () => {
  it("are the rows of a packed sequence, given as one or as a tensor", () => {
    const lstm = new LSTM(5, 24);
    const [long, short] = [
      packPaddedSequence(randn([9, 3, 5]), [9, 4, 2]),
      packPaddedSequence(randn([5, 3, 5]), [5, 5, 5]),
    ];
    const first = lstm.forward(long);
    const second = lstm.forward(short);
    const expected = [second[0].data, ...second[1]].map(bits);
    for (const output of [first[0], first[0].data]) {
      const [packed, state] = lstm.forward(short, null, { out: [output, first[1]] });
      expect([packed.data, ...state].map(bits)).toEqual(expected);
      expect(packed).toBeInstanceOf(PackedSequence);
      expect(packed.batchSizes).toEqual(short.batchSizes);
      expect(packed.data).toBe(first[0].data);
    }
  });

  it("may be part of a larger buffer, or another library's tensors, and nothing around them is touched", () => {
    const lstm = new LSTM(5, 4);
    const x = randn([6, 2, 5]);
    const [output, [hn, cn]] = lstm.forward(x);
    const memory = new Float32Array(100).fill(7);
    const place = (from: number, { size, shape }: Tensor) => ({
      data: memory.subarray(from, from + size),
      dims: shape,
    });
    const result = lstm.forward(x, null, { out: [place(10, output), [place(60, hn), place(70, cn)]] });
    expect([result[0], ...result[1]].map(bits)).toEqual([output, hn, cn].map(bits));
    expect(memory.subarray(10, 58)).toEqual(output.data);
    const around = [
      ...memory.subarray(0, 10),
      ...memory.subarray(58, 60),
      ...memory.subarray(68, 70),
      ...memory.subarray(78),
    ];
    expect(around).toEqual(around.map(() => 7));
  });
});

describe("no place to write to", () => {
  const lstm = new LSTM(5, 4);
  const x = randn([6, 2, 5]);
  const fresh = (): [Tensor, [Tensor, Tensor]] => lstm.forward(x);
  const call = (out: unknown, hx?: [TensorLike, TensorLike]) => () => lstm.forward(x, hx, { out: out as LSTMOut });
  const [output, [hn, cn]] = fresh();

  it.each<[string, unknown, string]>([
    ["a tensor alone", output, "out: expected [output, [hn, cn]]"],
    ["null", null, "out: expected [output, [hn, cn]]"],
    ["no state", [output], "out: expected [output, [hn, cn]]"],
    ["three tensors", [output, hn, cn], "out: expected [output, [hn, cn]]"],
    ["half a state", [output, [hn]], "out[1]: expected a pair [hn, cn]"],
    ["no tensor", [output, [hn, 5]], "out[1][1]: expected a tensor"],
  ])("%s", (_, out, message) => {
    expectCoded(call(out), TypeError, "ERR_ARG_TYPE", message);
  });

  it("another shape, or another dtype", () => {
    expectCoded(call([zeros([6, 2, 5]), [hn, cn]]), RangeError, "ERR_SHAPE", "out[0]: expected shape (6, 2, 4)");
    expectCoded(call([output, [zeros([2, 4]), cn]]), RangeError, "ERR_SHAPE", "out[1][0]: expected shape (1, 2, 4)");
    expectCoded(call([output, [hn, zeros([1, 3, 4])]]), RangeError, "ERR_SHAPE", "out[1][1]: expected shape (1, 2, 4)");
    expectCoded(call([zeros([6, 2, 4], "float64"), [hn, cn]]), TypeError, "ERR_DTYPE", "out[0]: expected a float32");
  });

  it("a tensor with strides, which would be copied", () => {
    const strided = { data: new Float32Array(96), shape: [6, 2, 4], stride: [16, 8, 2], offset: 0 };
    expectCoded(call([strided, [hn, cn]]), RangeError, "ERR_ARG_VALUE", "out[0]: expected a dense tensor");
  });

  it("a detached buffer", () => {
    const [gone, state] = fresh();
    structuredClone(gone.data, { transfer: [gone.data.buffer as ArrayBuffer] });
    expectCoded(call([gone, state]), RangeError, "ERR_SHAPE", "out[0]");
  });

  it("memory that something else of the call lies in", () => {
    const memory = new Float32Array(200);
    const at = (from: number, shape: number[]) =>
      new Tensor(memory.subarray(from, from + shape.reduce((a, b) => a * b)), shape);
    const state = [1, 2, 4];
    const shared = (pair: string) => [RangeError, "ERR_ARG_VALUE", `${pair}, which share`] as const;
    expectCoded(call([output, [hn, hn]]), ...shared("hn and cn"));
    expectCoded(call([at(0, [6, 2, 4]), [at(47, state), cn]]), ...shared("output and hn"));
    expectCoded(call([output, [hn, cn]], [cn, hn]), ...shared("hn and c0"));
    expectCoded(call([output, [at(0, state), cn]], [at(1, state), cn]), ...shared("hn and h0"));
    const input = new Tensor(memory.subarray(0, 60), [6, 2, 5]);
    const into: LSTMOut = [at(59, [6, 2, 4]), [hn, cn]];
    expectCoded(() => lstm.forward(input, null, { out: into }), ...shared("output and input"));
    const behind: LSTMOut = [at(60, [6, 2, 4]), [at(108, state), at(116, state)]];
    expect(bits(lstm.forward(input, null, { out: behind })[0])).toBe(bits(lstm.forward(input)[0]));
  });

  it("one of another cell's form, and memory that a GRU's call reads", () => {
    const gru = new GRU(5, 4);
    const [made, end] = gru.forward(x);
    const refused = (out: unknown, piece: string, hx?: Tensor) => {
      const kind = piece.includes("share") ? RangeError : TypeError;
      expectCoded(
        () => gru.forward(x, hx, { out: out as never }),
        kind,
        kind === TypeError ? "ERR_ARG_TYPE" : "ERR_ARG_VALUE",
        piece,
      );
    };
    refused([made, [end, end]], "out[1]: expected one tensor hn alone, since a GRU has no c");
    refused([made], "out: expected [output, hn]");
    refused([made, 5], "out[1]: expected a tensor");
    const memory = new Float32Array(200);
    const at = (from: number, shape: number[]) => new Tensor(memory.subarray(from, from + 8 * (shape[0] ?? 1)), shape);
    refused([made, at(1, [1, 2, 4])], "hn and h0, which share", at(0, [1, 2, 4]));
    refused([at(0, [6, 2, 4]), at(47, [1, 2, 4])], "output and hn, which share");
  });

  it("is judged before anything is written", () => {
    const kept = nans(output);
    expectCoded(call([kept, [hn, zeros([1, 3, 4])]]), RangeError, "ERR_SHAPE");
    expect(bits(kept)).toBe(bits(nans(output)));
  });

  it("an option that does not exist, and forwardAsync, which writes from other threads", async () => {
    const options = { outs: [output, [hn, cn]] } as object;
    expectCoded(() => lstm.forward(x, null, options), TypeError, "ERR_OPTION", 'did you mean "out"?');
    const out = { out: [output, [hn, cn]] } as object;
    await expect(lstm.forwardAsync(x, null, out)).rejects.toMatchObject({ code: "ERR_OPTION" });
  });
});
