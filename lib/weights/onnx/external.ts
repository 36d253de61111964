// The files beside an ONNX model that hold its larger tensors, as torch.onnx.export writes them. A model names them, and a
// model is a stranger: what it names must lie in the folder that the model was opened from, or in the one that the model's
// file really lies in (Hugging Face's cache shows files under links to its blobs), be an ordinary file, and hold the bytes.
// https://github.com/onnx/onnx/blob/main/docs/ExternalData.md

import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from "node:fs";
import { basename, dirname, join, sep } from "node:path";
import { describe, rangeError } from "../../check.js";
import type { Budget } from "./scope.js";
import type { ExternalEntry, ReadExternal } from "./tensor.js";

const chunk = 2 ** 30;

/** The reader for a model that came as bytes: there is no folder to look in. */
export const noFolder: ReadExternal = (label, { location }) => {
  const advice = "give loadOnnx the model's path instead of its bytes, with that file beside it";
  const received = location === "" ? "values in another file" : `values in the file ${describe(location)}`;
  throw rangeError("ERR_FILE", label, `values in the model itself: ${advice}`, received);
};

/** Reads the files beside the model at `path`. What may be made of them is allowed by `budget`, once a file. */
export function folderReader(path: string, budget: Budget): ReadExternal {
  const allowed = new Set<string>();
  return (label, entry, bytes) => {
    const file = findFile(label, path, entry.location);
    // A pipe must not be waited for, and what became a link since it was resolved must not be followed.
    const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);
    const fd = openFile(label, file, flags, entry.location);
    try {
      const stat = fstatSync(fd);
      const where = `${label}, file ${describe(entry.location)}`;
      if (!stat.isFile()) throw rangeError("ERR_FILE", where, "an ordinary file", "something else");
      const offset = checkEntry(where, entry, stat.size, bytes);
      if (!allowed.has(file)) budget.allow(stat.size);
      allowed.add(file);
      budget.pay(where, bytes);
      return readPiece(where, fd, offset, bytes);
    } finally {
      closeSync(fd);
    }
  };
}

/** The real path of the file that a model at `path` calls `location`. */
function findFile(label: string, path: string, location: string): string {
  const parts = location.split(/[/\\]/);
  const escapes = /^([/\\]|[A-Za-z]:)/.test(location) || parts.includes("..") || location.includes("\0");
  if (location === "" || escapes) {
    throw rangeError("ERR_FILE", label, "values in a file inside the model's folder", describe(location));
  }
  const shown = dirname(path);
  const own = realpathSync(path);
  const folders = [shown, dirname(own)];
  for (const folder of folders) {
    const real = realPathOf(label, join(folder, location), location);
    if (real === undefined) continue;
    const inside = real.startsWith(withSeparator(realpathSync(folder)));
    // A cache of links to blobs: model and values each lead to a file of one folder.
    if (inside || dirname(real) === dirname(own)) return real;
    throw rangeError("ERR_FILE", label, `the file ${describe(location)} inside the model's folder`, "a link out of it");
  }
  throw rangeError(
    "ERR_FILE",
    label,
    `the file ${describe(location)}, which holds its values, beside ${basename(path)}`,
    "none",
  );
}

function withSeparator(folder: string): string {
  return folder.endsWith(sep) ? folder : folder + sep;
}

function realPathOf(label: string, path: string, location: string): string | undefined {
  try {
    return realpathSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw cannotOpen(label, location, error);
  }
}

function openFile(label: string, path: string, flags: number, location: string): number {
  try {
    return openSync(path, flags);
  } catch (error) {
    throw cannotOpen(label, location, error);
  }
}

function cannotOpen(label: string, location: string, error: unknown): RangeError {
  const { code = "an error" } = error as NodeJS.ErrnoException;
  return rangeError("ERR_FILE", label, `a file ${describe(location)} that can be opened`, code);
}

/** The offset, when it and the length fit the file and the tensor. */
function checkEntry(label: string, { offset, length }: ExternalEntry, size: number, bytes: number): number {
  const whole = (name: string, text: string): number => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isSafeInteger(value)) return value;
    throw rangeError("ERR_FILE", label, `${name} in bytes`, describe(text));
  };
  const from = offset === "" ? 0 : whole("an offset", offset);
  if (length !== "" && whole("a length", length) !== bytes) {
    throw rangeError("ERR_FILE", label, `${bytes} bytes for its shape and type`, `a length of ${length}`);
  }
  if (from + bytes > size) throw rangeError("ERR_FILE", label, `at least ${from + bytes} bytes`, `${size}`);
  return from;
}

function readPiece(label: string, fd: number, offset: number, bytes: number): Uint8Array<ArrayBuffer> {
  let into: Uint8Array<ArrayBuffer>;
  try {
    into = new Uint8Array(bytes);
  } catch {
    throw rangeError("ERR_FILE", label, "a size that memory can hold", `${bytes} bytes`);
  }
  for (let done = 0; done < bytes; ) {
    const count = readSync(fd, into, done, Math.min(chunk, bytes - done), offset + done);
    if (count === 0) throw rangeError("ERR_FILE", label, `at least ${offset + bytes} bytes`, `${offset + done}`);
    done += count;
  }
  return into;
}
