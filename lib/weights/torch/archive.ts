// The zip archives of torch.save and of TorchScript: one pickle, a file of raw bytes a storage, and, of TorchScript, the
// code of its modules' classes. Of the code only the lists of parameters and buffers are read, as text.
// The format: https://docs.pytorch.org/docs/stable/notes/serialization.html

import { describe, rangeError } from "../../check.js";
import { openSource, type Source } from "../source.js";
import type { Zip } from "../zip.js";
import { moduleBudget } from "./contents.js";
import { Cursor } from "./cursor.js";
import type { TorchFile } from "./file.js";
import type { Declarations } from "./modules.js";
import { torchHost } from "./objects.js";
import { readPickle } from "./pickle.js";
import type { StorageBytes } from "./tensors.js";

/** @throws RangeError ERR_FILE for an archive that is damaged, or of another machine's byte order */
export function openArchive(source: Source, zip: Zip): TorchFile {
  const folder = findFolder(source, zip);
  checkByteOrder(source, zip, `${folder}byteorder`);
  const opaque = new Set<string>();
  const bytes = openSource("pickle", zip.read(`${folder}data.pkl`));
  const root = readPickle(new Cursor(bytes, `${source.name} data.pkl`), torchHost(), opaque);
  const script = zip.names.has(`${folder}constants.pkl`);
  const constants = script && [...zip.names].some((name) => name.startsWith(`${folder}constants/`));
  return {
    file: source.name,
    root,
    opaque: script ? new Set([...opaque].filter((name) => !name.startsWith("__torch__."))) : opaque,
    declarations: script ? scriptDeclarations(zip, folder) : () => undefined,
    budget: { left: moduleBudget },
    storage: zipStorages(zip, `${folder}data/`),
    ...(constants ? { whyEmpty: "a frozen TorchScript module, whose weights are constants without names" } : {}),
  };
}

/** The folder that everything in the archive lies in, named after the file that was first written. */
function findFolder(source: Source, zip: Zip): string {
  const pickles = [...zip.names].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  const [pickle] = pickles;
  if (pickle === undefined || pickles.length > 1) {
    throw rangeError("ERR_FILE", source.name, "an archive with one data.pkl in its folder", `${pickles.length}`);
  }
  return pickle.slice(0, -"data.pkl".length);
}

export function checkByteOrder(source: Source, zip: Zip, entry: string): void {
  if (!zip.names.has(entry)) return;
  const name = new TextDecoder().decode(zip.read(entry).subarray(0, 16)).trim();
  if (name === "little") return;
  throw rangeError("ERR_FILE", source.name, "little-endian numbers", `byteorder ${describe(name)}`);
}

/** The storages that lie in a folder of the archive. */
export function zipStorages(zip: Zip, folder: string): (place: string) => StorageBytes {
  return (place) => zipBytes(zip, folder + place);
}

/** An entry as a storage; of a deflated one all is read at the first look, and kept as long as it is looked at. */
export function zipBytes(zip: Zip, name: string, from = 0): StorageBytes {
  const size = zip.size(name) ?? zip.read(name).length; // which throws when there is none
  return {
    size: Math.max(0, size - from),
    read: (at, length) => zip.readPart(name, from + at, length),
    verify: () => zip.verify(name),
  };
}

/** Of a class "__torch__.a.b.Name" the code lies in code/__torch__/a/b.py. */
function scriptDeclarations(zip: Zip, folder: string): Declarations {
  const texts = new Map<string, string>();
  return (className) => {
    const dot = className.lastIndexOf(".");
    const path = `${folder}code/${className.slice(0, dot).replaceAll(".", "/")}.py`;
    if (!zip.names.has(path)) return undefined;
    const text = texts.get(path) ?? new TextDecoder().decode(zip.read(path));
    texts.set(path, text);
    const start = `\n${text}`.indexOf(`\nclass ${className.slice(dot + 1)}(Module):\n`);
    if (start < 0) return undefined;
    const body = text.slice(start).split(/\n {2}(?=def )|\n(?=class )/, 1)[0] as string;
    const list = (name: string): Set<string> => {
      const items = new RegExp(`\\n {2}${name} = \\[(.*)\\]`).exec(body)?.[1] ?? "";
      return new Set([...items.matchAll(/"([^"]*)"/g)].map(([, item = ""]) => item));
    };
    return { parameters: list("__parameters__"), buffers: list("__buffers__") };
  };
}
