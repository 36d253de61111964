// Reads tensors as the generators of test/fixtures wrote them down: in a .bin file beside a manifest, or as base64 within one.
// It judges nothing.

import { readFileSync } from "node:fs";
import { Tensor } from "../../lib/tensor/tensor.js";

/** Where a tensor lies in a .bin file. */
export interface Stored {
  offset: number;
  shape: number[];
  dtype: "float32" | "float64";
}

/** A tensor within a manifest: little-endian values in base64. */
export interface StoredTensor {
  dtype: string;
  shape: number[];
  data: string;
}

const kinds = { float32: Float32Array, float64: Float64Array, int32: Int32Array };

function tensorAt(bytes: Uint8Array, dtype: string, shape: readonly number[], offset = 0): Tensor {
  const Kind = kinds[dtype as keyof typeof kinds];
  if (Kind === undefined) throw new Error(`dtype ${dtype} in a fixture`);
  const size = shape.reduce((a, b) => a * b, 1);
  const own = bytes.slice(offset, offset + size * Kind.BYTES_PER_ELEMENT);
  return new Tensor(new Kind(own.buffer), shape);
}

const fixture = (name: string): URL => new URL(`../fixtures/${name}`, import.meta.url);

/** A manifest of test/fixtures. */
export function readManifest<T>(name: string): T {
  return JSON.parse(readFileSync(fixture(`${name}.json`), "utf8")) as T;
}

/** The tensors of the .bin file of that name, each in memory of its own. */
export function readValues(name: string): (stored: Stored) => Tensor {
  const bytes = new Uint8Array(readFileSync(fixture(`${name}.bin`)));
  return ({ dtype, shape, offset }) => tensorAt(bytes, dtype, shape, offset);
}

export function tensorOf({ dtype, shape, data }: StoredTensor): Tensor {
  return tensorAt(new Uint8Array(Buffer.from(data, "base64")), dtype, shape);
}
