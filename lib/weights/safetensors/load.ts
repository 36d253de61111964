// Reads safetensors: one file, or the index of a model that was saved in shards. The header says where each tensor lies, so
// only what was asked for is read. What is returned owns its memory; what no Tensor holds is passed over.

import { checkOptions, describe, nearest, rangeError, typeError } from "../../check.js";
import { Tensor } from "../../tensor/tensor.js";
import { unreadable, widen } from "../dtypes.js";
import { passOver } from "../passed-over.js";
import { type FileSource, readBytes, type Source, withSource } from "../source.js";
import { type Entry, readEntries } from "./header.js";
import { isShardIndex, readShardIndex } from "./shards.js";

/** Options of {@link loadSafetensors}. */
export interface LoadSafetensorsOptions {
  /** Only tensors whose names start with it are read, such as `"encoder."`; they keep their whole names. Default "". */
  prefix?: string;
}

/**
 * Reads the tensors of a safetensors file, or of a sharded model by the path of its `model.safetensors.index.json`.
 *
 * float32, float64 and int32 come as they are. float16, bfloat16 and the 8-bit floats are widened to float32, exactly;
 * booleans and integers of up to 16 bits become int32, as wider integers do when every value fits. What no Tensor holds
 * (complex numbers, an int64 past 2^31, floats of 4 and 6 bits) is passed over: its name is not listed, and whoever asks
 * for it, `dict[name]` or a `loadStateDict` that needs it, gets an error that says what it is.
 *
 * Only the header and the tensors that are asked for are read, by their place in the file, so a small model
 * in a large file costs what the small model does.
 *
 * @param source a path, a file: URL, or the bytes; of an index the path, since its shards lie beside it
 * @param options `prefix`
 * @returns the tensors by name, in the order of the header or index, ready for `loadStateDict`
 * @throws RangeError ERR_FILE when the file is truncated or malformed, naming file and tensor, when a shard is missing, or
 *   when no name starts with `prefix`; TypeError ERR_ARG_TYPE when `source` is neither path nor bytes; the file system's own
 *   error when it cannot be read
 * @example
 * ```ts
 * saveSafetensors("model.safetensors", { "encoder.weight": rand([4, 3]), "head.weight": rand([2, 4]) });
 * console.log(Object.keys(loadSafetensors("model.safetensors", { prefix: "encoder." }))); // → [ 'encoder.weight' ]
 * ```
 * @see https://huggingface.co/docs/safetensors
 */
export function loadSafetensors(source: FileSource, options: LoadSafetensorsOptions = {}): Record<string, Tensor> {
  const { prefix = "" } = checkOptions("loadSafetensors", options, ["prefix"]);
  if (typeof prefix !== "string") throw typeError("ERR_ARG_TYPE", "prefix", "a string", describe(prefix));
  const dict: Record<string, Tensor> = {};
  visitSafetensors(source, prefix, (opened, entry) => addTensor(dict, opened, entry));
  return dict;
}

/** What a file or a sharded model holds under a prefix, without reading any of it. @throws as {@link loadSafetensors} */
export function listSafetensors(source: FileSource, prefix = ""): Entry[] {
  const entries: Entry[] = [];
  visitSafetensors(source, prefix, (_, entry) => entries.push(entry));
  return entries;
}

/** Hands every tensor under the prefix to `visit`, in the order of the header or index, with the file that it lies in. */
function visitSafetensors(from: FileSource, prefix: string, visit: (source: Source, entry: Entry) => void): void {
  withSource("safetensors", from, (source) => {
    if (isShardIndex(source)) {
      const shards = readShardIndex(source);
      checkPrefix(source.name, prefix, [...shards.names]);
      shards.visit((name) => name.startsWith(prefix), visit);
      return;
    }
    const entries = readEntries(source);
    checkPrefix(
      source.name,
      prefix,
      entries.map(({ name }) => name),
    );
    for (const entry of entries) if (entry.name.startsWith(prefix)) visit(source, entry);
  });
}

function checkPrefix(file: string, prefix: string, names: readonly string[]): void {
  if (prefix === "" || names.some((name) => name.startsWith(prefix))) return;
  const near = nearest(
    prefix,
    new Set(names.flatMap((name) => [...name.matchAll(/\./g)].map(({ index }) => name.slice(0, index + 1)))),
  );
  const hint = near === undefined ? "" : ` (did you mean ${describe(near)}?)`;
  throw rangeError("ERR_FILE", `${file} prefix ${describe(prefix)}`, "names that start with it", `none${hint}`);
}

function addTensor(dict: Record<string, Tensor>, source: Source, { name, label, dtype, shape, at, size }: Entry): void {
  const data = unreadable(dtype) ?? widen(dtype, readBytes(source, label, at, size));
  if (typeof data === "string") {
    passOver(dict, name, label, data);
    return;
  }
  // Defined, not assigned, so that a tensor named __proto__ is a tensor and nothing else.
  const value = new Tensor(data, shape);
  Object.defineProperty(dict, name, { value, enumerable: true, writable: true, configurable: true });
}
