// Reads the .pt and .pth files that torch.save(model.state_dict(), path) writes: a zip archive with one pickle and a
// file of raw bytes a storage. Nothing is executed: of Python's objects only those listed here are known, as plain
// data, and any other is refused by name.
// The format: https://docs.pytorch.org/docs/stable/notes/serialization.html

import { checkOptions, describe, rangeError, typeError } from "../check.js";
import type { Tensor } from "../tensor.js";
import { type PickleHost, type PickleValue, PyDict, PySequence, readPickle } from "./pickle.js";
import { type FileSource, type Source, withSource } from "./source.js";
import { type StorageDType, StorageRef, TensorReader, TensorRef } from "./torch-tensors.js";
import { openZip, type Zip } from "./zip.js";

/** Options of {@link loadTorch}. */
export interface LoadTorchOptions {
  /**
   * Where in a checkpoint the state dict lies, such as `"model_state_dict"` for what
   * `torch.save({"model_state_dict": model.state_dict(), "epoch": 3}, path)` wrote; dots lead into dicts inside dicts.
   */
  key?: string;
}

/** A Python object known by name: a function or class of the list, or what calling one gave. */
class Named {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

type Known = Named | StorageRef | TensorRef;
type Value = PickleValue<Known>;
type Dict = PyDict<Known>;

const storageTypes: Readonly<Record<string, StorageDType>> = {
  "torch.DoubleStorage": "float64",
  "torch.FloatStorage": "float32",
  "torch.HalfStorage": "float16",
  "torch.BFloat16Storage": "bfloat16",
  "torch.LongStorage": "int64",
  "torch.IntStorage": "int32",
  "torch.ShortStorage": "int16",
  "torch.CharStorage": "int8",
  "torch.ByteStorage": "uint8",
  "torch.BoolStorage": "bool",
};

/** What torch itself puts beside the tensors of a checkpoint. Calling one gives an opaque value, and nothing else. */
const inert: ReadonlySet<string> = new Set([
  ...["torch.Size", "torch.device", "__builtin__.set", "builtins.set", "__builtin__.frozenset", "builtins.frozenset"],
  "collections.Counter",
  ...["float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"].map(
    (t) => `torch.${t}`,
  ),
]);

const rebuilders: ReadonlySet<string> = new Set([
  "collections.OrderedDict",
  "torch._utils._rebuild_tensor_v2",
  "torch._utils._rebuild_parameter",
]);

const maxDicts = 1000; // looked into for an error message; also bounds the recursion

const advice = "save it again in Python with torch.save(model.state_dict(), path)";

/**
 * Reads the state dict in a `.pt` or `.pth` file, as `torch.save(model.state_dict(), path)` writes it since torch 1.6.
 *
 * Nothing in the file is executed. Views and shared storages become dense Tensors of their own; float16 and bfloat16 are
 * widened to float32, exactly; int64 and the smaller integers become int32. Whole models (`torch.save(model)`),
 * TorchScript archives and the format from before torch 1.6 are refused with a sentence on how to save them again.
 *
 * @param source a path, a file: URL, or the bytes
 * @param options `key`: where in a checkpoint the state dict lies; without it the file must be a state dict itself, and
 *   the error for one that is not names the keys that hold some
 * @returns the tensors by name, in the file's order, ready for `loadStateDict`
 * @throws RangeError ERR_FILE for a file that is damaged, hostile or of another kind, naming file and tensor;
 *   TypeError ERR_ARG_TYPE when `source` is neither path nor bytes; the file system's own error when it cannot be read
 * @see https://docs.pytorch.org/docs/stable/generated/torch.save.html
 */
export function loadTorch(source: FileSource, options: LoadTorchOptions = {}): Record<string, Tensor> {
  checkOptions("loadTorch", options, ["key"]);
  const { key } = options;
  if (key !== undefined && typeof key !== "string") throw typeError("ERR_ARG_TYPE", "key", "a string", describe(key));
  return withSource("torch", source, (opened) => {
    checkKind(opened);
    const zip = openZip(opened);
    const folder = findFolder(opened, zip);
    const root = readPickle(
      `${opened.name} data.pkl`,
      zip.read(`${folder}data.pkl`),
      torchHost(`${opened.name} data.pkl`),
    );
    const dict = stateDict(opened.name, root, key);
    const reader = new TensorReader(opened.size, (storage) => zip.read(`${folder}data/${storage}`));
    // fromEntries defines properties, so a tensor named __proto__ is a tensor and nothing else.
    return Object.fromEntries(
      Array.from(dict, ([name, ref]) => [name, reader.tensor(`${opened.name} tensor ${describe(name)}`, ref)]),
    );
  });
}

/** Refuses what is not a zip archive at all, by the first bytes that tell what it is. */
function checkKind(source: Source): void {
  const head = new Uint8Array(Math.min(source.size, 16));
  source.read(head, 0);
  const starts = (...bytes: number[]): boolean => bytes.every((byte, i) => head[i] === byte);
  if (starts(0x50, 0x4b)) return;
  let received = "another format";
  if (head.length === 0) received = "no bytes";
  // The magic number 0x1950a86a20f9469cfc6c, pickled.
  else if (starts(0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19)) {
    received =
      "the format from before torch 1.6: in Python, torch.save(torch.load(path, map_location='cpu'), path) rewrites it";
  } else if (starts(0x80)) received = `a bare pickle: ${advice}`;
  else if (starts(...Buffer.from("version https://")))
    received = "a Git LFS pointer: fetch the file itself with git lfs pull";
  throw rangeError("ERR_FILE", source.name, "a zip archive as torch.save writes it", received);
}

/** The folder that everything in the archive lies in, named after the file that was first written. */
function findFolder(source: Source, zip: Zip): string {
  const pickles = [...zip.names].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  const [pickle] = pickles;
  if (pickle === undefined || pickles.length > 1) {
    throw rangeError("ERR_FILE", source.name, "an archive with one data.pkl in its folder", `${pickles.length}`);
  }
  const folder = pickle.slice(0, -"data.pkl".length);
  if (zip.names.has(`${folder}constants.pkl`)) {
    const received =
      "a TorchScript archive: in Python, torch.save(torch.jit.load(path).state_dict(), path) makes one of it";
    throw rangeError("ERR_FILE", source.name, "a state dict", received);
  }
  const order = `${folder}byteorder`;
  if (zip.names.has(order)) {
    const name = new TextDecoder().decode(zip.read(order).subarray(0, 16)).trim();
    if (name !== "little")
      throw rangeError("ERR_FILE", source.name, "little-endian numbers", `byteorder ${describe(name)}`);
  }
  return folder;
}

/** What the pickle of a state dict may name. */
function torchHost(label: string): PickleHost<Known> {
  const fail = (expected: string, received: string): RangeError => rangeError("ERR_FILE", label, expected, received);

  const rebuildTensor = ([storage, offset, shape, strides, , , metadata]: readonly Value[]): TensorRef => {
    const isNumbers = (value: Value | undefined): value is PySequence<Known> & { items: number[] } =>
      value instanceof PySequence && value.items.every((item) => typeof item === "number");
    if (!(storage instanceof StorageRef) || typeof offset !== "number" || !isNumbers(shape) || !isNumbers(strides)) {
      throw fail("a tensor's storage, offset, sizes and strides", "other values");
    }
    // Set for lazily negated or conjugated tensors; their storage holds other values than they do.
    if (metadata !== undefined && metadata !== null)
      throw fail("a tensor without metadata", "one with: resolve_neg() it first");
    return new TensorRef(storage, offset, shape.items, strides.items);
  };

  return {
    global(name) {
      if (rebuilders.has(name) || inert.has(name) || Object.hasOwn(storageTypes, name)) return new Named(name);
      const expected = "nothing but what a state dict needs: tensors, dicts, numbers, strings";
      throw fail(expected, `the Python object ${describe(name)}, which is not run: ${advice}`);
    },
    call(callee, args) {
      const name = callee instanceof Named ? callee.name : undefined;
      if (name === "torch._utils._rebuild_tensor_v2") return rebuildTensor(args);
      if (name === "torch._utils._rebuild_parameter" && args[0] instanceof TensorRef) return args[0];
      if (name === "collections.OrderedDict" && args.length === 0) return new PyDict<Known>();
      if (name !== undefined && inert.has(name)) return new Named(`${name}()`);
      throw fail("a call that a state dict needs", `one of ${describeValue(callee)}, which is not run`);
    },
    persistent(id) {
      const [tag, type, key, , count] = id instanceof PySequence ? id.items : [];
      const dtype = type instanceof Named ? storageTypes[type.name] : undefined;
      if (tag !== "storage" || dtype === undefined || typeof key !== "string" || typeof count !== "number") {
        throw fail("a storage's type, key and size", "other values");
      }
      return new StorageRef(key, dtype, count);
    },
  };
}

function describeValue(value: Value): string {
  if (value === null) return "None";
  if (value instanceof PyDict) return "a dict";
  if (value instanceof PySequence) return `a ${value.kind}`;
  if (value instanceof TensorRef) return "a tensor";
  if (value instanceof StorageRef) return "a storage without a tensor";
  return value instanceof Named ? `the Python object ${describe(value.name)}` : describe(value);
}

function isStateDict(value: Value | undefined): value is Dict & { entries: Map<string, TensorRef> } {
  if (!(value instanceof PyDict)) return false;
  for (const [name, item] of value.entries) if (typeof name !== "string" || !(item instanceof TensorRef)) return false;
  return true;
}

/** Finds the state dict under `key`, or says where there are some. */
function stateDict(file: string, root: Value, key: string | undefined): Map<string, TensorRef> {
  const chosen = key === undefined ? root : follow(root, key);
  if (isStateDict(chosen)) return chosen.entries;
  const label = key === undefined ? file : `${file} key ${describe(key)}`;
  const held = stateDictKeys(root);
  const hint =
    held.length > 0
      ? `; state dicts lie under ${held
          .slice(0, 8)
          .map((k) => `{ key: ${describe(k)} }`)
          .join(", ")}`
      : "";
  throw rangeError("ERR_FILE", label, "a state dict of tensors by name", `${describeMismatch(chosen)}${hint}`);
}

function describeMismatch(value: Value | undefined): string {
  if (value === undefined) return "nothing under that key";
  if (!(value instanceof PyDict)) return describeValue(value);
  for (const [name, item] of value.entries) {
    if (typeof name !== "string") return `a dict with the key ${describeValue(name)}`;
    if (!(item instanceof TensorRef)) return `a dict with ${describeValue(item)} under ${describe(name)}`;
  }
  return "a dict";
}

/** The value under a key, else under the parts of it that dots separate. */
function follow(root: Value, key: string): Value | undefined {
  if (!(root instanceof PyDict)) return undefined;
  const whole = root.entries.get(key);
  if (whole !== undefined) return whole;
  for (let dot = key.indexOf("."); dot >= 0; dot = key.indexOf(".", dot + 1)) {
    const inner = root.entries.get(key.slice(0, dot));
    if (inner instanceof PyDict) return follow(inner, key.slice(dot + 1));
  }
  return undefined;
}

/** The keys under which state dicts lie. Every dict is visited once: a file may put one in many places, or in itself. */
function stateDictKeys(root: Value, prefix = "", seen = new Set<Value>()): string[] {
  const keys: string[] = [];
  if (!(root instanceof PyDict) || seen.size > maxDicts) return keys;
  seen.add(root);
  for (const [name, value] of root.entries) {
    if (typeof name !== "string" || !(value instanceof PyDict) || seen.has(value)) continue;
    if (value.entries.size === 0 || !isStateDict(value)) keys.push(...stateDictKeys(value, `${prefix}${name}.`, seen));
    else if (seen.add(value).size <= maxDicts) keys.push(`${prefix}${name}`);
  }
  return keys;
}
