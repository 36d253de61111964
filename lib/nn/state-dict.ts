// State dicts: tensors by torch's names, judged against the parameters that a module has, and handed out as fresh ones.
// It reads and copies tensors; it knows neither files nor the addon, and of modules only their lists of parameters.

import type { FloatArray } from "../../binding.js";
import { describe, formatShape, isArray, nearest, rangeError, reading, typeError } from "../check.js";
import { allocateUnset, copyAs, type FloatDType, product, sameShape } from "../tensor/strided.js";
import { Tensor, type TensorLike, toTensor } from "../tensor/tensor.js";
import { mayBeMisspelt, type Naming, namingOf, prefixBefore, renamed, resolveNames } from "../weights/derived.js";
import { whyPassedOver } from "../weights/passed-over.js";
import { isRoundedInPlace, roundTo, type WeightDType } from "./weight-dtype.js";

/** One parameter: torch's name for it and its shape. */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  /** What the module stores its values in; those that come are rounded to it. */
  readonly storage: WeightDType;
}

/** A module as far as its state dict goes. */
export interface ModuleSpec {
  /** The module as its constructor would be written, for messages. */
  readonly title: string;
  readonly dtype: FloatDType;
  /** In torch's order. */
  readonly parameters: readonly ParameterSpec[];
  /** Set where the module keeps the arrays it is given, so that they must be no caller's. */
  readonly keepsArrays?: boolean;
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
 * The arrays of a state dict in the module's order and dtype: the caller's own, unless the module keeps them, or new ones where
 * float32 and float64 are converted into each other, as torch's `load_state_dict` does, or rounded to what the
 * module stores. Keys that do not start with `prefix` are not looked at.
 * @throws TypeError ERR_ARG_TYPE when `dict` or one of its values is of the wrong kind, ERR_DTYPE for integers;
 *   RangeError ERR_STATE_DICT listing every missing, unexpected and misshapen key; RangeError ERR_ARG_VALUE for a value that
 *   float16 cannot hold
 */
export function matchStateDict(
  caller: string,
  dict: StateDict,
  prefix: string,
  { title, dtype, parameters: specs, keepsArrays = false }: ModuleSpec,
): FloatArray[] {
  const given = entriesUnder(caller, dict, prefix, namingOf(specs[0]?.name ?? ""));
  const faults: string[] = [];
  const missing = specs.filter(({ name }) => !given.has(name)).map(({ name }) => name);
  const names = new Set(specs.map(({ name }) => name));
  const unexpected = [...given.keys()].filter((key) => !names.has(key));
  addFaults(faults, missing, (name) => {
    const reason = whyPassedOver(dict, prefix + name);
    return reason === undefined ? `missing key ${quote(prefix + name)}` : `${quote(prefix + name)} is ${reason}`;
  });
  addFaults(faults, unexpected, (key) => {
    const near = mayBeMisspelt(key) ? nearest(key, missing) : undefined;
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
  return found.map(({ tensor, spec: { name, storage } }) => {
    if (!keepsArrays && tensor.dtype === dtype && !isRoundedInPlace(storage)) return tensor.data as FloatArray;
    const copied = copyAs(`${caller}: ${prefix}${name}`, dtype, tensor.data);
    roundTo(storage, `${caller}: ${prefix}${name}`, copied);
    return copied;
  });
}

/**
 * The parameters of a module by torch's names, in torch's order, in new arrays that `write` fills, every element.
 * @throws RangeError ERR_ARG_VALUE when memory cannot hold them
 */
export function makeStateDict(
  { dtype, parameters }: ModuleSpec,
  write: (arrays: readonly FloatArray[]) => void,
): Record<string, Tensor> {
  const arrays = parameters.map(({ name, shape }) => allocateUnset(`stateDict: ${name}`, dtype, product(shape)));
  write(arrays);
  return Object.fromEntries(parameters.map(({ name, shape }, i) => [name, new Tensor(arrays[i] as FloatArray, shape)]));
}

/**
 * A matrix of a state dict, by which a module's sizes are read off.
 * @throws RangeError ERR_STATE_DICT when the key is absent, naming the nearest one, or no matrix; TypeError ERR_ARG_TYPE or
 *   ERR_DTYPE for a value of the wrong kind
 */
export function readMatrix(
  caller: string,
  dict: StateDict,
  prefix: string,
  name: string,
): { shape: readonly number[]; rows: number; columns: number } {
  const given = entriesUnder(caller, dict, prefix, namingOf(name));
  const value = given.get(name);
  if (value === undefined) {
    const reason = whyPassedOver(dict, prefix + name);
    if (reason !== undefined) throw rangeError("ERR_STATE_DICT", `${caller}: ${prefix}${name}`, "a matrix", reason);
    const near = nearest(name, [...given.keys()].filter(mayBeMisspelt));
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
  const given = [...entriesUnder(caller, dict, prefix)];
  const wide = given.some(([name, value]) => toTensor(`${caller}: ${prefix}${name}`, value).dtype === "float64");
  return wide ? "float64" : "float32";
}

/**
 * The entries under `prefix`, without it, with the parameters that are to be worked out (derived.ts). A Map, so that a key such
 * as "constructor" is nothing but a key.
 * @param naming whose names the parameters of one recurrent layer are to have, whichever they have in the dict
 */
export function entriesUnder(
  caller: string,
  dict: StateDict,
  prefix: string,
  naming: Naming = "own",
): ReadonlyMap<string, TensorLike> {
  if (typeof prefix !== "string") throw typeError("ERR_ARG_TYPE", `${caller}: prefix`, "a string", describe(prefix));
  const plain = typeof dict === "object" && dict !== null && !isArray(dict) && !ArrayBuffer.isView(dict);
  const given = reading(`${caller}: dict`, () => {
    return plain && !(dict instanceof Map || dict instanceof Tensor) ? Object.entries(dict) : undefined;
  });
  if (given === undefined) {
    throw typeError("ERR_ARG_TYPE", `${caller}: dict`, "an object of tensors by name", describe(dict));
  }
  const entries = given.filter(([key]) => key.startsWith(prefix));
  const named = new Map(entries.map(([key, value]) => [key.slice(prefix.length), value]));
  const resolved = resolveNames(caller, dict, prefix, named);
  return naming === "own" ? resolved : renamed(resolved, naming);
}

function floatTensor(name: string, value: TensorLike): Tensor {
  const tensor = toTensor(name, value);
  if (tensor.dtype === "int32") throw typeError("ERR_DTYPE", name, "a float32 or float64 tensor", describe(tensor));
  return tensor;
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
  const before = Object.keys(dict).map((key) => prefixBefore(key, anchor));
  const prefixes = [...new Set(before)].filter((prefix) => prefix !== undefined);
  if (prefixes.length === 0) return "";
  return `\n  (did you mean ${prefixes
    .slice(0, 5)
    .map((prefix) => `{ prefix: ${quote(prefix)} }`)
    .join(" or ")}?)`;
}
