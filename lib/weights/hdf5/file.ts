// An HDF5 file as a tree of groups and datasets, each read when it is asked for. This is as much of the format as Keras
// writes, and h5py and h5repack make of it: every superblock, both object headers, old and new groups, attributes in the
// header or a heap, values in one run or in chunks, with gzip, shuffle and checksums. The file is taken as hostile.
// It knows nothing of Keras.

import { Tensor } from "../../tensor/tensor.js";
import { widen } from "../dtypes.js";
import type { Source } from "../source.js";
import { type AttributeValue, readAttributes, TextHeap } from "./attributes.js";
import { Hdf5Bytes } from "./cursor.js";
import { littleEndian, readValues } from "./dataset.js";
import { readDatatype, readShape } from "./datatype.js";
import { readLinks } from "./links.js";
import { findMessage, type Message, messageType, readMessages } from "./messages.js";

const signature = "\x89HDF\r\n\x1a\n";

/** One object of a file: a group when it has links, a dataset when it has values. */
export class Hdf5Object {
  /** From the root, without a slash before it; "" for the root itself. */
  readonly path: string;
  readonly #file: Hdf5Bytes;
  readonly #texts: TextHeap;
  readonly #messages: readonly Message[];
  #links: Map<string, number> | undefined;
  readonly #children = new Map<string, Hdf5Object>();
  #attributes: Map<string, AttributeValue> | undefined;

  constructor(file: Hdf5Bytes, texts: TextHeap, path: string, address: number) {
    this.#file = file;
    this.#texts = texts;
    this.path = path;
    this.#messages = readMessages(file, this.#label, address);
  }

  get #label(): string {
    return this.path === "" ? "root group" : `object ${JSON.stringify(this.path.slice(0, 120))}`;
  }

  get isDataset(): boolean {
    return this.#messages.some(({ type }) => type === messageType.layout);
  }

  /** The names of what a group holds, in the file's order. */
  get names(): string[] {
    this.#links ??= readLinks(this.#file, this.#label, this.#messages);
    return [...this.#links.keys()];
  }

  /** What lies under a path from here, such as "layers/lstm"; undefined when nothing does. */
  get(path: string): Hdf5Object | undefined {
    const [name = "", ...rest] = path.split("/");
    this.#links ??= readLinks(this.#file, this.#label, this.#messages);
    const address = this.#links.get(name);
    if (address === undefined) return undefined;
    let found = this.#children.get(name);
    if (found === undefined) {
      const path = this.path === "" ? name : `${this.path}/${name}`;
      found = new Hdf5Object(this.#file, this.#texts, path, address);
      this.#children.set(name, found);
    }
    return rest.length === 0 ? found : found.get(rest.join("/"));
  }

  get attributes(): ReadonlyMap<string, AttributeValue> {
    this.#attributes ??= readAttributes(this.#file, this.#label, this.#messages, this.#texts);
    return this.#attributes;
  }

  /**
   * A dataset of numbers as a Tensor that owns its memory, or why no Tensor holds it.
   * @param as bfloat16 where the file keeps its bits as integers
   * @throws RangeError ERR_FILE when it is malformed
   */
  tensor(as?: "BF16"): Tensor | string {
    const space = findMessage(this.#messages, messageType.dataspace);
    const datatype = findMessage(this.#messages, messageType.datatype);
    if (space === undefined || datatype === undefined) {
      throw this.#file.fail(this.#label, "a dataset", "an object without shape or type");
    }
    const shape = readShape(space);
    const type = readDatatype(datatype);
    if (type.kind !== "number") return type.kind === "other" ? type.name : "strings";
    if (shape === undefined) return "no values";
    const bytes = readValues(this.#file, this.#label, this.#messages, shape, type.size);
    const data = widen(as !== undefined && type.size === 2 ? as : type.dtype, littleEndian(bytes, type));
    return typeof data === "string" ? data : new Tensor(data, shape);
  }
}

/** Opens a file by its root group. @throws RangeError ERR_FILE when it is no HDF5 file, or a malformed one */
export function openHdf5(source: Source): Hdf5Object {
  const file = new Hdf5Bytes(source);
  const label = "superblock";
  const head = file.at(label, 0, Math.min(source.size, 96));
  if (Buffer.from(head.take(8)).toString("latin1") !== signature) throw head.fail("HDF5's signature", "other bytes");
  const version = head.u8();
  if (version > 3) throw head.fail("a version from 0 to 3", `${version}`);
  if (version < 2) head.skip(4);
  const widths = [head.u8(), head.u8()];
  if (widths[0] !== 8 || widths[1] !== 8) throw head.fail("addresses of 8 bytes", `${widths.join(" and ")}`);
  if (version < 2) head.skip(version === 0 ? 9 : 13);
  else head.skip(1);
  const base = head.address();
  if (base !== 0) throw head.fail("addresses from the file's start", `from ${base}`);
  head.skip(version < 2 ? 32 : 16); // free space, end, driver, and the root's name; or the extension and the end
  return new Hdf5Object(file, new TextHeap(file), "", head.address());
}
