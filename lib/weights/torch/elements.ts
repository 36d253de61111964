// The element types of torch by their names and by its storage classes, as dtypes.ts knows them. Names and widths only.
// The list: https://docs.pytorch.org/docs/stable/tensor_attributes.html

import { bitWidths, type FileDType } from "../dtypes.js";

const readTypes: Readonly<Record<string, FileDType>> = {
  ...{ float64: "F64", float32: "F32", float16: "F16", bfloat16: "BF16", bool: "BOOL" },
  ...{ int64: "I64", int32: "I32", int16: "I16", int8: "I8", uint8: "U8", uint16: "U16", uint32: "U32", uint64: "U64" },
  ...{ float8_e4m3fn: "F8_E4M3", float8_e5m2: "F8_E5M2", float8_e8m0fnu: "F8_E8M0" },
  ...{ float8_e4m3fnuz: "F8_E4M3FNUZ", float8_e5m2fnuz: "F8_E5M2FNUZ" },
};

/** Bytes an element takes of those that are passed over: where such a storage ends must be known to find the next. */
const otherWidths: Readonly<Record<string, number>> = {
  ...{ complex32: 4, complex64: 8, complex128: 16 },
  ...{ qint8: 1, quint8: 1, qint32: 4, quint4x2: 1, quint2x4: 1, bytes: 1 },
};

/** torch's storage classes, which old files name instead of the type. */
const storageTypes: Readonly<Record<string, string>> = {
  ...{ DoubleStorage: "float64", FloatStorage: "float32", HalfStorage: "float16", BFloat16Storage: "bfloat16" },
  ...{ LongStorage: "int64", IntStorage: "int32", ShortStorage: "int16", CharStorage: "int8", ByteStorage: "uint8" },
  ...{ BoolStorage: "bool", ComplexFloatStorage: "complex64", ComplexDoubleStorage: "complex128" },
  ...{ QInt8Storage: "qint8", QUInt8Storage: "quint8", QInt32Storage: "qint32" },
  ...{ QUInt4x2Storage: "quint4x2", QUInt2x4Storage: "quint2x4" },
};

/** The type of a file's elements that torch calls `name`, or undefined for one that no Tensor holds. */
export function elementType(name: string): FileDType | undefined {
  return Object.hasOwn(readTypes, name) ? readTypes[name] : undefined;
}

/** Bytes an element takes, or undefined for a type that is not known. */
export function widthOf(name: string): number | undefined {
  const type = elementType(name);
  if (type !== undefined) return bitWidths[type] / 8;
  return Object.hasOwn(otherWidths, name) ? otherWidths[name] : undefined;
}

/** The element type of a storage class ("torch.FloatStorage"), "bytes" for the untyped one, undefined for another class. */
export function storageType(name: string): string | undefined {
  if (name === "torch.storage.UntypedStorage" || name === "torch.UntypedStorage") return "bytes";
  const [, kind = ""] = /^torch\.(?:cuda\.)?(\w+)$/.exec(name) ?? [];
  return Object.hasOwn(storageTypes, kind) ? storageTypes[kind] : undefined;
}

/** Why no Tensor holds numbers of this type. */
export function unreadable(name: string): string {
  if (name.startsWith("complex")) return `a ${name} tensor, and no Tensor holds complex numbers`;
  return `a ${name} tensor, which is not read`;
}
