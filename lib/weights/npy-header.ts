// The header of NumPy's .npy format, read strictly: what the elements are, how many, and where they start.
// The format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

import { rangeError } from "../check.js";
import { readBytes, type Source } from "./source.js";

/** What stands before an array's elements. */
export interface NpyHeader {
  /** NumPy's short name of the element type, without its byte order: "f4". */
  readonly kind: string;
  /** Whether elements of several bytes stand big end first. */
  readonly bigEndian: boolean;
  readonly shape: readonly number[];
  /** Whether the first index varies fastest. */
  readonly fortranOrder: boolean;
  /** Where in the source the elements start. */
  readonly dataAt: number;
}

export const npyMagic = "\x93NUMPY";
const maxHeader = 65536;

/** @throws RangeError ERR_FILE when it is no .npy, or one of records or objects */
export function readNpyHeader(source: Source): NpyHeader {
  const { name } = source;
  const head = readBytes(source, name, 0, Math.min(source.size, 12));
  if (head.length < 12 || String.fromCharCode(...head.subarray(0, 6)) !== npyMagic) {
    throw rangeError("ERR_FILE", name, "a .npy array", "other bytes");
  }
  const view = new DataView(head.buffer);
  const wide = (head[6] as number) > 1; // the version
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const headerAt = wide ? 12 : 10;
  if (length > maxHeader) throw rangeError("ERR_FILE", name, `a header of at most ${maxHeader} bytes`, `${length}`);
  const header = new TextDecoder().decode(readBytes(source, name, headerAt, length));
  const descr = /'descr':\s*'([<|>=]?)([A-Za-z]\d*)'/.exec(header);
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const dims = /'shape':\s*\(([\dL,\s]*)\)/.exec(header)?.[1];
  if (descr === null || order === undefined || dims === undefined) {
    const received = JSON.stringify(header.trim().slice(0, 200));
    throw rangeError("ERR_FILE", name, "a .npy header of descr, fortran_order and shape", received);
  }
  return {
    kind: descr[2] as string,
    bigEndian: descr[1] === ">",
    shape: dims.split(",").flatMap((dim) => (dim.trim() === "" ? [] : [Number.parseInt(dim, 10)])),
    fortranOrder: order === "True",
    dataAt: headerAt + length,
  };
}
