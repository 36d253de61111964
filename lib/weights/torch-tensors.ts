// The tensors of a torch file: what its pickle says of one (storage, offset, sizes, strides) is checked and turned into
// a dense Tensor with memory of its own. Views, shared storages and expanded tensors each become a copy.
// It knows neither zip nor pickle; whoever calls it hands in the storage's bytes.

import { describe, formatShape, rangeError } from "../check.js";
import { copyStrided, product } from "../strided.js";
import { Tensor } from "../tensor.js";
import { widenBfloat16, widenFloat16 } from "./half.js";

/** The element types read: all that torch's own LSTM, Linear and Embedding hold, and the integers of counters and masks. */
export type StorageDType =
  | "float64"
  | "float32"
  | "float16"
  | "bfloat16"
  | "int64"
  | "int32"
  | "int16"
  | "int8"
  | "uint8"
  | "bool";

const widths: Readonly<Record<StorageDType, number>> = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
};

/** A flat run of elements in the file, which any number of tensors may share. */
export class StorageRef {
  readonly key: string;
  readonly dtype: StorageDType;
  readonly count: number;
  constructor(key: string, dtype: StorageDType, count: number) {
    this.key = key;
    this.dtype = dtype;
    this.count = count;
  }
}

/** A strided window on a storage, as the file states it: neither checked nor read. */
export class TensorRef {
  readonly storage: StorageRef;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  constructor(storage: StorageRef, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

const maxRank = 64; // as torch

// How much the tensors of one file may ask for together: views may overlap and expand, but not without end.
const memoryBase = 2 ** 26;
const memoryFactor = 16;

type Floats = Float32Array | Float64Array;

/** Reads the tensors of one file, each storage once. */
export class TensorReader {
  readonly #read: (key: string) => Uint8Array;
  readonly #storages = new Map<string, Floats>();
  #memoryLeft: number;

  /** @param read gives the bytes of a storage, and throws when there are none */
  constructor(fileSize: number, read: (key: string) => Uint8Array) {
    this.#read = read;
    this.#memoryLeft = memoryBase + memoryFactor * fileSize;
  }

  /**
   * @param label file and tensor, for messages
   * @throws RangeError ERR_FILE when the tensor reaches outside its storage, the storage is shorter than declared, an
   *   int64 does not fit in int32, or the tensors ask for far more memory than the file has bytes
   */
  tensor(label: string, ref: TensorRef): Tensor {
    checkWindow(label, ref);
    const { storage, offset, shape, strides } = ref;
    const size = product(shape);
    this.#memoryLeft -= size * widths[storage.dtype === "float64" ? "float64" : "float32"];
    if (this.#memoryLeft < 0) {
      const expected = `tensors that together take no more than ${memoryFactor} times the file`;
      throw rangeError("ERR_FILE", label, expected, `shape ${formatShape(shape)}`);
    }
    try {
      const from = this.#storage(label, storage);
      const data = from instanceof Float32Array ? new Float32Array(size) : new Float64Array(size);
      copyStrided(data, from, shape, strides, offset);
      const integer = !storage.dtype.includes("float");
      return new Tensor(integer ? toInt32(label, storage.dtype, data) : data, shape);
    } catch (error) {
      // The engine's own RangeError, for an array that memory cannot hold, is the only one without a code.
      if (!(error instanceof RangeError) || "code" in error) throw error;
      throw rangeError("ERR_FILE", label, "a size that memory can hold", `shape ${formatShape(shape)}`);
    }
  }

  #storage(label: string, { key, dtype, count }: StorageRef): Floats {
    const id = `${dtype} ${key}`;
    let data = this.#storages.get(id);
    if (data === undefined) {
      data = decode(dtype, this.#read(key));
      this.#storages.set(id, data);
    }
    if (data.length < count) {
      throw rangeError("ERR_FILE", label, `a storage of ${count} ${dtype} values`, `one of ${data.length}`);
    }
    return data;
  }
}

function checkWindow(label: string, { storage, offset, shape, strides }: TensorRef): void {
  const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
  if (shape.length > maxRank) throw rangeError("ERR_FILE", label, `at most ${maxRank} dims`, `${shape.length}`);
  if (!shape.every(isCount) || !Number.isSafeInteger(product(shape.filter((size) => size !== 0)))) {
    throw rangeError("ERR_FILE", label, "sizes that can be counted", `shape ${formatShape(shape)}`);
  }
  if (!isCount(offset) || strides.length !== shape.length || !strides.every(isCount)) {
    const received = `offset ${describe(offset)} and strides ${formatShape(strides)} for shape ${formatShape(shape)}`;
    throw rangeError("ERR_FILE", label, "an offset and one stride a dim, from 0 up", received);
  }
  const reach = shape.reduce((last, size, d) => last + (size - 1) * (strides[d] ?? 0), offset);
  if (product(shape) > 0 && reach >= storage.count) {
    const expected = `elements within its storage of ${storage.count}`;
    throw rangeError("ERR_FILE", label, expected, `shape ${formatShape(shape)} that reaches element ${reach}`);
  }
}

/** All whole elements of a storage, 16-bit floats widened to float32 and integers to float64. Little-endian, as is the host. */
function decode(dtype: StorageDType, bytes: Uint8Array): Floats {
  const length = Math.floor(bytes.length / widths[dtype]);
  // Copied where an array of wider elements could not start.
  const { buffer, byteOffset } = bytes.byteOffset % widths[dtype] === 0 ? bytes : new Uint8Array(bytes);
  switch (dtype) {
    case "float64":
      return new Float64Array(buffer, byteOffset, length);
    case "float32":
      return new Float32Array(buffer, byteOffset, length);
    case "float16":
      return widenFloat16(new Uint16Array(buffer, byteOffset, length));
    case "bfloat16":
      return widenBfloat16(new Uint16Array(buffer, byteOffset, length));
    case "int64":
      return Float64Array.from(new BigInt64Array(buffer, byteOffset, length), Number);
    case "int32":
      return Float64Array.from(new Int32Array(buffer, byteOffset, length));
    case "int16":
      return Float64Array.from(new Int16Array(buffer, byteOffset, length));
    case "int8":
      return Float64Array.from(new Int8Array(buffer, byteOffset, length));
    case "uint8":
      return Float64Array.from(bytes);
    case "bool":
      return Float64Array.from(bytes, (byte) => (byte === 0 ? 0 : 1));
  }
}

/** An int64 beyond 2^53 has been rounded by now, and does not fit either way. */
function toInt32(label: string, dtype: StorageDType, values: Floats): Int32Array {
  const data = Int32Array.from(values);
  const odd = values.findIndex((value, i) => value !== data[i]);
  if (odd >= 0) throw rangeError("ERR_FILE", label, `${dtype} values that fit in int32`, `${values[odd]}`);
  return data;
}
