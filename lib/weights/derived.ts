// A module's parameters by their own names, where a state dict holds what they are made of: the weight under a dropout
// mask, the two parts of weight normalisation, the names of a cell. The readers leave a dict as torch's own load gives it;
// whatever looks parameters up in one comes here first. What cannot be worked out is refused by name.

import { rangeError } from "../check.js";
import { type Tensor, type TensorLike, toTensor } from "../tensor/tensor.js";
import { rawPrefix } from "./prefix.js";
import { weightNorm } from "./weight-norm.js";

type Given = Map<string, TensorLike>;

/** What stands after a parameter's name where the file holds a thing that belongs to it, and not the parameter itself. */
const belongs = /(_raw|_orig|_mask|_[guv]|_scale|_zero_point)$|^parametrizations\./;

/** Whether a key may be a name misspelt: not one that torch has for another parameter, or for something of a parameter's. */
export function mayBeMisspelt(key: string): boolean {
  return !belongs.test(key) && !parameterName.test(key);
}

/**
 * The entries of a dict under a prefix, with the parameters in them that are to be worked out in the place of their parts.
 *
 * - `weight_hh_l0_raw` (fastai's and AWD-LSTM's weight drop) is `weight_hh_l0`: beside it, the plain key holds the weight
 *   under the dropout mask of the last training step, and is not looked at. fastai keeps it outside "module.".
 * - `…_g` and `…_v`, or `parametrizations.….original0` and `original1`: weight normalisation, worked out.
 * @param dict the whole dict, in which a wrapper's weights may stand outside the prefix
 * @throws RangeError ERR_STATE_DICT for spectral norm and other parametrizations, pruning, and parts that do not belong
 *   together
 */
export function resolveNames(caller: string, dict: object, prefix: string, given: Given): Given {
  const resolved = new Map(given);
  const label = (name: string): string => `${caller}: ${prefix}${name}`;
  const normed = (name: string, [g, v]: readonly [string, string]): void => {
    const [magnitudes, direction] = [g, v].map((part) => toTensor(label(part), given.get(part) as TensorLike));
    resolved.delete(g);
    resolved.delete(v);
    resolved.set(name, weightNorm(label(name), direction as Tensor, magnitudes as Tensor));
  };
  for (const [key, value] of given) {
    const [, name = "", ending] = /^([^.]+)_(raw|g|orig)$/.exec(key) ?? [];
    if (ending === "raw") {
      resolved.delete(key);
      resolved.set(name, value);
    } else if (ending === "g" && given.has(`${name}_v`)) normed(name, [key, `${name}_v`]);
    else if (ending === "orig" && !given.has(name)) throw unknown(label(name), given, name);
  }
  for (const [name, parts] of parametrized(given)) {
    const at = `parametrizations.${name}.original`;
    if (parts.size !== 2 || !parts.has("original0") || !parts.has("original1")) throw unknown(label(name), given, name);
    normed(name, [`${at}0`, `${at}1`]);
  }
  for (const [name, value] of rawOutside(dict, prefix)) resolved.set(name, value);
  return resolved;
}

/** What torch.nn.utils.parametrize keeps of each parameter, by the parameter's name. */
function parametrized(given: Given): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const key of given.keys()) {
    const [, name, part] = /^parametrizations\.([^.]+)\.(.+)$/.exec(key) ?? [];
    if (name === undefined || part === undefined) continue;
    const parts = found.get(name) ?? new Set();
    found.set(name, parts.add(part));
  }
  return found;
}

/** How a parameter comes out of a dict that has it under another name or in parts: "weight norm of …"; undefined if it is there. */
export function describeOrigin(dict: object, prefix: string, name: string): string | undefined {
  const has = (key: string): boolean => Object.hasOwn(dict, key);
  const own = prefix + name;
  const raw = [own, `${rawPrefix(prefix) ?? prefix}${name}`].map((key) => `${key}_raw`).find(has);
  if (raw !== undefined) {
    return has(own) ? `${raw} (${own} holds it under the last training step's dropout mask)` : raw;
  }
  if (has(own)) return undefined;
  if (has(`${own}_g`)) return `weight norm of ${own}_g and ${own}_v`;
  const parametrized = `${prefix}parametrizations.${name}`;
  return has(`${parametrized}.original0`) ? `weight norm of ${parametrized}` : own.slice(0, -"_l0".length);
}

/** The weights of fastai's wrapper of a module under the prefix "….module.". */
function* rawOutside(dict: object, prefix: string): Generator<[string, TensorLike]> {
  const outer = rawPrefix(prefix);
  if (outer === undefined) return;
  for (const [key, value] of Object.entries(dict)) {
    if (!key.startsWith(outer)) continue;
    const name = /^([^.]+)_raw$/.exec(key.slice(outer.length))?.[1];
    if (name !== undefined) yield [name, value as TensorLike];
  }
}

/** Builds the error for a parameter that only its parametrization's code could work out. */
function unknown(label: string, given: Given, name: string): RangeError {
  const has = (key: string): boolean => given.has(key);
  const spectral = has(`${name}_u`) || has(`parametrizations.${name}.0._u`);
  const what = spectral
    ? "spectral norm, which is not worked out"
    : has(`${name}_mask`)
      ? "a weight that torch.nn.utils.prune prunes: prune.remove(module, name) in Python makes it one again"
      : "a parametrization that is not known";
  return rangeError("ERR_STATE_DICT", label, "a parameter, or the parts of weight norm", what);
}

/** The names of torch's recurrent modules, of whatever sizes. */
const parameterName = /^(weight_ih|weight_hh|bias_ih|bias_hh|weight_hr)_l\d+(_reverse)?$/;

const cellName = /^(weight|bias)_[ih]h$/;
const firstLayerName = /^((weight|bias)_[ih]h)_l0$/;

/** Whose names parameters have: a recurrent module's of layers, a cell's, or none of these. */
export type Naming = "layers" | "cell" | "own";

/** Whose name this is. */
export function namingOf(name: string): Naming {
  if (parameterName.test(name)) return "layers";
  return cellName.test(name) ? "cell" : "own";
}

/** A cell's parameters by the names of a module of one layer, or the other way round; a dict that has the wanted ones stays. */
export function renamed(given: Given, naming: "layers" | "cell"): Given {
  const [from, to] = naming === "layers" ? ["", "_l0"] : ["_l0", ""];
  if (!given.has(`weight_ih${from}`) || !given.has(`weight_hh${from}`) || given.has(`weight_ih${to}`)) return given;
  return new Map(Array.from(given, ([key, value]) => [otherName(key, naming) ?? key, value]));
}

/** What a parameter of one layer is called where it has the names of `naming`; undefined for what is none, or has them. */
function otherName(name: string, naming: Naming): string | undefined {
  if (naming === "layers") return cellName.test(name) ? `${name}_l0` : undefined;
  return firstLayerName.exec(name)?.[1];
}

/** What stands before a parameter in a key that is the parameter, under any of the names that lead to it. */
export function prefixBefore(key: string, name: string): string | undefined {
  const endings = ["", "_raw", "_g"].map((ending) => name + ending);
  const other = otherName(name, namingOf(name) === "layers" ? "cell" : "layers");
  endings.push(`parametrizations.${name}.original0`, ...(other === undefined ? [] : [other]));
  const ending = endings.find((end) => key === end || key.endsWith(`.${end}`));
  return ending === undefined ? undefined : key.slice(0, -ending.length);
}
