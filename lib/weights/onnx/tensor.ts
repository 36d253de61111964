// One TensorProto of an ONNX file as plain numbers: floats as they are (16-bit ones widened), integers of up to 16 bits in
// arrays of their own width, longer ones as float64, which holds all that a shape or an index can be. Values in a file
// beside the model are asked of whoever opened it; every element type not in element-types is refused by name.
// The schema: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto

import { formatShape, rangeError } from "../../check.js";
import { product } from "../../tensor/strided.js";
import { widenBfloat16, widenFloat16 } from "../half.js";
import {
  BFLOAT16,
  BOOL,
  type ConstantData,
  DOUBLE,
  FLOAT,
  FLOAT16,
  INT4,
  INT8,
  INT16,
  INT32,
  INT64,
  type Pay,
  typeName,
  UINT4,
  UINT8,
  UINT16,
  UINT32,
  UINT64,
} from "./element-types.js";
import { type Field, readFields } from "./protobuf.js";

/** A constant of the graph. Its data may be shared, and is never written to. */
export interface Constant {
  /** NaN for a dim that only the model's input decides: the data then has 1 there, and is the same all along. */
  readonly shape: readonly number[];
  readonly data: ConstantData;
  /** TensorProto.DataType. */
  readonly type: number;
}

/** Where a tensor's values lie when they are not in the model's own file, as the file puts it. */
export interface ExternalEntry {
  location: string;
  offset: string;
  length: string;
}

/** Reads `bytes` bytes of a file beside the model. @throws RangeError ERR_FILE when that must not or cannot be */
export type ReadExternal = (label: string, entry: ExternalEntry, bytes: number) => Uint8Array<ArrayBuffer>;

interface TensorFields {
  type: number;
  dims: number[];
  external: boolean;
  entry: ExternalEntry;
  /** raw_data, float_data and double_data: the same bytes under three names. */
  bytes: Uint8Array[];
  /** int32_data (which holds everything narrower too), int64_data and uint64_data. */
  ints: number[];
}

const widths: Readonly<Record<number, number>> = {
  ...{
    [UINT4]: 0.5,
    [INT4]: 0.5,
    [UINT8]: 1,
    [INT8]: 1,
    [BOOL]: 1,
    [UINT16]: 2,
    [INT16]: 2,
    [FLOAT16]: 2,
    [BFLOAT16]: 2,
  },
  ...{ [FLOAT]: 4, [INT32]: 4, [UINT32]: 4, [DOUBLE]: 8, [INT64]: 8, [UINT64]: 8 },
};

function unread(type: number): string {
  const name = typeName(type);
  return name.startsWith("data type") ? name : `data type ${type} (${name})`;
}

/**
 * @throws RangeError ERR_FILE when the values are not to be had, not as many as the shape says, or of a type that is not
 *   read
 */
export function readConstant(label: string, proto: Uint8Array, readExternal: ReadExternal, pay: Pay): Constant {
  const entry = { location: "", offset: "", length: "" };
  const fields: TensorFields = { type: 0, dims: [], external: false, entry, bytes: [], ints: [] };
  // Integers and 16-bit floats take up to four times their bytes in the file; int64_data may pack eight into one.
  pay(8 * proto.length);
  for (const field of readFields(label, proto)) readTensorField(label, field, fields);
  const { type, dims } = fields;
  const size = product(dims.filter((dim) => dim !== 0));
  if (!dims.every((dim) => Number.isSafeInteger(dim) && dim >= 0) || !Number.isSafeInteger(size) || dims.length > 64) {
    throw rangeError("ERR_FILE", label, "dims that can be counted", formatShape(dims));
  }
  const width = widths[type];
  if (width === undefined) {
    throw rangeError("ERR_FILE", label, "floats of 16, 32 or 64 bits or integers", unread(type));
  }
  const count = product(dims);
  if (fields.external) {
    const bytes = Math.ceil(width * count);
    fields.bytes = [readExternal(label, entry, bytes)];
    pay(4 * bytes);
  }
  const data = readValues(label, fields, width, count);
  if (data.length !== count) {
    throw rangeError("ERR_FILE", label, `${count} values for shape ${formatShape(dims)}`, `${data.length}`);
  }
  return { shape: dims, data, type };
}

function readTensorField(label: string, field: Field, into: TensorFields): void {
  switch (field.number) {
    case 1:
      for (const dim of field.ints()) into.dims.push(dim);
      break;
    case 2:
      into.type = field.int();
      break;
    case 4:
      into.bytes.push(field.floatBytes(4));
      break;
    case 5:
    case 7:
    case 11:
      for (const int of field.ints()) into.ints.push(int);
      break;
    case 9:
      into.bytes.push(field.bytes());
      break;
    case 10:
      into.bytes.push(field.floatBytes(8));
      break;
    case 13: {
      const [key = "", value = ""] = readEntry(label, field.bytes());
      if (key === "location" || key === "offset" || key === "length") into.entry[key] = value;
      break;
    }
    case 14:
      into.external = field.int() === 1;
      break;
  }
}

function readEntry(label: string, bytes: Uint8Array): string[] {
  const entry: string[] = [];
  for (const field of readFields(label, bytes)) if (field.number <= 2) entry[field.number - 1] = field.text();
  return entry;
}

/** Pieces one behind the other in memory of their own, so that an array of any width may start there. */
function join(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const [first] = pieces;
  const whole = first !== undefined && first.byteOffset === 0 && first.byteLength === first.buffer.byteLength;
  if (pieces.length === 1 && whole && first.buffer instanceof ArrayBuffer) return first as Uint8Array<ArrayBuffer>;
  const joined = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}

function readValues(label: string, { type, bytes, ints }: TensorFields, width: number, count: number): ConstantData {
  const words = <T>(make: (buffer: ArrayBuffer) => T): T => {
    const joined = join(bytes);
    if (joined.length % width !== 0)
      throw rangeError("ERR_FILE", label, `values of ${width} bytes`, `${joined.length} bytes`);
    return make(joined.buffer);
  };
  // Little-endian, as is the host.
  switch (type) {
    case FLOAT:
      return words((buffer) => new Float32Array(buffer));
    case DOUBLE:
      return words((buffer) => new Float64Array(buffer));
    case FLOAT16:
      return widenFloat16(ints.length > 0 ? Uint16Array.from(ints) : words((buffer) => new Uint16Array(buffer)));
    case BFLOAT16:
      return widenBfloat16(ints.length > 0 ? Uint16Array.from(ints) : words((buffer) => new Uint16Array(buffer)));
    case UINT4:
    case INT4:
      return halfBytes(ints.length > 0 ? Uint8Array.from(ints) : join(bytes), type, count);
    case UINT8:
      return ints.length > 0 ? Uint8Array.from(ints) : words((buffer) => new Uint8Array(buffer));
    case INT8:
      return ints.length > 0 ? Int8Array.from(ints) : words((buffer) => new Int8Array(buffer));
    case UINT16:
      return ints.length > 0 ? Uint16Array.from(ints) : words((buffer) => new Uint16Array(buffer));
    case INT16:
      return ints.length > 0 ? Int16Array.from(ints) : words((buffer) => new Int16Array(buffer));
    case BOOL:
      return Float64Array.from(ints.length > 0 ? ints : words((buffer) => new Uint8Array(buffer)), (bit) =>
        bit === 0 ? 0 : 1,
      );
    case INT32:
      return Float64Array.from(ints.length > 0 ? ints : words((buffer) => new Int32Array(buffer)));
    case UINT32:
      return Float64Array.from(ints.length > 0 ? ints : words((buffer) => new Uint32Array(buffer)));
    case UINT64:
      return ints.length > 0
        ? Float64Array.from(ints)
        : words((buffer) => Float64Array.from(new BigUint64Array(buffer), Number));
    default:
      return ints.length > 0
        ? Float64Array.from(ints)
        : words((buffer) => Float64Array.from(new BigInt64Array(buffer), Number));
  }
}

/** Integers of four bits, two in a byte, the first in its lower half. */
function halfBytes(bytes: Uint8Array, type: number, count: number): ConstantData {
  if (bytes.length !== Math.ceil(count / 2)) return new Uint8Array(); // the caller counts and refuses
  const values = type === INT4 ? new Int8Array(count) : new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const half = ((bytes[i >> 1] as number) >> (i % 2 === 0 ? 0 : 4)) & 15;
    values[i] = type === INT4 && half > 7 ? half - 16 : half;
  }
  return values;
}
