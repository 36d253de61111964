// The files that `run` opens: which formats there are, that a path leads to a file and to no pipe or device that would
// keep the program waiting, and reading at any place.

import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { extname } from "node:path";
import { rangeError } from "../check.js";
import type { Source } from "../weights/source.js";
import { UsageError } from "./command.js";

/** The formats that `run` reads and writes, by the end of a file's name. */
export const formats = [".npy", ".npz", ".jsonl", ".parquet"] as const;

/** Stands for standard input or output, of JSON lines. */
export const standard = "-";

/** @throws UsageError when the name tells no format */
export function formatOf(path: string): (typeof formats)[number] {
  if (path === standard) return ".jsonl";
  const end = extname(path).toLowerCase();
  const format = formats.find((name) => name === end);
  if (format === undefined) throw new UsageError(`run: ${path}: expected a name that ends in ${formats.join(", ")}`);
  return format;
}

/**
 * Refuses at once what could only be waited for, or written over by a rename: a pipe, a device, a socket, a folder.
 * @throws RangeError ERR_FILE; the file system's error when the path leads nowhere
 */
export function checkRegular(path: string, hint = ""): void {
  const stats = statSync(path);
  if (stats.isFile()) return;
  const kind = stats.isFIFO() ? "a pipe" : stats.isDirectory() ? "a folder" : "a device or socket";
  throw rangeError("ERR_FILE", path, "a file", `${kind}${stats.isDirectory() ? "" : hint}`);
}

/**
 * A file that is open only while it is read, so that nobody has to close it. Refuses to go on in another one that has
 * taken its place since.
 * @throws as checkRegular does
 */
export function openFile(path: string): Source {
  checkRegular(path);
  const { size, ino, mtimeMs } = statSync(path);
  return {
    name: path,
    size,
    read(into, at) {
      const fd = openSync(path, "r");
      try {
        const now = fstatSync(fd);
        if (now.size !== size || now.ino !== ino || now.mtimeMs !== mtimeMs) {
          throw rangeError("ERR_FILE", path, "the file that it was when it was opened", "one that has changed since");
        }
        for (let done = 0; done < into.length; ) {
          const got = readSync(fd, into, done, Math.min(into.length - done, 2 ** 30), at + done);
          if (got === 0) throw rangeError("ERR_FILE", path, `at least ${at + into.length} bytes`, `${size}`);
          done += got;
        }
      } finally {
        closeSync(fd);
      }
    },
  };
}
