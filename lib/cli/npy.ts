// NumPy's .npy: one array, its header read strictly, its elements piece by piece; and headers for arrays to be written.
// An .npz is a zip of such. The format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

import { rangeError } from "../check.js";
import { product } from "../strided.js";
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
} as const;

type Kind = keyof typeof makers;
type Elements = InstanceType<(typeof makers)[Kind]>;

/** An opened array. */
export interface NpyArray {
  readonly name: string;
  readonly kind: Kind;
  readonly shape: readonly number[];
  /** A copy of `count` elements from `first` on, in row-major order. */
  read(first: number, count: number): Elements;
}

const magic = "\x93NUMPY";
const maxHeader = 65536;

/** @throws RangeError ERR_FILE when it is no .npy of numbers in row-major order, or cut short */
export function openNpy(source: Source): NpyArray {
  const { name } = source;
  const head = new Uint8Array(12);
  source.read(head, 0);
  if (String.fromCharCode(...head.subarray(0, 6)) !== magic) {
    throw rangeError("ERR_FILE", name, "a .npy array", "other bytes");
  }
  const view = new DataView(head.buffer);
  const wide = (head[6] as number) > 1; // the version
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const headerAt = wide ? 12 : 10;
  if (length > maxHeader) throw rangeError("ERR_FILE", name, `a header of at most ${maxHeader} bytes`, `${length}`);
  const bytes = new Uint8Array(length);
  source.read(bytes, headerAt);
  const header = new TextDecoder().decode(bytes);
  const descr = /'descr':\s*'([<|>=]?)([a-z]\d+)'/.exec(header);
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const dims = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  if (descr === null || order === undefined || dims === undefined) {
    throw rangeError(
      "ERR_FILE",
      name,
      "a .npy header of descr, fortran_order and shape",
      JSON.stringify(header.trim()),
    );
  }
  const kind = descr[2] as Kind;
  if (!Object.hasOwn(makers, kind) || descr[1] === ">") {
    throw rangeError("ERR_FILE", name, "little-endian numbers of 1 to 8 bytes", `dtype ${descr[1]}${descr[2]}`);
  }
  const shape = dims.split(",").flatMap((dim) => (dim.trim() === "" ? [] : [Number(dim)]));
  if (order === "True" && shape.length > 1) {
    throw rangeError("ERR_FILE", name, "row-major order (numpy.ascontiguousarray)", "Fortran order");
  }
  const dataAt = headerAt + length;
  const Kind = makers[kind];
  if (dataAt + product(shape) * Kind.BYTES_PER_ELEMENT > source.size) {
    throw rangeError("ERR_FILE", name, `${product(shape)} elements`, "fewer: the file is cut short");
  }
  return {
    name,
    kind,
    shape,
    read(first, count) {
      const elements = new Kind(count);
      source.read(new Uint8Array(elements.buffer), dataAt + first * Kind.BYTES_PER_ELEMENT);
      return elements;
    },
  };
}

/** What stands before the elements of a row-major array. */
export function npyHeader(kind: Kind, shape: readonly number[]): Uint8Array {
  const dims = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '<${kind}', 'fortran_order': False, 'shape': (${dims}), }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64;
  const bytes = Buffer.alloc(length, " ");
  bytes.write(`${magic}\x01\x00`, 0, "latin1");
  bytes.writeUInt16LE(length - 10, 8);
  bytes.write(text, 10, "latin1");
  bytes[length - 1] = 10;
  return bytes;
}
