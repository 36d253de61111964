// The base of LSTMCell, GRUCell and RNNCell: one layer that the caller steps. A step is a pass of one step; what a stack of
// layers needs (layouts, packing, streams) it has not.

import type { FloatArray, NativeRecurrent } from "../../../binding.js";
import { checkOptions, formatShape, rangeError } from "../../check.js";
import { native } from "../../native.js";
import { allocate, allocateUnset, type FloatDType } from "../../tensor/strided.js";
import { Tensor, type TensorLike, toTensor } from "../../tensor/tensor.js";
import { holderOf, type Ready, ready, WeightedModule } from "../module.js";
import { matchStateDict, type StateDict } from "../state-dict.js";
import type { WeightDType } from "../weight-dtype.js";
import { type FullConfig, printRecurrent } from "./config.js";
import { cellOf, type ModuleName } from "./kinds.js";
import {
  checkCellArguments,
  checkNonlinearity,
  checkRecurrentWeightDType,
  type MadeOf,
  type RNNCellFromStateDictOptions,
} from "./options.js";
import { drawParameters, readConfig, recurrentSpec } from "./parameters.js";
import { runPass } from "./pass.js";
import { checkState, type FinalState, floats, type GivenState } from "./state.js";

/** A cell's config. Not a property: it is no part of what torch's cells show. */
export let cellConfigOf: <Hx extends GivenState, State extends FinalState>(cell: Cell<Hx, State>) => FullConfig;

/** One recurrent cell. Hx is a state as it is given, State as it comes out: of an LSTMCell a pair, of the others h alone. */
export abstract class Cell<Hx extends GivenState, State extends FinalState> extends WeightedModule<NativeRecurrent> {
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly bias: boolean;
  readonly dtype: FloatDType;
  /** What the weights are stored in: `dtype`, "float16" or "int8". */
  readonly weightDtype: WeightDType;

  readonly #config: FullConfig;
  /** Where the addon writes the output, which is h once more. */
  #output: FloatArray;

  static {
    cellConfigOf = (cell) => cell.#config;
  }

  /** @internal */
  constructor(module: ModuleName, inputSize: number, hiddenSize: number, options: object) {
    const config = checkCellArguments(module, inputSize, hiddenSize, options);
    const spec = recurrentSpec(config);
    const weights = (options as Ready)[ready] ?? drawParameters(spec, config.hiddenSize);
    super({ name: config.name, spec, holder: new native.Recurrent(config), weights });
    this.inputSize = config.inputSize;
    this.hiddenSize = config.hiddenSize;
    this.bias = config.bias;
    this.dtype = config.dtype;
    this.weightDtype = config.weightDtype;
    this.#config = config;
    this.#output = allocate("hiddenSize", config.dtype, config.hiddenSize);
  }

  /**
   * Takes B sequences one step.
   *
   * @param x (B, I), or (I) for one sequence without a batch
   * @param hx the state before the step: h of shape (B, H), of an LSTMCell the pair [h, c] of that shape each, without B as
   *   x is; zeros when left out
   * @returns the state after the step, in new tensors: h, of an LSTMCell [h, c]
   * @throws TypeError ERR_ARG_TYPE or ERR_DTYPE for the kind of an argument (a dtype is never converted); RangeError
   *   ERR_SHAPE for a wrong rank or size, an empty batch or a detached buffer; Error ERR_DISPOSED after dispose
   * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.GRUCell.html
   * @example
   * ```ts
   * const cell = new GRUCell(3, 4);
   * let h = zeros([2, 4]);
   * for (const x of [rand([2, 3]), rand([2, 3])]) h = cell.forward(x, h);
   * console.log(h.shape); // → [ 2, 4 ]
   * ```
   */
  forward(x: TensorLike, hx?: Hx | null): State {
    const addon = holderOf(this);
    const config = this.#config;
    const frame = toTensor("x", x);
    const input = floats("x", frame, config);
    const { shape } = frame;
    const rank = shape.length;
    if ((rank !== 1 && rank !== 2) || shape[rank - 1] !== config.inputSize || frame.size === 0) {
      const expected = `shape (B, ${config.inputSize}) with B from 1, or (${config.inputSize},), as ${this} takes`;
      throw rangeError("ERR_SHAPE", "x", expected, `shape ${formatShape(shape)}`);
    }
    const batch = rank === 1 ? 1 : (shape[0] as number);
    const stateShape = rank === 1 ? [config.hiddenSize] : [batch, config.hiddenSize];
    const size = batch * config.hiddenSize;
    let h0: FloatArray | null = null;
    let c0: FloatArray | null = null;
    if (hx !== undefined && hx !== null) {
      const kind = `the ${config.name} and ${rank === 1 ? "unbatched x" : "x"} of shape ${formatShape(shape)}`;
      [h0, c0] = checkState(hx, config, stateShape, stateShape, kind);
    }
    if (this.#output.length < size) this.#output = allocateUnset("x", config.dtype, size);
    const hn = allocate("h", config.dtype, size);
    const cn = config.kind.hasC ? allocate("c", config.dtype, size) : null;
    runPass(addon, {
      input,
      output: this.#output.length === size ? this.#output : this.#output.subarray(0, size),
      h0,
      c0,
      hn,
      cn,
      steps: 1,
      batch,
      batchFirst: false,
      batchSizes: null,
      sortedIndices: null,
      lengths: null,
    });
    const h = new Tensor(hn, stateShape);
    return (cn === null ? h : [h, new Tensor(cn, stateShape)]) as State;
  }

  /** `GRUCell(3, 4, bias=false)`: the options that are not the defaults. */
  override toString(): string {
    return printRecurrent(this.#config.name, this.#config);
  }
}

/** The arguments of the constructor of the cell that a state dict belongs to. @throws as LSTMCell.fromStateDict documents */
export function readCellDict(module: ModuleName, dict: StateDict, options: RNNCellFromStateDictOptions): MadeOf {
  const caller = "fromStateDict";
  const keys = ["prefix", ...(module === "RNN" ? ["nonlinearity"] : []), "weightDtype"];
  const { prefix = "", weightDtype, nonlinearity } = checkOptions(caller, options, keys);
  const cell = cellOf(module, checkNonlinearity(nonlinearity));
  const read = readConfig({ caller, dict, prefix, cell, isCell: true });
  const config = { ...read, weightDtype: checkRecurrentWeightDType(weightDtype, read.dtype) };
  const parameters = matchStateDict(caller, dict, prefix, recurrentSpec(config));
  const { bias, dtype, kind } = config;
  const own = kind.nonlinearity && { nonlinearity: kind.nonlinearity };
  return [
    read.inputSize,
    read.hiddenSize,
    { bias, ...own, dtype, weightDtype: config.weightDtype, [ready]: parameters },
  ];
}
