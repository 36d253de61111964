// The parameters of a stacked LSTM as torch names, shapes and orders them, and the judging of a state dict against
// them. It reads and copies tensors; it knows neither files nor the addon.
// https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html (section "Variables")

import type { FloatArray, LSTMConfig } from "../../binding.js";
import { describe, formatShape, nearest, rangeError, typeError } from "../check.js";
import { Tensor, type TensorLike, toTensor } from "../tensor.js";

/** One parameter: torch's name for it and its shape. */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Tensors by torch's names, as `loadSafetensors` or `stateDict` give them. */
export type StateDict = Readonly<Record<string, TensorLike>>;

const parameterName = /^(weight_ih|weight_hh|bias_ih|bias_hh|weight_hr)_l\d+(_reverse)?$/;

const listed = 50; // of each fault, so that a dict of a million strangers still makes a readable message

/** Every parameter in torch's order: layer by layer, forward before reverse. */
export function parameterSpecs(config: LSTMConfig): ParameterSpec[] {
  const { inputSize, hiddenSize, projSize, numLayers, bidirectional, bias } = config;
  const gates = 4 * hiddenSize;
  const recurrent = projSize || hiddenSize;
  const suffixes = bidirectional ? ["", "_reverse"] : [""];
  const specs: ParameterSpec[] = [];
  for (let layer = 0; layer < numLayers; layer++) {
    const layerInput = layer === 0 ? inputSize : recurrent * suffixes.length;
    for (const suffix of suffixes) {
      const add = (name: string, shape: number[]) => specs.push({ name: `${name}_l${layer}${suffix}`, shape });
      add("weight_ih", [gates, layerInput]);
      add("weight_hh", [gates, recurrent]);
      if (bias) {
        add("bias_ih", [gates]);
        add("bias_hh", [gates]);
      }
      if (projSize > 0) add("weight_hr", [projSize, hiddenSize]);
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
  ].flat();
  return `LSTM(${config.inputSize}, ${config.hiddenSize}${options.length === 0 ? "" : `, { ${options.join(", ")} }`})`;
}

/**
 * The arrays of a state dict in the order of `specs`, as fresh copies in `dtype`; float32 and float64 are converted into
 * each other, as torch's `load_state_dict` does. Keys that do not start with `prefix` are not looked at.
 * @throws TypeError ERR_ARG_TYPE when `dict` or one of its values is of the wrong kind, ERR_DTYPE for integers;
 *   RangeError ERR_STATE_DICT listing every missing, unexpected and misshapen key
 */
export function matchStateDict(
  caller: string,
  dict: StateDict,
  prefix: string,
  config: LSTMConfig,
  specs: readonly ParameterSpec[],
): FloatArray[] {
  const given = withPrefix(caller, dict, prefix);
  const faults: string[] = [];
  const missing = specs.filter(({ name }) => !given.has(name)).map(({ name }) => name);
  const names = new Set(specs.map(({ name }) => name));
  const unexpected = [...given.keys()].filter((key) => !names.has(key));
  addFaults(faults, missing, (name) => `missing key ${quote(prefix + name)}`);
  addFaults(faults, unexpected, (key) => {
    const near = nearest(key, missing.length > 0 ? missing : names);
    return `unexpected key ${quote(prefix + key)}${near === undefined ? "" : ` (did you mean ${quote(prefix + near)}?)`}`;
  });

  const found: { tensor: Tensor; spec: ParameterSpec }[] = [];
  for (const spec of specs) {
    const value = given.get(spec.name);
    if (value === undefined) continue;
    found.push({ tensor: floatTensor(`${caller}: ${prefix}${spec.name}`, value), spec });
  }
  const misshapen = found.filter(({ tensor, spec }) => !sameShape(tensor.shape, spec.shape));
  addFaults(faults, misshapen, ({ tensor, spec }) => {
    const shapes = `shape ${formatShape(tensor.shape)} where the model has ${formatShape(spec.shape)}`;
    return `size mismatch for ${quote(prefix + spec.name)}: ${shapes}`;
  });
  if (faults.length > 0) {
    const hint = missing.length === specs.length ? prefixHint(dict) : "";
    const received = `${faults.length === 1 ? "a fault" : "faults"}:\n  ${faults.join("\n  ")}${hint}`;
    throw rangeError("ERR_STATE_DICT", caller, `the parameters of ${formatConfig(config)}`, received);
  }
  return found.map(({ tensor }) => copyAs(tensor, config.dtype));
}

/**
 * Sizes of the LSTM that a state dict belongs to, read off its names and shapes.
 * @throws RangeError ERR_STATE_DICT when `weight_ih_l0` or `weight_hh_l0` is absent, naming the nearest key, or has a shape
 *   that no LSTM has; TypeError ERR_ARG_TYPE or ERR_DTYPE for values of the wrong kind
 */
export function readConfig(caller: string, dict: StateDict, prefix: string): LSTMConfig {
  const given = withPrefix(caller, dict, prefix);
  const need = (name: string): Tensor => {
    const value = given.get(name);
    if (value !== undefined) return floatTensor(`${caller}: ${prefix}${name}`, value);
    const strangers = [...given.keys()].filter((key) => !parameterName.test(key));
    const near = nearest(name, strangers);
    const hint = prefixHint(dict) || (near === undefined ? "" : ` (did you mean ${quote(prefix + near)}?)`);
    throw rangeError("ERR_STATE_DICT", caller, `a key ${quote(prefix + name)}`, `none${hint}`);
  };
  const matrix = (name: string): { tensor: Tensor; rows: number; columns: number } => {
    const tensor = need(name);
    const [rows = 0, columns = 0] = tensor.shape;
    if (tensor.shape.length !== 2 || rows < 1 || columns < 1) {
      throw rangeError(
        "ERR_STATE_DICT",
        `${caller}: ${prefix}${name}`,
        "a matrix",
        `shape ${formatShape(tensor.shape)}`,
      );
    }
    return { tensor, rows, columns };
  };
  const input = matrix("weight_ih_l0");
  const projSize = given.has("weight_hr_l0") ? matrix("weight_hr_l0").rows : 0;
  const hiddenSize = input.rows / 4;
  if (!Number.isInteger(hiddenSize) || (projSize > 0 && projSize >= hiddenSize)) {
    const expected =
      projSize > 0 ? `more than 4 * ${projSize} rows (4 * hiddenSize > 4 * projSize)` : "4 * hiddenSize rows";
    throw rangeError(
      "ERR_STATE_DICT",
      `${caller}: ${prefix}weight_ih_l0`,
      expected,
      `shape ${formatShape(input.tensor.shape)}`,
    );
  }
  let numLayers = 1;
  while (given.has(`weight_ih_l${numLayers}`)) numLayers++;
  return {
    inputSize: input.columns,
    hiddenSize,
    projSize,
    numLayers,
    bidirectional: given.has("weight_ih_l0_reverse"),
    bias: given.has("bias_ih_l0") || given.has("bias_hh_l0"),
    // One float64 among float32 makes the model float64, so that nothing is rounded unasked.
    dtype: [...given].some(([name, value]) => toTensor(`${caller}: ${prefix}${name}`, value).dtype === "float64")
      ? "float64"
      : "float32",
  };
}

/** The entries under `prefix`, without it. A Map, so that a key such as "constructor" is nothing but a key. */
function withPrefix(caller: string, dict: StateDict, prefix: string): Map<string, TensorLike> {
  if (typeof prefix !== "string") throw typeError("ERR_ARG_TYPE", `${caller}: prefix`, "a string", describe(prefix));
  const plain = typeof dict === "object" && dict !== null && !Array.isArray(dict) && !ArrayBuffer.isView(dict);
  if (!plain || dict instanceof Map || dict instanceof Tensor) {
    throw typeError("ERR_ARG_TYPE", `${caller}: dict`, "an object of tensors by name", describe(dict));
  }
  const entries = Object.entries(dict).filter(([key]) => key.startsWith(prefix));
  return new Map(entries.map(([key, value]) => [key.slice(prefix.length), value]));
}

function floatTensor(name: string, value: TensorLike): Tensor {
  const tensor = toTensor(name, value);
  if (tensor.dtype === "int32") throw typeError("ERR_DTYPE", name, "a float32 or float64 tensor", describe(tensor));
  return tensor;
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, dim) => size === b[dim]);
}

function copyAs(tensor: Tensor, dtype: "float32" | "float64"): FloatArray {
  return dtype === "float64" ? new Float64Array(tensor.data) : new Float32Array(tensor.data);
}

function quote(key: string): string {
  return JSON.stringify(key.length > 120 ? `${key.slice(0, 117)}...` : key);
}

function addFaults<T>(faults: string[], items: readonly T[], describeFault: (item: T) => string): void {
  faults.push(...items.slice(0, listed).map(describeFault));
  if (items.length > listed) faults.push(`and ${items.length - listed} more like the last`);
}

/** The prefixes under which a dict does hold an LSTM, when it was looked for under another. */
function prefixHint(dict: StateDict): string {
  const anchor = "weight_ih_l0";
  const prefixes = Object.keys(dict)
    .filter((key) => key.endsWith(anchor))
    .map((key) => key.slice(0, -anchor.length));
  if (prefixes.length === 0) return "";
  return `\n  (did you mean ${prefixes
    .slice(0, 5)
    .map((prefix) => `{ prefix: ${quote(prefix)} }`)
    .join(" or ")}?)`;
}
