// What the pages of a Parquet column mean: which column a name leads to, numbers of any type as floats, one value a row,
// or the numbers of one sequence after another. It reads no file and knows no process.

import type { DecodedArray, FileMetaData, SchemaTree } from "hyparquet";
import { parquetSchema } from "hyparquet";
import { nearest } from "../check.js";
import { widenFloat16 } from "../weights/half.js";
import type { KeptType } from "./run-keep.js";
import { damaged, type Leaf, type Page } from "./run-parquet-pages.js";

/** The one stored column under a top-level name. @throws Error when there is none, or several */
export function findLeaf(metadata: FileMetaData, name: string): Leaf {
  const { children } = parquetSchema(metadata);
  let node: SchemaTree | undefined = children.find(({ element }) => element.name === name);
  if (node === undefined) {
    const names = children.map(({ element }) => element.name);
    const near = nearest(name, names);
    const hint = near === undefined ? "" : ` (did you mean ${JSON.stringify(near)}?)`;
    throw damaged(`columns ${names.slice(0, 20).join(", ")}, and none ${JSON.stringify(name)}${hint}`);
  }
  let maxDefinition = 0;
  let maxRepetition = 0;
  let listDefinition = 0;
  for (;;) {
    const { repetition_type: repetition } = node.element;
    if (repetition !== "REQUIRED") maxDefinition++;
    if (repetition === "REPEATED" && maxRepetition++ === 0) listDefinition = maxDefinition;
    const [child, ...more]: SchemaTree[] = node.children;
    if (child === undefined)
      return { path: node.path, element: node.element, maxDefinition, maxRepetition, listDefinition };
    if (more.length > 0)
      throw damaged(`column ${JSON.stringify(name)} with ${more.length + 1} fields, where lists of numbers are read`);
    node = child;
  }
}

type Integer = { readonly bits: number; readonly signed: boolean };

function integerOf({ element }: Leaf): Integer | undefined {
  const { type, converted_type: converted, logical_type: logical } = element;
  const wide = type === "INT64" ? 64 : 32;
  if (type !== "INT32" && type !== "INT64") return undefined;
  if (logical?.type === "INTEGER") return { bits: logical.bitWidth, signed: logical.isSigned };
  const named = /^(U?)INT_(8|16|32|64)$/.exec(converted ?? "");
  if (named !== null) return { bits: Number(named[2]), signed: named[1] === "" };
  return converted === undefined && logical === undefined ? { bits: wide, signed: true } : undefined;
}

function isHalf({ element }: Leaf): boolean {
  return element.logical_type?.type === "FLOAT16" && element.type_length === 2;
}

/** How a column's type is called, for messages. */
function typeName({ element }: Leaf): string {
  return String(element.logical_type?.type ?? element.converted_type ?? element.type);
}

/** What a column of one value a row is carried through as. @throws Error for lists and types that nothing else holds */
export function keptType(leaf: Leaf): KeptType {
  const name = leaf.path[0] as string;
  if (leaf.maxRepetition > 0 || leaf.path.length > 1)
    throw damaged(`column ${JSON.stringify(name)} of lists, which --keep does not carry`);
  const integer = integerOf(leaf);
  if (integer !== undefined) return `${integer.signed ? "" : "u"}int${integer.bits as 8 | 16 | 32 | 64}`;
  const { type, converted_type: converted, logical_type: logical } = leaf.element;
  if (type === "BOOLEAN") return "bool";
  if (type === "FLOAT") return "float32";
  if (type === "DOUBLE") return "float64";
  if (
    type === "BYTE_ARRAY" &&
    (logical?.type === "STRING" || converted === "UTF8" || (logical === undefined && converted === undefined))
  )
    return "string";
  throw damaged(
    `column ${JSON.stringify(name)} of type ${typeName(leaf)}; --keep carries strings, integers, floats and booleans`,
  );
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function plainValue(value: unknown, integer: Integer | undefined): unknown {
  if (value instanceof Uint8Array) return utf8.decode(value);
  if (integer === undefined || integer.signed) return value;
  return typeof value === "bigint" ? BigInt.asUintN(64, value) : (value as number) >>> 0;
}

/** A column of one value a row, row by row; null where there is none. */
export function* readRows(leaf: Leaf, pages: Iterable<Page>): Generator<unknown> {
  const integer = integerOf(leaf);
  if (leaf.maxRepetition > 0)
    throw damaged(`column ${JSON.stringify(leaf.path[0])} of lists, where one value a row is read`);
  for (const { count, definition, values } of pages) {
    let next = 0;
    for (let i = 0; i < count; i++) {
      const present = definition === undefined || definition[i] === leaf.maxDefinition;
      yield present ? plainValue(values[next++], integer) : null;
    }
  }
}

type Numbers = ArrayLike<number>;

/** Turns the values of a page into numbers that a float array takes. @throws Error for a column of no numbers */
function numbersOf(leaf: Leaf): (values: DecodedArray) => Numbers {
  const { type } = leaf.element;
  const integer = integerOf(leaf);
  if (type === "FLOAT" || type === "DOUBLE") return (values) => values as Numbers;
  if (isHalf(leaf)) {
    return (values) => {
      if (!Array.isArray(values)) return widenFloat16(values as unknown as Uint16Array);
      return widenFloat16(
        Uint16Array.from(values as Uint8Array[], (two) => (two[0] as number) | ((two[1] as number) << 8)),
      );
    };
  }
  if (integer !== undefined && type === "INT32") {
    return integer.signed ? (values) => values as Numbers : (values) => Uint32Array.from(values as Numbers);
  }
  if (integer !== undefined) {
    const number = integer.signed ? Number : (value: unknown) => Number(BigInt.asUintN(64, value as bigint));
    return (values) => Float64Array.from(values as unknown as ArrayLike<bigint>, number);
  }
  throw damaged(`column ${JSON.stringify(leaf.path[0])} of type ${typeName(leaf)}, where lists of numbers are read`);
}

/** The numbers of one row's list: where they lie in the array that they are read into, and what is wrong with them. */
export interface Listed {
  readonly from: number;
  readonly count: number;
  /** From which number on something is wrong, if anything is. */
  readonly fault: { readonly what: string; readonly at: number } | undefined;
}

/** Reads lists of numbers, one behind the other, into an array; `take` empties it between two lists. */
export class ListReader<F extends Float32Array | Float64Array> {
  readonly #leaf: Leaf;
  readonly #width: number;
  readonly #Kind: new (
    length: number,
  ) => F;
  #data: F;
  #size = 0;

  /**
   * @param width numbers of a row, where lists are of rows
   * @throws Error when the column is of anything but lists, or lists of lists, of numbers
   */
  constructor(leaf: Leaf, width: number, Kind: new (length: number) => F) {
    if (leaf.maxRepetition < 1 || leaf.maxRepetition > 2) {
      const what = leaf.maxRepetition === 0 ? "single values" : "lists nested deeper than rows of numbers";
      throw damaged(`column ${JSON.stringify(leaf.path[0])} of ${what}`);
    }
    this.#leaf = leaf;
    this.#width = width;
    this.#Kind = Kind;
    this.#data = new Kind(0);
  }

  /** How many numbers wait to be taken. */
  get size(): number {
    return this.#size;
  }

  /** A copy of the numbers of the lists so far, which makes room for others. */
  take(): F {
    const taken = this.#data.slice(0, this.#size) as F;
    this.#size = 0;
    return taken;
  }

  #room(more: number): F {
    if (this.#size + more <= this.#data.length) return this.#data;
    const grown = new this.#Kind(Math.max(2 * this.#size, this.#size + more));
    grown.set(this.#data.subarray(0, this.#size) as never);
    this.#data = grown;
    return grown;
  }

  /** One list after another; a list may begin in one page and end in a later one. */
  *lists(pages: Iterable<Page>): Generator<Listed> {
    const { maxDefinition, maxRepetition, listDefinition, element } = this.#leaf;
    const width = this.#width;
    const nullable = element.repetition_type === "OPTIONAL";
    const toNumbers = numbersOf(this.#leaf);
    const nested = maxRepetition === 2;
    let from = -1;
    let rowFrom = 0;
    let fault: Listed["fault"];
    const closeRow = (size: number): void => {
      if (nested && size - rowFrom !== width) fault ??= { what: `a row of ${size - rowFrom} numbers`, at: 0 };
      rowFrom = size;
    };
    for (const { count, repetition, definition, values } of pages) {
      const numbers = toNumbers(values);
      const data = this.#room(count);
      let size = this.#size;
      let next = 0;
      for (let i = 0; i < count; i++) {
        const level = repetition === undefined ? 0 : (repetition[i] as number);
        if (level === 0) {
          if (from >= 0) {
            closeRow(size);
            this.#size = size;
            yield { from, count: size - from, fault };
            size = this.#size;
          }
          fault = undefined;
          from = size;
          rowFrom = size;
        } else if (from < 0) {
          throw damaged("a column that begins in the middle of a row");
        } else if (level === 1 && nested) {
          closeRow(size);
        }
        const depth = definition === undefined ? maxDefinition : (definition[i] as number);
        if (depth === maxDefinition) {
          data[size++] = numbers[next++] as number;
        } else if (nullable && depth === maxDefinition - 1) {
          fault ??= { what: "a null among its numbers", at: size - from };
          data[size++] = Number.NaN;
        } else {
          fault ??= { what: depth < listDefinition ? "a null or an empty list" : "a null or empty row", at: 0 };
          rowFrom = size - width; // said already
        }
      }
      this.#size = size;
    }
    if (from < 0) return;
    closeRow(this.#size);
    yield { from, count: this.#size - from, fault };
  }
}
