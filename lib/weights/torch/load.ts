// Reads the files that PyTorch writes (torch.save, TorchScript, torch.export), and NumPy's archives and pickles of arrays.
// Nothing is executed: of what a file names, only what makes tensors is known, and all else stays opaque. What kind of file
// it is, its bytes say. The formats are in rooms of their own; this one finds the dict that was asked for and reads it.
// The formats: https://docs.pytorch.org/docs/stable/notes/serialization.html

import { checkOptions, describe, nearest, rangeError, typeError } from "../../check.js";
import type { Tensor } from "../../tensor/tensor.js";
import { type FileKind, foreignFile, kindOf } from "../formats.js";
import { passOver } from "../passed-over.js";
import { reads } from "../prefix.js";
import { type FileSource, type Source, withSource } from "../source.js";
import { openZip } from "../zip.js";
import { openArchive } from "./archive.js";
import { type FoundDict, findDict } from "./contents.js";
import { openExported, openNpz } from "./exported.js";
import type { TorchFile } from "./file.js";
import { openLegacy, openPickle } from "./legacy.js";
import { TensorReader } from "./tensors.js";

/** Options of {@link loadTorch}. */
export interface LoadTorchOptions {
  /**
   * Where in a checkpoint the state dict lies, such as `"model_state_dict"` for what
   * `torch.save({"model_state_dict": model.state_dict(), "epoch": 3}, path)` wrote; dots lead into what lies inside: a
   * dict's key, a list's number (`"models.0"`), a module of a module, an attribute of an object.
   */
  key?: string;
  /** Only tensors whose names start with it are read, such as `"encoder."`; they keep their whole names. Default "". */
  prefix?: string;
}

const openers: Partial<Record<FileKind, (source: Source) => TorchFile>> = {
  "torch-zip": (source) => openArchive(source, openZip(source)),
  torchscript: (source) => openArchive(source, openZip(source)),
  pt2: (source) => openExported(source, openZip(source)),
  npz: (source) => openNpz(source, openZip(source)),
  "torch-legacy": openLegacy,
  pickle: openPickle,
};

/**
 * Reads the state dict in a file of PyTorch's: `torch.save(model.state_dict(), path)` in its zip format or its legacy one;
 * a checkpoint with such a dict in it; a whole model, `torch.save(model, path)`; a TorchScript archive; a program of
 * `torch.export.save`. And NumPy's: an `.npz` of weights by name, a pickled dict of arrays or of tensors.
 *
 * Nothing in the file is executed. A module is read as its state dict: parameters, buffers, the modules in it; its
 * class is never looked up. What stands beside the tensors (an optimizer, arguments, objects of any class) is passed over.
 *
 * Views and shared storages become dense Tensors of their own; float16, bfloat16 and the 8-bit floats are widened to float32,
 * exactly; booleans and integers of up to 16 bits become int32, as wider ones do when every value fits. What no Tensor
 * holds (complex, sparse, quantised and meta tensors, an int64 past 2^31) is passed over: its name is not listed, and
 * whoever asks for it, `dict[name]` or a `loadStateDict` that needs it, gets an error that says what it is.
 *
 * Only the tensors that are asked for are read, by their place in the file.
 *
 * @param source a path, a file: URL, or the bytes
 * @param options `key`: where in a checkpoint the state dict lies; without it the file must be a state dict itself, and
 *   the error for one that is not names the keys that hold some. `prefix`: only the tensors whose names start with it
 * @returns the tensors by name, in the file's order, ready for `loadStateDict`
 * @throws RangeError ERR_FILE for a file that is damaged, hostile or of another kind, naming file and tensor, and when no
 *   name starts with `prefix`; TypeError ERR_ARG_TYPE when `source` is neither path nor bytes; the file system's own error
 *   when it cannot be read
 * @example
 * ```ts
 * const lstm = LSTM.fromStateDict(loadTorch("lstm.pt")); // of torch.save(lstm.state_dict(), "lstm.pt")
 * console.log(lstm); // → LSTM(3, 5)
 * ```
 * @see https://docs.pytorch.org/docs/stable/generated/torch.save.html
 */
export function loadTorch(source: FileSource, options: LoadTorchOptions = {}): Record<string, Tensor> {
  const { key, prefix } = readOptions("loadTorch", options);
  return withSource("torch", source, (opened) => {
    const file = openTorch(opened);
    const { tensors, others } = select(opened, find(file, key), prefix);
    const reader = new TensorReader(opened.size, file.storage, prefix === "");
    const passed = new Map(others);
    const read: [string, Tensor][] = [];
    for (const [name, ref] of tensors) {
      const tensor = reader.tensor(`${opened.name} tensor ${describe(name)}`, ref);
      if (typeof tensor === "string") passed.set(name, tensor);
      else read.push([name, tensor]);
    }
    const [[name, reason] = ["", ""]] = passed;
    if (read.length === 0 && passed.size > 0) {
      throw rangeError("ERR_FILE", `${opened.name} tensor ${describe(name)}`, "a tensor that can be read", reason);
    }
    // fromEntries defines properties, so a tensor named __proto__ is a tensor and nothing else.
    const dict: Record<string, Tensor> = Object.fromEntries(read);
    for (const [other, why] of passed) passOver(dict, other, `${opened.name} ${describe(other)}`, why);
    return dict;
  });
}

/** What a file holds, as far as can be told without reading a tensor. */
export interface TorchListing {
  readonly kind: FileKind;
  /** The tensors of the state dict, in its order; `dtype` is torch's name of the type in the file. */
  readonly tensors: readonly { readonly name: string; readonly dtype: string; readonly shape: readonly number[] }[];
  /** What stands in the dict and is passed over, by name, with the reason. */
  readonly others: ReadonlyMap<string, string>;
  /** The Python functions and classes that the file names and that are not run, "numpy.random.Generator"; in their order. */
  readonly opaque: readonly string[];
}

/** Lists what {@link loadTorch} would read, and the names of all that it never runs. @throws as {@link loadTorch} */
export function listTorch(source: FileSource, options: LoadTorchOptions = {}): TorchListing {
  const { key, prefix } = readOptions("listTorch", options);
  return withSource("torch", source, (opened) => {
    const file = openTorch(opened);
    const { tensors, others } = select(opened, find(file, key), prefix);
    return {
      kind: kindOf(opened),
      tensors: Array.from(tensors, ([name, { dtype, shape }]) => ({ name, dtype, shape })),
      others,
      opaque: [...file.opaque],
    };
  });
}

function readOptions(caller: string, options: LoadTorchOptions): { key: string | undefined; prefix: string } {
  const { key, prefix = "" } = checkOptions(caller, options, ["key", "prefix"]);
  if (key !== undefined && typeof key !== "string") throw typeError("ERR_ARG_TYPE", "key", "a string", describe(key));
  if (typeof prefix !== "string") throw typeError("ERR_ARG_TYPE", "prefix", "a string", describe(prefix));
  return { key, prefix };
}

function openTorch(source: Source): TorchFile {
  const kind = kindOf(source);
  const open = openers[kind];
  if (open === undefined) throw foreignFile(source, "a file that torch.save or NumPy wrote", kind);
  return open(source);
}

function find(file: TorchFile, key: string | undefined): FoundDict {
  const found = findDict(file, key);
  if (found.tensors.size === 0 && file.whyEmpty !== undefined) {
    const received = `${file.whyEmpty}: save the module as it is before torch.jit.freeze`;
    throw rangeError("ERR_FILE", file.file, "parameters by name", received);
  }
  return found;
}

/** What of a dict lies under a prefix. */
function select({ name: file }: Source, found: FoundDict, prefix: string): FoundDict {
  if (prefix === "") return found;
  const wanted = <T>(entries: Map<string, T>): Map<string, T> => {
    return new Map([...entries].filter(([name]) => reads(prefix, name)));
  };
  const selected = { tensors: wanted(found.tensors), others: wanted(found.others) };
  if (selected.tensors.size > 0 || selected.others.size > 0) return selected;
  const names = [...found.tensors.keys()];
  const parts = names.flatMap((name) => [...name.matchAll(/\./g)].map(({ index }) => name.slice(0, index + 1)));
  const near = nearest(prefix, new Set(parts));
  const hint = near === undefined ? "" : ` (did you mean ${describe(near)}?)`;
  throw rangeError("ERR_FILE", file, `a tensor whose name starts with ${describe(prefix)}`, `none${hint}`);
}
