// NumPy's arrays, as pickles hold them and as .npz archives do (.npy files by name): each becomes a window on its bytes, to
// be read as a torch tensor is. An array of other things than numbers is passed over.
// https://numpy.org/doc/stable/reference/generated/numpy.ndarray.__reduce__.html

import { denseStrides, product } from "../../tensor/strided.js";
import { readNpyHeader } from "../npy-header.js";
import type { Source } from "../source.js";
import { elementType } from "./elements.js";
import { arrayMaker } from "./numpy-names.js";
import type { Ref, Value } from "./objects.js";
import { type Place, StorageRef, TensorRef, UnreadTensor } from "./tensors.js";
import { PyObject, PySequence } from "./values.js";

/** torch's names of NumPy's element types. */
const elementTypes: Readonly<Record<string, string>> = {
  ...{ f8: "float64", f4: "float32", f2: "float16", c8: "complex64", c16: "complex128", b1: "bool", "?": "bool" },
  ...{ i8: "int64", i4: "int32", i2: "int16", i1: "int8", u8: "uint64", u4: "uint32", u2: "uint16", u1: "uint8" },
};

interface Layout {
  kind: string;
  bigEndian: boolean;
  shape: readonly number[];
  fortranOrder: boolean;
}

function arrayRef(place: Place, { kind, bigEndian, shape, fortranOrder }: Layout): TensorRef | UnreadTensor {
  const dtype = Object.hasOwn(elementTypes, kind) ? elementTypes[kind] : undefined;
  if (dtype === undefined || elementType(dtype) === undefined) {
    return new UnreadTensor(`a NumPy array of dtype ${dtype ?? kind.slice(0, 20)}, which is not read`);
  }
  const strides = fortranOrder ? denseStrides(shape.toReversed()).toReversed() : denseStrides(shape);
  const storage = new StorageRef(place, dtype, product(shape));
  return new TensorRef({ storage, dtype, offset: 0, shape, strides, swapped: bigEndian });
}

/** An array of a .npz, whose elements start where the header says; `place` is what it is called by whoever opens it. */
export function npyRef(source: Source, place: string): { ref: Ref; dataAt: number } {
  const header = readNpyHeader(source);
  return { ref: arrayRef(place, header), dataAt: header.dataAt };
}

/** The dtype of a pickled array: `numpy.dtype("f4", False, True)` and then a state that holds the byte order. */
function dtypeOf(value: Value | undefined): { kind: string; bigEndian: boolean } | undefined {
  if (!(value instanceof PyObject) || value.of !== "numpy.dtype") return undefined;
  const [kind] = value.args;
  const order = value.state instanceof PySequence ? value.state.items[1] : undefined;
  return typeof kind === "string" ? { kind, bigEndian: order === ">" } : undefined;
}

function dims(value: Value | undefined): number[] | undefined {
  const items = value instanceof PySequence ? value.items : undefined;
  return items?.every((dim) => typeof dim === "number") ? (items as number[]) : undefined;
}

/** The array that a pickle's object is, or what it holds instead of numbers; undefined for any other object. */
export function numpyArray(value: PyObject<Ref>): TensorRef | UnreadTensor | undefined {
  const maker = arrayMaker(value.of);
  if (maker === "_reconstruct" && value.state instanceof PySequence) {
    const [, shape, dtype, fortranOrder, data] = value.state.items;
    return fromParts(dtype, shape, fortranOrder === true, data);
  }
  if (maker === "_frombuffer") {
    const [data, dtype, shape, order] = value.args;
    return fromParts(dtype, shape, order === "F", data);
  }
  return undefined;
}

function fromParts(dtype: Value | undefined, shape: Value | undefined, fortranOrder: boolean, data: Value | undefined) {
  const type = dtypeOf(dtype);
  const sizes = dims(shape);
  if (type === undefined || sizes === undefined) return new UnreadTensor("a NumPy array of records or objects");
  // Python 2 pickled the bytes as text.
  const place = typeof data === "string" ? { latin1: data } : data;
  if (!(place instanceof Uint8Array || (place !== null && typeof place === "object" && "latin1" in place))) {
    return new UnreadTensor("a NumPy array of objects, which is not read");
  }
  return arrayRef(place, { ...type, shape: sizes, fortranOrder });
}
