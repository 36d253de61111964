// The options of the LSTM and of its methods; the constructor's arguments are judged here too, and the sizes worked out
// that come of them. No arrays, no addon.

import type { LSTMConfig } from "../../../binding.js";
import { checkBool, checkInt, checkNumber, checkOptions, describe, rangeError, typeError } from "../../check.js";
import { checkFloatDType, type FloatDType } from "../../tensor/strided.js";
import type { LoadStateDictOptions } from "../state-dict.js";
import type { LSTMOut } from "./out.js";

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
  /**
   * "float16" stores a float32 LSTM's weights in half the memory, each rounded once to the nearest; its biases, states and
   * arithmetic stay float32. For small batches of large models, which wait for their weights. By default as `dtype`.
   */
  weightDtype?: WeightDType;
}

/** What weights are stored in. */
export type WeightDType = FloatDType | "float16";

/** Options of {@link LSTM.forward}. */
export interface ForwardOptions {
  /**
   * Tensors to write the results to and to return, instead of new ones: `[output, [hn, cn]]` as an earlier call of the same
   * sizes returned them. hn may be h0 itself and cn may be c0; otherwise none may share memory with another or the input.
   */
  out?: LSTMOut | undefined;
}

/** Options of {@link LSTM.fromStateDict}. */
export interface FromStateDictOptions extends LoadStateDictOptions {
  /** As for the constructor; it cannot be read off the weights. Default false. */
  batchFirst?: boolean;
  /** As for the constructor. */
  weightDtype?: WeightDType | undefined;
}

/** A config that says what its weights are stored in. */
export type FullConfig = Required<LSTMConfig>;

/** The options that do not shape the parameters. */
export interface Manner {
  batchFirst: boolean;
  dropout: number;
}

const optionKeys = [
  "numLayers",
  "bias",
  "batchFirst",
  "dropout",
  "bidirectional",
  "projSize",
  "dtype",
  "weightDtype",
] as const;

// Bounds that no model comes near: products of sizes stay within 64 bits, and the number of arrays is reasonable.
const maxSize = 2 ** 24;
const maxLayers = 4096;

/** Judges the constructor's arguments. @throws as the LSTM constructor documents */
export function checkArguments(inputSize: unknown, hiddenSize: unknown, options: unknown): [FullConfig, Manner] {
  if (typeof options === "number") {
    const expected = `an options object, as in { numLayers: ${options} }`;
    throw typeError("ERR_ARG_TYPE", "LSTM options", expected, describe(options));
  }
  const given = checkOptions("LSTM", options as { [K in keyof LSTMOptions]?: unknown }, optionKeys);
  const { numLayers = 1, bias = true, batchFirst = false, dropout = 0, bidirectional = false } = given;
  const { projSize = 0, dtype: wanted = "float32", weightDtype } = given;
  const dtype = checkFloatDType("dtype", wanted);
  const hidden = checkInt("hiddenSize", hiddenSize, { min: 1, max: maxSize });
  const config: FullConfig = {
    inputSize: checkInt("inputSize", inputSize, { min: 1, max: maxSize }),
    hiddenSize: hidden,
    projSize: checkInt("projSize", projSize, { min: 0 }),
    numLayers: checkInt("numLayers", numLayers, { min: 1, max: maxLayers }),
    bidirectional: checkBool("bidirectional", bidirectional),
    bias: checkBool("bias", bias),
    dtype,
    weightDtype: checkWeightDType(weightDtype, dtype),
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

/**
 * What the weights of an LSTM in `dtype` are stored in.
 * @throws TypeError ERR_ARG_TYPE when it is no string, ERR_DTYPE for anything but the dtype itself, or "float16" for float32
 */
export function checkWeightDType(weightDtype: unknown, dtype: FloatDType): WeightDType {
  if (weightDtype === undefined || weightDtype === dtype) return dtype;
  if (weightDtype === "float16" && dtype === "float32") return weightDtype;
  const code = typeof weightDtype === "string" ? "ERR_DTYPE" : "ERR_ARG_TYPE";
  const expected = dtype === "float32" ? '"float32" or "float16"' : '"float64", as the dtype is';
  throw typeError(code, "weightDtype", expected, describe(weightDtype));
}
