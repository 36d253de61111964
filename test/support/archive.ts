// Writes zip archives and pickles piece by piece, well-formed or not: what torch.save would never write, but a stranger
// might. It reads nothing and imports nothing of the library.

import { crc32, deflateRawSync } from "node:zlib";

/** One entry; every field past `data` is written as given, however wrong. */
export interface ZipEntry {
  name: string;
  data: Uint8Array;
  method?: number;
  flags?: number;
  /** What the directory says, instead of the truth. */
  crc?: number;
  size?: number;
  compressedSize?: number;
  offset?: number;
  /** The name in the local header. */
  localName?: string;
  /** Padding in the local extra field. */
  padding?: number;
  /** Sizes and offset in a zip64 field, as for an entry past 4 GiB. */
  wide?: boolean;
  /** No sizes in the local header, a data descriptor after the data. */
  descriptor?: boolean;
}

/** What the end of the archive says, instead of the truth. */
export interface ZipEnd {
  count?: number;
  size?: number;
  offset?: number;
  comment?: string;
  /** Adds the zip64 end record; its values, where given, differ from the old record's. */
  wide?: { count?: number; size?: number; offset?: number; at?: number };
}

function u16(...values: number[]): Buffer {
  const bytes = Buffer.alloc(2 * values.length);
  for (const [i, value] of values.entries()) bytes.writeUInt16LE(value, 2 * i);
  return bytes;
}

function u32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeUInt32LE(value % 2 ** 32, 4 * i);
  return bytes;
}

function u64(...values: number[]): Buffer {
  const bytes = Buffer.alloc(8 * values.length);
  for (const [i, value] of values.entries()) bytes.writeBigUInt64LE(BigInt(value), 8 * i);
  return bytes;
}

function writeEntry(entry: ZipEntry, offset: number): { local: Buffer; central: Buffer } {
  const { method = 0, flags = 0, wide = false, descriptor = false } = entry;
  const data = method === 8 ? deflateRawSync(entry.data) : entry.data;
  const crc = entry.crc ?? crc32(entry.data);
  const size = entry.size ?? entry.data.length;
  const compressedSize = entry.compressedSize ?? data.length;
  const at = entry.offset ?? offset;
  const name = Buffer.from(entry.name);
  const localName = Buffer.from(entry.localName ?? entry.name);
  const padding = Buffer.alloc(entry.padding ?? 0, "Z");
  const known = descriptor ? u32(0, 0, 0) : u32(crc, compressedSize, size);
  const local = Buffer.concat([
    u32(0x04034b50),
    u16(20, flags | (descriptor ? 8 : 0), method, 0, 0),
    known,
    u16(localName.length, padding.length),
    localName,
    padding,
    data,
    descriptor ? u32(0x08074b50, crc, compressedSize, size) : Buffer.alloc(0),
  ]);
  const extra = wide ? Buffer.concat([u16(1, 24), u64(size, compressedSize, at)]) : Buffer.alloc(0);
  const all = 0xffffffff;
  const central = Buffer.concat([
    u32(0x02014b50),
    u16(20, 20, flags | (descriptor ? 8 : 0), method, 0, 0),
    u32(crc, ...(wide ? [all, all] : [compressedSize, size])),
    u16(name.length, extra.length, 0, 0, 0),
    u32(0, wide ? all : at),
    name,
    extra,
  ]);
  return { local, central };
}

/** A zip archive of these entries, in their order. */
export function zip(entries: readonly ZipEntry[], end: ZipEnd = {}): Buffer {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const { local, central } = writeEntry(entry, offset);
    locals.push(local);
    centrals.push(central);
    offset += local.length;
  }
  const central = Buffer.concat(centrals);
  const truth = { count: entries.length, size: central.length, offset };
  const old = { ...truth, ...end };
  const comment = Buffer.from(end.comment ?? "");
  const wide = { ...truth, ...end.wide };
  const at = offset + central.length;
  const record = [
    Buffer.concat([
      u32(0x06064b50),
      u64(44),
      u16(45, 45),
      u32(0, 0),
      u64(wide.count, wide.count, wide.size, wide.offset),
    ]),
    Buffer.concat([u32(0x07064b50, 0), u64(wide.at ?? at), u32(1)]),
  ];
  return Buffer.concat([
    ...locals,
    central,
    ...(end.wide === undefined ? [] : record),
    u32(0x06054b50),
    u16(0, 0, old.count, old.count),
    u32(old.size, old.offset),
    u16(comment.length),
    comment,
  ]);
}

/** A torch archive around a pickle and its storages. */
export function torchArchive(pickle: Uint8Array, storages: Record<string, Uint8Array> = {}): Buffer {
  const data = Object.entries(storages).map(([key, bytes]) => ({ name: `m/data/${key}`, data: bytes }));
  return zip([{ name: "m/data.pkl", data: pickle }, ...data, { name: "m/version", data: Buffer.from("3\n") }]);
}

const bytesOf = (part: string | Buffer): Buffer => (typeof part === "string" ? Buffer.from(part, "latin1") : part);

/** A pickle of these opcodes, between PROTO 2 and STOP. */
export function pickle(...opcodes: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat([Buffer.from([0x80, 2]), ...opcodes.map(bytesOf), Buffer.from(".")]);
}

export const text = (value: string): Buffer =>
  Buffer.concat([Buffer.from("X"), u32(Buffer.byteLength(value)), Buffer.from(value)]);

/** LONG1, which holds any integer. */
export function int(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(10);
  bytes.writeUInt16LE(0x088a);
  bytes.writeBigInt64LE(BigInt(value), 2);
  return bytes;
}

export const global = (module: string, name: string): Buffer => Buffer.from(`c${module}\n${name}\n`);

export const tuple = (...items: readonly (string | Buffer)[]): Buffer =>
  Buffer.concat([Buffer.from("("), ...items.map(bytesOf), Buffer.from("t")]);

/** A tensor as torch.save writes one. */
export function tensor(options: {
  key?: string;
  type?: string;
  count?: number | bigint;
  offset?: number | bigint;
  shape?: readonly (number | bigint)[];
  strides?: readonly (number | bigint)[];
}): Buffer {
  const { key = "0", type = "FloatStorage", count = 4, offset = 0, shape = [4], strides = [1] } = options;
  const storage = Buffer.concat([
    tuple(text("storage"), global("torch", type), text(key), text("cpu"), int(count)),
    Buffer.from("Q"),
  ]);
  const hooks = Buffer.concat([global("collections", "OrderedDict"), Buffer.from(")R")]);
  const args = tuple(storage, int(offset), tuple(...shape.map(int)), tuple(...strides.map(int)), "\x89", hooks);
  return Buffer.concat([global("torch._utils", "_rebuild_tensor_v2"), args, Buffer.from("R")]);
}

/** A dict of names and values. */
export function dict(...items: readonly (readonly [name: string, value: string | Buffer])[]): Buffer {
  const pairs = items.map(([name, value]) => Buffer.concat([text(name), bytesOf(value)]));
  return Buffer.concat([Buffer.from("}("), ...pairs, Buffer.from("u")]);
}
