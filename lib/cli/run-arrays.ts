// Sequences from NumPy's arrays: .npy, a block of the file at a time, and .npz, whose arrays are in memory. A time-major
// array, whose sequences lie scattered, is read whole.

import { describe, rangeError } from "../check.js";
import { Tensor } from "../index.js";
import type { Source } from "../weights/source.js";
import { openZip } from "../weights/zip.js";
import { type Kind, type NpyArray, openNpy } from "./npy.js";
import { openFile } from "./run-files.js";
import type { Input, InputOptions, Item } from "./run-items.js";
import { type KeptType, keptText } from "./run-keep.js";
import { type GivenLengths, judgeLengths, lengthsOf, readLengths } from "./run-lengths.js";

/** @throws RangeError ERR_FILE when the file does not hold what it should */
export function npyInput(path: string, options: InputOptions): Input {
  return arrayInput(openNpy(openFile(path)), lengthsFrom(options), [], options);
}

function lengthsFrom({ lengths }: InputOptions): GivenLengths | undefined {
  return lengths === undefined ? undefined : readLengths(lengths);
}

function memory(name: string, bytes: Uint8Array): Source {
  return {
    name,
    size: bytes.length,
    read(into, at) {
      const piece = bytes.subarray(at, at + into.length);
      if (piece.length < into.length)
        throw rangeError("ERR_FILE", name, `at least ${at + into.length} bytes`, `${bytes.length}`);
      into.set(piece);
    },
  };
}

/** @throws RangeError ERR_FILE when the file does not hold what it should */
export function npzInput(path: string, options: InputOptions): Input {
  const zip = openZip(openFile(path));
  const array = (name: string): NpyArray => openNpy(memory(`${path}: ${name}`, zip.read(`${name}.npy`)));
  const has = (name: string): boolean => zip.names.has(`${name}.npy`);
  const name = has(options.column) ? options.column : onlyArray(path, [...zip.names], options.column);
  const beside = options.lengths ?? "lengths";
  const lengths = has(beside) ? lengthsOf(array(beside)) : lengthsFrom(options);
  const kept = options.keep.map((wanted) => {
    if (!has(wanted)) throw rangeError("ERR_FILE", path, `an array ${describe(wanted)}`, [...zip.names].join(", "));
    return keptArray(array(wanted));
  });
  return arrayInput(array(name), lengths, kept, options);
}

function onlyArray(path: string, names: readonly string[], wanted: string): string {
  if (names.length === 1) return (names[0] as string).replace(/\.npy$/, "");
  throw rangeError("ERR_FILE", path, `an array ${JSON.stringify(wanted)} (or --column)`, names.join(", ") || "none");
}

/** An array of one value a sequence, as texts. */
interface KeptArray {
  readonly name: string;
  readonly type: KeptType;
  readonly texts: readonly string[];
}

const keptTypes: Readonly<Record<Kind, KeptType>> = {
  ...{ f4: "float32", f8: "float64", i1: "int8", u1: "uint8", i2: "int16", u2: "uint16", i4: "int32", u4: "uint32" },
  ...{ i8: "int64", u8: "uint64", b1: "bool", U: "string" },
};

function keptArray({ name, kind, shape, places, read }: NpyArray): KeptArray {
  if (shape.length !== 1)
    throw rangeError("ERR_FILE", name, "one value a sequence, shape (N,)", `(${shape.join(", ")})`);
  const count = shape[0] as number;
  const elements = read(0, count);
  const values = Array.from({ length: count }, (_, i): unknown => {
    if (kind === "b1") return elements[i] !== 0;
    if (kind !== "U") return elements[i];
    return String.fromCodePoint(...(elements.subarray(i * places, (i + 1) * places) as Uint32Array)).replace(
      /\0+$/,
      "",
    );
  });
  return { name, type: keptTypes[kind], texts: values.map(keptText) };
}

const blockElements = 2 ** 20;

interface Layout {
  readonly joined: boolean;
  readonly batch: number;
  readonly steps: number;
  readonly rows: number;
}

function layoutOf({ name, shape }: NpyArray, lengths: GivenLengths | undefined, options: InputOptions): Layout {
  const layouts = "(T, I), (rows, I) with lengths, (T, B, I), or (B, T, I) with --batch-first";
  const shown = `(${shape.join(", ")})`;
  if (shape.length < 2 || shape.length > 3) throw rangeError("ERR_FILE", name, `shape ${layouts}`, shown);
  if (shape.at(-1) !== options.inputSize) {
    throw rangeError("ERR_FILE", name, `I = ${options.inputSize}, the model's, last`, shown);
  }
  const [first = 0, second = 0] = shape;
  const joined = shape.length === 2;
  const batch = joined ? (lengths?.values.length ?? 1) : options.batchFirst ? first : second;
  const steps = joined ? first : options.batchFirst ? second : first;
  // Before anything is made for each of them: an array without a single element may claim any number of sequences.
  if (batch > 0 && steps === 0) throw rangeError("ERR_FILE", name, "sequences of at least one step", `shape ${shown}`);
  const given = lengths?.values.length ?? batch;
  if (given !== batch) throw rangeError("ERR_FILE", name, `${batch} lengths`, `${given}`);
  return { joined, batch, steps, rows: joined ? first : first * second };
}

function arrayInput(
  array: NpyArray,
  lengths: GivenLengths | undefined,
  kept: readonly KeptArray[],
  options: InputOptions,
): Input {
  const { inputSize, dtype } = options;
  const { name, shape, kind } = array;
  const { joined, batch, steps, rows } = layoutOf(array, lengths, options);
  const widened = dtype === "float64" && kind === "f4";
  if (!widened && kind !== (dtype === "float32" ? "f4" : "f8")) {
    throw rangeError("ERR_FILE", name, `${dtype}, as the model is (numpy: .astype("${dtype}"))`, `dtype ${kind}`);
  }
  for (const { name: beside, texts } of kept) {
    if (texts.length !== batch) throw rangeError("ERR_FILE", beside, `${batch} values`, `${texts.length}`);
  }
  const take = (first: number, count: number): Tensor["data"] => {
    const elements = array.read(first * inputSize, count * inputSize) as Float32Array;
    return widened ? Float64Array.from(elements) : elements;
  };
  const each =
    lengths === undefined ? new Int32Array(batch).fill(steps) : judgeLengths(lengths.name, lengths.values, steps);
  const item = (b: number, sequence: Tensor): Item => ({ sequence, kept: kept.map(({ texts }) => texts[b] as string) });
  const made = { count: batch, kept: kept.map(({ type }) => type) };

  if (!joined && !options.batchFirst) {
    const all = new Tensor(take(0, rows), shape);
    return {
      ...made,
      *sequences(from, to) {
        for (let b = from; b < to; b++) yield item(b, all.select(1, b).slice(0, 0, each[b]));
      },
    };
  }
  const origins = new Float64Array(batch + 1);
  each.forEach((length, b) => {
    origins[b + 1] = (origins[b] as number) + (joined ? length : steps);
  });
  if (origins[batch] !== rows) {
    throw rangeError("ERR_FILE", name, `${rows} rows, the sum of the lengths`, `${origins[batch]}`);
  }
  return {
    ...made,
    *sequences(from, to) {
      let block = take(0, 0);
      let blockAt = 0;
      for (let b = from; b < to; b++) {
        const at = origins[b] as number;
        const length = each[b] as number;
        if (at < blockAt || (at + length - blockAt) * inputSize > block.length) {
          blockAt = at;
          const most = (origins[to] as number) - at;
          block = take(at, Math.min(most, Math.max(length, Math.ceil(blockElements / inputSize))));
        }
        const start = (at - blockAt) * inputSize;
        yield item(b, new Tensor(block.subarray(start, start + length * inputSize), [length, inputSize]));
      }
    },
  };
}
