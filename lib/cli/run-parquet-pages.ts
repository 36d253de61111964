// One column of one row group of a Parquet file, page after page: the levels and values of a page as typed arrays, never as
// nested lists, so that what is in memory is a page. Thrift, the encodings of values and the codecs are the libraries'
// (hyparquet, hyparquet-compressors); here is the walk over the pages, in which no count that a file claims is believed
// before there are bytes for it, and every loop ends with its bytes.
// The format: https://parquet.apache.org/docs/file-format/

import { readSync } from "node:fs";
import { crc32 } from "node:zlib";
import type { ColumnMetaData, Compressors, DecodedArray, PageHeader, SchemaElement } from "hyparquet";
import { parquetHeader } from "hyparquet/src/column.js";
import { decompressPage } from "hyparquet/src/datapage.js";
import { deltaBinaryUnpack, deltaByteArray, deltaLengthByteArray } from "hyparquet/src/delta.js";
import { byteStreamSplit } from "hyparquet/src/encoding.js";
import { readPlain } from "hyparquet/src/plain.js";

/** An opened file, and who is to be told that the work goes on. */
export interface ParquetFile {
  readonly fd: number;
  readonly size: number;
  readonly compressors: Compressors;
  /** Called between the steps of the work; the next one, without a word, may take as long as `bytes` honestly need. */
  tick(bytes: number): void;
}

/** A column whose values are stored, and what its levels mean. */
export interface Leaf {
  readonly path: readonly string[];
  readonly element: SchemaElement;
  readonly maxDefinition: number;
  readonly maxRepetition: number;
  /** From which definition level on the outermost list has something in it; 0 where there is no list. */
  readonly listDefinition: number;
}

/** Levels are undefined where the column has none; of values there are as many as definition levels at their maximum. */
export interface Page {
  readonly count: number;
  readonly repetition: Uint8Array | undefined;
  readonly definition: Uint8Array | undefined;
  readonly values: DecodedArray;
}

/** What is wrong with a file, before anyone says in which. */
export function damaged(what: string): Error {
  return new Error(what);
}

const headerStep = 8192; // more than a page's header is, unless it holds long statistics
const maxHeader = 2 ** 24;

/** The pages of a column of a row group. @throws Error for whatever does not hold */
export function* readPages(file: ParquetFile, meta: ColumnMetaData, leaf: Leaf): Generator<Page> {
  const total = Number(meta.num_values);
  const dictionaryAt = Number(meta.dictionary_page_offset ?? 0);
  const dataAt = Number(meta.data_page_offset);
  let at = dictionaryAt > 0 ? Math.min(dictionaryAt, dataAt) : dataAt;
  const end = at + Number(meta.total_compressed_size);
  if (!(at >= 4 && end <= file.size && end >= at)) throw damaged(`a column from byte ${at} to ${end}`);
  let dictionary: DecodedArray | undefined;
  for (let seen = 0; seen < total; ) {
    const { header, length } = readHeader(file, at, end);
    at += length;
    const { type, compressed_page_size: size } = header;
    if (!(size >= 0 && at + size <= end)) throw damaged(`a page of ${size} bytes where ${end - at} are left`);
    if (!(header.uncompressed_page_size >= 0)) throw damaged("a page of less than no bytes");
    if (type === "INDEX_PAGE") {
      at += size;
      continue;
    }
    const bytes = new Uint8Array(size);
    readFully(file.fd, bytes, at);
    at += size;
    if (header.crc !== undefined && crc32(bytes) !== header.crc >>> 0) throw damaged("a page that fails its checksum");
    file.tick(Math.max(size, header.uncompressed_page_size));
    if (type === "DICTIONARY_PAGE") {
      const unpacked = unpack(file, bytes, header.uncompressed_page_size, meta);
      const count = header.dictionary_page_header?.num_values ?? 0;
      dictionary = plainValues(unpacked, leaf.element, count);
      continue;
    }
    const page = readDataPage(file, header, bytes, meta, leaf, dictionary, total - seen);
    file.tick(0);
    if (page.count > total - seen) throw damaged(`${page.count} values where ${total - seen} are left`);
    seen += page.count;
    yield page;
  }
}

export function readFully(fd: number, into: Uint8Array, from: number): void {
  for (let done = 0; done < into.length; ) {
    const got = readSync(fd, into, done, Math.min(into.length - done, 2 ** 30), from + done);
    if (got === 0) throw damaged("an end before its time");
    done += got;
  }
}

/** A header says its own end; it is read through a window that widens while the header does not fit. */
function readHeader(file: ParquetFile, at: number, end: number): { header: PageHeader; length: number } {
  for (let room = headerStep; ; room *= 8) {
    const bytes = new Uint8Array(Math.min(room, end - at));
    readFully(file.fd, bytes, at);
    const reader = { view: new DataView(bytes.buffer), offset: 0 };
    try {
      const header = parquetHeader(reader);
      if (reader.offset <= bytes.length) return { header, length: reader.offset };
    } catch (error) {
      if (bytes.length === end - at || room >= maxHeader) throw error;
    }
    if (bytes.length === end - at) throw damaged("a page header that runs over its column's end");
  }
}

function unpack(file: ParquetFile, bytes: Uint8Array, size: number, meta: ColumnMetaData): Uint8Array {
  return decompressPage(bytes, size, meta.codec, file.compressors);
}

function readDataPage(
  file: ParquetFile,
  header: PageHeader,
  bytes: Uint8Array,
  meta: ColumnMetaData,
  leaf: Leaf,
  dictionary: DecodedArray | undefined,
  left: number,
): Page {
  const { data_page_header: one, data_page_header_v2: two } = header;
  const head = header.type === "DATA_PAGE" ? one : header.type === "DATA_PAGE_V2" ? two : undefined;
  if (head === undefined) throw damaged(`a page of type ${header.type}`);
  const count = head.num_values;
  if (!(count >= 0 && count <= left)) throw damaged(`a page of ${count} values where ${left} are left`);
  let levels: Uint8Array;
  let body: Uint8Array;
  let repetitionBytes: number | undefined;
  let definitionBytes: number | undefined;
  if (two !== undefined && head === two) {
    repetitionBytes = two.repetition_levels_byte_length;
    definitionBytes = two.definition_levels_byte_length;
    const before = repetitionBytes + definitionBytes;
    if (!(repetitionBytes >= 0 && definitionBytes >= 0 && before <= bytes.length))
      throw damaged("levels beyond the page");
    levels = bytes.subarray(0, before);
    body = bytes.subarray(before);
    if (two.is_compressed !== false) body = unpack(file, body, header.uncompressed_page_size - before, meta);
  } else {
    body = unpack(file, bytes, header.uncompressed_page_size, meta);
    levels = body;
    if (one?.definition_level_encoding === "BIT_PACKED" && leaf.maxDefinition > 0 && count > 0 && body.length > 0) {
      throw damaged("levels in BIT_PACKED, which Parquet gave up in 2013");
    }
  }
  let at = 0;
  const readLevels = (max: number, length: number | undefined): Uint8Array | undefined => {
    if (max === 0) {
      at += length ?? 0;
      return undefined;
    }
    const from = length === undefined ? at + 4 : at;
    const size = length ?? uint32(levels, at);
    if (!(from + size <= levels.length)) throw damaged("levels beyond the page");
    const into = new Uint8Array(count);
    readHybrid(levels, from, from + size, 32 - Math.clz32(max), into);
    at = from + size;
    return into;
  };
  const repetition = readLevels(leaf.maxRepetition, repetitionBytes);
  const definition = readLevels(leaf.maxDefinition, definitionBytes);
  let present = count;
  if (definition !== undefined) for (const level of definition) if (level !== leaf.maxDefinition) present--;
  const values = readValues(levels === body ? body.subarray(at) : body, head.encoding, present, leaf, dictionary);
  return { count, repetition, definition, values };
}

function readValues(
  bytes: Uint8Array,
  encoding: string,
  count: number,
  { element }: Leaf,
  dictionary: DecodedArray | undefined,
): DecodedArray {
  if (count === 0) return [];
  const { type } = element;
  if (encoding === "PLAIN") return plainValues(bytes, element, count);
  if (encoding === "PLAIN_DICTIONARY" || encoding === "RLE_DICTIONARY") {
    if (dictionary === undefined) throw damaged("a page whose dictionary is missing");
    return lookUp(bytes, count, dictionary);
  }
  if (encoding === "RLE" && type === "BOOLEAN") {
    const bits = new Uint8Array(count);
    readHybrid(bytes, 4, Math.min(bytes.length, 4 + uint32(bytes, 0)), 1, bits);
    return Array.from(bits, (bit) => bit === 1);
  }
  const reader = { view: viewOf(bytes), offset: 0 };
  if (encoding === "BYTE_STREAM_SPLIT") {
    const width =
      type === "FIXED_LEN_BYTE_ARRAY" ? (element.type_length ?? 0) : type === "FLOAT" || type === "INT32" ? 4 : 8;
    if (count * width > bytes.length) throw damaged(`${count} values in ${bytes.length} bytes`);
    return byteStreamSplit(reader, count, type as "FLOAT", element.type_length);
  }
  if (encoding === "DELTA_BINARY_PACKED") {
    const values = type === "INT32" ? new Int32Array(count) : new BigInt64Array(count);
    deltaBinaryUnpack(reader, count, values);
    return values;
  }
  const pieces = new Array<Uint8Array>(count);
  if (encoding === "DELTA_LENGTH_BYTE_ARRAY") deltaLengthByteArray(reader, count, pieces);
  else if (encoding === "DELTA_BYTE_ARRAY") deltaByteArray(reader, count, pieces);
  else throw damaged(`values in the encoding ${encoding}`);
  return pieces;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function uint32(bytes: Uint8Array, at: number): number {
  return viewOf(bytes).getUint32(at, true);
}

const bitsOf = { BOOLEAN: 1, INT32: 32, FLOAT: 32, INT64: 64, DOUBLE: 64, INT96: 96, BYTE_ARRAY: 32 };

function plainValues(bytes: Uint8Array, { type, type_length: width }: SchemaElement, count: number): DecodedArray {
  if (type === undefined) throw damaged("a column without a type");
  const bits = type === "FIXED_LEN_BYTE_ARRAY" ? 8 * (width ?? 0) : bitsOf[type];
  if (!(count >= 0 && count * bits <= 8 * bytes.length && bits > 0))
    throw damaged(`${count} values in ${bytes.length} bytes`);
  if (width === 2 && type === "FIXED_LEN_BYTE_ARRAY") return new Uint16Array(bytes.slice(0, 2 * count).buffer) as never;
  return readPlain({ view: viewOf(bytes), offset: 0 }, type, count, width);
}

function lookUp(bytes: Uint8Array, count: number, dictionary: DecodedArray): DecodedArray {
  const width = bytes[0] ?? 0;
  if (width > 32 || bytes.length === 0) throw damaged(`dictionary indices of ${width} bits`);
  const indices = new Int32Array(count);
  readHybrid(bytes, 1, bytes.length, width, indices);
  const size = dictionary.length;
  for (let i = 0; i < count; i++) {
    const index = indices[i] as number;
    if (index < 0 || index >= size) throw damaged(`index ${index} into a dictionary of ${size}`);
  }
  if (Array.isArray(dictionary)) return Array.from(indices, (index) => dictionary[index]);
  const values = new (dictionary.constructor as new (length: number) => Float64Array)(count);
  for (let i = 0; i < count; i++) values[i] = dictionary[indices[i] as number] as number;
  return values;
}

/**
 * Parquet's hybrid of run lengths and packed bits, until `into` is full.
 * @throws Error when the bytes from `at` to `end` are used up before
 */
export function readHybrid(
  bytes: Uint8Array,
  at: number,
  end: number,
  width: number,
  into: Uint8Array | Int32Array,
): void {
  const short = (done: number): Error =>
    damaged(`${into.length} levels or indices, of which bytes are there for ${done}`);
  for (let done = 0; done < into.length; ) {
    let header = 0;
    let byte = 0x80;
    for (let shift = 0; byte & 0x80; shift += 7) {
      if (at >= end || shift > 35) throw short(done);
      byte = bytes[at++] as number;
      header += (byte & 0x7f) * 2 ** shift;
    }
    if (header % 2 === 0) {
      let value = 0;
      const size = Math.ceil(width / 8);
      if (at + size > end) throw short(done);
      for (let i = 0; i < size; i++) value |= (bytes[at++] as number) << (8 * i);
      const run = Math.min(header / 2, into.length - done);
      into.fill(value, done, done + run);
      done += run;
      continue;
    }
    const groups = (header - 1) / 2;
    const values = Math.min(8 * groups, into.length - done);
    if (at + Math.ceil((values * width) / 8) > end) throw short(done);
    unpackBits(bytes, at, width, into, done, values);
    done += values;
    at += groups * width;
  }
}

function unpackBits(
  bytes: Uint8Array,
  from: number,
  width: number,
  into: Uint8Array | Int32Array,
  first: number,
  count: number,
): void {
  let at = from;
  let have = 0;
  let bits = 0;
  if (width <= 24) {
    const mask = 2 ** width - 1;
    for (let i = first; i < first + count; i++) {
      for (; have < width; have += 8) bits |= (bytes[at++] as number) << have;
      into[i] = bits & mask;
      bits >>>= width;
      have -= width;
    }
    return;
  }
  for (let i = first; i < first + count; i++) {
    for (; have < width; have += 8) bits += (bytes[at++] as number) * 2 ** have;
    into[i] = bits % 2 ** width;
    bits = Math.floor(bits / 2 ** width);
    have -= width;
  }
}
