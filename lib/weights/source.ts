// Bytes to read weights from, a file or memory, behind one face: a name for messages, a size, and a read that fills
// what it is given or throws. A file is read piece by piece, so it need not fit in memory twice, nor under 2 GiB.
// It knows no format.

import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, rangeError, typeError } from "../check.js";

/** A path, a file: URL, or the bytes themselves. */
export type FileSource = string | URL | Uint8Array | ArrayBuffer;

/** Something opened for reading. `name` is for messages. */
export interface Source {
  readonly name: string;
  readonly size: number;
  /** Fills `into` from byte `at` on. @throws RangeError ERR_FILE when the bytes end before it is full */
  read(into: Uint8Array, at: number): void;
}

const chunk = 2 ** 30;

/** Runs `use` on the opened source and closes it again, whatever happens. */
export function withSource<T>(format: string, from: FileSource, use: (source: Source) => T): T {
  if (from instanceof Uint8Array) return use(memorySource(format, from));
  if (from instanceof ArrayBuffer) {
    // A view cannot be made of a detached buffer; its length, 0, is all there is to judge.
    return use(memorySource(format, from.byteLength === 0 ? new Uint8Array() : new Uint8Array(from)));
  }
  if (typeof from !== "string" && !(from instanceof URL)) {
    throw typeError("ERR_ARG_TYPE", "source", `a path, a Uint8Array or an ArrayBuffer of ${format}`, describe(from));
  }
  const path = toPath("source", from);
  const fd = openSync(path, "r");
  try {
    return use(fileSource(path, fd));
  } finally {
    closeSync(fd);
  }
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

function memorySource(format: string, bytes: Uint8Array): Source {
  const name = `${format} bytes`;
  return {
    name,
    size: bytes.length,
    read(into, at) {
      const piece = bytes.subarray(at, at + into.length);
      if (piece.length < into.length) throw truncated(name, at + into.length, bytes.length);
      into.set(piece);
    },
  };
}

function fileSource(path: string, fd: number): Source {
  const name = basename(path);
  const { size } = fstatSync(fd);
  return {
    name,
    size,
    read(into, at) {
      for (let done = 0; done < into.length; ) {
        const count = readSync(fd, into, done, Math.min(chunk, into.length - done), at + done);
        if (count === 0) throw truncated(name, at + into.length, at + done);
        done += count;
      }
    },
  };
}
