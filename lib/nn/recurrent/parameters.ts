// The parameters of a recurrent module as torch names, shapes, orders and draws them, and its sizes as they are read back
// off them. A cell's are those of one layer, without its number.
// https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html (section "Variables"; GRU and RNN have their own)

import type { CellKind, FloatArray } from "../../../binding.js";
import { formatShape, rangeError } from "../../check.js";
import { uniform } from "../../random/random.js";
import { whyPassedOver } from "../../weights/passed-over.js";
import {
  entriesUnder,
  type ModuleSpec,
  type ParameterSpec,
  readDType,
  readMatrix,
  type StateDict,
} from "../state-dict.js";
import { roundTo } from "../weight-dtype.js";
import { completeConfig, type FullConfig, formatConfig } from "./config.js";
import { cellWithGates, type Kind, kinds, rowsText, withArticle } from "./kinds.js";

/** What a state dict of this module holds. */
export function recurrentSpec(config: FullConfig): ModuleSpec {
  return { title: formatConfig(config), dtype: config.dtype, parameters: parameterSpecs(config) };
}

/** Every parameter in torch's order: layer by layer, forward before reverse. */
export function parameterSpecs(config: FullConfig): ParameterSpec[] {
  const { inputSize, hiddenSize, projSize, numLayers, bidirectional, bias, dtype, weightDtype, real } = config;
  const gates = config.kind.gates * hiddenSize;
  const directions = bidirectional ? ["", "_reverse"] : [""];
  const specs: ParameterSpec[] = [];
  for (let layer = 0; layer < numLayers; layer++) {
    const layerInput = layer === 0 ? inputSize : config.width;
    for (const direction of directions) {
      const suffix = config.isCell ? "" : `_l${layer}${direction}`;
      const add = (name: string, shape: number[], storage = weightDtype) => {
        specs.push({ name: name + suffix, shape, storage });
      };
      add("weight_ih", [gates, layerInput]);
      add("weight_hh", [gates, real]);
      if (bias) {
        add("bias_ih", [gates], dtype);
        add("bias_hh", [gates], dtype);
      }
      if (projSize > 0) add("weight_hr", [projSize, hiddenSize]);
    }
  }
  return specs;
}

/** Where to look for a module's sizes. */
export interface ReadFrom {
  /** Who asks, for messages. */
  readonly caller: string;
  readonly dict: StateDict;
  readonly prefix: string;
  /** The kind that is wanted; left out, the weights say it, but for an RNN's nonlinearity, which is then tanh. */
  readonly cell?: CellKind;
  /** Whether a cell is wanted. */
  readonly isCell?: boolean;
}

/**
 * Sizes of the module that a state dict belongs to, read off its names and shapes.
 * @throws RangeError ERR_STATE_DICT when `weight_ih_l0` or `weight_hh_l0` is absent, naming the nearest key, or has a shape
 *   that no such module has; TypeError ERR_ARG_TYPE or ERR_DTYPE for values of the wrong kind
 */
export function readConfig({ caller, dict, prefix, cell: wanted, isCell = false }: ReadFrom): FullConfig {
  const layer = isCell ? "" : "_l0";
  const matrix = (name: string) => readMatrix(caller, dict, prefix, name + layer);
  const given = entriesUnder(caller, dict, prefix, isCell ? "cell" : "layers");
  // What was passed over counts: without it the sizes would be those of another, smaller model.
  const has = (name: string): boolean => given.has(name) || whyPassedOver(dict, prefix + name) !== undefined;
  if (!has(`weight_ih${layer}`) && has("weight_ih_l0_reverse")) {
    const advice =
      'rename its keys without "_reverse", and turn the steps of each sequence round before and its output\'s after';
    const received = `only ${JSON.stringify(`${prefix}weight_ih_l0_reverse`)}: the layer runs backwards only, as torch's cannot (${advice})`;
    throw rangeError("ERR_STATE_DICT", caller, `a key ${JSON.stringify(`${prefix}weight_ih_l0`)}`, received);
  }
  const input = matrix("weight_ih");
  const projected = has(`weight_hr${layer}`);
  const gates = projected || !has(`weight_hh${layer}`) ? undefined : gatesOf(input, matrix("weight_hh"));
  const found = projected ? "lstm" : gates === undefined ? undefined : cellWithGates(gates);
  const cell = wanted ?? found ?? "lstm";
  const fail = (expected: string, received: string): RangeError => {
    return rangeError("ERR_STATE_DICT", `${caller}: ${prefix}weight_ih${layer}`, expected, received);
  };
  if (found !== undefined && kinds[found].module !== kinds[cell].module) {
    throw fail(...otherKind(kinds[cell], kinds[found], input, isCell ? "Cell" : ""));
  }
  const kind = kinds[cell];
  const projSize = projected ? matrix("weight_hr").rows : 0;
  const hiddenSize = input.rows / kind.gates;
  if (!Number.isInteger(hiddenSize) || (projSize > 0 && projSize >= hiddenSize)) {
    const [all, least] = [`${kind.gates} * hiddenSize`, `${kind.gates} * ${projSize}`];
    const expected = projSize > 0 ? `more than ${least} rows (${all} > ${kind.gates} * projSize)` : `${all} rows`;
    throw fail(expected, `shape ${formatShape(input.shape)}`);
  }
  const dtype = readDType(caller, dict, prefix);
  let numLayers = 1;
  while (!isCell && has(`weight_ih_l${numLayers}`)) numLayers++;
  const config = {
    cell,
    inputSize: input.columns,
    hiddenSize,
    projSize,
    numLayers,
    bidirectional: !isCell && has("weight_ih_l0_reverse"),
    bias: has(`bias_ih${layer}`) || has(`bias_hh${layer}`),
    dtype,
    weightDtype: dtype,
  };
  return completeConfig(config, isCell);
}

/** The modules have the same names; how many rows a unit has tells them apart. */
function gatesOf(input: { rows: number }, hidden: { rows: number; columns: number }): number | undefined {
  return hidden.rows === input.rows ? hidden.rows / hidden.columns : undefined;
}

/** What was expected and what came, where the weights are another module's. */
function otherKind(
  wanted: Kind,
  found: Kind,
  { rows, columns }: { rows: number; columns: number },
  suffix: "" | "Cell",
): [expected: string, received: string] {
  const other = `${found.module}${suffix}(${columns}, ${rows / found.gates})`;
  return [
    `${withArticle(wanted.module + suffix)}'s weights, ${rowsText(wanted)}`,
    `those of ${other}, ${rowsText(found)}`,
  ];
}

/** Every parameter from U(-1/√H, 1/√H), as torch's `reset_parameters` draws them. @throws RangeError ERR_ARG_VALUE when memory cannot hold them */
export function drawParameters({ title, dtype, parameters: specs }: ModuleSpec, hiddenSize: number): FloatArray[] {
  const Elements = dtype === "float32" ? Float32Array : Float64Array;
  let parameters: FloatArray[];
  try {
    parameters = specs.map(({ shape }) => new Elements(shape.reduce((size, dim) => size * dim, 1)));
  } catch {
    throw rangeError("ERR_ARG_VALUE", "hiddenSize", "sizes whose parameters memory can hold", title);
  }
  const bound = 1 / Math.sqrt(hiddenSize);
  for (const parameter of parameters) uniform(parameter, -bound, bound);
  for (const [i, { name, storage }] of specs.entries()) roundTo(storage, name, parameters[i] as FloatArray);
  return parameters;
}
