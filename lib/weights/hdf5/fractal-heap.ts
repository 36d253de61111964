// The fractal heap of an HDF5 file with the version-2 B-tree that lists what is in it: where a group keeps its links, and
// an object its attributes, when they are too many for the header. What an object in the heap means is for others to read.

import { type Cursor, type Hdf5Bytes, undefinedAddress } from "./cursor.js";

const maxObjects = 1_000_000;

/**
 * The objects that a B-tree lists, each as its bytes.
 * @param skip how many bytes of a record stand before the object's place in the heap
 */
export function readIndexedObjects(
  file: Hdf5Bytes,
  label: string,
  heapAddress: number,
  treeAddress: number,
  skip: number,
): Cursor[] {
  if (heapAddress === undefinedAddress || treeAddress === undefinedAddress) return [];
  const heap = new FractalHeap(file, label, heapAddress);
  return readRecords(file, label, treeAddress).map((record) => heap.object(record.skip(skip)));
}

interface Tree {
  nodeSize: number;
  recordSize: number;
  /** The most records a node of each level holds, and a node with all that stands below it. */
  most: number[];
  mostBelow: number[];
}

/** How many bytes a number up to `most` takes. */
function widthOf(most: number): number {
  return Math.ceil(Math.log2(most + 1) / 8) || 1;
}

function readRecords(file: Hdf5Bytes, label: string, address: number): Cursor[] {
  const header = file.at(label, address, 38).mark("BTHD").skip(2);
  const nodeSize = header.u32();
  const recordSize = header.u16();
  const depth = header.u16();
  header.skip(2);
  const root = header.address();
  const count = header.u16();
  if (recordSize === 0 || nodeSize < 16 || depth > 16) throw header.fail("a B-tree with records", "another");
  const tree: Tree = { nodeSize, recordSize, most: [Math.floor((nodeSize - 10) / recordSize)], mostBelow: [] };
  tree.mostBelow[0] = tree.most[0] as number;
  for (let level = 1; level <= depth; level++) {
    const pointer = pointerSize(tree, level);
    const most = Math.floor((nodeSize - 10 - pointer) / (recordSize + pointer));
    tree.most[level] = most;
    tree.mostBelow[level] = (most + 1) * (tree.mostBelow[level - 1] as number) + most;
  }
  const records: Cursor[] = [];
  if (root !== undefinedAddress) readNode(file, label, tree, root, count, depth, records);
  return records;
}

function pointerSize(tree: Tree, level: number): number {
  const below = level > 1 ? widthOf(tree.mostBelow[level - 1] as number) : 0;
  return 8 + widthOf(tree.most[level - 1] as number) + below;
}

function readNode(
  file: Hdf5Bytes,
  label: string,
  tree: Tree,
  address: number,
  count: number,
  level: number,
  records: Cursor[],
): void {
  const node = file
    .at(label, address, tree.nodeSize)
    .mark(level === 0 ? "BTLF" : "BTIN")
    .skip(2);
  for (let i = 0; i < count; i++) records.push(node.piece(tree.recordSize));
  if (records.length > maxObjects) throw node.fail(`at most ${maxObjects} records`, "more");
  if (level === 0) return;
  for (let i = 0; i <= count; i++) {
    const child = node.address();
    const childCount = node.uint(widthOf(tree.most[level - 1] as number));
    if (level > 1) node.skip(widthOf(tree.mostBelow[level - 1] as number));
    readNode(file, label, tree, child, childCount, level - 1, records);
  }
}

/** Managed objects only: a huge one would be an attribute past 64 KiB, which h5py cannot write. */
class FractalHeap {
  readonly #file: Hdf5Bytes;
  readonly #label: string;
  readonly #offsetWidth: number;
  readonly #lengthWidth: number;
  /** The direct blocks, in the order of the heap offsets at which they start. */
  readonly #blocks: { start: number; size: number; address: number }[] = [];

  constructor(file: Hdf5Bytes, label: string, address: number) {
    this.#file = file;
    this.#label = label;
    const header = file.at(label, address, 142).mark("FRHP").skip(3);
    if (header.u16() !== 0) throw header.fail("a heap without filters", "one with");
    header.skip(1);
    const mostManaged = header.u32();
    header.skip(96); // the huge objects' tree, free space, statistics
    const width = header.u16();
    const startSize = header.u64();
    const mostDirect = header.u64();
    const bits = header.u16();
    header.skip(2);
    const root = header.address();
    const rows = header.u16();
    this.#offsetWidth = Math.ceil(bits / 8);
    this.#lengthWidth = widthOf(Math.min(mostDirect, mostManaged));
    if (!(startSize > 0 && startSize <= mostDirect && width > 0 && width <= 1024 && bits <= 64)) {
      throw header.fail("a heap with blocks", "another");
    }
    if (root === undefinedAddress) return;
    if (rows === 0) this.#blocks.push({ start: 0, size: startSize, address: root });
    else this.#indirect(root, rows, 0, { width, startSize, mostDirect });
  }

  /** An indirect block: rows of pointers to blocks, each row's as large as the last one's, or twice, from the third on. */
  #indirect(
    address: number,
    rows: number,
    start: number,
    sizes: { width: number; startSize: number; mostDirect: number },
  ): void {
    const { width, startSize, mostDirect } = sizes;
    const block = this.#file.at(this.#label, address, 13 + this.#offsetWidth + 8 * rows * width).mark("FHIB");
    block.skip(9 + this.#offsetWidth);
    let at = start;
    for (let row = 0; row < rows; row++) {
      const size = startSize * 2 ** Math.max(row - 1, 0);
      for (let column = 0; column < width; column++, at += size) {
        const child = block.address();
        if (child === undefinedAddress) continue;
        if (size <= mostDirect) this.#blocks.push({ start: at, size, address: child });
        else this.#indirect(child, Math.log2(size / (startSize * width)) + 1, at, sizes);
      }
    }
  }

  /** @param id the object's place, as a record holds it */
  object(id: Cursor): Cursor {
    if ((id.u8() & 0x30) !== 0) throw id.fail("an object that the heap manages", "another");
    const offset = id.uint(this.#offsetWidth);
    const length = id.uint(this.#lengthWidth);
    // The last block that starts at or before the offset.
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#blocks[middle] as { start: number }).start <= offset) low = middle + 1;
      else high = middle;
    }
    const block = this.#blocks[low - 1];
    if (block === undefined || offset + length > block.start + block.size)
      throw id.fail("an object within the heap", `${length} bytes from ${offset} on`);
    return this.#file.at(this.#label, block.address + offset - block.start, length);
  }
}
