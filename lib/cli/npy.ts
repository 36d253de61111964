// NumPy's .npy for sequences: one array, its elements piece by piece; and headers for arrays to be written.
// An .npz is a zip of such. The format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

import { rangeError } from "../check.js";
import { product } from "../tensor/strided.js";
import { npyMagic, readNpyHeader } from "../weights/npy-header.js";
import type { Source } from "../weights/source.js";

const makers = {
  f4: Float32Array,
  f8: Float64Array,
  i1: Int8Array,
  u1: Uint8Array,
  i2: Int16Array,
  u2: Uint16Array,
  i4: Int32Array,
  u4: Uint32Array,
  i8: BigInt64Array,
  u8: BigUint64Array,
  b1: Uint8Array, // booleans, a byte each
  U: Uint32Array, // strings, a code point each 4 bytes
} as const;

/** The numbers of an array, booleans, or strings. */
export type Kind = keyof typeof makers;
type Elements = InstanceType<(typeof makers)[Kind]>;

/** An opened array. */
export interface NpyArray {
  readonly name: string;
  readonly kind: Kind;
  readonly shape: readonly number[];
  /** How many places of what `read` gives an element takes: 1, but of strings their longest length. */
  readonly places: number;
  /** A copy of `count` elements from `first` on, in row-major order. */
  read(first: number, count: number): Elements;
}

/** @throws RangeError ERR_FILE when it is no .npy of numbers in row-major order, or cut short */
export function openNpy(source: Source): NpyArray {
  const { name } = source;
  const { kind: stored, bigEndian, shape, fortranOrder, dataAt } = readNpyHeader(source);
  const [letter, digits] = [stored.slice(0, 1), stored.slice(1)];
  const kind = (letter === "U" ? letter : stored) as Kind;
  if (!Object.hasOwn(makers, kind) || bigEndian) {
    throw rangeError(
      "ERR_FILE",
      name,
      "little-endian numbers of 1 to 8 bytes",
      `dtype ${bigEndian ? ">" : ""}${stored}`,
    );
  }
  if (fortranOrder && shape.length > 1) {
    throw rangeError("ERR_FILE", name, "row-major order (numpy.ascontiguousarray)", "Fortran order");
  }
  const Kind = makers[kind];
  const places = letter === "U" ? Number(digits) : 1;
  const bytesEach = places * Kind.BYTES_PER_ELEMENT;
  if (!(dataAt + product(shape) * bytesEach <= source.size)) {
    throw rangeError("ERR_FILE", name, `${product(shape)} elements`, "fewer: the file is cut short");
  }
  return {
    name,
    kind,
    shape,
    places,
    read(first, count) {
      const elements = new Kind(count * places);
      source.read(new Uint8Array(elements.buffer), dataAt + first * bytesEach);
      return elements;
    },
  };
}

/**
 * What stands before the elements of a row-major array.
 * @param kind as NumPy writes it, without the byte order: f4, b1, U12
 */
export function npyHeader(kind: Kind | `U${number}`, shape: readonly number[]): Uint8Array {
  const dims = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '<${kind}', 'fortran_order': False, 'shape': (${dims}), }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64;
  const bytes = Buffer.alloc(length, " ");
  bytes.write(`${npyMagic}\x01\x00`, 0, "latin1");
  bytes.writeUInt16LE(length - 10, 8);
  bytes.write(text, 10, "latin1");
  bytes[length - 1] = 10;
  return bytes;
}
