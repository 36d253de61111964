// Reads zip archives, as much of the format as weight files use: stored and deflated entries, zip64, data descriptors,
// padding between entries. The central directory rules, and every number in it is judged before it is used: an entry
// lies inside the file, overlaps no other, inflates to the size it declares, and matches its checksum.
// It writes nothing and knows neither torch nor tensors.
// The format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT

import { crc32, inflateRawSync } from "node:zlib";
import { describe, rangeError } from "../check.js";
import { readBytes, type Source } from "./source.js";

interface Entry {
  name: string;
  offset: number; // of the local header
  dataStart: number;
  compressedSize: number;
  size: number;
  deflated: boolean;
  crc: number;
}

/** An opened archive: entries by name, read one at a time. */
export interface Zip {
  readonly names: ReadonlySet<string>;
  /** The size of an entry once read, or undefined when there is none. */
  size(name: string): number | undefined;
  /** The contents of an entry, in memory of their own. @throws RangeError ERR_FILE when damaged or not there */
  read(name: string): Uint8Array<ArrayBuffer>;
  /**
   * `length` bytes of an entry from byte `from` on, which the caller knows to lie in it. Of a stored entry nothing else is
   * read, so that its checksum, which is of the whole, is not looked at.
   */
  readPart(name: string, from: number, length: number): Uint8Array<ArrayBuffer>;
  /** Reads an entry through, piece by piece. @throws RangeError ERR_FILE when it does not match its checksum */
  verify(name: string): void;
}

const localSignature = 0x04034b50;
const centralSignature = 0x02014b50;
const endSignature = 0x06054b50;
const end64Signature = 0x06064b50;
const locator64Signature = 0x07064b50;
const localLength = 30;
const centralLength = 46;
const endLength = 22;
const end64Length = 56;
const locator64Length = 20;
const all16 = 0xffff;
const all32 = 0xffffffff;

const piece = 2 ** 24;

/** How much all entries together may inflate to. Weights hardly shrink, so a hundredfold is a bomb. */
const inflateBase = 2 ** 24;
const inflateFactor = 100;

const opened = new WeakMap<Source, Zip>();

/** The archive of a source, read once however often it is asked for. @throws RangeError ERR_FILE when it is none, or malformed or hostile */
export function openZip(source: Source): Zip {
  const zip = opened.get(source) ?? readZip(source);
  opened.set(source, zip);
  return zip;
}

function readZip(source: Source): Zip {
  const end = findEnd(source);
  const entries = readCentralDirectory(source, end);
  checkOverlaps(source, [...entries.values()], end.offset);
  let inflated = 0;

  const find = (name: string): Entry => {
    const entry = entries.get(name);
    if (entry !== undefined) return entry;
    throw rangeError("ERR_FILE", entryLabel(source, name), "an entry of the archive", "none of that name");
  };
  const read = (name: string): Uint8Array<ArrayBuffer> => {
    const entry = find(name);
    const label = entryLabel(source, name);
    if (entry.deflated) {
      inflated += entry.size;
      const limit = inflateBase + inflateFactor * source.size;
      if (inflated > limit) {
        throw rangeError("ERR_FILE", label, `entries that inflate to at most ${limit} bytes`, `${inflated}`);
      }
    }
    const bytes = readBytes(source, label, entry.dataStart, entry.compressedSize);
    const contents = entry.deflated ? inflate(label, bytes, entry.size) : bytes;
    checkSum(label, entry, checksum(contents));
    return contents;
  };

  return {
    names: new Set(entries.keys()),
    size: (name) => entries.get(name)?.size,
    read,
    readPart(name, from, length) {
      const entry = find(name);
      if (length === entry.size) return read(name);
      if (entry.deflated) return read(name).slice(from, from + length);
      return readBytes(source, entryLabel(source, name), entry.dataStart + from, length);
    },
    verify(name) {
      const entry = find(name);
      const label = entryLabel(source, name);
      if (entry.deflated) return; // whatever part is read, all of it is, and is checked then
      let sum = 0;
      for (let done = 0; done < entry.size; done += piece) {
        const length = Math.min(piece, entry.size - done);
        sum = crc32(readBytes(source, label, entry.dataStart + done, length), sum);
      }
      checkSum(label, entry, sum);
    },
  };
}

/** The checksum of any number of bytes: zlib counts no more than 32 bits of them at a time. */
function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let done = 0; done < bytes.length; done += piece) sum = crc32(bytes.subarray(done, done + piece), sum);
  return sum;
}

// torch can be told to leave the checksum out, and then writes 0 (torch.serialization.set_crc32_options).
function checkSum(label: string, { crc }: Entry, sum: number): void {
  if (crc !== 0 && crc !== sum) {
    throw rangeError("ERR_FILE", label, "bytes that match their checksum", "others: the file is damaged");
  }
}

function entryLabel(source: Source, name: string): string {
  return `${source.name} entry ${describe(name)}`;
}

function inflate(label: string, bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  let contents: Buffer;
  try {
    contents = inflateRawSync(bytes, { maxOutputLength: Math.max(size, 1) });
  } catch {
    throw rangeError("ERR_FILE", label, `deflated data of ${size} bytes`, "data that is malformed or of another size");
  }
  if (contents.length !== size) {
    throw rangeError("ERR_FILE", label, `deflated data of ${size} bytes`, `data of ${contents.length} bytes`);
  }
  // zlib's own memory may be larger than what it holds.
  return new Uint8Array(contents);
}

function viewAt(source: Source, at: number, length: number): DataView<ArrayBuffer> {
  return new DataView(readBytes(source, source.name, at, length).buffer);
}

/** A 64-bit size or offset; one beyond what a number can count is returned as such and fails the next bounds check. */
function uint64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

interface Directory {
  count: number;
  size: number;
  offset: number;
  label: string;
}

/** Finds where the central directory lies, from the record that ends every zip archive and the zip64 record before it. */
function findEnd(source: Source): Directory {
  const label = `${source.name} central directory`;
  const tail = Math.min(source.size, endLength + all16); // the record may be followed by a comment
  const view = viewAt(source, source.size - tail, tail);
  let at = tail - endLength;
  const ends = (): boolean =>
    view.getUint32(at, true) === endSignature && at + endLength + view.getUint16(at + 20, true) === tail;
  while (at >= 0 && !ends()) at--;
  if (at < 0)
    throw rangeError("ERR_FILE", source.name, "a zip archive", "no zip end record: another format, or cut short");

  const count = view.getUint16(at + 10, true);
  const size = view.getUint32(at + 12, true);
  const offset = view.getUint32(at + 16, true);
  const endAt = source.size - tail + at;
  const directory = findEnd64(source, label, endAt) ?? { count, size, offset, label, limit: endAt };
  // Both records may be there; where the old one is filled in, it must say the same, or two readers see two archives.
  const agree = (old: number, full: number, unset: number): boolean => old === full || old === unset;
  if (
    !agree(count, directory.count, all16) ||
    !agree(size, directory.size, all32) ||
    !agree(offset, directory.offset, all32)
  ) {
    throw rangeError("ERR_FILE", label, "one place and size", "two that differ");
  }
  if (directory.offset + directory.size > directory.limit) {
    throw rangeError(
      "ERR_FILE",
      label,
      `bytes before ${directory.limit}`,
      `${directory.size} bytes from ${directory.offset} on`,
    );
  }
  if (directory.count * centralLength > directory.size) {
    throw rangeError("ERR_FILE", label, `room for ${directory.count} entries`, `${directory.size} bytes`);
  }
  return directory;
}

function findEnd64(source: Source, label: string, endAt: number): (Directory & { limit: number }) | undefined {
  const locatorAt = endAt - locator64Length;
  if (locatorAt < 0) return undefined;
  const locator = viewAt(source, locatorAt, locator64Length);
  if (locator.getUint32(0, true) !== locator64Signature) return undefined;
  const at = uint64(locator, 8);
  if (at + end64Length > locatorAt) {
    throw rangeError("ERR_FILE", label, `a zip64 record before ${locatorAt}`, `one at ${at}`);
  }
  const record = viewAt(source, at, end64Length);
  if (record.getUint32(0, true) !== end64Signature)
    throw rangeError("ERR_FILE", label, `a zip64 record at ${at}`, "none");
  return { count: uint64(record, 32), size: uint64(record, 40), offset: uint64(record, 48), label, limit: at };
}

function readCentralDirectory(source: Source, { count, size, offset, label }: Directory): Map<string, Entry> {
  const bytes = readBytes(source, label, offset, size);
  const view = new DataView(bytes.buffer);
  const entries = new Map<string, Entry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + centralLength > size)
      throw rangeError("ERR_FILE", label, `${count} entries`, `${i} and an incomplete one`);
    if (view.getUint32(at, true) !== centralSignature) {
      throw rangeError("ERR_FILE", label, `entry ${i} at ${offset + at}`, "other bytes");
    }
    const nameEnd = at + centralLength + view.getUint16(at + 28, true);
    const extraEnd = nameEnd + view.getUint16(at + 30, true);
    const next = extraEnd + view.getUint16(at + 32, true);
    if (next > size) throw rangeError("ERR_FILE", label, `${count} entries`, `${i} and an incomplete one`);
    const name = decodeName(label, bytes.subarray(at + centralLength, nameEnd));
    if (entries.has(name)) throw rangeError("ERR_FILE", entryLabel(source, name), "one entry of that name", "two");
    entries.set(name, readEntry(source, name, view, at, nameEnd, extraEnd));
    at = next;
  }
  if (at !== size) throw rangeError("ERR_FILE", label, `${at} bytes for ${count} entries`, `${size}`);
  return entries;
}

function decodeName(label: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw rangeError("ERR_FILE", label, "entry names in UTF-8", "other bytes");
  }
}

function readEntry(source: Source, name: string, view: DataView, at: number, nameEnd: number, extraEnd: number): Entry {
  const label = entryLabel(source, name);
  if ((view.getUint16(at + 8, true) & 0x2041) !== 0)
    throw rangeError("ERR_FILE", label, "no encryption", "an encrypted entry");
  const method = view.getUint16(at + 10, true);
  if (method !== 0 && method !== 8) {
    throw rangeError("ERR_FILE", label, "a stored or deflated entry", `compression method ${method}`);
  }
  const wide = readWide(label, view, nameEnd, extraEnd);
  const take = (value: number): number => (value === all32 ? wide() : value);
  const size = take(view.getUint32(at + 24, true));
  const compressedSize = take(view.getUint32(at + 20, true));
  const offset = take(view.getUint32(at + 42, true));
  const deflated = method === 8;
  if (!deflated && size !== compressedSize) {
    throw rangeError("ERR_FILE", label, "a stored entry of one size", `${compressedSize} and ${size} bytes`);
  }
  const nameLength = nameEnd - at - centralLength;
  const dataStart = readLocal(source, label, {
    offset,
    method,
    name: new Uint8Array(view.buffer, at + centralLength, nameLength),
  });
  return { name, offset, dataStart, compressedSize, size, deflated, crc: view.getUint32(at + 16, true) };
}

/** The zip64 extra field: the values, in their order, that did not fit in 32 bits. */
function readWide(label: string, view: DataView, from: number, to: number): () => number {
  let at = to;
  let end = to;
  for (let field = from; field + 4 <= to; field += 4 + view.getUint16(field + 2, true)) {
    if (view.getUint16(field, true) !== 1) continue;
    at = field + 4;
    end = Math.min(to, at + view.getUint16(field + 2, true));
    break;
  }
  return () => {
    if (at + 8 > end) throw rangeError("ERR_FILE", label, "its 64-bit size", "none");
    at += 8;
    return uint64(view, at - 8);
  };
}

/** Checks the header before an entry's data against the directory, and returns where the data starts. */
function readLocal(source: Source, label: string, entry: { offset: number; method: number; name: Uint8Array }): number {
  const { offset, method, name } = entry;
  const length = localLength + name.length;
  if (offset + length > source.size) {
    throw rangeError("ERR_FILE", label, `a place in the ${source.size} bytes of the file`, `offset ${offset}`);
  }
  const view = viewAt(source, offset, length);
  const same = new Uint8Array(view.buffer, localLength).every((byte, i) => byte === name[i]);
  const agrees = view.getUint16(26, true) === name.length && same && view.getUint16(8, true) === method;
  if (view.getUint32(0, true) !== localSignature || !agrees) {
    throw rangeError("ERR_FILE", label, `its header at ${offset}`, "other bytes");
  }
  return offset + length + view.getUint16(28, true);
}

function checkOverlaps(source: Source, entries: Entry[], limit: number): void {
  entries.sort((a, b) => a.offset - b.offset);
  let covered = 0;
  for (const { name, offset, dataStart, compressedSize } of entries) {
    const end = dataStart + compressedSize;
    if (offset < covered || end > limit) {
      const where = `${end - offset} bytes from ${offset} on`;
      throw rangeError("ERR_FILE", entryLabel(source, name), `bytes of its own, from ${covered} to ${limit}`, where);
    }
    covered = end;
  }
}
