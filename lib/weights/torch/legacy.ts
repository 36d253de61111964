// The format of torch.save from before torch 1.6, which it still writes when told to: pickles one after the other, the third
// the machine's numbers, the fourth the object, the last the storages' names, and then the storages. And pickles that are
// alone in their file, whose tensors hold such a file each.
// https://github.com/pytorch/pytorch/blob/main/torch/serialization.py, _legacy_save

import { rangeError } from "../../check.js";
import { openSource, type Source } from "../source.js";
import { moduleBudget } from "./contents.js";
import { Cursor } from "./cursor.js";
import { widthOf } from "./elements.js";
import type { TorchFile } from "./file.js";
import { type Args, storageOf, torchHost, type Value } from "./objects.js";
import { readPickle } from "./pickle.js";
import { type StorageBytes, StorageRef } from "./tensors.js";
import { PyDict, PySequence } from "./values.js";

const version = 1001;

interface Place {
  readonly at: number;
  readonly size: number;
}

/** The pickles of a file, and where its storages lie. */
function readLegacy(source: Source, opaque: Set<string>): { root: Value; places: Map<string, Place> } {
  const cursor = new Cursor(source, source.name);
  const plain = torchHost();
  readPickle(cursor, plain, opaque); // the magic number, by which the format was told
  if (readPickle(cursor, plain, opaque) !== version) throw cursor.fail(`protocol ${version} of torch.save`, "another");
  const system = readPickle(cursor, plain, opaque);
  if (system instanceof PyDict && system.entries.get("little_endian") === false) {
    throw rangeError("ERR_FILE", source.name, "little-endian numbers", "big-endian ones");
  }
  const types = new Map<string, string>();
  const persistent = (tag: Value, rest: Args): Value | undefined => {
    // A module's class comes with its source, which is not looked at.
    if (tag === "module") return rest[0];
    const storage = storageOf(tag, rest);
    if (storage === undefined || typeof storage.place !== "string") return undefined;
    types.set(storage.place, storage.dtype);
    return viewOf(storage, rest[4]);
  };
  const root = readPickle(cursor, torchHost({ persistent }), opaque);
  const keys = readPickle(cursor, plain, opaque);
  const places = new Map<string, Place>();
  for (const key of keys instanceof PySequence ? keys.items : []) {
    const width = typeof key === "string" ? widthOf(types.get(key) ?? "") : undefined;
    if (typeof key !== "string" || width === undefined) throw cursor.fail("the name of a storage", "another value");
    const size = cursor.uint64() * width;
    const at = cursor.position;
    cursor.skip(size);
    places.set(key, { at, size });
  }
  return { root, places };
}

/** Before torch 0.4 a storage could be a view of another: its own name, and where in the other it starts. */
function viewOf(storage: StorageRef, view: Value | undefined): StorageRef {
  const start = view instanceof PySequence ? view.items[1] : undefined;
  if (typeof start !== "number") return storage;
  return new StorageRef(storage.place, storage.dtype, storage.count, start);
}

/** @throws RangeError ERR_FILE for a file that is damaged, or of another machine's byte order */
export function openLegacy(source: Source): TorchFile {
  const opaque = new Set<string>();
  const { root, places } = readLegacy(source, opaque);
  const storage = (place: string): StorageBytes => {
    const found = places.get(place);
    const label = `${source.name} storage ${place.slice(0, 40)}`;
    if (found === undefined) throw rangeError("ERR_FILE", label, "a storage of the file", "none of that name");
    return {
      size: found.size,
      read(from, length) {
        const bytes = new Uint8Array(length);
        source.read(bytes, found.at + from);
        return bytes;
      },
      verify() {}, // the format has no checksums
    };
  };
  return { ...plainFile(source, root, opaque), storage };
}

/** A pickle alone in its file, as `pickle.dump` writes it. @throws RangeError ERR_FILE for one that is damaged */
export function openPickle(source: Source): TorchFile {
  const opaque = new Set<string>();
  const loaded = new WeakMap<Uint8Array, Value>();
  const loadBytes = (bytes: Uint8Array<ArrayBuffer>): Value | undefined => {
    const known = loaded.get(bytes);
    if (known !== undefined) return known;
    const { root, places } = readLegacy(openSource("storage", bytes), opaque);
    if (!(root instanceof StorageRef) || typeof root.place !== "string") return undefined;
    const { at = 0, size = 0 } = places.get(root.place) ?? {};
    const storage = new StorageRef(bytes.subarray(at, at + size), root.dtype, root.count);
    loaded.set(bytes, storage);
    return storage;
  };
  const root = readPickle(new Cursor(source, source.name), torchHost({ loadBytes }), opaque);
  const storage = (place: string): never => {
    throw rangeError("ERR_FILE", source.name, "a pickle whose tensors are in it", `a storage ${place.slice(0, 40)}`);
  };
  return { ...plainFile(source, root, opaque), storage };
}

function plainFile({ name }: Source, root: Value, opaque: ReadonlySet<string>): Omit<TorchFile, "storage"> {
  return { file: name, root, opaque, declarations: () => undefined, budget: { left: moduleBudget } };
}
