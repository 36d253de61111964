// The arguments of the LSTM constructor: their types, their judging, and the sizes that come of them.
// No arrays, no addon.

import type { LSTMConfig } from "../binding.js";
import { checkBool, checkInt, checkNumber, checkOptions, describe, rangeError, typeError } from "./check.js";
import { checkFloatDType, type FloatDType } from "./strided.js";

/** torch.nn.LSTM's keyword arguments, in camelCase. */
export interface LSTMOptions {
  /** Layers stacked on each other; each takes the output of the one below. Default 1. */
  numLayers?: number;
  /** Whether there are `bias_ih` and `bias_hh`. Default true. */
  bias?: boolean;
  /** Dense input and output are (B, T, …) instead of (T, B, …); h and c are not touched by it. Default false. */
  batchFirst?: boolean;
  /** From 0 to 1. Taken so that torch's arguments fit, and without effect: dropout acts in training only. Default 0. */
  dropout?: number;
  /** Whether a second LSTM reads every sequence from its end. Default false. */
  bidirectional?: boolean;
  /** When above 0, h is projected to this size; less than the hidden size. Default 0. */
  projSize?: number;
  /** "float32" (default) or "float64". */
  dtype?: FloatDType;
}

/** The options that do not shape the parameters. */
export interface Manner {
  batchFirst: boolean;
  dropout: number;
}

const optionKeys = ["numLayers", "bias", "batchFirst", "dropout", "bidirectional", "projSize", "dtype"] as const;

// Bounds that no model comes near: products of sizes stay within 64 bits, and the number of arrays is reasonable.
const maxSize = 2 ** 24;
const maxLayers = 4096;

/** Judges the constructor's arguments. @throws as the LSTM constructor documents */
export function checkArguments(inputSize: unknown, hiddenSize: unknown, options: unknown): [LSTMConfig, Manner] {
  if (typeof options === "number") {
    const expected = `an options object, as in { numLayers: ${options} }`;
    throw typeError("ERR_ARG_TYPE", "LSTM options", expected, describe(options));
  }
  checkOptions("LSTM", options, optionKeys);
  const given = options as { [K in keyof LSTMOptions]?: unknown };
  const { numLayers = 1, bias = true, batchFirst = false, dropout = 0, bidirectional = false } = given;
  const { projSize = 0, dtype = "float32" } = given;
  const hidden = checkInt("hiddenSize", hiddenSize, { min: 1, max: maxSize });
  const config: LSTMConfig = {
    inputSize: checkInt("inputSize", inputSize, { min: 1, max: maxSize }),
    hiddenSize: hidden,
    projSize: checkInt("projSize", projSize, { min: 0 }),
    numLayers: checkInt("numLayers", numLayers, { min: 1, max: maxLayers }),
    bidirectional: checkBool("bidirectional", bidirectional),
    bias: checkBool("bias", bias),
    dtype: checkFloatDType("dtype", dtype),
  };
  if (config.projSize >= hidden) {
    throw rangeError("ERR_ARG_VALUE", "projSize", `less than hiddenSize, ${hidden}`, String(config.projSize));
  }
  const manner = {
    batchFirst: checkBool("batchFirst", batchFirst),
    dropout: checkNumber("dropout", dropout, { min: 0, max: 1 }),
  };
  return [config, manner];
}
