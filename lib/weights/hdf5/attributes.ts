// The attributes of an HDF5 object, as far as weight files use them: strings and numbers, alone or in a row. Strings of any
// length lie in the file's global heaps. What is of another kind is left out.

import { widen } from "../dtypes.js";
import { type Cursor, type Hdf5Bytes, textOf } from "./cursor.js";
import { littleEndian } from "./dataset.js";
import { countOf, type Datatype, readDatatype, readShape } from "./datatype.js";
import { readIndexedObjects } from "./fractal-heap.js";
import { findMessage, type Message, messageType } from "./messages.js";

/** What an attribute holds; of several dims all elements in a row. */
export type AttributeValue = string | number | (string | number)[];

/** Strings of the global heaps, each heap read once. */
export class TextHeap {
  readonly #file: Hdf5Bytes;
  readonly #heaps = new Map<number, Map<number, Uint8Array>>();

  constructor(file: Hdf5Bytes) {
    this.#file = file;
  }

  text(length: number, address: number, index: number): string {
    if (length === 0) return "";
    const bytes = this.#objects(address).get(index);
    if (bytes === undefined || bytes.length < length) {
      throw this.#file.fail(`heap at ${address}`, `${length} bytes under ${index}`, "fewer");
    }
    this.#file.payData("strings", length);
    return textOf(bytes.subarray(0, length));
  }

  #objects(address: number): Map<number, Uint8Array> {
    let objects = this.#heaps.get(address);
    if (objects !== undefined) return objects;
    objects = new Map();
    const label = `heap at ${address}`;
    const size = this.#file.at(label, address, 16).mark("GCOL").skip(4).u64();
    const heap = this.#file.at(label, address, size).skip(16);
    while (heap.left >= 16) {
      const index = heap.u16();
      if (index === 0) break; // the rest is free
      const length = heap.skip(6).u64();
      objects.set(index, heap.take(length));
      heap.skip(Math.min((8 - (length % 8)) % 8, heap.left));
    }
    this.#heaps.set(address, objects);
    return objects;
  }
}

/** All attributes by name. @throws RangeError ERR_FILE when they are malformed */
export function readAttributes(
  file: Hdf5Bytes,
  label: string,
  messages: readonly Message[],
  texts: TextHeap,
): Map<string, AttributeValue> {
  const attributes = new Map<string, AttributeValue>();
  const add = (cursor: Cursor): void => {
    const { name, value } = readAttribute(cursor, texts);
    if (value !== undefined) attributes.set(name, value);
  };
  for (const { type, open } of messages) if (type === messageType.attribute) add(open());
  const info = findMessage(messages, messageType.attributeInfo);
  if (info !== undefined) {
    const flags = info.skip(1).u8();
    if ((flags & 1) !== 0) info.skip(2); // the highest creation number
    const heap = info.address();
    for (const attribute of readIndexedObjects(file, label, heap, info.address(), 0)) add(attribute);
  }
  return attributes;
}

function readAttribute(cursor: Cursor, texts: TextHeap): { name: string; value: AttributeValue | undefined } {
  const version = cursor.u8();
  const shared = cursor.u8() & 3;
  if (!(version >= 1 && version <= 3)) throw cursor.fail("an attribute of version 1 to 3", `${version}`);
  const sizes = [cursor.u16(), cursor.u16(), cursor.u16()] as const;
  if (version === 3) cursor.skip(1); // the character set of the name
  const part = (size: number): Cursor => {
    const piece = cursor.piece(size);
    if (version === 1) cursor.skip((8 - (size % 8)) % 8);
    return piece;
  };
  const name = part(sizes[0]).text(sizes[0]);
  const typePart = part(sizes[1]);
  const spacePart = part(sizes[2]);
  if (version > 1 && shared !== 0) return { name, value: undefined };
  const shape = readShape(spacePart);
  if (shape === undefined) return { name, value: undefined };
  const values = readElements(cursor, readDatatype(typePart), countOf(shape), texts);
  return { name, value: shape.length === 0 ? values?.[0] : values };
}

function readElements(cursor: Cursor, type: Datatype, count: number, texts: TextHeap): (string | number)[] | undefined {
  if (count * type.size > cursor.left)
    throw cursor.fail(`${count} elements of ${type.size} bytes`, `${cursor.left} bytes`);
  // An element of no bytes costs nothing, however many of them there are said to be.
  if (type.kind === "other" || type.size === 0) return undefined;
  if (type.kind === "string") return Array.from({ length: count }, () => cursor.text(type.size));
  if (type.kind === "text") {
    return Array.from({ length: count }, () => texts.text(cursor.u32(), cursor.address(), cursor.u32()));
  }
  const bytes = new Uint8Array(cursor.take(count * type.size));
  const values = widen(type.dtype, littleEndian(bytes, type));
  return typeof values === "string" ? undefined : Array.from(values);
}
