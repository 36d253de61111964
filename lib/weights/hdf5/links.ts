// The links of an HDF5 group: names, and the addresses of what they name. Old groups keep them in a tree of symbol tables
// with the names in a heap, new ones as messages or, when they are many, in a fractal heap. Links to elsewhere (soft,
// external) name nothing here and are left out.

import { type Cursor, type Hdf5Bytes, textOf, undefinedAddress } from "./cursor.js";
import { readIndexedObjects } from "./fractal-heap.js";
import { findMessage, type Message, messageType } from "./messages.js";

const maxLinks = 1_000_000;

/** @throws RangeError ERR_FILE when the group is malformed */
export function readLinks(file: Hdf5Bytes, label: string, messages: readonly Message[]): Map<string, number> {
  const links = new Map<string, number>();
  for (const { type, open } of messages) if (type === messageType.link) addLink(links, open());
  const info = findMessage(messages, messageType.linkInfo);
  if (info !== undefined) {
    const flags = info.skip(1).u8();
    if ((flags & 1) !== 0) info.skip(8); // the highest creation number
    const heap = info.address();
    for (const link of readIndexedObjects(file, label, heap, info.address(), 4)) addLink(links, link);
  }
  const table = findMessage(messages, messageType.symbolTable);
  if (table !== undefined) {
    const tree = table.address();
    const heap = file.at(label, table.address(), 32).mark("HEAP").skip(4);
    const size = heap.u64();
    const names = file.at(label, heap.skip(8).address(), size);
    readTree(file, label, tree, 255, names.bytes, links);
  }
  return links;
}

function addLink(links: Map<string, number>, link: Cursor): void {
  const flags = link.skip(1).u8();
  const kind = (flags & 8) !== 0 ? link.u8() : 0;
  if ((flags & 4) !== 0) link.skip(8); // creation order
  if ((flags & 16) !== 0) link.skip(1); // character set
  const name = link.text(link.uint(1 << (flags & 3)));
  if (kind === 0) links.set(name, link.address());
}

/** A node of a version-1 B-tree over groups, from the root down; levels fall, so that no node leads back to itself. */
function readTree(
  file: Hdf5Bytes,
  label: string,
  address: number,
  below: number,
  names: Uint8Array,
  links: Map<string, number>,
): void {
  if (address === undefinedAddress) return;
  const head = file.at(label, address, 24).mark("TREE");
  const type = head.u8();
  const level = head.u8();
  if (type !== 0 || level >= below)
    throw head.fail("a tree of groups whose levels fall", `level ${level}, type ${type}`);
  const count = head.u16();
  const body = file.at(label, address + 24, 16 * count);
  for (let i = 0; i < count; i++) {
    const child = body.skip(8).address();
    if (level > 0) readTree(file, label, child, level, names, links);
    else readSymbols(file, label, child, names, links);
  }
}

function readSymbols(
  file: Hdf5Bytes,
  label: string,
  address: number,
  names: Uint8Array,
  links: Map<string, number>,
): void {
  const count = file.at(label, address, 8).mark("SNOD").skip(2).u16();
  const entries = file.at(label, address + 8, 40 * count);
  for (let i = 0; i < count; i++) {
    const nameAt = entries.u64();
    const target = entries.address();
    const kind = entries.u32();
    entries.skip(20);
    const end = nameAt < names.length ? names.indexOf(0, nameAt) : -1;
    if (end < 0) throw entries.fail("a name in the heap", `one at ${nameAt}`);
    // Kind 2 is a soft link.
    if (kind !== 2) links.set(textOf(names.subarray(nameAt, end)), target);
    if (links.size > maxLinks) throw entries.fail(`at most ${maxLinks} links`, "more");
  }
}
