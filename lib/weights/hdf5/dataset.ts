// The values of an HDF5 dataset: where they lie (in the header, in one run, or in chunks that a tree lists), what filters
// they went through, and the bytes they are. Only the dataset that is asked for is read.

import { inflateSync } from "node:zlib";
import type { Cursor, Hdf5Bytes } from "./cursor.js";
import { undefinedAddress } from "./cursor.js";
import { countOf, type Datatype } from "./datatype.js";
import { findMessage, type Message, messageType } from "./messages.js";

type Bytes = Uint8Array<ArrayBuffer>;

/** Bytes of numbers with each number's bytes in the host's order. In place. */
export function littleEndian(bytes: Bytes, type: Datatype): Bytes {
  if (type.kind === "number" && type.bigEndian) {
    for (let at = 0; at < bytes.length; at += type.size) bytes.subarray(at, at + type.size).reverse();
  }
  return bytes;
}

interface Filter {
  readonly id: number;
  readonly name: string;
  readonly values: readonly number[];
}

/**
 * All bytes of a dataset, in row-major order, at the start of a buffer of their own.
 * @throws RangeError ERR_FILE when they are not there, are kept in a way that is not read, or are far more than the file holds
 */
export function readValues(
  file: Hdf5Bytes,
  label: string,
  messages: readonly Message[],
  shape: readonly number[],
  elementSize: number,
): Bytes {
  const layout = findMessage(messages, messageType.layout);
  if (layout === undefined) throw file.fail(label, "a place for its values", "none");
  const size = countOf(shape) * elementSize;
  file.payData(label, size);
  const version = layout.u8();
  if (version !== 3 && version !== 4) throw layout.fail("a layout of version 3 or 4", `${version}`);
  const kind = layout.u8();
  if (kind === 0) {
    const length = layout.u16();
    if (length < size) throw layout.fail(`${size} bytes of values`, `${length}`);
    return layout.take(size).slice();
  }
  if (kind === 1) {
    if (findMessage(messages, messageType.external) !== undefined) {
      throw layout.fail("values in the file", "values in another file, which is not read");
    }
    const address = layout.address();
    const length = layout.u64();
    if (address === undefinedAddress || size === 0) return filled(messages, size);
    if (length < size) throw layout.fail(`${size} bytes of values`, `${length}`);
    return file.raw(label, address, size);
  }
  if (kind !== 2) throw layout.fail("values in the file", "a layout that keeps them elsewhere");
  const filters = readFilters(messages);
  const chunks = version === 3 ? readChunks(layout, shape.length) : readSingleChunk(layout, shape, elementSize);
  const values = filled(messages, size);
  for (const chunk of chunks.list) {
    const length = countOf(chunks.shape) * elementSize;
    file.payData(label, chunk.size ?? length);
    const raw = file.raw(label, chunk.address, chunk.size ?? length);
    const bytes = unfilter(file, label, raw, filters, chunk.mask, elementSize, length);
    placeChunk(values, shape, bytes, chunks.shape, chunk.offset, elementSize);
  }
  return values;
}

/** What is never written has the fill value, which is zero when none is given. */
function filled(messages: readonly Message[], size: number): Bytes {
  const values = new Uint8Array(size);
  const fill = findMessage(messages, messageType.fill);
  if (fill === undefined) return values;
  const version = fill.u8();
  const flags = fill.u8();
  const given = version === 3 ? (flags & 0x20) !== 0 : fill.skip(1).u8() !== 0;
  const length = given && fill.left >= 4 ? fill.u32() : 0;
  if (length === 0) return values;
  const value = fill.take(length);
  for (let at = 0; at + length <= size; at += length) values.set(value, at);
  return values;
}

interface Chunk {
  readonly address: number;
  /** As stored; undefined where it is that of the values. */
  readonly size: number | undefined;
  readonly mask: number;
  readonly offset: readonly number[];
}

interface Chunks {
  readonly shape: readonly number[];
  readonly list: Iterable<Chunk>;
}

function readChunks(layout: Cursor, rank: number): Chunks {
  if (layout.u8() !== rank + 1) throw layout.fail(`chunks of ${rank} dims`, "chunks of others");
  const address = layout.address();
  const shape = Array.from({ length: rank }, () => layout.u32());
  if (shape.includes(0)) throw layout.fail("chunks with elements", "chunks without");
  return { shape, list: walkChunks(layout.file, layout.label, address, 255, rank) };
}

/** The leaves of a version-1 B-tree over chunks; levels fall, so that no node leads back to itself. */
function* walkChunks(file: Hdf5Bytes, label: string, address: number, below: number, rank: number): Generator<Chunk> {
  if (address === undefinedAddress) return;
  const head = file.at(label, address, 24).mark("TREE");
  const type = head.u8();
  const level = head.u8();
  if (type !== 1 || level >= below)
    throw head.fail("a tree of chunks whose levels fall", `level ${level}, type ${type}`);
  const count = head.u16();
  const body = file.at(label, address + 24, count * (8 + 8 * (rank + 1) + 8));
  for (let i = 0; i < count; i++) {
    const size = body.u32();
    const mask = body.u32();
    const offset = Array.from({ length: rank }, () => body.u64());
    const child = body.skip(8).address();
    if (level > 0) yield* walkChunks(file, label, child, level, rank);
    else yield { address: child, size, mask, offset };
  }
}

/** Of the newest layout only the kind with one chunk is read: the others come of libver="latest", which no exporter sets. */
function readSingleChunk(layout: Cursor, shape: readonly number[], elementSize: number): Chunks {
  const flags = layout.u8();
  const rank = layout.u8();
  const width = layout.u8();
  const chunk = Array.from({ length: rank }, () => layout.uint(width)).slice(0, shape.length);
  const index = layout.u8();
  if (index !== 1 || chunk.some((dim, d) => dim < (shape[d] as number))) {
    const expected = "chunks that every version of HDF5 reads";
    throw layout.fail(expected, 'chunks of libver="latest": h5repack --low=0 --high=0 rewrites the file');
  }
  const filtered = (flags & 2) !== 0;
  const size = filtered ? layout.u64() : countOf(chunk) * elementSize;
  const mask = filtered ? layout.u32() : 0;
  return { shape: chunk, list: [{ address: layout.address(), size, mask, offset: chunk.map(() => 0) }] };
}

function readFilters(messages: readonly Message[]): Filter[] {
  const cursor = findMessage(messages, messageType.filters);
  if (cursor === undefined) return [];
  const version = cursor.u8();
  const count = cursor.u8();
  if (version === 1) cursor.skip(6);
  return Array.from({ length: count }, () => {
    const id = cursor.u16();
    const nameLength = version === 1 || id >= 256 ? cursor.u16() : 0;
    const valueCount = cursor.skip(2).u16();
    const name = cursor.text(version === 1 ? Math.ceil(nameLength / 8) * 8 : nameLength);
    const values = Array.from({ length: valueCount }, () => cursor.u32());
    if (version === 1 && valueCount % 2 === 1) cursor.skip(4);
    return { id, name, values };
  });
}

/** Undoes the filters, last first, but for those that the chunk's mask says were left out. */
function unfilter(
  file: Hdf5Bytes,
  label: string,
  raw: Bytes,
  filters: readonly Filter[],
  mask: number,
  elementSize: number,
  length: number,
): Bytes {
  let bytes = raw;
  for (const [index, { id, name, values }] of [...filters.entries()].reverse()) {
    if ((mask & (1 << index)) !== 0) continue;
    if (id === 1) bytes = inflate(file, label, bytes, length + 4);
    else if (id === 2) bytes = unshuffle(bytes, values[0] ?? elementSize);
    else if (id === 3)
      bytes = bytes.subarray(0, Math.max(bytes.length - 4, 0)); // a checksum
    else throw file.fail(label, "values as they are, or compressed with gzip", `the filter ${name || id}`);
  }
  if (bytes.length < length) throw file.fail(label, `chunks of ${length} bytes`, `one of ${bytes.length}`);
  return bytes;
}

function inflate(file: Hdf5Bytes, label: string, bytes: Bytes, most: number): Bytes {
  file.payData(label, most);
  try {
    return new Uint8Array(inflateSync(bytes, { maxOutputLength: Math.max(most, 1) }));
  } catch {
    throw file.fail(label, `compressed data of ${most} bytes at most`, "data that is malformed or larger");
  }
}

/** The bytes of all elements stand together: first bytes, second bytes, and so on. */
function unshuffle(bytes: Bytes, width: number): Bytes {
  const count = width > 0 ? Math.floor(bytes.length / width) : 0;
  const plain = bytes.slice();
  for (let b = 0; b < width && count > 0; b++) {
    for (let i = 0; i < count; i++) plain[i * width + b] = bytes[b * count + i] as number;
  }
  return plain;
}

/** Copies the part of a chunk that lies inside the dataset, a run of the last dim at a time. */
function placeChunk(
  values: Bytes,
  shape: readonly number[],
  chunk: Bytes,
  chunkShape: readonly number[],
  offset: readonly number[],
  elementSize: number,
): void {
  const rank = shape.length;
  const room = shape.map((dim, d) => Math.min(chunkShape[d] as number, dim - (offset[d] as number)));
  if (room.some((n) => !(n > 0))) return;
  const run = (room[rank - 1] ?? 1) * elementSize;
  const place = new Array<number>(Math.max(rank - 1, 0)).fill(0);
  for (;;) {
    let from = 0;
    let to = 0;
    for (let d = 0; d < rank; d++) {
      from = from * (chunkShape[d] as number) + (place[d] ?? 0);
      to = to * (shape[d] as number) + (offset[d] as number) + (place[d] ?? 0);
    }
    values.set(chunk.subarray(from * elementSize, from * elementSize + run), to * elementSize);
    let d = rank - 2;
    while (d >= 0 && ++(place[d] as number) === room[d]) place[d--] = 0;
    if (d < 0) return;
  }
}
