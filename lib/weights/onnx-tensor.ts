// One TensorProto of an ONNX file as plain numbers: floats as they are (16-bit ones widened), integers as float64, which
// holds all that a shape or an index can be. Values kept in another file are refused, and so is every other element type.
// The schema: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto

import { describe, formatShape, rangeError } from "../check.js";
import { product } from "../strided.js";
import { widenBfloat16, widenFloat16 } from "./half.js";
import { type Field, readFields } from "./protobuf.js";

/** A constant of the graph. Its data may be shared, and is never written to. */
export interface Constant {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array;
  readonly integer: boolean;
}

// TensorProto.DataType, the six that are read.
const FLOAT = 1;
const INT32 = 6;
const INT64 = 7;
const FLOAT16 = 10;
const DOUBLE = 11;
const BFLOAT16 = 16;

interface TensorFields {
  type: number;
  dims: number[];
  external: boolean;
  file: string;
  /** raw_data, float_data and double_data: the same bytes under three names. */
  bytes: Uint8Array[];
  /** int32_data (which holds 16-bit floats too) and int64_data. */
  ints: number[];
}

/** @throws RangeError ERR_FILE when the values are not in this file, not as many as the shape says, or of another type */
export function readConstant(label: string, proto: Uint8Array): Constant {
  const fields: TensorFields = { type: 0, dims: [], external: false, file: "", bytes: [], ints: [] };
  for (const field of readFields(label, proto)) readTensorField(label, field, fields);
  const { type, dims } = fields;
  if (fields.external) {
    const received = `values in ${fields.file === "" ? "another file" : `the file ${describe(fields.file)}`}`;
    const advice =
      "save it as one file, in Python onnx.save(onnx.load(path), path) or torch.onnx.export(..., external_data=False)";
    throw rangeError("ERR_FILE", label, `values in the file itself: ${advice}`, received);
  }
  const size = product(dims.filter((dim) => dim !== 0));
  if (!dims.every((dim) => Number.isSafeInteger(dim) && dim >= 0) || !Number.isSafeInteger(size)) {
    throw rangeError("ERR_FILE", label, "dims that can be counted", formatShape(dims));
  }
  const data = readValues(label, fields);
  if (data.length !== product(dims)) {
    throw rangeError("ERR_FILE", label, `${product(dims)} values for shape ${formatShape(dims)}`, `${data.length}`);
  }
  return { shape: dims, data, integer: type === INT32 || type === INT64 };
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
      if (key === "location") into.file = value;
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

function readValues(label: string, { type, bytes, ints }: TensorFields): Float32Array | Float64Array {
  // A copy, so that it starts where an array of any width may. Little-endian, as is the host.
  const joined = Buffer.concat(bytes);
  const words = <T>(width: number, make: (buffer: ArrayBuffer) => T): T => {
    if (joined.length % width !== 0)
      throw rangeError("ERR_FILE", label, `values of ${width} bytes`, `${joined.length} bytes`);
    return make(new Uint8Array(joined).buffer);
  };
  switch (type) {
    case FLOAT:
      return words(4, (buffer) => new Float32Array(buffer));
    case DOUBLE:
      return words(8, (buffer) => new Float64Array(buffer));
    case FLOAT16:
      return widenFloat16(ints.length > 0 ? Uint16Array.from(ints) : words(2, (buffer) => new Uint16Array(buffer)));
    case BFLOAT16:
      return widenBfloat16(ints.length > 0 ? Uint16Array.from(ints) : words(2, (buffer) => new Uint16Array(buffer)));
    case INT32:
      return Float64Array.from(ints.length > 0 ? ints : words(4, (buffer) => new Int32Array(buffer)));
    case INT64:
      return ints.length > 0
        ? Float64Array.from(ints)
        : words(8, (buffer) => Float64Array.from(new BigInt64Array(buffer), Number));
    default:
      throw rangeError(
        "ERR_FILE",
        label,
        "float, double, float16, bfloat16, int32 or int64 values",
        `data type ${type}`,
      );
  }
}
