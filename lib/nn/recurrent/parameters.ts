// The parameters of a stacked LSTM as torch names, shapes, orders and draws them, and its sizes as they are read back off
// them.
// https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html (section "Variables")

import type { FloatArray, LSTMConfig } from "../../../binding.js";
import { formatShape, rangeError } from "../../check.js";
import { uniform } from "../../random/random.js";
import { roundToFloat16 } from "../../weights/half.js";
import { whyPassedOver } from "../../weights/passed-over.js";
import {
  entriesUnder,
  type ModuleSpec,
  type ParameterSpec,
  readDType,
  readMatrix,
  type StateDict,
} from "../state-dict.js";

/** What a state dict of this LSTM holds. */
export function lstmSpec(config: LSTMConfig): ModuleSpec {
  return { title: formatConfig(config), dtype: config.dtype, parameters: parameterSpecs(config) };
}

/** Every parameter in torch's order: layer by layer, forward before reverse. */
export function parameterSpecs(config: LSTMConfig): ParameterSpec[] {
  const { inputSize, hiddenSize, projSize, numLayers, bidirectional, bias, weightDtype } = config;
  const gates = 4 * hiddenSize;
  const recurrent = projSize || hiddenSize;
  const suffixes = bidirectional ? ["", "_reverse"] : [""];
  const specs: ParameterSpec[] = [];
  for (let layer = 0; layer < numLayers; layer++) {
    const layerInput = layer === 0 ? inputSize : recurrent * suffixes.length;
    for (const suffix of suffixes) {
      const add = (name: string, shape: number[], stored = {}) => {
        specs.push({ name: `${name}_l${layer}${suffix}`, shape, ...stored });
      };
      const asWeight = weightDtype === "float16" ? { storedAs: weightDtype } : {};
      add("weight_ih", [gates, layerInput], asWeight);
      add("weight_hh", [gates, recurrent], asWeight);
      if (bias) {
        add("bias_ih", [gates]);
        add("bias_hh", [gates]);
      }
      if (projSize > 0) add("weight_hr", [projSize, hiddenSize], asWeight);
    }
  }
  return specs;
}

/** An LSTM as its constructor would be written, for messages. */
export function formatConfig(config: LSTMConfig): string {
  const options = [
    config.numLayers === 1 ? [] : [`numLayers: ${config.numLayers}`],
    config.bias ? [] : ["bias: false"],
    config.bidirectional ? ["bidirectional: true"] : [],
    config.projSize === 0 ? [] : [`projSize: ${config.projSize}`],
    config.dtype === "float32" ? [] : [`dtype: "${config.dtype}"`],
    (config.weightDtype ?? config.dtype) === config.dtype ? [] : [`weightDtype: "${config.weightDtype}"`],
  ].flat();
  return `LSTM(${config.inputSize}, ${config.hiddenSize}${options.length === 0 ? "" : `, { ${options.join(", ")} }`})`;
}

/**
 * Sizes of the LSTM that a state dict belongs to, read off its names and shapes.
 * @throws RangeError ERR_STATE_DICT when `weight_ih_l0` or `weight_hh_l0` is absent, naming the nearest key, or has a shape
 *   that no LSTM has; TypeError ERR_ARG_TYPE or ERR_DTYPE for values of the wrong kind
 */
export function readConfig(caller: string, dict: StateDict, prefix: string): Required<LSTMConfig> {
  const matrix = (name: string) => readMatrix(caller, dict, prefix, name);
  const given = entriesUnder(caller, dict, prefix, true);
  // What was passed over counts: without it the sizes would be those of another, smaller model.
  const has = (name: string): boolean => given.has(name) || whyPassedOver(dict, prefix + name) !== undefined;
  if (!has("weight_ih_l0") && has("weight_ih_l0_reverse")) {
    const advice =
      'rename its keys without "_reverse", and turn the steps of each sequence round before and its output\'s after';
    const received = `only ${JSON.stringify(`${prefix}weight_ih_l0_reverse`)}: the layer runs backwards only, as torch's cannot (${advice})`;
    throw rangeError("ERR_STATE_DICT", caller, `a key ${JSON.stringify(`${prefix}weight_ih_l0`)}`, received);
  }
  const input = matrix("weight_ih_l0");
  refuseOthers(caller, prefix, input, has("weight_hh_l0") && !has("weight_hr_l0") ? matrix("weight_hh_l0") : undefined);
  const projSize = has("weight_hr_l0") ? matrix("weight_hr_l0").rows : 0;
  const hiddenSize = input.rows / 4;
  if (!Number.isInteger(hiddenSize) || (projSize > 0 && projSize >= hiddenSize)) {
    const expected =
      projSize > 0 ? `more than 4 * ${projSize} rows (4 * hiddenSize > 4 * projSize)` : "4 * hiddenSize rows";
    throw rangeError(
      "ERR_STATE_DICT",
      `${caller}: ${prefix}weight_ih_l0`,
      expected,
      `shape ${formatShape(input.shape)}`,
    );
  }
  const dtype = readDType(caller, dict, prefix);
  let numLayers = 1;
  while (has(`weight_ih_l${numLayers}`)) numLayers++;
  return {
    inputSize: input.columns,
    hiddenSize,
    projSize,
    numLayers,
    bidirectional: has("weight_ih_l0_reverse"),
    bias: has("bias_ih_l0") || has("bias_hh_l0"),
    dtype,
    weightDtype: dtype,
  };
}

/** A GRU's parameters and an RNN's have an LSTM's names; how many rows a unit has tells them apart. */
function refuseOthers(
  caller: string,
  prefix: string,
  input: { rows: number; columns: number },
  hidden: { rows: number; columns: number } | undefined,
): void {
  const gates = hidden !== undefined && hidden.rows === input.rows ? hidden.rows / hidden.columns : undefined;
  if (gates !== 3 && gates !== 1) return;
  const other = `${gates === 3 ? "GRU" : "RNN"}(${input.columns}, ${hidden?.columns})`;
  const received = `those of ${other}, ${gates === 3 ? "3·H" : "H"} rows`;
  throw rangeError("ERR_STATE_DICT", `${caller}: ${prefix}weight_ih_l0`, "an LSTM's weights, 4·H rows", received);
}

/** Every parameter from U(-1/√H, 1/√H), as torch's `reset_parameters` draws them. @throws RangeError ERR_ARG_VALUE when memory cannot hold them */
export function drawParameters({ title, dtype, parameters: specs }: ModuleSpec, hiddenSize: number): FloatArray[] {
  const Kind = dtype === "float32" ? Float32Array : Float64Array;
  let parameters: FloatArray[];
  try {
    parameters = specs.map(({ shape }) => new Kind(shape.reduce((size, dim) => size * dim, 1)));
  } catch {
    throw rangeError("ERR_ARG_VALUE", "hiddenSize", "sizes whose parameters memory can hold", title);
  }
  const bound = 1 / Math.sqrt(hiddenSize);
  for (const parameter of parameters) uniform(parameter, -bound, bound);
  for (const [i, { name, storedAs }] of specs.entries()) {
    if (storedAs === "float16") roundToFloat16(name, parameters[i] as Float32Array);
  }
  return parameters;
}
