// Programs of torch.export (.pt2): of them only the weights are read, which lie beside the program as raw bytes, with a table
// of their names, types and shapes; in files of before torch 2.8 as a file of torch.save in the archive. And NumPy's
// archives (.npz), which are read the same way: names, and where the elements lie.
// https://docs.pytorch.org/docs/stable/export/pt2_archive.html

import { describe, rangeError } from "../../check.js";
import { openSource, type Source } from "../source.js";
import { type Json, parseStrictJson } from "../strict-json.js";
import { openZip, type Zip } from "../zip.js";
import { checkByteOrder, openArchive, zipBytes } from "./archive.js";
import { moduleBudget } from "./contents.js";
import type { TorchFile } from "./file.js";
import { npyRef } from "./numpy.js";
import type { Ref } from "./objects.js";
import { StorageRef, TensorRef, UnreadTensor } from "./tensors.js";
import { PyDict } from "./values.js";

/** The numbers that stand for element types in the table of weights (torch._export.serde.schema.ScalarType). */
const elementTypes: Readonly<Record<number, string>> = {
  ...{ 1: "uint8", 2: "int8", 3: "int16", 4: "int32", 5: "int64", 6: "float16", 7: "float32", 8: "float64" },
  ...{ 9: "complex32", 10: "complex64", 11: "complex128", 12: "bool", 13: "bfloat16", 28: "uint16" },
  ...{ 29: "float8_e4m3fn", 30: "float8_e5m2", 31: "float8_e4m3fnuz", 32: "float8_e5m2fnuz" },
};

/** @throws RangeError ERR_FILE for an archive that is damaged */
export function openExported(source: Source, zip: Zip): TorchFile {
  const old = [...zip.names].find((name) => name.endsWith("serialized_state_dict.pt"));
  if (old !== undefined) {
    const bytes = openSource("torch", zip.read(old));
    return { ...openArchive(bytes, openZip(bytes)), file: source.name };
  }
  const tables = [...zip.names].filter((name) => /\/data\/weights\/[^/]+_weights_config\.json$/.test(name));
  const models = new PyDict<Ref>();
  for (const table of tables) {
    const folder = table.slice(0, table.lastIndexOf("/") + 1);
    checkByteOrder(source, zip, `${folder.slice(0, -"data/weights/".length)}byteorder`);
    const name = table.slice(folder.length, -"_weights_config.json".length);
    models.entries.set(name, readTable(source, zip, table, folder));
  }
  const [only] = models.entries.values();
  if (only === undefined) {
    const received =
      "one of an earlier or later format: torch.save(program.state_dict, another_path) in Python writes it";
    throw rangeError("ERR_FILE", source.name, "a torch.export program with a table of weights", received);
  }
  return archiveFile(source, models.entries.size === 1 ? (only as PyDict<Ref>) : models, (name) => zipBytes(zip, name));
}

function archiveFile({ name }: Source, root: PyDict<Ref>, storage: TorchFile["storage"]): TorchFile {
  return {
    file: name,
    root,
    opaque: new Set(),
    declarations: () => undefined,
    budget: { left: moduleBudget },
    storage,
  };
}

function readTable(source: Source, zip: Zip, table: string, folder: string): PyDict<Ref> {
  const label = `${source.name} ${describe(table)}`;
  let config: Json | undefined;
  try {
    config = member(parseStrictJson(new TextDecoder().decode(zip.read(table))), "config");
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw rangeError("ERR_FILE", label, "JSON", error.message);
  }
  if (!(config instanceof Map)) throw rangeError("ERR_FILE", label, "a table of weights by name", "another value");
  const dict = new PyDict<Ref>();
  for (const [name, info] of config) dict.entries.set(name, weightRef(zip, folder, info));
  return dict;
}

function member(value: Json | undefined, name: string): Json | undefined {
  return value instanceof Map ? value.get(name) : undefined;
}

function weightRef(zip: Zip, folder: string, info: Json): Ref {
  const meta = member(info, "tensor_meta");
  const dtype = elementTypes[member(meta, "dtype") as number];
  const path = member(info, "path_name");
  const offset = member(member(meta, "storage_offset"), "as_int");
  const [shape, strides] = ["sizes", "strides"].map((name) => {
    const list = member(meta, name);
    const sizes = Array.isArray(list) ? list.map((item) => member(item, "as_int")) : [];
    return sizes.every((size) => typeof size === "number") ? (sizes as number[]) : undefined;
  });
  if (member(info, "use_pickle") === true) return new UnreadTensor("a weight that is pickled, which is not read");
  if (dtype === undefined || typeof path !== "string" || typeof offset !== "number" || !shape || !strides) {
    return new UnreadTensor("a weight whose type, place or shape is not known");
  }
  const place = folder + path;
  const storage = new StorageRef(place, "bytes", zip.size(place) ?? 0);
  return new TensorRef({ storage, dtype, offset, shape, strides });
}

/** How much of an array's file is looked at for its header. */
const headLength = 66_000;

/** An archive of NumPy's, its arrays by the names that np.savez was given. @throws RangeError ERR_FILE when damaged */
export function openNpz(source: Source, zip: Zip): TorchFile {
  const dict = new PyDict<Ref>();
  const starts = new Map<string, number>();
  for (const entry of zip.names) {
    const head = zip.readPart(entry, 0, Math.min(zip.size(entry) ?? 0, headLength));
    const label = { ...openSource("npy", head), name: `${source.name} entry ${describe(entry)}` };
    const { ref, dataAt } = npyRef(label, entry);
    dict.entries.set(entry.slice(0, -".npy".length), ref);
    starts.set(entry, dataAt);
  }
  return archiveFile(source, dict, (entry) => zipBytes(zip, entry, starts.get(entry) ?? 0));
}
