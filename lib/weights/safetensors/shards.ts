// A model in several safetensors files, and the index that says which of them holds which tensor: JSON with a
// weight_map from tensor to file name. A stranger wrote the index, so the names may lead nowhere but beside it or below.
// https://huggingface.co/docs/transformers/main/en/big_models

import { describe, rangeError } from "../../check.js";
import { isInside, pathBeside } from "../beside.js";
import { readBytes, readHead, type Source, withSource } from "../source.js";
import { type Json, parseStrictJson } from "../strict-json.js";
import { type Entry, maxHeader, readEntries } from "./header.js";

/** The names of all tensors, and a walk over some of them, one shard open at a time. */
export interface ShardIndex {
  readonly names: Iterable<string>;
  visit(wanted: (name: string) => boolean, use: (source: Source, entry: Entry) => void): void;
}

/** Whether a file is JSON: a safetensors file of that first byte has a header of at most 255 bytes, and zeros after it. */
export function isShardIndex(source: Source): boolean {
  const head = readHead(source, 8);
  const text = head.every((byte) => byte >= 0x20 || (byte >= 0x09 && byte <= 0x0d));
  return text && /^\s*\{/.test(new TextDecoder().decode(readHead(source, 64)));
}

/** @throws RangeError ERR_FILE when it is no index, or came as bytes, or names a file outside its folder */
export function readShardIndex(source: Source): ShardIndex {
  const file = source.name;
  const map = readWeightMap(source);
  if (source.path === undefined) {
    throw rangeError("ERR_FILE", file, "the path of an index, since its shards lie beside it", "the bytes of one");
  }
  return {
    names: map.keys(),
    visit(wanted, use) {
      const byShard = new Map<string, Set<string>>();
      for (const [name, shard] of map) {
        if (!wanted(name)) continue;
        const names = byShard.get(shard) ?? new Set();
        byShard.set(shard, names.add(name));
      }
      for (const [shard, names] of byShard) visitShard(file, pathBeside(source, "shard", shard), shard, names, use);
    },
  };
}

function visitShard(
  file: string,
  path: string,
  shard: string,
  names: ReadonlySet<string>,
  use: (source: Source, entry: Entry) => void,
): void {
  withSource("safetensors", path, (source) => {
    const entries = new Map(readEntries(source).map((entry) => [entry.name, entry]));
    for (const name of names) {
      const entry = entries.get(name);
      if (entry === undefined) {
        throw rangeError(
          "ERR_FILE",
          `${file} tensor ${describe(name)}`,
          `a tensor in ${describe(shard)}`,
          "none there",
        );
      }
      use(source, entry);
    }
  });
}

function readWeightMap(source: Source): Map<string, string> {
  const { name: file, size } = source;
  const fail = (expected: string, received: string): RangeError => rangeError("ERR_FILE", file, expected, received);
  if (size > maxHeader) throw fail(`an index of at most ${maxHeader} bytes`, `${size}`);
  let index: Json;
  try {
    const bytes = readBytes(source, file, 0, size);
    index = parseStrictJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : "bytes that are not UTF-8";
    throw fail("an index of shards, JSON in UTF-8 without repeated keys", reason);
  }
  const map = index instanceof Map ? index.get("weight_map") : undefined;
  if (!(map instanceof Map)) {
    throw fail("an index of shards, JSON with a weight_map of tensors and files", "other JSON");
  }
  for (const [name, shard] of map) {
    if (typeof shard === "string" && isInside(shard)) continue;
    const received = typeof shard === "string" ? describe(shard) : "another JSON value";
    throw rangeError("ERR_FILE", `${file} tensor ${describe(name)}`, "a file inside the folder of the index", received);
  }
  return map as Map<string, string>;
}
