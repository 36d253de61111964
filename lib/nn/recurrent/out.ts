// Where the results of a pass go: fresh arrays, or tensors that the caller hands in to be written again. Those are judged
// here: of the right shapes, and written in place. That they lie apart from each other and from what the pass reads, the
// addon judges, by address: two SharedArrayBuffers may be one memory.

import { describe, isArray, rangeError, reading, typeError } from "../../check.js";
import { isPacked, type PackedSequence } from "../../sequences/packed.js";
import { allocate, allocateUnset, product } from "../../tensor/strided.js";
import { Tensor, type TensorLike, toTensor } from "../../tensor/tensor.js";
import type { FullConfig } from "./config.js";
import { withArticle } from "./kinds.js";
import { checkSameShape, floats } from "./state.js";

/** Tensors to write results to: what `forward` returns, from an earlier call of the same sizes or made by the caller. */
export type Out<State> = readonly [output: TensorLike | PackedSequence, state: State];

/** Tensors to write an LSTM's results to, as its `forward` returns them. */
export type LSTMOut = Out<readonly [hn: TensorLike, cn: TensorLike]>;

/** Tensors to write the results of a GRU or RNN to, as its `forward` returns them. */
export type HiddenOut = readonly [output: TensorLike | PackedSequence, hn: TensorLike];

/** The tensors a pass writes; for packed input `output` holds the rows. */
export interface Results {
  readonly output: Tensor;
  readonly hn: Tensor;
  /** Null where there is no c. */
  readonly cn: Tensor | null;
}

/** @param shape of the output, then of hn and cn */
export function freshResults(config: FullConfig, shape: number[], hShape: number[], cShape: number[]): Results {
  const { dtype, kind } = config;
  return {
    output: new Tensor(allocateUnset("output", dtype, product(shape)), shape),
    hn: new Tensor(allocate("hn", dtype, product(hShape)), hShape),
    cn: kind.hasC ? new Tensor(allocate("cn", dtype, product(cShape)), cShape) : null,
  };
}

/**
 * The caller's tensors as results. hn may be h0 itself and cn c0: a sequence's state is read before it is written.
 * @throws TypeError ERR_ARG_TYPE, ERR_DTYPE; RangeError ERR_SHAPE, or ERR_ARG_VALUE for strides
 */
export function givenResults(
  out: Out<unknown>,
  config: FullConfig,
  shape: readonly number[],
  hShape: readonly number[],
  cShape: readonly number[],
): Results {
  const { hasC } = config.kind;
  const state = hasC ? "[hn, cn]" : "hn";
  const [given, final] = checkPair("out", out, `[output, ${state}], as forward returns`);
  const output = written("out[0]", isPacked(given) ? given.data : given, config, shape);
  if (hasC) {
    const [hn, cn] = checkPair("out[1]", final, "a pair [hn, cn]") as readonly [TensorLike, TensorLike];
    return { output, hn: written("out[1][0]", hn, config, hShape), cn: written("out[1][1]", cn, config, cShape) };
  }
  if (isArray(final)) {
    const expected = `one tensor hn alone, since ${withArticle(config.name)} has no c`;
    throw typeError("ERR_ARG_TYPE", "out[1]", expected, describe(final));
  }
  return { output, hn: written("out[1]", final as TensorLike, config, hShape), cn: null };
}

function checkPair(name: string, pair: unknown, expected: string): readonly [TensorLike | PackedSequence, unknown] {
  const read = reading(name, () => (isArray(pair) && pair.length === 2 ? ([pair[0], pair[1]] as const) : undefined));
  if (read !== undefined) return read as readonly [TensorLike, unknown];
  throw typeError("ERR_ARG_TYPE", name, expected, describe(pair));
}

function written(name: string, value: TensorLike, config: FullConfig, shape: readonly number[]): Tensor {
  const tensor = toTensor(name, value);
  floats(name, tensor, config);
  checkSameShape(name, tensor, shape, "this call");
  if (tensor.data.buffer === (value.data as ArrayBufferView).buffer) return tensor;
  throw rangeError("ERR_ARG_VALUE", name, "a dense tensor, which can be written in place", "one with strides");
}
