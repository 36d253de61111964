// Bytes to read weights from, a file or memory, behind one face: a name for messages, a size, and positioned reads that
// give all that was asked for or throw. Nothing is read that no one asked for, so a file may be larger than memory.
// It knows no format.

import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, rangeError, typeError } from "../check.js";

/** A path, a file: URL, or the bytes themselves. */
export type FileSource = string | URL | Uint8Array | ArrayBuffer;

/** Something to read from. `name` is for messages. */
export interface Source {
  readonly name: string;
  readonly size: number;
  /** Where the file lies, for those that look for what lies beside it; undefined for bytes in memory. */
  readonly path?: string;
  /** Fills `into` from byte `at` on. @throws RangeError ERR_FILE when the bytes end before it is full */
  read(into: Uint8Array, at: number): void;
}

/** A source that is to be closed by whoever opened it. */
export interface OpenSource extends Source {
  close(): void;
}

const chunk = 2 ** 30;

/**
 * Opens a file, or wraps bytes. Nothing is read.
 * @param format what the bytes are taken for, for messages
 * @throws TypeError ERR_ARG_TYPE when `from` is neither path nor bytes; the file system's own error when it cannot be opened
 */
export function openSource(format: string, from: FileSource): OpenSource {
  if (from instanceof Uint8Array) return memorySource(format, from);
  if (from instanceof ArrayBuffer) {
    // A view cannot be made of a detached buffer; its length, 0, is all there is to judge.
    return memorySource(format, from.byteLength === 0 ? new Uint8Array() : new Uint8Array(from));
  }
  if (typeof from !== "string" && !(from instanceof URL)) {
    throw typeError("ERR_ARG_TYPE", "source", `a path, a Uint8Array or an ArrayBuffer of ${format}`, describe(from));
  }
  const path = toPath("source", from);
  const fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)); // a pipe without a writer would wait for one
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) throw rangeError("ERR_FILE", basename(path), "a file", "a folder, a pipe or a device");
    return fileSource(path, fd, stats.size);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Runs `use` on the opened source and closes it again, whatever happens. */
export function withSource<T>(format: string, from: FileSource, use: (source: Source) => T): T {
  const source = openSource(format, from);
  try {
    return use(source);
  } finally {
    source.close();
  }
}

/**
 * `length` bytes from byte `at` on, in memory of their own.
 * @param label what they are, for messages
 * @throws RangeError ERR_FILE when the source does not hold them, before memory is taken, or memory cannot
 */
export function readBytes(source: Source, label: string, at: number, length: number): Uint8Array<ArrayBuffer> {
  if (!(at >= 0 && length >= 0 && at + length <= source.size)) {
    throw rangeError("ERR_FILE", label, `bytes within the ${source.size} of the file`, `${length} from ${at} on`);
  }
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = new Uint8Array(length);
  } catch {
    throw rangeError("ERR_FILE", label, "a size that memory can hold", `${length} bytes`);
  }
  source.read(bytes, at);
  return bytes;
}

/** The first bytes, at most `length`: enough to tell what a file is. */
export function readHead(source: Source, length: number): Uint8Array<ArrayBuffer> {
  return readBytes(source, source.name, 0, Math.min(source.size, length));
}

/** A path as the file system takes it. @throws TypeError ERR_ARG_TYPE when it is neither a string nor a file: URL */
export function toPath(name: string, path: string | URL): string {
  if (typeof path === "string" && !path.includes("\0")) return path;
  if (path instanceof URL && path.protocol === "file:") return fileURLToPath(path);
  throw typeError("ERR_ARG_TYPE", name, "a path or a file: URL", path instanceof URL ? path.protocol : describe(path));
}

function truncated(name: string, wanted: number, size: number): RangeError {
  return rangeError("ERR_FILE", name, `at least ${wanted} bytes`, `${size}`);
}

function memorySource(format: string, bytes: Uint8Array): OpenSource {
  const name = `${format} bytes`;
  return {
    name,
    size: bytes.length,
    read(into, at) {
      const piece = bytes.subarray(at, at + into.length);
      if (piece.length < into.length) throw truncated(name, at + into.length, bytes.length);
      into.set(piece);
    },
    close() {},
  };
}

function fileSource(path: string, fd: number, size: number): OpenSource {
  const name = basename(path);
  return {
    name,
    size,
    path,
    read(into, at) {
      for (let done = 0; done < into.length; ) {
        const count = readSync(fd, into, done, Math.min(chunk, into.length - done), at + done);
        if (count === 0) throw truncated(name, at + into.length, at + done);
        done += count;
      }
    },
    close: () => closeSync(fd),
  };
}
