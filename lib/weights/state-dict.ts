// State dicts: tensors by torch's names, judged against the parameters that a module has, and handed out as copies.
// It reads and copies tensors; it knows neither files nor the addon, and of modules only their lists of parameters.

import type { FloatArray } from "../../binding.js";
import { describe, formatShape, nearest, rangeError, typeError } from "../check.js";
import { type FloatDType, sameShape } from "../strided.js";
import { Tensor, type TensorLike, toTensor } from "../tensor.js";
import { roundToFloat16 } from "./half.js";

/** One parameter: torch's name for it and its shape. */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  /** Set where its values are rounded to float16, of a float32 module. */
  readonly storedAs?: "float16";
}

/** A module as far as its state dict goes. */
export interface ModuleSpec {
  /** The module as its constructor would be written, for messages. */
  readonly title: string;
  readonly dtype: FloatDType;
  /** In torch's order. */
  readonly parameters: readonly ParameterSpec[];
}

/** Options of every `loadStateDict`. */
export interface LoadStateDictOptions {
  /** Only keys that start with it are looked at, the rest of their names being the module's own. Default "". */
  prefix?: string;
}

/** Tensors by torch's names, as `loadSafetensors` or `stateDict` give them. */
export type StateDict = Readonly<Record<string, TensorLike>>;

const listed = 50; // of each fault, so that a dict of a million strangers still makes a readable message

/**
 * The arrays of a state dict in the module's order, as fresh copies in its dtype; float32 and float64 are converted into
 * each other, as torch's `load_state_dict` does, and rounded where the module stores float16. Keys that do not start with `prefix` are not looked at.
 * @throws TypeError ERR_ARG_TYPE when `dict` or one of its values is of the wrong kind, ERR_DTYPE for integers;
 *   RangeError ERR_STATE_DICT listing every missing, unexpected and misshapen key; RangeError ERR_ARG_VALUE for a value that
 *   float16 cannot hold
 */
export function matchStateDict(
  caller: string,
  dict: StateDict,
  prefix: string,
  { title, dtype, parameters: specs }: ModuleSpec,
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
    const hint = missing.length === specs.length ? prefixHint(dict, missing[0] as string) : "";
    const received = `${faults.length === 1 ? "a fault" : "faults"}:\n  ${faults.join("\n  ")}${hint}`;
    throw rangeError("ERR_STATE_DICT", caller, `the parameters of ${title}`, received);
  }
  return found.map(({ tensor, spec: { name, storedAs } }) => {
    const copy = copyAs(tensor, dtype);
    if (storedAs === "float16") roundToFloat16(`${caller}: ${prefix}${name}`, copy as Float32Array);
    return copy;
  });
}

/** The parameters of a module by torch's names, in torch's order, as copies. */
export function copyStateDict({ parameters }: ModuleSpec, data: readonly FloatArray[]): Record<string, Tensor> {
  return Object.fromEntries(
    parameters.map(({ name, shape }, i) => [name, new Tensor((data[i] as FloatArray).slice(), shape)]),
  );
}

/**
 * A matrix of a state dict, by which a module's sizes are read off.
 * @param stranger tells keys that might be the wanted one misspelt; every key when left out
 * @throws RangeError ERR_STATE_DICT when the key is absent, naming the nearest one, or no matrix; TypeError ERR_ARG_TYPE or
 *   ERR_DTYPE for a value of the wrong kind
 */
export function readMatrix(
  caller: string,
  dict: StateDict,
  prefix: string,
  name: string,
  stranger: (key: string) => boolean = () => true,
): { shape: readonly number[]; rows: number; columns: number } {
  const given = withPrefix(caller, dict, prefix);
  const value = given.get(name);
  if (value === undefined) {
    const near = nearest(name, [...given.keys()].filter(stranger));
    const hint = prefixHint(dict, name) || (near === undefined ? "" : ` (did you mean ${quote(prefix + near)}?)`);
    throw rangeError("ERR_STATE_DICT", caller, `a key ${quote(prefix + name)}`, `none${hint}`);
  }
  const { shape } = floatTensor(`${caller}: ${prefix}${name}`, value);
  const [rows = 0, columns = 0] = shape;
  if (shape.length === 2 && rows > 0 && columns > 0) return { shape, rows, columns };
  throw rangeError("ERR_STATE_DICT", `${caller}: ${prefix}${name}`, "a matrix", `shape ${formatShape(shape)}`);
}

/** The dtype of a state dict: one float64 among float32 makes it float64, so that nothing is rounded unasked. */
export function readDType(caller: string, dict: StateDict, prefix: string): FloatDType {
  const given = [...withPrefix(caller, dict, prefix)];
  const wide = given.some(([name, value]) => toTensor(`${caller}: ${prefix}${name}`, value).dtype === "float64");
  return wide ? "float64" : "float32";
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

function copyAs(tensor: Tensor, dtype: FloatDType): FloatArray {
  return dtype === "float64" ? new Float64Array(tensor.data) : new Float32Array(tensor.data);
}

function quote(key: string): string {
  return JSON.stringify(key.length > 120 ? `${key.slice(0, 117)}...` : key);
}

function addFaults<T>(faults: string[], items: readonly T[], describeFault: (item: T) => string): void {
  faults.push(...items.slice(0, listed).map(describeFault));
  if (items.length > listed) faults.push(`and ${items.length - listed} more like the last`);
}

/** The prefixes under which a dict does hold a parameter of this name, when it was looked for under another. */
function prefixHint(dict: StateDict, anchor: string): string {
  const prefixes = Object.keys(dict)
    .filter((key) => key === anchor || key.endsWith(`.${anchor}`))
    .map((key) => key.slice(0, -anchor.length));
  if (prefixes.length === 0) return "";
  return `\n  (did you mean ${prefixes
    .slice(0, 5)
    .map((prefix) => `{ prefix: ${quote(prefix)} }`)
    .join(" or ")}?)`;
}
