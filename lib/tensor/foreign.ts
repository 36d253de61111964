// Reads foreign tensors by their structure alone: an onnxruntime tensor ({ data, dims }), an ndarray ({ data, shape,
// stride, offset }), an npyjs array ({ data, shape, fortranOrder }), or anything shaped like them.
// It only finds out where the elements lie, and that they all lie inside the data; it copies nothing. To a caller who has
// numbers in another form it says how a tensor is made of them.

import {
  checkBool,
  checkInt,
  describe,
  formatShape,
  rangeError,
  reading,
  typedArrayKind,
  typeError,
} from "../check.js";
import { bufferNote, checkShape, denseStrides, isList, isNested, isTensorData, mapList, product } from "./strided.js";

/** Any typed array; which kinds are taken depends on where it is given. */
export type AnyTypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** What is taken wherever a foreign tensor may be given. One of `shape` and `dims` must be there. */
export interface ForeignTensor {
  readonly data: AnyTypedArray;
  readonly shape?: readonly number[];
  readonly dims?: readonly number[];
  /** Elements between neighbours along each dim, as in an ndarray; dense row-major when left out. */
  readonly stride?: readonly number[];
  /** Where in `data` the first element lies; 0 when left out. */
  readonly offset?: number;
  /** Column-major, as npyjs reports it. */
  readonly fortranOrder?: boolean;
}

/** Where the elements of a foreign tensor lie. Every one of them is inside `data`. */
export interface Layout {
  data: AnyTypedArray;
  shape: number[];
  strides: number[];
  offset: number;
  dense: boolean;
}

function checkStride(name: string, stride: unknown, rank: number): number[] {
  if (!isList(stride)) throw typeError("ERR_ARG_TYPE", `${name}.stride`, "an array of integers", describe(stride));
  const steps = mapList(`${name}.stride`, stride, (step) => checkInt(`${name}.stride`, step));
  if (steps.length !== rank) {
    throw rangeError("ERR_SHAPE", `${name}.stride`, `${rank} strides, one per dim`, `${steps.length}`);
  }
  return steps;
}

function checkInside(name: string, layout: Layout): void {
  const { data, shape, strides, offset } = layout;
  if (product(shape) === 0) return;
  let first = offset;
  let last = offset;
  shape.forEach((size, d) => {
    const reach = (strides[d] ?? 0) * (size - 1);
    if (reach < 0) first += reach;
    else last += reach;
  });
  if (!(first >= 0 && last < data.length)) {
    const range = `elements ${first} to ${last} of ${describe(data)}${bufferNote(data)}`;
    throw rangeError("ERR_SHAPE", name, "strides that stay inside the data", range);
  }
}

/** Each property is read once: a getter could answer differently the second time. */
function readFields(name: string, value: object) {
  return reading(name, () => {
    const { data, shape, dims, stride, offset, fortranOrder } = value as { [K in keyof ForeignTensor]: unknown };
    return { data, given: shape, dims, stride, start: offset, fortranOrder };
  });
}

/** How a tensor is made of numbers that are none yet; nothing where that would not be right. */
function makingHint(value: object): string {
  if (isTensorData(value) && value.length > 0) return " (new Tensor(…, shape) makes a tensor of it)";
  if (value instanceof Uint8Array) return bytesHint(value);
  return isNested(value) ? " (tensor(…) makes a tensor of it)" : "";
}

/**
 * How a Buffer's bytes are read as float32. It is a view at some place of memory that it may share, and a Float32Array must
 * start at a multiple of 4: where it does not, the bytes are copied first.
 */
export function bytesHint(value: unknown): string {
  if (!(value instanceof Uint8Array) || value.byteLength === 0 || value.byteLength % 4 !== 0) return "";
  const floats =
    value.byteOffset % 4 === 0
      ? "new Float32Array(buffer.buffer, buffer.byteOffset, buffer.byteLength / 4)"
      : "new Float32Array(new Uint8Array(buffer).buffer)";
  return ` (if these are the bytes of float32 numbers: new Tensor(${floats}, shape))`;
}

/**
 * Finds out where the elements of a foreign tensor lie.
 * @throws TypeError ERR_ARG_TYPE when it is not shaped like one; RangeError ERR_SHAPE when data, shape and strides
 *   do not fit together, which is also what a detached or shrunk buffer gives
 */
export function readLayout(name: string, value: unknown): Layout {
  const expected = "a tensor ({ data, shape } or { data, dims })";
  if (typeof value !== "object" || value === null) throw typeError("ERR_ARG_TYPE", name, expected, describe(value));
  const { data, given, dims, stride, start, fortranOrder } = readFields(name, value);
  if (typedArrayKind(data) === undefined) {
    const why = data === undefined ? describe(value) + makingHint(value) : `data that is ${describe(data)}`;
    throw typeError("ERR_ARG_TYPE", name, `${expected} whose data is a typed array`, why);
  }
  if (given === undefined && dims === undefined)
    throw typeError("ERR_ARG_TYPE", name, expected, "no shape and no dims");
  const shape = checkShape(`${name}.shape`, given ?? dims);
  const elements = data as AnyTypedArray;
  if (stride === undefined && start === undefined && elements.length !== product(shape)) {
    const received = `${describe(elements)}${bufferNote(elements)}`;
    throw rangeError("ERR_SHAPE", name, `${product(shape)} elements for shape ${formatShape(shape)}`, received);
  }
  const rowMajor = denseStrides(shape);
  let strides = rowMajor;
  if (stride !== undefined) {
    strides = checkStride(name, stride, shape.length);
  } else if (fortranOrder !== undefined && checkBool(`${name}.fortranOrder`, fortranOrder)) {
    strides = denseStrides(shape.toReversed()).reverse();
  }
  const offset = start === undefined ? 0 : checkInt(`${name}.offset`, start, { min: 0 });
  // Along a dim of 1 the stride is never used.
  const dense = product(shape) === 0 || strides.every((step, d) => shape[d] === 1 || step === rowMajor[d]);
  const layout = { data: elements, shape, strides, offset, dense };
  checkInside(name, layout);
  return layout;
}
