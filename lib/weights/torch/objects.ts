// What a torch pickle's calls and persistent ids mean, as far as tensors go: those listed here are known and build refs
// and plain containers, as data. Everything else stays opaque, whatever its name.
// The functions: https://github.com/pytorch/pytorch/blob/main/torch/_utils.py

import { storageType } from "./elements.js";
import { isNumpyName } from "./numpy-names.js";
import type { PickleHost } from "./pickle.js";
import { StorageRef, TensorRef, UnreadTensor } from "./tensors.js";
import { PyDict, PyGlobal, PyObject, PySequence, type PyValue } from "./values.js";

/** What a torch pickle holds besides plain values. */
export type Ref = StorageRef | TensorRef | UnreadTensor;
export type Value = PyValue<Ref>;
export type Args = readonly Value[];

function isNumbers(value: Value | undefined): value is PySequence<Ref> & { items: number[] } {
  return value instanceof PySequence && value.items.every((item) => typeof item === "number");
}

const malformed = new UnreadTensor("a tensor whose storage, offset, sizes and strides are other values than those");

function rebuildTensor(args: Args, dtype: string | undefined, metadata: Value | undefined): Ref {
  const [storage, offset, shape, strides] = args;
  if (!(storage instanceof StorageRef) || typeof offset !== "number" || !isNumbers(shape) || !isNumbers(strides)) {
    return malformed;
  }
  const flags = metadata instanceof PyDict ? [...metadata.entries].filter(([, set]) => set !== false) : [];
  const strange = flags.find(([flag]) => flag !== "neg" && flag !== "conj");
  // A lazily conjugated tensor is complex, and passed over for that.
  if (strange !== undefined || !(metadata === undefined || metadata === null || metadata instanceof PyDict)) {
    return new UnreadTensor("a tensor with metadata that is not known");
  }
  return new TensorRef({
    storage,
    dtype: dtype ?? storage.dtype,
    offset: offset + storage.start,
    shape: shape.items,
    strides: strides.items,
    negated: flags.some(([flag]) => flag === "neg"),
  });
}

/** The name of a type that stands as a global, "float32" for torch.float32. */
function dtypeName(value: Value | undefined): string | undefined {
  return value instanceof PyGlobal ? /^torch\.(\w+)$/.exec(value.name)?.[1] : undefined;
}

/** What stands first, if it is a tensor: what its type, its device or its attributes are said to be besides changes no value. */
const first = ([value]: Args): Value | undefined => {
  return value instanceof TensorRef || value instanceof UnreadTensor || value instanceof PyObject ? value : undefined;
};

/** What the calls of one pickle may share, so that a name that stands for much costs its few bytes and no copy each time. */
interface Shared {
  /** The bytes of texts. */
  readonly encoded: Map<string, Uint8Array<ArrayBuffer>>;
  /** How many more items may be copied. */
  left: number;
}

const maxCopies = 2 ** 18;

type Call = (args: Args, shared: Shared) => Value | undefined;

const sequence =
  (kind: "tuple" | "list" | "set"): Call =>
  ([items]) => {
    if (items === undefined) return new PySequence<Ref>(kind, []);
    return items instanceof PySequence ? new PySequence(kind, items.items) : undefined;
  };

/** An OrderedDict, empty or of the pairs that it is called with. */
const orderedDict: Call = ([pairs], shared) => {
  const dict = new PyDict<Ref>();
  if (pairs === undefined) return dict;
  if (!(pairs instanceof PySequence) || !takes(shared, pairs.items.length)) return undefined;
  for (const pair of pairs.items) {
    if (!(pair instanceof PySequence) || pair.items.length !== 2) return undefined;
    dict.entries.set(pair.items[0] ?? null, pair.items[1] ?? null);
  }
  return dict;
};

function takes(shared: Shared, copies: number): boolean {
  shared.left -= copies;
  return shared.left >= 0;
}

/** Bytes in a pickle of protocol 2: text whose characters are the bytes. */
const encode: Call = ([text, encoding], { encoded }) => {
  if (typeof text !== "string" || (encoding !== "latin1" && encoding !== "latin-1")) return undefined;
  const made = encoded.get(text) ?? new Uint8Array(Buffer.from(text, "latin1"));
  encoded.set(text, made);
  return made;
};

const bytes = ([value]: Args): Value | undefined => {
  if (value === undefined) return new Uint8Array();
  return value instanceof Uint8Array ? value : undefined;
};

/** An instance as protocols 0 and 1 write it: of a class, on top of what the builtin that it extends holds. */
const reconstruct: Call = ([type, , base], shared) => {
  if (!(type instanceof PyGlobal)) return undefined;
  const made = new PyObject<Ref>(type.name, []);
  if (base instanceof PyDict && takes(shared, base.entries.size)) {
    for (const [key, value] of base.entries) made.entries.set(key, value);
  }
  if (base instanceof PySequence && takes(shared, base.items.length)) {
    for (const item of base.items) made.items.push(item);
  }
  return made;
};

const newObject = ([type, ...args]: Args): Value | undefined => {
  return type instanceof PyGlobal ? new PyObject(type.name, args) : undefined;
};

const unread = (reason: string) => (): Value => new UnreadTensor(reason);

const calls: Readonly<Record<string, Call>> = {
  "torch._utils._rebuild_tensor": (args) => rebuildTensor(args, undefined, undefined),
  "torch._utils._rebuild_tensor_v2": (args) => rebuildTensor(args, undefined, args[6]),
  "torch._utils._rebuild_tensor_v3": (args) => rebuildTensor(args, dtypeName(args[6]) ?? "unnamed", args[7]),
  "torch._utils._rebuild_parameter": first,
  "torch._utils._rebuild_parameter_with_state": first,
  "torch.nn.parameter.Parameter": first,
  "torch.nn.parameter.Buffer": first,
  "torch._utils._rebuild_device_tensor_from_cpu_tensor": first,
  "torch._utils._rebuild_device_tensor_from_numpy": first,
  "torch._utils._rebuild_xla_tensor": first,
  "torch._tensor._rebuild_from_type": rebuildFromType,
  "torch._tensor._rebuild_from_type_v2": rebuildFromType,
  "torch._utils._rebuild_sparse_tensor": unread("a sparse tensor, which is not read: to_dense() it first"),
  "torch._utils._rebuild_sparse_csr_tensor": unread("a sparse tensor, which is not read: to_dense() it first"),
  "torch._utils._rebuild_qtensor": unread("a quantised tensor, which is not read: dequantize() it first"),
  "torch._utils._rebuild_nested_tensor": unread("a nested tensor, which is not read"),
  "torch._utils._rebuild_meta_tensor_no_storage": unread("a tensor of the meta device, which has no values"),
  "torch._utils._rebuild_wrapper_subclass": unread(
    "a tensor of a class of its own, whose values only that class knows",
  ),
  "collections.OrderedDict": orderedDict,
  "builtins.dict": orderedDict,
  "__builtin__.dict": orderedDict,
  "builtins.list": sequence("list"),
  "__builtin__.list": sequence("list"),
  "builtins.tuple": sequence("tuple"),
  "__builtin__.tuple": sequence("tuple"),
  "torch.Size": sequence("tuple"),
  ...Object.fromEntries(
    ["builtins", "__builtin__"].flatMap((module) => [
      [`${module}.set`, sequence("set")],
      [`${module}.frozenset`, sequence("set")],
      [`${module}.bytearray`, bytes],
      [`${module}.bytes`, bytes],
    ]),
  ),
  "_codecs.encode": encode,
  "copyreg._reconstructor": reconstruct,
  "copy_reg._reconstructor": reconstruct,
  "copyreg.__newobj__": newObject,
  "copy_reg.__newobj__": newObject,
};

/** A tensor with attributes, a buffer or a tensor of a subclass: how to build the tensor, its type, and the rest. */
function rebuildFromType([build, , args]: Args, shared: Shared): Value | undefined {
  const builder =
    build instanceof PyGlobal && /^torch\._utils\._rebuild_/.test(build.name) ? calls[build.name] : undefined;
  return args instanceof PySequence ? builder?.(args.items, shared) : undefined;
}

/** What is known and says nothing of values: element types, devices, layouts. */
const inert = /^torch\.(u?int\d+|b?float\d+\w*|bool|complex\d+|qu?int\d+|per_\w+|strided|device|Tensor|\w+Storage)$/;

/** What a kind of file means besides, by its persistent ids and by calls of its own. */
export interface HostOptions {
  /** What the tag and the rest of a persistent id stand for; undefined for nothing known. */
  persistent?: (tag: Value, rest: Args) => Value | undefined;
  /** What `torch.storage._load_from_bytes` makes of a file in the file. */
  loadBytes?: (bytes: Uint8Array<ArrayBuffer>) => Value | undefined;
}

/** What a pickle of torch means by its names. */
export function torchHost({ persistent = storageOf, loadBytes }: HostOptions = {}): PickleHost<Ref> {
  const shared: Shared = { encoded: new Map(), left: maxCopies };
  const nested = "torch.storage._load_from_bytes";
  return {
    knows(name) {
      if (name === nested) return loadBytes !== undefined;
      return Object.hasOwn(calls, name) || inert.test(name) || storageType(name) !== undefined || isNumpyName(name);
    },
    call(name, args) {
      if (name === nested) return args[0] instanceof Uint8Array ? loadBytes?.(args[0]) : undefined;
      return Object.hasOwn(calls, name) ? calls[name]?.(args, shared) : undefined;
    },
    persistent(id) {
      const [tag = null, ...rest] = id instanceof PySequence ? id.items : [];
      return persistent(tag, rest);
    },
  };
}

/** The storage that a persistent id names by its class, its key and its size. */
export function storageOf(tag: Value, [type, key, , count]: Args): StorageRef | undefined {
  const dtype = type instanceof PyGlobal ? storageType(type.name) : undefined;
  if (tag !== "storage" || dtype === undefined || typeof key !== "string" || !Number.isSafeInteger(count))
    return undefined;
  return new StorageRef(key, dtype, count as number);
}
