// The RNNCell: torch.nn.RNNCell, for inference. What it shares with the other cells is in cell.

import type { Tensor, TensorLike } from "../../tensor/tensor.js";
import type { StateDict } from "../state-dict.js";
import { named } from "../uncloneable.js";
import { Cell, cellConfigOf, readCellDict } from "./cell.js";
import type { Nonlinearity } from "./kinds.js";
import type { RNNCellFromStateDictOptions, RNNCellOptions } from "./options.js";

/**
 * One Elman RNN cell with tanh or relu, stepped by the caller, for inference: the arguments, shapes, parameter names and
 * numbers of `torch.nn.RNNCell`. I = inputSize, H = hiddenSize.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.RNNCell.html
 * @example
 * ```ts
 * const cell = new RNNCell(3, 4, { nonlinearity: "relu" });
 * const h = cell.forward(rand([2, 3])); // one step of 2 sequences, from zeros
 * console.log(cell.forward(rand([2, 3]), h).shape); // → [ 2, 4 ]
 * ```
 */
export class RNNCell extends Cell<TensorLike, Tensor> {
  static {
    named(RNNCell);
  }

  readonly nonlinearity: Nonlinearity;

  /**
   * Every parameter is drawn from U(-1/√H, 1/√H), in torch's order from the generator that `manualSeed` seeds.
   *
   * @param inputSize I, from 1
   * @param hiddenSize H, from 1
   * @param options torch's keyword arguments in camelCase
   * @throws TypeError ERR_ARG_TYPE, ERR_DTYPE or ERR_OPTION for the kind of an argument or an option that does not exist;
   *   RangeError ERR_ARG_VALUE for a size that is no integer or out of range, another nonlinearity, or more
   *   parameters than memory holds
   */
  constructor(inputSize: number, hiddenSize: number, options: RNNCellOptions = {}) {
    super("RNN", inputSize, hiddenSize, options);
    this.nonlinearity = cellConfigOf(this).kind.nonlinearity ?? "tanh";
  }

  /**
   * The RNNCell that a state dict belongs to: sizes, biases and dtype are read off its names and shapes. Draws no random
   * numbers.
   *
   * @param dict tensors by torch's names; those of an RNN of one layer are taken too
   * @param options `prefix` as in `loadStateDict`; `weightDtype` and `nonlinearity` as in the constructor
   * @throws as `loadStateDict`; a RangeError ERR_STATE_DICT names the nearest key when `weight_ih` is not there, and the
   *   class that other weights belong to
   * @example
   * ```ts
   * console.log(RNNCell.fromStateDict(new RNN(3, 4).stateDict())); // → RNNCell(3, 4)
   * ```
   */
  static fromStateDict(dict: StateDict, options: RNNCellFromStateDictOptions = {}): RNNCell {
    return new RNNCell(...readCellDict("RNN", dict, options));
  }
}
