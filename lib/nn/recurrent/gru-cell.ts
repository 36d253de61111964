// The GRUCell: torch.nn.GRUCell, for inference. What it shares with the other cells is in cell.

import type { Tensor, TensorLike } from "../../tensor/tensor.js";
import type { StateDict } from "../state-dict.js";
import { named } from "../uncloneable.js";
import { Cell, readCellDict } from "./cell.js";

import type { CellFromStateDictOptions, GRUCellOptions } from "./options.js";

/**
 * One GRU cell, stepped by the caller, for inference: the arguments, shapes, parameter names and
 * numbers of `torch.nn.GRUCell`. I = inputSize, H = hiddenSize.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.GRUCell.html
 * @example
 * ```ts
 * const cell = new GRUCell(3, 4);
 * const h = cell.forward(rand([2, 3])); // one step of 2 sequences, from zeros
 * console.log(cell.forward(rand([2, 3]), h).shape); // → [ 2, 4 ]
 * ```
 */
export class GRUCell extends Cell<TensorLike, Tensor> {
  static {
    named(GRUCell);
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
  constructor(inputSize: number, hiddenSize: number, options: GRUCellOptions = {}) {
    super("GRU", inputSize, hiddenSize, options);
  }

  /**
   * The GRUCell that a state dict belongs to: sizes, biases and dtype are read off its names and shapes. Draws no random
   * numbers.
   *
   * @param dict tensors by torch's names; those of a GRU of one layer are taken too
   * @param options `prefix` as in `loadStateDict`; `weightDtype` as in the constructor
   * @throws as `loadStateDict`; a RangeError ERR_STATE_DICT names the nearest key when `weight_ih` is not there, and the
   *   class that other weights belong to
   * @example
   * ```ts
   * console.log(GRUCell.fromStateDict(new GRU(3, 4).stateDict())); // → GRUCell(3, 4)
   * ```
   */
  static fromStateDict(dict: StateDict, options: CellFromStateDictOptions = {}): GRUCell {
    return new GRUCell(...readCellDict("GRU", dict, options));
  }
}
