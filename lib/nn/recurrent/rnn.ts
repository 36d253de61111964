// The RNN: torch.nn.RNN's module, for inference. What it shares with the others is in recurrent.

import type { Tensor, TensorLike } from "../../tensor/tensor.js";
import { readShared, type SharedModule } from "../module.js";
import type { StateDict } from "../state-dict.js";
import { named } from "../uncloneable.js";
import type { Nonlinearity } from "./kinds.js";
import type { RNNFromStateDictOptions, RNNOptions } from "./options.js";
import { configOf, openStream, Recurrent, readStateDict } from "./recurrent.js";
import { RNNStream, type StreamOptions } from "./stream.js";

/**
 * A stacked Elman RNN with tanh or relu, for inference: the arguments, shapes, parameter names and numbers of `torch.nn.RNN`.
 *
 * T steps, B sequences, I = inputSize, H = hiddenSize, L = numLayers, D = 2 when bidirectional, else 1; R of the methods is H.
 *
 * A given sequence has the same output to the bit, whatever else is in its batch, in any layout, on any number of threads.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.RNN.html
 * @example
 * ```ts
 * const rnn = new RNN(3, 64, { bidirectional: true });
 * const [output, hn] = rnn.forward(rand([10, 5, 3])); // 10 steps of 5 sequences
 * console.log(output.shape, hn.shape); // → [ 10, 5, 128 ] [ 2, 5, 64 ]
 * ```
 */
export class RNN extends Recurrent<TensorLike, Tensor> {
  static {
    named(RNN);
  }

  readonly nonlinearity: Nonlinearity;

  /**
   * Every parameter is drawn from U(-1/√H, 1/√H), in torch's order from the generator that `manualSeed` seeds.
   *
   * @param inputSize I, from 1
   * @param hiddenSize H, from 1
   * @param options torch's keyword arguments in camelCase
   * @throws TypeError ERR_ARG_TYPE, ERR_DTYPE or ERR_OPTION for the kind of an argument or an option that does not exist;
   *   RangeError ERR_ARG_VALUE for a size that is no integer or out of range, another nonlinearity, or more parameters than memory holds
   */
  constructor(inputSize: number, hiddenSize: number, options: RNNOptions = {}) {
    super("RNN", inputSize, hiddenSize, options);
    this.nonlinearity = configOf(this).kind.nonlinearity ?? "tanh";
  }

  /**
   * As {@link LSTM.stream}; a stream's `state` is h alone.
   * @throws as `LSTM.stream`
   * @example
   * ```ts
   * const stream = new RNN(3, 8).stream();
   * console.log(stream.step(rand([3])).shape, stream.state.shape); // → [ 8 ] [ 1, 1, 8 ]
   * ```
   */
  stream(options: StreamOptions = {}): RNNStream {
    return new RNNStream(openStream(this, options));
  }

  /**
   * The RNN that a state dict belongs to: every size, the layers, the directions, the biases and the dtype are read off its
   * names and shapes. Draws no random numbers.
   *
   * @param dict tensors by torch's names; an RNNCell's are taken too
   * @param options `prefix` as in `loadStateDict`; `nonlinearity`, `batchFirst` and `weightDtype` as in the constructor
   * @throws as `loadStateDict`; a RangeError ERR_STATE_DICT names the nearest key when `weight_ih_l0` is not there, and the
   *   class that other weights belong to
   * @example
   * ```ts
   * console.log(RNN.fromStateDict(new RNN(3, 4).stateDict(), { nonlinearity: "relu" })); // → RNN(3, 4, nonlinearity=relu)
   * ```
   */
  static fromStateDict(dict: StateDict, options: RNNFromStateDictOptions = {}): RNN {
    return new RNN(...readStateDict("RNN", dict, options));
  }

  /**
   * As {@link LSTM.fromShared}.
   * @example
   * ```ts
   * console.log(RNN.fromShared(new RNN(3, 4).share())); // → RNN(3, 4)
   * ```
   */
  static fromShared(handle: SharedModule): RNN {
    return new RNN(...readShared("RNN", handle));
  }
}
