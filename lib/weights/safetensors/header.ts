// The header of a safetensors file: a length (u64), then JSON that says of each tensor its dtype, its shape and where its
// bytes lie. The file is taken as hostile: every number is judged before it is used, and the tensors must tile the data
// exactly. It reads the header and nothing behind it.
// The format: https://huggingface.co/docs/safetensors

import { describe, rangeError } from "../../check.js";
import { bitWidths, type FileDType } from "../dtypes.js";
import { readBytes, type Source } from "../source.js";
import { type Json, parseStrictJson } from "../strict-json.js";

export const maxHeader = 100_000_000; // bytes; the official library's limit
const maxRank = 64; // Tensor's

/** One tensor of a file, as its header states it. */
export interface Entry {
  readonly name: string;
  /** File and tensor, for messages. */
  readonly label: string;
  readonly dtype: FileDType;
  readonly shape: readonly number[];
  /** Where its bytes start in the file, and how many they are. */
  readonly at: number;
  readonly size: number;
}

function isFileDType(value: Json | undefined): value is FileDType {
  return typeof value === "string" && Object.hasOwn(bitWidths, value);
}

/**
 * What a file holds, in the order of its header.
 * @throws RangeError ERR_FILE when the header is malformed, naming file and tensor
 */
export function readEntries(source: Source): Entry[] {
  const { header, dataStart } = readHeader(source);
  const dataSize = source.size - dataStart;
  const entries: Entry[] = [];
  for (const [name, info] of header) {
    if (name === "__metadata__") checkMetadata(source.name, info);
    else entries.push(checkEntry(source.name, name, info, dataStart, dataSize));
  }
  checkTiling(source.name, entries, dataStart, dataSize);
  return entries;
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
  const bytes = readBytes(source, label, 8, Number(length));
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

function checkEntry(file: string, name: string, info: Json, dataStart: number, dataSize: number): Entry {
  const label = `${file} tensor ${describe(name)}`;
  const fail = (expected: string, received: string): RangeError => rangeError("ERR_FILE", label, expected, received);
  if (!(info instanceof Map)) throw fail("an object with dtype, shape and data_offsets", describeJson(info));

  const dtype = info.get("dtype");
  if (!isFileDType(dtype))
    throw fail(`a dtype among ${Object.keys(bitWidths).join(", ")}`, `dtype ${describeJson(dtype)}`);

  const shape = info.get("shape");
  if (!Array.isArray(shape) || shape.length > maxRank || !shape.every(isCount)) {
    throw fail(
      `a shape of at most ${maxRank} integers of at least 0, none past 2^53`,
      Array.isArray(shape) ? JSON.stringify(shape).slice(0, 80) : describeJson(shape),
    );
  }
  // Zeros left out of the first product, so that they cannot hide dims whose product is past all counting.
  const reach = shape.reduce((product, dim) => product * (dim || 1), bitWidths[dtype]);
  if (!Number.isSafeInteger(reach))
    throw fail("a size that can be addressed", `shape (${shape.join(", ").slice(0, 80)})`);
  const bytes = shape.includes(0) ? 0 : reach / 8;

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
  return { name, label, dtype, shape, at: dataStart + begin, size: bytes };
}

/** The official rule: in order of their offsets the tensors cover the data from first byte to last, without gap or overlap. */
function checkTiling(file: string, entries: readonly Entry[], dataStart: number, dataSize: number): void {
  let covered = 0;
  for (const { label, at, size } of entries.toSorted((a, b) => a.at - b.at || a.size - b.size)) {
    const begin = at - dataStart;
    if (begin < covered)
      throw rangeError("ERR_FILE", label, `data_offsets from ${covered} on`, `${begin}, which overlaps another tensor`);
    if (begin > covered)
      throw rangeError("ERR_FILE", label, `data_offsets from ${covered} on`, `${begin}, which leaves a gap`);
    covered = begin + size;
  }
  if (covered !== dataSize) {
    throw rangeError("ERR_FILE", file, `data of ${covered} bytes, as its header says`, `${dataSize} bytes`);
  }
}
