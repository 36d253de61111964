// Writes safetensors, byte for byte as the official library does: a header length (u64), a JSON header, the tensors' bytes.
// A file appears whole or not at all. It reads nothing.
// The format: https://huggingface.co/docs/safetensors

import { randomUUID } from "node:crypto";
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { checkOptions, describe, rangeError, typeError } from "../../check.js";
import { type DType, type Tensor, type TensorLike, toTensor } from "../../tensor/tensor.js";
import type { FileDType } from "../dtypes.js";
import { toPath } from "../source.js";

const fileDTypes: Readonly<Record<DType, FileDType>> = { float64: "F64", float32: "F32", int32: "I32" };
const fileOrder: readonly DType[] = ["float64", "float32", "int32"]; // widest alignment first, as the official writer

/** Options of {@link saveSafetensors}. */
export interface SaveSafetensorsOptions {
  /** Strings to store in the header, as `{ format: "pt" }`. */
  metadata?: Readonly<Record<string, string>>;
}

/**
 * Writes tensors as a safetensors file, byte for byte as the official library would. The file appears whole or not at
 * all: it is written under a temporary name beside its place and then renamed.
 *
 * @param path where to write; a file there is replaced
 * @param dict the tensors by name, such as `lstm.stateDict()`
 * @param options `metadata`
 * @throws TypeError ERR_ARG_TYPE when a value is no tensor, or metadata no strings; RangeError ERR_FILE for a name that the
 *   format cannot hold; the file system's own error when it cannot be written
 * @see https://huggingface.co/docs/safetensors
 * @example
 * ```ts
 * saveSafetensors("lstm.safetensors", new LSTM(3, 4).stateDict(), { metadata: { trained: "2026-11-25" } });
 * console.log(LSTM.fromStateDict(loadSafetensors("lstm.safetensors"))); // → LSTM(3, 4)
 * ```
 */
export function saveSafetensors(
  path: string | URL,
  dict: Readonly<Record<string, TensorLike>>,
  options: SaveSafetensorsOptions = {},
): void {
  const target = toPath("path", path);
  const { metadata } = checkOptions("saveSafetensors", options, ["metadata"]);
  if (typeof dict !== "object" || dict === null || Array.isArray(dict)) {
    throw typeError("ERR_ARG_TYPE", "dict", "an object of tensors by name", describe(dict));
  }
  const named = Object.entries(dict).map(([name, value]) => {
    checkName(target, name);
    return { name, tensor: toTensor(`dict[${JSON.stringify(name)}]`, value) };
  });
  named.sort(
    (a, b) =>
      fileOrder.indexOf(a.tensor.dtype) - fileOrder.indexOf(b.tensor.dtype) ||
      Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)),
  );
  const tensors = named.map(({ tensor }) => tensor.data);
  writeAtomically(target, [encodeHeader(named, metadata), ...tensors]);
}

function checkName(target: string, name: string): void {
  if (name === "__metadata__")
    throw rangeError("ERR_FILE", target, "tensor names other than __metadata__", describe(name));
  if (Buffer.from(name).toString() !== name) {
    throw rangeError("ERR_FILE", target, "tensor names that UTF-8 can hold", describe(name));
  }
}

function encodeHeader(
  named: readonly { name: string; tensor: Tensor }[],
  metadata: Readonly<Record<string, string>> | undefined,
): Uint8Array {
  let offset = 0;
  const entries: [string, unknown][] = named.map(({ name, tensor }) => {
    const begin = offset;
    offset += tensor.data.byteLength;
    return [name, { dtype: fileDTypes[tensor.dtype], shape: tensor.shape, data_offsets: [begin, offset] }];
  });
  if (metadata !== undefined) {
    const strings = typeof metadata === "object" && metadata !== null && !Array.isArray(metadata);
    if (!strings || !Object.values(metadata).every((value) => typeof value === "string")) {
      throw typeError("ERR_ARG_TYPE", "metadata", "an object of strings", describe(metadata));
    }
    entries.unshift(["__metadata__", metadata]);
  }
  // Joined by hand: an object would move names such as "0" to the front.
  const json = `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",")}}`;
  const text = Buffer.from(json);
  const padded = Math.ceil(text.length / 8) * 8;
  const bytes = Buffer.alloc(8 + padded, " ");
  bytes.writeBigUInt64LE(BigInt(padded), 0);
  text.copy(bytes, 8);
  return bytes;
}

function writeAtomically(target: string, pieces: readonly ArrayBufferView[]): void {
  const temporary = `${target}.${randomUUID()}.tmp`;
  try {
    const fd = openSync(temporary, "wx");
    try {
      for (const piece of pieces) writeWhole(fd, new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength));
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function writeWhole(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, Math.min(2 ** 30, bytes.length - done));
}
