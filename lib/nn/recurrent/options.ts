// The options of the recurrent modules and of their methods; the constructors' arguments are judged here too. No arrays, no
// addon.

import { checkBool, checkInt, checkNumber, checkOptions, describe, rangeError, typeError } from "../../check.js";
import { checkFloatDType, type FloatDType } from "../../tensor/strided.js";
import type { LoadStateDictOptions } from "../state-dict.js";
import { checkTerms, checkWeightDType, type WeightDType } from "../weight-dtype.js";
import { completeConfig, type FullConfig } from "./config.js";
import { cellOf, type ModuleName, type Nonlinearity } from "./kinds.js";
import type { HiddenOut, LSTMOut } from "./out.js";

/** What every recurrent module and cell is told of its weights. */
interface WeightOptions {
  /** Whether there are `bias_ih` and `bias_hh`. Default true. */
  bias?: boolean;
  /** "float32" (default) or "float64". */
  dtype?: FloatDType;
  /**
   * "float16" stores a float32 model's weights in half the memory, each rounded once to the nearest; its biases, states and
   * arithmetic stay float32. For small batches of large models, which wait for their weights. "int8" stores them in a quarter, and
   * multiplies 8-bit integers: each row of a weight is rounded with a scale of its own when it is loaded, each step's x and h
   * when they are multiplied; x of 16 features or fewer, biases, states and outputs stay float32. For speed where an error of
   * some 1e-3 will do; h, and x beyond 16, may be 133,144 wide. By default as `dtype`.
   */
  weightDtype?: WeightDType;
}

/** torch.nn.GRU's keyword arguments, in camelCase. */
export interface GRUOptions extends WeightOptions {
  /** Layers stacked on each other; each takes the output of the one below. Default 1. */
  numLayers?: number;
  /** Dense input and output are (B, T, …) instead of (T, B, …); states are not touched by it. Default false. */
  batchFirst?: boolean;
  /** From 0 to 1. Taken so that torch's arguments fit, and without effect: dropout acts in training only. Default 0. */
  dropout?: number;
  /** Whether a second direction reads every sequence from its end. Default false. */
  bidirectional?: boolean;
}

/** torch.nn.LSTM's keyword arguments, in camelCase. */
export interface LSTMOptions extends GRUOptions {
  /** When above 0, h is projected to this size; less than the hidden size. Default 0. */
  projSize?: number;
}

/** torch.nn.RNN's keyword arguments, in camelCase. */
export interface RNNOptions extends GRUOptions {
  /** The activation: "tanh" (default) or "relu". */
  nonlinearity?: Nonlinearity;
}

/** torch.nn.LSTMCell's keyword arguments, in camelCase. */
export interface LSTMCellOptions extends WeightOptions {}

/** torch.nn.GRUCell's keyword arguments, in camelCase. */
export interface GRUCellOptions extends WeightOptions {}

/** torch.nn.RNNCell's keyword arguments, in camelCase. */
export interface RNNCellOptions extends WeightOptions {
  /** The activation: "tanh" (default) or "relu". */
  nonlinearity?: Nonlinearity;
}

/** Options of {@link LSTM.forward}. */
export interface ForwardOptions {
  /**
   * Tensors to write the results to and to return, instead of new ones: `[output, [hn, cn]]` as an earlier call of the same
   * sizes returned them. hn may be h0 itself and cn may be c0; otherwise none may share memory with another or the input.
   */
  out?: LSTMOut | undefined;
}

/** Options of `forward` of a GRU or RNN. */
export interface HiddenForwardOptions {
  /**
   * Tensors to write the results to and to return, instead of new ones: `[output, hn]` as an earlier call of the same sizes
   * returned them. hn may be h0 itself; otherwise none may share memory with another or the input.
   */
  out?: HiddenOut | undefined;
}

/** Options of `fromStateDict` of a cell. */
export interface CellFromStateDictOptions extends LoadStateDictOptions {
  /** As for the constructor. */
  weightDtype?: WeightDType | undefined;
}

/** Options of {@link LSTM.fromStateDict}, and of a GRU's. */
export interface FromStateDictOptions extends CellFromStateDictOptions {
  /** As for the constructor; it cannot be read off the weights. Default false. */
  batchFirst?: boolean;
}

/** Options of {@link RNN.fromStateDict}. */
export interface RNNFromStateDictOptions extends FromStateDictOptions {
  /** As for the constructor; it cannot be read off the weights. Default "tanh". */
  nonlinearity?: Nonlinearity | undefined;
}

/** Options of {@link RNNCell.fromStateDict}. */
export interface RNNCellFromStateDictOptions extends CellFromStateDictOptions {
  /** As for the constructor; it cannot be read off the weights. Default "tanh". */
  nonlinearity?: Nonlinearity | undefined;
}

/** The options that do not shape the parameters. */
export interface PassOptions {
  readonly batchFirst: boolean;
  readonly dropout: number;
}

/** A constructor's arguments, as `fromStateDict` makes them. */
export type MadeOf = [inputSize: number, hiddenSize: number, options: object];

type AllOptions = LSTMOptions & RNNOptions;
const only = (module: ModuleName, wanted: ModuleName, key: string): string[] => (module === wanted ? [key] : []);

// Bounds that no model comes near: products of sizes stay within 64 bits, and the number of arrays is reasonable.
const maxSize = 2 ** 24;
const maxLayers = 4096;

/** Judges the arguments of a module's constructor. @throws as the LSTM constructor documents */
export function checkArguments(
  module: ModuleName,
  inputSize: unknown,
  hiddenSize: unknown,
  options: unknown,
): [FullConfig, PassOptions] {
  if (typeof options === "number") {
    const expected = `an options object, as in { numLayers: ${options} }`;
    throw typeError("ERR_ARG_TYPE", `${module} options`, expected, describe(options));
  }
  const given = checkOptions(module, options as { [K in keyof AllOptions]?: unknown }, [
    "numLayers",
    ...only(module, "RNN", "nonlinearity"),
    ...["bias", "batchFirst", "dropout", "bidirectional"],
    ...only(module, "LSTM", "projSize"),
    ...["dtype", "weightDtype"],
  ]);
  const { numLayers = 1, batchFirst = false, dropout = 0, bidirectional = false, projSize = 0 } = given;
  const weights = checkWeights(given);
  const hidden = checkInt("hiddenSize", hiddenSize, { min: 1, max: maxSize });
  const config = {
    cell: cellOf(module, checkNonlinearity(given.nonlinearity)),
    inputSize: checkInt("inputSize", inputSize, { min: 1, max: maxSize }),
    hiddenSize: hidden,
    projSize: checkInt("projSize", projSize, { min: 0 }),
    numLayers: checkInt("numLayers", numLayers, { min: 1, max: maxLayers }),
    bidirectional: checkBool("bidirectional", bidirectional),
    ...weights,
  };
  if (config.projSize >= hidden) {
    throw rangeError("ERR_ARG_VALUE", "projSize", `less than hiddenSize, ${hidden}`, String(config.projSize));
  }
  const pass = {
    batchFirst: checkBool("batchFirst", batchFirst),
    dropout: checkNumber("dropout", dropout, { min: 0, max: 1 }),
  };
  return [checkRows(completeConfig(config)), pass];
}

/** Judges the arguments of a cell's constructor. @throws as the LSTMCell constructor documents */
export function checkCellArguments(
  module: ModuleName,
  inputSize: unknown,
  hiddenSize: unknown,
  options: unknown,
): FullConfig {
  const given = checkOptions(`${module}Cell`, options as { [K in keyof RNNCellOptions]?: unknown }, [
    "bias",
    ...only(module, "RNN", "nonlinearity"),
    ...["dtype", "weightDtype"],
  ]);
  const config = {
    cell: cellOf(module, checkNonlinearity(given.nonlinearity)),
    hiddenSize: checkInt("hiddenSize", hiddenSize, { min: 1, max: maxSize }),
    inputSize: checkInt("inputSize", inputSize, { min: 1, max: maxSize }),
    ...{ projSize: 0, numLayers: 1, bidirectional: false },
    ...checkWeights(given),
  };
  return checkRows(completeConfig(config, true));
}

function checkWeights(given: { [K in keyof WeightOptions]?: unknown }): Required<WeightOptions> {
  const { bias = true, dtype: wanted = "float32", weightDtype } = given;
  const dtype = checkFloatDType("dtype", wanted);
  return { bias: checkBool("bias", bias), dtype, weightDtype: checkRecurrentWeightDType(weightDtype, dtype) };
}

/** What the weights of a recurrent module or cell are stored in. @throws as checkWeightDType */
export function checkRecurrentWeightDType(weightDtype: unknown, dtype: FloatDType): WeightDType {
  return checkWeightDType(weightDtype, dtype, ["float16", "int8"]);
}

/** @throws RangeError ERR_ARG_VALUE for a size that weights in int8 may not have */
function checkRows(config: FullConfig): FullConfig {
  const { weightDtype, inputSize, hiddenSize, numLayers, width } = config;
  checkTerms(weightDtype, "inputSize", inputSize);
  checkTerms(weightDtype, "hiddenSize", hiddenSize);
  if (numLayers > 1) checkTerms(weightDtype, "the next layer's input", width);
  return config;
}

/**
 * An RNN's activation, tanh when left out.
 * @throws TypeError ERR_ARG_TYPE when it is no string, RangeError ERR_ARG_VALUE for another one
 */
export function checkNonlinearity(nonlinearity: unknown): Nonlinearity {
  if (nonlinearity === undefined) return "tanh";
  if (nonlinearity === "tanh" || nonlinearity === "relu") return nonlinearity;
  const expected = '"tanh" or "relu"';
  if (typeof nonlinearity === "string") {
    throw rangeError("ERR_ARG_VALUE", "nonlinearity", expected, describe(nonlinearity));
  }
  throw typeError("ERR_ARG_TYPE", "nonlinearity", expected, describe(nonlinearity));
}
