// The datatypes and dataspaces of HDF5: what an element is, and how many there are. Known are integers, floats of IEEE's
// formats and bfloat16, booleans as h5py stores them, and strings; the rest is named and not read.

import type { FileDType } from "../dtypes.js";
import type { Cursor } from "./cursor.js";

/** What an element is. `size` is in bytes. */
export type Datatype =
  | { readonly kind: "number"; readonly dtype: FileDType; readonly size: number; readonly bigEndian: boolean }
  | { readonly kind: "string"; readonly size: number }
  | { readonly kind: "text"; readonly size: number } // of any length, kept in a heap
  | { readonly kind: "other"; readonly size: number; readonly name: string };

const classNames = ["integers", "floats", "times", "strings", "bit fields", "opaque bytes", "compounds", "references"];

/** Floats by their bytes, and the bits of their exponents and mantissas. */
const floats: ReadonlyMap<string, FileDType> = new Map([
  ["2/5/10", "F16"],
  ["2/8/7", "BF16"],
  ["4/8/23", "F32"],
  ["8/11/52", "F64"],
]);

/** Steps over a datatype message and says what it is. */
export function readDatatype(cursor: Cursor): Datatype {
  const head = cursor.u8();
  const bits = cursor.u8() | (cursor.u8() << 8) | (cursor.u8() << 16);
  const size = cursor.u32();
  const bigEndian = (bits & 1) !== 0;
  const other = (name: string): Datatype => ({ kind: "other", size, name });
  switch (head & 15) {
    case 0: {
      cursor.skip(4);
      const dtype = { 1: "8", 2: "16", 4: "32", 8: "64" }[size];
      if (dtype === undefined) return other(`integers of ${size} bytes`);
      return { kind: "number", dtype: `${(bits & 8) !== 0 ? "I" : "U"}${dtype}` as FileDType, size, bigEndian };
    }
    case 1: {
      const exponentBits = cursor.skip(5).u8();
      const mantissaBits = cursor.skip(1).u8();
      cursor.skip(4);
      const dtype = floats.get(`${size}/${exponentBits}/${mantissaBits}`);
      if (dtype === undefined || (bits & 0x40) !== 0) return other(`floats of ${size} bytes in a format of their own`);
      return { kind: "number", dtype, size, bigEndian };
    }
    case 3:
      return { kind: "string", size };
    case 8: {
      // h5py stores a boolean as an enumeration of one byte; the names and values that follow are of no use here.
      const base = readDatatype(cursor);
      return base.kind === "number" && base.size === 1 ? { ...base, dtype: "BOOL" } : other("an enumeration");
    }
    case 9:
      return (bits & 15) === 1 ? { kind: "text", size } : other("sequences of varying length");
    default:
      return other(classNames[head & 15] ?? "arrays");
  }
}

/** Steps over a dataspace message: the shape, `()` for a scalar, undefined for a space without elements. */
export function readShape(cursor: Cursor): number[] | undefined {
  const version = cursor.u8();
  const rank = cursor.u8();
  if ((version !== 1 && version !== 2) || rank > 32)
    throw cursor.fail("a dataspace", `version ${version}, rank ${rank}`);
  const flags = cursor.u8();
  const type = cursor.u8();
  if (version === 1) cursor.skip(4);
  const shape = Array.from({ length: rank }, () => cursor.u64());
  if ((flags & 1) !== 0) cursor.skip(8 * rank); // what each dim may grow to
  // As with safetensors: zeros are left out, so that they cannot hide dims whose product is past all counting.
  if (!Number.isSafeInteger(shape.reduce((product, dim) => product * (dim || 1), 8))) {
    throw cursor.fail("a size that can be addressed", `shape (${shape.join(", ").slice(0, 80)})`);
  }
  return version === 2 && type === 2 ? undefined : shape;
}

/** How many elements a shape has. */
export function countOf(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}
