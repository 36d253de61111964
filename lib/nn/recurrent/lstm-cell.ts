// The LSTMCell: torch.nn.LSTMCell, for inference. What it shares with the other cells is in cell.

import type { Tensor } from "../../tensor/tensor.js";
import type { StateDict } from "../state-dict.js";
import { named } from "../uncloneable.js";
import { Cell, readCellDict } from "./cell.js";

import type { CellFromStateDictOptions, LSTMCellOptions } from "./options.js";
import type { LSTMState } from "./state.js";

/**
 * One LSTM cell, stepped by the caller, for inference: the arguments, shapes, parameter names and
 * numbers of `torch.nn.LSTMCell`. I = inputSize, H = hiddenSize.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTMCell.html
 * @example
 * ```ts
 * const cell = new LSTMCell(3, 4);
 * const [h, c] = cell.forward(rand([2, 3])); // one step of 2 sequences, from zeros
 * console.log(cell.forward(rand([2, 3]), [h, c])[0].shape); // → [ 2, 4 ]
 * ```
 */
export class LSTMCell extends Cell<LSTMState, [h: Tensor, c: Tensor]> {
  static {
    named(LSTMCell);
  }

  /**
   * Every parameter is drawn from U(-1/√H, 1/√H), in torch's order from the generator that `manualSeed` seeds.
   *
   * @param inputSize I, from 1
   * @param hiddenSize H, from 1
   * @param options torch's keyword arguments in camelCase
   * @throws TypeError ERR_ARG_TYPE, ERR_DTYPE or ERR_OPTION for the kind of an argument or an option that does not exist;
   *   RangeError ERR_ARG_VALUE for a size that is no integer or out of range, or more
   *   parameters than memory holds
   */
  constructor(inputSize: number, hiddenSize: number, options: LSTMCellOptions = {}) {
    super("LSTM", inputSize, hiddenSize, options);
  }

  /**
   * The LSTMCell that a state dict belongs to: sizes, biases and dtype are read off its names and shapes. Draws no random
   * numbers.
   *
   * @param dict tensors by torch's names; those of an LSTM of one layer are taken too
   * @param options `prefix` as in `loadStateDict`; `weightDtype` as in the constructor
   * @throws as `loadStateDict`; a RangeError ERR_STATE_DICT names the nearest key when `weight_ih` is not there, and the
   *   class that other weights belong to
   * @example
   * ```ts
   * console.log(LSTMCell.fromStateDict(new LSTM(3, 4).stateDict())); // → LSTMCell(3, 4)
   * ```
   */
  static fromStateDict(dict: StateDict, options: CellFromStateDictOptions = {}): LSTMCell {
    return new LSTMCell(...readCellDict("LSTM", dict, options));
  }
}
