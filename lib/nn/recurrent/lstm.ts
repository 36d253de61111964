// The LSTM: torch.nn.LSTM's module, for inference. What it shares with GRU and RNN is in recurrent.

import type { Tensor } from "../../tensor/tensor.js";
import { readShared, type SharedModule } from "../module.js";
import type { StateDict } from "../state-dict.js";
import { named } from "../uncloneable.js";
import type { FromStateDictOptions, LSTMOptions } from "./options.js";
import { configOf, openStream, Recurrent, readStateDict } from "./recurrent.js";
import type { LSTMState } from "./state.js";
import { LSTMStream, type StreamOptions } from "./stream.js";

/**
 * A stacked LSTM, for inference: the arguments, shapes, parameter names and numbers of `torch.nn.LSTM`.
 *
 * T steps, B sequences, I = inputSize, H = hiddenSize, R = projSize or H, L = numLayers, D = 2 when bidirectional, else 1.
 *
 * A given sequence has the same output to the bit, whatever else is in its batch, in any layout, on any number of threads.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html
 * @example
 * ```ts
 * const lstm = new LSTM(3, 64, { numLayers: 2 });
 * const [output, [hn, cn]] = lstm.forward(rand([10, 5, 3])); // 10 steps of 5 sequences
 * console.log(output.shape, hn.shape, cn.shape); // → [ 10, 5, 64 ] [ 2, 5, 64 ] [ 2, 5, 64 ]
 * ```
 */
export class LSTM extends Recurrent<LSTMState, [hn: Tensor, cn: Tensor]> {
  static {
    named(LSTM);
  }

  readonly projSize: number;

  /**
   * Every parameter is drawn from U(-1/√H, 1/√H), in torch's order from the generator that `manualSeed` seeds.
   *
   * @param inputSize I, from 1
   * @param hiddenSize H, from 1
   * @param options torch's keyword arguments in camelCase
   * @throws TypeError ERR_ARG_TYPE, ERR_DTYPE or ERR_OPTION for the kind of an argument or an option that does not exist;
   *   RangeError ERR_ARG_VALUE for a size that is no integer or out of range, projSize not below hiddenSize, or more
   *   parameters than memory holds
   */
  constructor(inputSize: number, hiddenSize: number, options: LSTMOptions = {}) {
    super("LSTM", inputSize, hiddenSize, options);
    this.projSize = configOf(this).projSize;
  }

  /**
   * One or many streams of this LSTM, to be stepped as their frames arrive: nothing is allocated per step.
   *
   * @param options `batchSize`: how many streams there is room for, 1 when left out
   * @throws RangeError ERR_ARG_VALUE for a bidirectional LSTM, or a batchSize that is no integer from 1; TypeError
   *   ERR_ARG_TYPE, ERR_OPTION; Error ERR_DISPOSED after dispose
   * @example
   * ```ts
   * const stream = new LSTM(3, 8).stream();
   * const [h, c] = stream.state;
   * console.log(stream.step(rand([3])).shape, h.shape, c.shape); // → [ 8 ] [ 1, 1, 8 ] [ 1, 1, 8 ]
   * ```
   */
  stream(options: StreamOptions = {}): LSTMStream {
    return new LSTMStream(openStream(this, options));
  }

  /**
   * The LSTM that a state dict belongs to: every size, the layers, the directions, the projection, the biases and the
   * dtype are read off its names and shapes. Draws no random numbers.
   *
   * @param dict tensors by torch's names; an LSTMCell's are taken too
   * @param options `prefix` as in `loadStateDict`; `batchFirst` and `weightDtype` as in the constructor
   * @throws as `loadStateDict`; a RangeError ERR_STATE_DICT names the nearest key when `weight_ih_l0` is not there, and the
   *   class that other weights belong to
   * @example
   * ```ts
   * console.log(LSTM.fromStateDict(new LSTM(3, 4, { numLayers: 2 }).stateDict())); // → LSTM(3, 4, numLayers=2)
   * ```
   */
  static fromStateDict(dict: StateDict, options: FromStateDictOptions = {}): LSTM {
    return new LSTM(...readStateDict("LSTM", dict, options));
  }

  /**
   * The LSTM that `share` gave the handle of, here or in another thread, with the same options. Draws no random numbers.
   * @throws TypeError ERR_ARG_TYPE for what is no handle; RangeError ERR_ARG_VALUE for one of another class, of another
   *   version of this package or instruction set, or with more or fewer bytes than its sizes take; and as the constructor
   * @example
   * ```ts
   * console.log(LSTM.fromShared(new LSTM(3, 4).share())); // → LSTM(3, 4)
   * ```
   */
  static fromShared(handle: SharedModule): LSTM {
    return new LSTM(...readShared("LSTM", handle));
  }
}
