// The object headers of an HDF5 file: each group and dataset is a list of messages, in one piece or in several that point
// at each other. Both versions of the header are read. What a message says is for others to read.

import { Cursor, type Hdf5Bytes } from "./cursor.js";

export const messageType = {
  dataspace: 0x01,
  linkInfo: 0x02,
  datatype: 0x03,
  fill: 0x05,
  link: 0x06,
  external: 0x07,
  layout: 0x08,
  filters: 0x0b,
  attribute: 0x0c,
  continuation: 0x10,
  symbolTable: 0x11,
  attributeInfo: 0x15,
} as const;

/** One message of a header. */
export interface Message {
  readonly type: number;
  /** Its contents, read from the start by each call. */
  open(): Cursor;
}

const maxMessages = 100_000;

/** The messages of the object at an address, in order. @throws RangeError ERR_FILE when the header is malformed */
export function readMessages(file: Hdf5Bytes, label: string, address: number): Message[] {
  const first = file.at(label, address, 1).u8();
  return first === 1 ? readVersion1(file, label, address) : readVersion2(file, label, address);
}

interface Block {
  address: number;
  length: number;
}

/** A message whose contents stand elsewhere, as those of a committed datatype do, is opened by no one here. */
function messageOf(type: number, shared: boolean, contents: Cursor): Message {
  const { file, label, bytes } = contents;
  return {
    type,
    open() {
      if (shared) throw file.fail(label, "messages that stand where they belong", "a shared one, which is not read");
      return new Cursor(file, label, bytes);
    },
  };
}

function addContinuation(blocks: Block[], contents: Cursor): void {
  blocks.push({ address: contents.address(), length: contents.u64() });
}

function readVersion1(file: Hdf5Bytes, label: string, address: number): Message[] {
  const prefix = file.at(label, address, 16).skip(2);
  const count = prefix.u16();
  const messages: Message[] = [];
  const blocks: Block[] = [{ address: address + 16, length: prefix.skip(4).u32() }];
  let read = 0;
  for (const block of blocks) {
    const cursor = file.at(label, block.address, block.length);
    while (read < count && cursor.left >= 8) {
      const type = cursor.u16();
      const size = cursor.u16();
      const flags = cursor.u8();
      const contents = cursor.skip(3).piece(size);
      read++;
      if (type === messageType.continuation) addContinuation(blocks, contents);
      else messages.push(messageOf(type, (flags & 2) !== 0, contents));
    }
  }
  return messages;
}

function readVersion2(file: Hdf5Bytes, label: string, address: number): Message[] {
  const prefix = file.at(label, address, Math.min(64, file.source.size - address)).mark("OHDR");
  const version = prefix.u8();
  if (version !== 2) throw prefix.fail("an object header of version 1 or 2", `${version}`);
  const flags = prefix.u8();
  if ((flags & 0x20) !== 0) prefix.skip(16); // times
  if ((flags & 0x10) !== 0) prefix.skip(4); // limits of the attributes
  const length = prefix.uint(1 << (flags & 3));
  const messages: Message[] = [];
  const blocks: Block[] = [{ address: address + prefix.place, length }];
  for (const [index, block] of blocks.entries()) {
    const cursor = file.at(label, block.address, block.length);
    if (index > 0) cursor.mark("OCHK");
    const end = index > 0 ? 4 : 0; // a checksum, which the first block has after its length
    const head = 4 + ((flags & 4) !== 0 ? 2 : 0);
    while (cursor.left - end >= head) {
      const type = cursor.u8();
      const size = cursor.u16();
      const shared = (cursor.u8() & 2) !== 0;
      const contents = cursor.skip(head - 4).piece(size);
      if (type === messageType.continuation) addContinuation(blocks, contents);
      else messages.push(messageOf(type, shared, contents));
      if (messages.length > maxMessages) throw cursor.fail(`at most ${maxMessages} messages`, "more");
    }
  }
  return messages;
}

/** The first message of a type, opened. */
export function findMessage(messages: readonly Message[], type: number): Cursor | undefined {
  return messages.find((message) => message.type === type)?.open();
}
