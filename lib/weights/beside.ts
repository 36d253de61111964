// Files that a model file names as lying beside it: shards, weights apart from their description. A stranger wrote the
// names, so they may lead nowhere but into the folder of the file or below it. Links in that folder are followed: Hugging
// Face's cache is made of them.

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, rangeError } from "../check.js";
import type { Source } from "./source.js";

/** A relative path that no part of which leads up, on any system. */
export function isInside(path: string): boolean {
  return !/[\\:\0]/.test(path) && path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

/**
 * The path of a file beside another.
 * @param what what the named file is, for messages: "shard"
 * @throws RangeError ERR_FILE when the name leads elsewhere, nothing is there, or `source` came as bytes and has no folder
 */
export function pathBeside(source: Source, what: string, name: string): string {
  const label = `${source.name} ${what} ${describe(name)}`;
  if (!isInside(name))
    throw rangeError("ERR_FILE", label, "a file inside the folder of the model", "a path that leads elsewhere");
  if (source.path === undefined) {
    throw rangeError("ERR_FILE", label, `the path of the model, since its ${what}s lie beside it`, "its bytes alone");
  }
  const path = join(dirname(source.path), name);
  if (!existsSync(path)) throw rangeError("ERR_FILE", label, "that file beside the model", "none of that name");
  return path;
}
