// Modules as files hold them, read as their state dicts: parameters, then buffers, then the modules inside, in order, as
// torch's own state_dict() lists them. A module is told by the attributes that torch.nn.Module has, or, in TorchScript, by
// the declaration of its class, which is read as text. No class is loaded, and no code run.

import type { Ref, Value } from "./objects.js";
import { TensorRef, UnreadTensor } from "./tensors.js";
import { PyDict, PyObject, PySequence } from "./values.js";

/** What a TorchScript class declares; undefined for one that is no module. */
export type Declarations = (className: string) => { parameters: Set<string>; buffers: Set<string> } | undefined;

const maxDepth = 200;

/** An object's attributes: its state, or of a pair of states the first. */
export function attributesOf(value: PyObject<Ref>): PyDict<Ref> | undefined {
  const { state } = value;
  if (state instanceof PyDict) return state;
  const first = state instanceof PySequence ? state.items[0] : undefined;
  if (first instanceof PyDict) return first;
  // A module of torch.fx is made anew from its attributes and its code.
  const [body] = value.args;
  return value.of === "torch.fx.graph_module.reduce_graph_module" && body instanceof PyDict ? body : undefined;
}

function textEntries(value: Value | undefined): [string, Value][] {
  const entries = value instanceof PyDict || value instanceof PyObject ? [...value.entries] : [];
  return entries.filter((entry): entry is [string, Value] => typeof entry[0] === "string");
}

/** A module's own tensors and the modules in it, or undefined for an object that is none. */
interface Parts {
  readonly tensors: readonly (readonly [string, Value])[];
  readonly children: readonly (readonly [string, Value])[];
}

function partsOf(value: Value, declarations: Declarations): Parts | undefined {
  if (!(value instanceof PyObject)) return undefined;
  const attributes = attributesOf(value);
  if (attributes === undefined) return undefined;
  if (value.of.startsWith("__torch__.")) return scriptParts(value.of, attributes, declarations);
  const { entries } = attributes;
  const [parameters, buffers, children] = ["_parameters", "_buffers", "_modules"].map((name) => entries.get(name));
  if (parameters === undefined || buffers === undefined || children === undefined) return undefined;
  const passing = entries.get("_non_persistent_buffers_set");
  const skipped = new Set<Value>(passing instanceof PySequence ? passing.items : []);
  const tensors = [...textEntries(parameters), ...textEntries(buffers).filter(([name]) => !skipped.has(name))];
  return { tensors, children: textEntries(children) };
}

function scriptParts(of: string, attributes: PyDict<Ref>, declarations: Declarations): Parts | undefined {
  const declared = declarations(of);
  if (declared === undefined) return undefined;
  const all = textEntries(attributes);
  const tensors = [declared.parameters, declared.buffers].flatMap((names) => all.filter(([name]) => names.has(name)));
  return { tensors, children: all.filter(([, item]) => item instanceof PyObject && item.of.startsWith("__torch__.")) };
}

/** The modules inside a module, by name, for those who follow a path into it. */
export function childrenOf(value: Value, declarations: Declarations): Map<string, Value> | undefined {
  const parts = partsOf(value, declarations);
  return parts === undefined ? undefined : new Map(parts.children);
}

/**
 * A module's state dict, unread; undefined for what is no module.
 * @param budget how many parameters and modules may still be listed, of all modules of a file together: one that is shared
 *   comes once for each of its places, and hostile ones hold each other. What is past it is left out, and `left` below 0
 */
export function moduleEntries(
  value: Value,
  declarations: Declarations,
  budget: { left: number },
): Map<string, Value> | undefined {
  if (partsOf(value, declarations) === undefined) return undefined;
  const found = new Map<string, Value>();
  const visit = (module: Value, prefix: string, depth: number): void => {
    const parts = partsOf(module, declarations);
    if (parts === undefined) return; // None, or what only its class could say
    budget.left -= depth > maxDepth ? budget.left + 1 : 1 + parts.tensors.length + parts.children.length;
    if (budget.left < 0) return;
    for (const [name, item] of parts.tensors) if (isTensor(item)) found.set(prefix + name, item);
    for (const [name, child] of parts.children) visit(child, `${prefix}${name}.`, depth + 1);
  };
  visit(value, "", 0);
  return found;
}

/** Not None, which stands for a parameter that the module does without. */
function isTensor(value: Value): boolean {
  return value instanceof TensorRef || value instanceof UnreadTensor || value instanceof PyObject;
}
