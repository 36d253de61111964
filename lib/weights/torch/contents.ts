// Finds the state dict in what a file holds: at its root, or where a key leads through dicts, lists, modules and objects.
// Only what lies on that path and in the dict itself is judged. The dict's tensors are what was asked for; what else
// stands in it is passed over, with the reason.

import { describe, rangeError } from "../../check.js";
import { attributesOf, childrenOf, type Declarations, moduleEntries } from "./modules.js";
import { numpyArray } from "./numpy.js";
import type { Ref, Value } from "./objects.js";
import { StorageRef, TensorRef, UnreadTensor } from "./tensors.js";
import { PyDict, PyGlobal, PyObject, PySequence } from "./values.js";

/** What a file holds, before any tensor is read. */
export interface Contents {
  readonly file: string;
  readonly root: Value;
  readonly declarations: Declarations;
  /** What is left of the work that modules within modules may make. */
  readonly budget: { left: number };
}

/** How many parameters and modules all modules of a file may come to. */
export const moduleBudget = 100_000;

/** A state dict, unread: its tensors, and what else stands in it. */
export interface FoundDict {
  readonly tensors: Map<string, TensorRef>;
  /** By name, what is there instead of a tensor: "a sparse tensor, which is not read". */
  readonly others: Map<string, string>;
}

const maxContainers = 1000; // looked into for dicts beneath dicts; also bounds the recursion
const maxKeyLength = 4096;
const maxHints = 8;
const number = /^(0|[1-9]\d{0,14})$/; // as a key's part names a list's item

/** The tensor that a value is, or the reason why it is not read; undefined for what is no tensor. */
function tensorOf(value: Value): TensorRef | UnreadTensor | undefined {
  if (value instanceof TensorRef || value instanceof UnreadTensor) return value;
  return value instanceof PyObject ? numpyArray(value) : undefined;
}

/** The entries of a dict, or of an object that is a kind of dict or a module; undefined for anything else. */
function entriesOf(value: Value | undefined, contents: Contents): Map<Value, Value> | undefined {
  if (value instanceof PyDict) return value.entries;
  if (!(value instanceof PyObject)) return undefined;
  return value.entries.size > 0 ? value.entries : moduleEntries(value, contents.declarations, contents.budget);
}

/**
 * The state dict at the root, or under `key`.
 * @throws RangeError ERR_FILE when there is none, naming the keys under which some lie
 */
export function findDict(contents: Contents, key: string | undefined): FoundDict {
  const chosen = key === undefined ? contents.root : follow(contents, key);
  const found = asDict(contents, chosen);
  if (contents.budget.left < 0) {
    throw rangeError(
      "ERR_FILE",
      contents.file,
      `at most ${moduleBudget} parameters and modules`,
      "more: they hold each other",
    );
  }
  const isModule = chosen instanceof PyObject && chosen.entries.size === 0;
  if (found !== undefined && isModule) return found;
  const beneath = dictsBeneath(contents, chosen);
  if (found !== undefined && accepts(found, beneath)) return found;

  const label = key === undefined ? contents.file : `${contents.file} key ${describe(key)}`;
  const keys = (key === undefined ? beneath : dictsBeneath(contents, contents.root)).map(({ path }) => path);
  const hints = keys.slice(0, maxHints).map((path) => `{ key: ${describe(path)} }`);
  const hint = hints.length > 0 ? `; state dicts lie under ${hints.join(", ")}` : "";
  throw rangeError(
    "ERR_FILE",
    label,
    "a state dict of tensors by name",
    `${describeMismatch(contents, chosen)}${hint}`,
  );
}

/** A dict with tensors is a state dict where it holds more of them than any dict beneath it, and so is an empty one. */
function accepts({ tensors, others }: FoundDict, beneath: readonly Beneath[]): boolean {
  if (tensors.size === 0) return others.size === 0;
  return beneath.every(({ size }) => size < tensors.size);
}

/** Sorts what a dict holds; undefined for no dict, and for one with a tensor under a key that is no name. */
function asDict(contents: Contents, value: Value | undefined): FoundDict | undefined {
  const entries = entriesOf(value, contents);
  if (entries === undefined) return undefined;
  const found: FoundDict = { tensors: new Map(), others: new Map() };
  for (const [name, item] of entries) {
    const tensor = tensorOf(item);
    if (typeof name !== "string") {
      if (tensor !== undefined) return undefined;
    } else if (tensor instanceof TensorRef) found.tensors.set(name, tensor);
    else found.others.set(name, tensor?.reason ?? `${describeValue(item)}, which is no tensor`);
  }
  return found;
}

function describeMismatch(contents: Contents, value: Value | undefined): string {
  if (value === undefined) return "nothing under that key";
  const entries = entriesOf(value, contents);
  if (entries === undefined) return describeValue(value);
  for (const [name, item] of entries) {
    if (typeof name !== "string") return `a dict with the key ${describeValue(name)}`;
    const tensor = tensorOf(item);
    if (!(tensor instanceof TensorRef)) {
      return `a dict with ${tensor?.reason ?? describeValue(item)} under ${describe(name)}`;
    }
  }
  return "a dict";
}

function describeValue(value: Value): string {
  if (value === null) return "None";
  if (value instanceof PyDict) return "a dict";
  if (value instanceof PySequence) return `a ${value.kind}`;
  if (value instanceof TensorRef) return "a tensor";
  if (value instanceof UnreadTensor) return value.reason;
  if (value instanceof StorageRef) return "a storage without a tensor";
  if (value instanceof PyGlobal) return `the Python name ${describe(value.name)}`;
  if (!(value instanceof PyObject)) return describe(value);
  return `the Python object ${describe(value.of)}, which is not run`;
}

/** What is to be found in a value under one name: a dict's entry, a list's item, a module in a module, an attribute. */
function within(value: Value, name: string, { declarations }: Contents): Value | undefined {
  const items = value instanceof PySequence || value instanceof PyObject ? value.items : [];
  if (number.test(name) && Number(name) < items.length) return items[Number(name)];
  if (value instanceof PyDict) return value.entries.get(name) ?? numbered(value, name);
  if (!(value instanceof PyObject)) return undefined;
  return (
    value.entries.get(name) ?? childrenOf(value, declarations)?.get(name) ?? attributesOf(value)?.entries.get(name)
  );
}

/** A dict's keys may be numbers, as those of an optimizer's state are. */
function numbered(value: PyDict<Ref>, name: string): Value | undefined {
  return number.test(name) ? value.entries.get(Number(name)) : undefined;
}

/** The value under a key, else under the parts of it that dots separate, the first that leads anywhere each time. */
function follow(contents: Contents, key: string): Value | undefined {
  let value: Value | undefined = contents.root;
  let rest = key;
  while (value !== undefined) {
    const whole: Value | undefined = within(value, rest, contents);
    if (whole !== undefined || rest.length > maxKeyLength) return whole;
    let inner: Value | undefined;
    for (let dot = rest.indexOf("."); dot >= 0 && inner === undefined; dot = rest.indexOf(".", dot + 1)) {
      inner = within(value, rest.slice(0, dot), contents);
      if (inner instanceof PyDict || inner instanceof PyObject || inner instanceof PySequence) {
        rest = rest.slice(dot + 1);
      } else inner = undefined;
    }
    value = inner;
  }
  return undefined;
}

interface Beneath {
  readonly path: string;
  /** How many tensors it holds. */
  readonly size: number;
}

/**
 * The state dicts beneath a value. Every container is visited once: a file may put one in many places, or in itself. What
 * torch calls `_extra_state` is a part of the dict that it stands in, whatever it holds.
 */
function dictsBeneath(contents: Contents, root: Value | undefined): Beneath[] {
  const found: Beneath[] = [];
  const seen = new Set<Value>();
  const visit = (value: Value, path: string): void => {
    if (seen.has(value) || seen.size > maxContainers) return;
    seen.add(value);
    if (path !== "") {
      const dict = mostlyTensors(contents, value);
      if (dict !== undefined) {
        found.push({ path: path.slice(0, -1), size: dict });
        return;
      }
    }
    for (const [name, item] of namesIn(value)) visit(item, `${path}${name}.`);
  };
  if (root !== undefined) visit(root, "");
  return found;
}

function namesIn(value: Value): (readonly [string, Value])[] {
  const isContainer = (item: Value): boolean => {
    return item instanceof PyDict || item instanceof PySequence || item instanceof PyObject;
  };
  if (value instanceof PySequence) {
    return value.items
      .slice(0, maxContainers)
      .flatMap((item, i) => (isContainer(item) ? [[`${i}`, item] as const] : []));
  }
  const entries = value instanceof PyDict || value instanceof PyObject ? [...value.entries] : [];
  return entries.flatMap(([name, item]) => {
    return typeof name === "string" && !name.endsWith("_extra_state") && isContainer(item)
      ? [[name, item] as const]
      : [];
  });
}

/** How many tensors a value holds, if it is a module or a dict most of whose entries are tensors. */
function mostlyTensors(contents: Contents, value: Value): number | undefined {
  const found = asDict(contents, value);
  if (found === undefined || found.tensors.size === 0) return undefined;
  return found.tensors.size * 2 >= found.tensors.size + found.others.size ? found.tensors.size : undefined;
}
