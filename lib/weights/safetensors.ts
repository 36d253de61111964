// Reads and writes safetensors: a header length (u64), a JSON header, the tensors' bytes. The file is taken as hostile:
// every number of the header is judged before it is used, and the tensors must tile the data exactly. What is returned
// owns its memory. Floats of 16 bits are widened; this room narrows nothing but int64 that fits in int32.
// The format: https://huggingface.co/docs/safetensors

import { randomUUID } from "node:crypto";
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { checkOptions, describe, rangeError, typeError } from "../check.js";
import { type DType, Tensor, type TensorLike, toTensor } from "../tensor.js";
import { widenBfloat16, widenFloat16 } from "./half.js";
import { type FileSource, type Source, toPath, withSource } from "./source.js";
import { type Json, parseStrictJson } from "./strict-json.js";

const maxHeader = 100_000_000; // the official library's limit
const maxRank = 64; // Tensor's

interface Entry {
  name: string;
  label: string; // file and tensor, for messages
  dtype: FileDType;
  shape: number[];
  count: number;
  begin: number;
  end: number;
}

type FileDType = "F64" | "F32" | "F16" | "BF16" | "I32" | "I64";

const widths: Readonly<Record<FileDType, number>> = { F64: 8, F32: 4, F16: 2, BF16: 2, I32: 4, I64: 8 };

function isFileDType(value: Json | undefined): value is FileDType {
  return typeof value === "string" && Object.hasOwn(widths, value);
}

/**
 * Reads every tensor of a safetensors file. float32, float64 and int32 come as they are; float16 and bfloat16 are
 * widened to float32, exactly; int64 becomes int32 when every value fits.
 *
 * @param source a path, a file: URL, or the bytes
 * @returns the tensors by name, in the order of the header, ready for `loadStateDict`
 * @throws RangeError ERR_FILE when the file is truncated, malformed or of a dtype not named above, naming file and tensor;
 *   TypeError ERR_ARG_TYPE when `source` is neither path nor bytes; the file system's own error when it cannot be read
 * @see https://huggingface.co/docs/safetensors
 */
export function loadSafetensors(source: FileSource): Record<string, Tensor> {
  return withSource("safetensors", source, (opened) => {
    const { header, dataStart } = readHeader(opened);
    const dataSize = opened.size - dataStart;
    const entries: Entry[] = [];
    for (const [name, info] of header) {
      if (name === "__metadata__") checkMetadata(opened.name, info);
      else entries.push(checkEntry(opened.name, name, info, dataSize));
    }
    checkTiling(opened.name, entries, dataSize);
    // fromEntries defines properties, so a tensor named __proto__ is a tensor and nothing else.
    return Object.fromEntries(entries.map((entry) => [entry.name, readTensor(opened, entry, dataStart + entry.begin)]));
  });
}

function readHeader(source: Source): { header: Map<string, Json>; dataStart: number } {
  const prefix = new Uint8Array(8);
  source.read(prefix, 0);
  const length = new DataView(prefix.buffer).getBigUint64(0, true);
  const label = `${source.name} header`;
  if (length > BigInt(source.size - 8)) {
    throw rangeError(
      "ERR_FILE",
      label,
      `at most the ${source.size - 8} bytes that follow its length`,
      `a length of ${length}`,
    );
  }
  if (length > BigInt(maxHeader)) {
    throw rangeError("ERR_FILE", label, `at most ${maxHeader} bytes`, `a length of ${length}`);
  }
  const bytes = new Uint8Array(Number(length));
  source.read(bytes, 8);
  let header: Json;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    if (!text.startsWith("{")) throw new SyntaxError(`it starts with ${describe(text.slice(0, 1))}`);
    header = parseStrictJson(text);
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : "bytes that are not UTF-8";
    throw rangeError("ERR_FILE", label, "a JSON object in UTF-8 without repeated keys", reason);
  }
  if (!(header instanceof Map)) throw rangeError("ERR_FILE", label, "a JSON object", "another JSON value");
  return { header, dataStart: 8 + bytes.length };
}

function describeJson(value: Json | undefined): string {
  return value instanceof Map ? "a JSON object" : describe(value);
}

function checkMetadata(file: string, metadata: Json): void {
  const label = `${file} __metadata__`;
  if (!(metadata instanceof Map)) throw rangeError("ERR_FILE", label, "an object of strings", describeJson(metadata));
  for (const [key, value] of metadata) {
    if (typeof value !== "string")
      throw rangeError("ERR_FILE", `${label} ${describe(key)}`, "a string", describeJson(value));
  }
}

function isCount(value: Json | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function checkEntry(file: string, name: string, info: Json, dataSize: number): Entry {
  const label = `${file} tensor ${describe(name)}`;
  const fail = (expected: string, received: string): RangeError => rangeError("ERR_FILE", label, expected, received);
  if (!(info instanceof Map)) throw fail("an object with dtype, shape and data_offsets", describeJson(info));

  const dtype = info.get("dtype");
  if (!isFileDType(dtype))
    throw fail(`a dtype among ${Object.keys(widths).join(", ")}`, `dtype ${describeJson(dtype)}`);

  const shape = info.get("shape");
  if (!Array.isArray(shape) || shape.length > maxRank || !shape.every(isCount)) {
    throw fail(
      `a shape of at most ${maxRank} integers of at least 0, none past 2^53`,
      Array.isArray(shape) ? JSON.stringify(shape).slice(0, 80) : describeJson(shape),
    );
  }
  // Zeros left out of the first product, so that they cannot hide dims whose product is past all counting.
  const reach = shape.reduce((product, dim) => product * (dim || 1), widths[dtype]);
  const count = shape.includes(0) ? 0 : reach / widths[dtype];
  const bytes = count * widths[dtype];
  if (!Number.isSafeInteger(reach))
    throw fail("a size that can be addressed", `shape (${shape.join(", ").slice(0, 80)})`);

  const offsets = info.get("data_offsets");
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    throw fail(
      "data_offsets [begin, end]",
      Array.isArray(offsets) ? JSON.stringify(offsets).slice(0, 80) : describeJson(offsets),
    );
  }
  const [begin = 0, end = 0] = offsets;
  if (begin > end || end > dataSize) {
    throw fail(`data_offsets within the ${dataSize} bytes of data`, `[${begin}, ${end}]`);
  }
  if (end - begin !== bytes) {
    throw fail(
      `${bytes} bytes for ${dtype} of shape (${shape.join(", ").slice(0, 80)})`,
      `data_offsets [${begin}, ${end}]`,
    );
  }
  return { name, label, dtype, shape, count, begin, end };
}

/** The official rule: in order of their offsets the tensors cover the data from first byte to last, without gap or overlap. */
function checkTiling(file: string, entries: readonly Entry[], dataSize: number): void {
  let covered = 0;
  for (const { label, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin < covered)
      throw rangeError("ERR_FILE", label, `data_offsets from ${covered} on`, `${begin}, which overlaps another tensor`);
    if (begin > covered)
      throw rangeError("ERR_FILE", label, `data_offsets from ${covered} on`, `${begin}, which leaves a gap`);
    covered = end;
  }
  if (covered !== dataSize) {
    throw rangeError("ERR_FILE", file, `data of ${covered} bytes, as its header says`, `${dataSize} bytes`);
  }
}

function readTensor(source: Source, entry: Entry, at: number): Tensor {
  const fill = <T extends ArrayBufferView>(array: T): T => {
    source.read(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
    return array;
  };
  return new Tensor(readData(entry, fill), entry.shape);
}

function readData({ dtype, count, label }: Entry, fill: <T extends ArrayBufferView>(array: T) => T): Tensor["data"] {
  switch (dtype) {
    case "F32":
      return fill(new Float32Array(count));
    case "F64":
      return fill(new Float64Array(count));
    case "I32":
      return fill(new Int32Array(count));
    case "F16":
      return widenFloat16(fill(new Uint16Array(count)));
    case "BF16":
      return widenBfloat16(fill(new Uint16Array(count)));
    case "I64":
      return Int32Array.from(fill(new BigInt64Array(count)), (value) => {
        if (BigInt.asIntN(32, value) === value) return Number(value);
        throw rangeError("ERR_FILE", label, "int64 values that fit in int32", `${value}`);
      });
  }
}

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
 */
export function saveSafetensors(
  path: string | URL,
  dict: Readonly<Record<string, TensorLike>>,
  options: SaveSafetensorsOptions = {},
): void {
  const target = toPath("path", path);
  checkOptions("saveSafetensors", options, ["metadata"]);
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
  writeAtomically(target, [encodeHeader(named, options.metadata), ...tensors]);
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
