// Where the results of a pass go: fresh arrays, or tensors that the caller hands in to be written again. Those are judged
// here: of the right shapes, and written in place. That they lie apart from each other and from what the pass reads, the
// addon judges, by address: two SharedArrayBuffers may be one memory.

import { describe, isArray, rangeError, reading, typeError } from "../../check.js";
import { isPacked, type PackedSequence } from "../../sequences/packed.js";
import { allocate, allocateUnset, type FloatDType, product } from "../../tensor/strided.js";
import { Tensor, type TensorLike, toTensor } from "../../tensor/tensor.js";
import { checkSameShape, floats } from "./state.js";

/** Tensors to write results to: what `forward` returns, from an earlier call of the same sizes or made by the caller. */
export type LSTMOut = readonly [output: TensorLike | PackedSequence, state: readonly [hn: TensorLike, cn: TensorLike]];

/** The tensors a pass writes; for packed input `output` holds the rows. */
export interface Results {
  readonly output: Tensor;
  readonly hn: Tensor;
  readonly cn: Tensor;
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
 * @throws TypeError ERR_ARG_TYPE, ERR_DTYPE; RangeError ERR_SHAPE, or ERR_ARG_VALUE for strides
 */
export function givenResults(out: LSTMOut, dtype: FloatDType, shapes: Shapes): Results {
  const [given, state] = checkPair("out", out, "[output, [hn, cn]], as forward returns");
  const [hn, cn] = checkPair("out[1]", state, "a pair [hn, cn]");
  return {
    output: written("out[0]", isPacked(given) ? given.data : given, dtype, shapes.output),
    hn: written("out[1][0]", hn, dtype, shapes.hn),
    cn: written("out[1][1]", cn, dtype, shapes.cn),
  };
}

function checkPair<A, B>(name: string, pair: readonly [A, B], expected: string): readonly [A, B] {
  const read = reading(name, () => (isArray(pair) && pair.length === 2 ? ([pair[0], pair[1]] as const) : undefined));
  if (read !== undefined) return read as readonly [A, B];
  throw typeError("ERR_ARG_TYPE", name, expected, describe(pair));
}

function written(name: string, value: TensorLike, dtype: FloatDType, shape: readonly number[]): Tensor {
  const tensor = toTensor(name, value);
  floats(name, tensor, dtype);
  checkSameShape(name, tensor, shape, "this call");
  if (tensor.data.buffer === (value.data as ArrayBufferView).buffer) return tensor;
  throw rangeError("ERR_ARG_VALUE", name, "a dense tensor, which can be written in place", "one with strides");
}
