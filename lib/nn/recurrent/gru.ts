// The GRU: torch.nn.GRU's module, for inference. What it shares with the others is in recurrent.

import type { Tensor, TensorLike } from "../../tensor/tensor.js";
import { readShared, type SharedModule } from "../module.js";
import type { StateDict } from "../state-dict.js";
import { named } from "../uncloneable.js";
import type { FromStateDictOptions, GRUOptions } from "./options.js";
import { openStream, Recurrent, readStateDict } from "./recurrent.js";
import { GRUStream, type StreamOptions } from "./stream.js";

/**
 * A stacked GRU, for inference: the arguments, shapes, parameter names and numbers of `torch.nn.GRU`, whose reset gate acts
 * after the matrix product.
 *
 * T steps, B sequences, I = inputSize, H = hiddenSize, L = numLayers, D = 2 when bidirectional, else 1; R of the methods is H.
 *
 * A given sequence has the same output to the bit, whatever else is in its batch, in any layout, on any number of threads.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html
 * @example
 * ```ts
 * const gru = new GRU(3, 64, { numLayers: 2 });
 * const [output, hn] = gru.forward(rand([10, 5, 3])); // 10 steps of 5 sequences
 * console.log(output.shape, hn.shape); // → [ 10, 5, 64 ] [ 2, 5, 64 ]
 * ```
 */
export class GRU extends Recurrent<TensorLike, Tensor> {
  static {
    named(GRU);
  }

  /**
   * Every parameter is drawn from U(-1/√H, 1/√H), in torch's order from the generator that `manualSeed` seeds.
   *
   * @param inputSize I, from 1
   * @param hiddenSize H, from 1
   * @param options torch's keyword arguments in camelCase
   * @throws TypeError ERR_ARG_TYPE, ERR_DTYPE or ERR_OPTION for the kind of an argument or an option that does not exist;
   *   RangeError ERR_ARG_VALUE for a size that is no integer or out of range, or more parameters than memory holds
   */
  constructor(inputSize: number, hiddenSize: number, options: GRUOptions = {}) {
    super("GRU", inputSize, hiddenSize, options);
  }

  /**
   * As {@link LSTM.stream}; a stream's `state` is h alone.
   * @throws as `LSTM.stream`
   * @example
   * ```ts
   * const stream = new GRU(3, 8).stream();
   * console.log(stream.step(rand([3])).shape, stream.state.shape); // → [ 8 ] [ 1, 1, 8 ]
   * ```
   */
  stream(options: StreamOptions = {}): GRUStream {
    return new GRUStream(openStream(this, options));
  }

  /**
   * The GRU that a state dict belongs to: every size, the layers, the directions, the biases and the dtype are read off its
   * names and shapes. Draws no random numbers.
   *
   * @param dict tensors by torch's names; a GRUCell's are taken too
   * @param options `prefix` as in `loadStateDict`; `batchFirst` and `weightDtype` as in the constructor
   * @throws as `loadStateDict`; a RangeError ERR_STATE_DICT names the nearest key when `weight_ih_l0` is not there, and the
   *   class that other weights belong to
   * @example
   * ```ts
   * console.log(GRU.fromStateDict(new GRU(3, 4, { numLayers: 2 }).stateDict())); // → GRU(3, 4, numLayers=2)
   * ```
   */
  static fromStateDict(dict: StateDict, options: FromStateDictOptions = {}): GRU {
    return new GRU(...readStateDict("GRU", dict, options));
  }

  /**
   * As {@link LSTM.fromShared}.
   * @example
   * ```ts
   * console.log(GRU.fromShared(new GRU(3, 4).share())); // → GRU(3, 4)
   * ```
   */
  static fromShared(handle: SharedModule): GRU {
    return new GRU(...readShared("GRU", handle));
  }
}
