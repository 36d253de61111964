// Where the results of a pass go: fresh arrays, or tensors that the caller hands in to be written again. Those are judged
// here: of the right shapes, written in place, and apart from everything else that the pass reads or writes.

import type { FloatArray } from "../binding.js";
import { describe, rangeError, typeError } from "./check.js";
import { checkSameShape, floats } from "./lstm-state.js";
import { isPacked, type PackedSequence } from "./packed.js";
import { allocate, allocateUnset, type FloatDType, product } from "./strided.js";
import { Tensor, type TensorLike, toTensor } from "./tensor.js";

/** Tensors to write results to: what `forward` returns, from an earlier call of the same sizes or made by the caller. */
export type LSTMOut = readonly [output: TensorLike | PackedSequence, state: readonly [hn: TensorLike, cn: TensorLike]];

/** The tensors a pass writes; for packed input `output` holds the rows. */
export interface Results {
  readonly output: Tensor;
  readonly hn: Tensor;
  readonly cn: Tensor;
}

/** What else a pass reads. */
export interface Sources {
  readonly input: FloatArray;
  readonly h0: FloatArray | null;
  readonly c0: FloatArray | null;
}

type Shapes = { readonly [K in keyof Results]: readonly number[] };

export function freshResults(dtype: FloatDType, shapes: Shapes): Results {
  const { output, hn, cn } = shapes;
  return {
    output: new Tensor(allocateUnset("output", dtype, product(output)), output),
    hn: new Tensor(allocate("hn", dtype, product(hn)), hn),
    cn: new Tensor(allocate("cn", dtype, product(cn)), cn),
  };
}

/**
 * The caller's tensors as results. hn may be h0 itself and cn c0: a sequence's state is read before it is written.
 * @throws TypeError ERR_ARG_TYPE, ERR_DTYPE; RangeError ERR_SHAPE, or ERR_ARG_VALUE for memory that is not theirs alone
 */
export function givenResults(out: LSTMOut, dtype: FloatDType, shapes: Shapes, sources: Sources): Results {
  const [given, state] = checkPair("out", out, "[output, [hn, cn]], as forward returns");
  const [hn, cn] = checkPair("out[1]", state, "a pair [hn, cn]");
  const results = {
    output: written("out[0]", isPacked(given) ? given.data : given, dtype, shapes.output),
    hn: written("out[1][0]", hn, dtype, shapes.hn),
    cn: written("out[1][1]", cn, dtype, shapes.cn),
  };
  checkApart(results, sources);
  return results;
}

function checkPair<A, B>(name: string, pair: readonly [A, B], expected: string): readonly [A, B] {
  if (Array.isArray(pair) && pair.length === 2) return pair;
  throw typeError("ERR_ARG_TYPE", name, expected, describe(pair));
}

function written(name: string, value: TensorLike, dtype: FloatDType, shape: readonly number[]): Tensor {
  const tensor = toTensor(name, value);
  floats(name, tensor, dtype);
  checkSameShape(name, tensor, shape, "this call");
  if (tensor.data.buffer === (value.data as ArrayBufferView).buffer) return tensor;
  throw rangeError("ERR_ARG_VALUE", name, "a dense tensor, which can be written in place", "one with strides");
}

function checkApart({ output, hn, cn }: Results, { input, h0, c0 }: Sources): void {
  const results = [
    ["output", output.data],
    ["hn", hn.data],
    ["cn", cn.data],
  ] as const;
  const others = [...results, ["input", input], ["h0", h0], ["c0", c0]] as const;
  for (const [i, [name, data]] of results.entries()) {
    for (const [other, read] of others.slice(i + 1)) {
      if (read === null || !overlap(data, read)) continue;
      const itsOwn = (name === "hn" && other === "h0") || (name === "cn" && other === "c0");
      if (itsOwn && data.byteOffset === read.byteOffset && data.length === read.length) continue;
      const expected = "memory that nothing else of this call lies in (but hn may be h0, and cn may be c0)";
      throw rangeError("ERR_ARG_VALUE", "out", expected, `${name} and ${other}, which share some`);
    }
  }
}

function overlap(a: ArrayBufferView, b: ArrayBufferView): boolean {
  if (a.buffer !== b.buffer) return false;
  return a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength;
}
