// The tensors of a torch file: what its pickle says of one (storage, offset, sizes, strides) is checked and turned into
// a dense Tensor with memory of its own. Views, shared storages and expanded tensors each become a copy; of a storage no
// more is read than a tensor reaches. It knows neither zip nor pickle: whoever calls it opens the storages.

import { describe, formatShape, rangeError } from "../../check.js";
import { copyStrided, denseStrides, type Elements, product, sameShape } from "../../tensor/strided.js";
import { Tensor } from "../../tensor/tensor.js";
import { bitWidths, widen } from "../dtypes.js";
import { elementType, unreadable, widthOf } from "./elements.js";

type Bytes = Uint8Array<ArrayBuffer>;

/** The bytes of a storage, wherever they lie. */
export interface StorageBytes {
  readonly size: number;
  /** Some of them, which the caller knows to be there, in memory of their own. */
  read(from: number, length: number): Bytes;
  /** Reads all of them through. @throws RangeError ERR_FILE when they are damaged */
  verify(): void;
}

/** Where a storage lies: its name in the file, its bytes, or the text whose characters they are. */
export type Place = string | Bytes | { readonly latin1: string };

/** A flat run of elements in the file, which any number of tensors may share. */
export class StorageRef {
  readonly place: Place;
  /** torch's name of its element type; "bytes" for a storage that has none. */
  readonly dtype: string;
  /** How many elements the file says it has. */
  readonly count: number;
  /** The element that its tensors count from: files of before torch 0.4 have storages that are views of others. */
  readonly start: number;
  constructor(place: Place, dtype: string, count: number, start = 0) {
    this.place = place;
    this.dtype = dtype;
    this.count = count;
    this.start = start;
  }
}

/** A strided window on a storage, as the file states it: neither checked nor read. */
export interface TensorWindow {
  readonly storage: StorageRef;
  readonly dtype: string;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  /** Whether the elements are the negatives of what is stored (`torch.Tensor.is_neg`). */
  readonly negated?: boolean;
  /** Whether the elements are stored the other way round, big end first. */
  readonly swapped?: boolean;
}

export class TensorRef implements TensorWindow {
  readonly storage: StorageRef;
  readonly dtype: string;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly negated: boolean;
  readonly swapped: boolean;
  constructor(window: TensorWindow) {
    this.storage = window.storage;
    this.dtype = window.dtype;
    this.offset = window.offset;
    this.shape = window.shape;
    this.strides = window.strides;
    this.negated = window.negated ?? false;
    this.swapped = window.swapped ?? false;
  }
}

/** A tensor that no Tensor can be made of, and why: "a sparse tensor, which is not read". */
export class UnreadTensor {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

const maxRank = 64; // as torch

// How much the tensors of one file may ask for together: views may overlap and expand, but not without end.
const memoryBase = 2 ** 26;
const memoryFactor = 16;

/** How many bytes of storages that several tensors look at in part are kept. */
const cacheSize = 2 ** 26;

/** Storages up to this size are held against their checksum even if only some of them is asked for. */
const alwaysVerified = 2 ** 24;

/** Reads the tensors of one file. */
export class TensorReader {
  readonly #open: (place: string) => StorageBytes;
  readonly #verifyAll: boolean;
  readonly #cache = new Map<Place, Bytes>();
  readonly #verified = new Set<Place>();
  #cached = 0;
  #memoryLeft: number;
  #readingLeft: number;

  /**
   * @param open gives the bytes of a storage, and throws when there are none
   * @param verifyAll whether to hold large storages against their checksums when a tensor needs only a part
   */
  constructor(fileSize: number, open: (place: string) => StorageBytes, verifyAll: boolean) {
    this.#open = open;
    this.#verifyAll = verifyAll;
    this.#memoryLeft = memoryBase + memoryFactor * fileSize;
    this.#readingLeft = this.#memoryLeft;
  }

  /**
   * @param label file and tensor, for messages
   * @returns the tensor, or why no Tensor holds its values
   * @throws RangeError ERR_FILE when the tensor reaches outside its storage, the storage is shorter than declared, or the
   *   tensors ask for far more memory than the file has bytes
   */
  tensor(label: string, ref: TensorRef): Tensor | string {
    const { dtype, shape } = ref;
    const type = elementType(dtype);
    if (type === undefined) return unreadable(dtype);
    const width = bitWidths[type] / 8;
    checkWindow(label, ref, width);
    const size = product(shape);
    this.#memoryLeft -= size * Math.max(width === 8 && !dtype.startsWith("float") ? 4 : width, 4);
    if (this.#memoryLeft < 0) {
      const expected = `tensors that together take no more than ${memoryFactor} times the file`;
      throw rangeError("ERR_FILE", label, expected, `shape ${formatShape(shape)}`);
    }
    try {
      const bytes = size === 0 ? new Uint8Array() : this.#elements(label, ref, width);
      const data = widen(type, ref.swapped ? swap(bytes, width) : bytes);
      if (typeof data === "string") return data.replace(type, dtype);
      if (ref.negated) for (let i = 0; i < data.length; i++) data[i] = -(data[i] as number);
      return new Tensor(data, shape);
    } catch (error) {
      // The engine's own RangeError, for an array that memory cannot hold, is the only one without a code.
      if (!(error instanceof RangeError) || "code" in error) throw error;
      throw rangeError("ERR_FILE", label, "a size that memory can hold", `shape ${formatShape(shape)}`);
    }
  }

  /** The bytes of the elements, dense and in order, in memory of their own. */
  #elements(label: string, ref: TensorRef, width: number): Bytes {
    const { storage, offset, shape, strides, dtype } = ref;
    const bytes = this.#storage(storage);
    const count = capacity(storage, width);
    if (bytes.size < count * width) {
      const held = Math.floor(bytes.size / width);
      throw rangeError("ERR_FILE", label, `a storage of ${count} ${dtype} values`, `one of ${held}`);
    }
    const reach = (lastElement(ref) - offset + 1) * width;
    const dense = sameShape(strides, denseStrides(shape));
    if (!dense && bytes.size <= cacheSize) return gather(this.#whole(label, storage, bytes), ref, width, offset);
    const window = this.#read(label, storage.place, bytes, offset * width, reach);
    return dense ? window : gather(window, ref, width, 0);
  }

  /** All of a storage that is looked at in part, kept so that a thousand columns of a matrix read it once. */
  #whole(label: string, { place }: StorageRef, bytes: StorageBytes): Bytes {
    const kept = this.#cache.get(place);
    if (kept !== undefined) return kept;
    const whole = this.#read(label, place, bytes, 0, bytes.size);
    if (this.#cached + whole.length > cacheSize) {
      this.#cache.clear();
      this.#cached = 0;
    }
    this.#cached += whole.length;
    this.#cache.set(place, whole);
    return whole;
  }

  #storage({ place }: StorageRef): StorageBytes {
    if (typeof place === "string") return this.#open(place);
    if (place instanceof Uint8Array) {
      return { size: place.length, read: (from, length) => place.slice(from, from + length), verify() {} };
    }
    const { latin1 } = place;
    const read = (from: number, length: number): Bytes => {
      return new Uint8Array(Buffer.from(latin1.slice(from, from + length), "latin1"));
    };
    return { size: latin1.length, read, verify() {} };
  }

  #read(label: string, place: Place, bytes: StorageBytes, from: number, length: number): Bytes {
    this.#readingLeft -= length;
    if (this.#readingLeft < 0) {
      throw rangeError("ERR_FILE", label, `tensors that together read at most ${memoryFactor} times the file`, "more");
    }
    const part = length < bytes.size && !this.#verified.has(place);
    if (part && (this.#verifyAll || bytes.size <= alwaysVerified)) {
      bytes.verify();
      this.#verified.add(place);
    }
    return bytes.read(from, length);
  }
}

/** How many elements of this many bytes a storage has, if it is as long as it says. */
function capacity({ dtype, count }: StorageRef, width: number): number {
  return Math.floor((count * (widthOf(dtype) ?? 1)) / width);
}

function lastElement({ offset, shape, strides }: TensorRef): number {
  return shape.reduce((last, size, d) => last + (size - 1) * (strides[d] ?? 0), offset);
}

/** Puts elements of 1, 2, 4 or 8 bytes, the last as pairs of 4, in order; whatever they stand for, their bits are kept. */
function gather(from: Bytes, { shape, strides }: TensorRef, width: number, offset: number): Bytes {
  const into = new Uint8Array(product(shape) * width);
  const unit = Math.min(width, 4);
  const units = width / unit;
  const view = ({ buffer, byteOffset, byteLength }: Bytes): Elements => {
    const Kind = unit === 1 ? Uint8Array : unit === 2 ? Uint16Array : Int32Array;
    return new Kind(buffer, byteOffset, Math.floor(byteLength / unit));
  };
  const steps = [...strides.map((stride) => stride * units), 1];
  copyStrided(
    view(into),
    view(from.byteOffset % unit === 0 ? from : from.slice()),
    [...shape, units],
    steps,
    offset * units,
  );
  return into;
}

/** Turns the bytes of every element round, in place. */
function swap(bytes: Bytes, width: number): Bytes {
  for (let at = 0; at + width <= bytes.length; at += width) bytes.subarray(at, at + width).reverse();
  return bytes;
}

function checkWindow(label: string, ref: TensorRef, width: number): void {
  const { storage, offset, shape, strides } = ref;
  const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
  if (shape.length > maxRank) throw rangeError("ERR_FILE", label, `at most ${maxRank} dims`, `${shape.length}`);
  if (!shape.every(isCount) || !Number.isSafeInteger(product(shape.filter((size) => size !== 0)))) {
    throw rangeError("ERR_FILE", label, "sizes that can be counted", `shape ${formatShape(shape)}`);
  }
  if (!isCount(offset) || strides.length !== shape.length || !strides.every(isCount)) {
    const received = `offset ${describe(offset)} and strides ${formatShape(strides)} for shape ${formatShape(shape)}`;
    throw rangeError("ERR_FILE", label, "an offset and one stride a dim, from 0 up", received);
  }
  const reach = lastElement(ref);
  const count = capacity(storage, width);
  if (product(shape) > 0 && reach >= count) {
    const expected = `elements within its storage of ${count}`;
    throw rangeError("ERR_FILE", label, expected, `shape ${formatShape(shape)} that reaches element ${reach}`);
  }
}
