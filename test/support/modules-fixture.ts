// Reads what test/fixtures/modules.py wrote, and rebuilds its seeded modules and inputs. It judges no result.

import { readFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import { Embedding, type EmbeddingOptions, Linear, manualSeed, Tensor } from "../../lib/index.js";
import { type Stored, uniform } from "./fixture.js";

type FloatDType = "float32" | "float64";

export interface LinearCase {
  name: string;
  seed: number;
  inFeatures: number;
  outFeatures: number;
  bias: boolean;
  dtype: FloatDType;
  lead: number[];
  scale: number;
  crc: { weights: number; inputs: number };
  output: Stored;
  trueOutput?: Stored;
}

export interface EmbeddingCase {
  name: string;
  seed: number;
  dtype: FloatDType;
  shape: number[];
  indices: number[];
  options: { numEmbeddings: number; embeddingDim: number; normType?: number | "inf" } & Omit<
    EmbeddingOptions,
    "normType"
  >;
  crc: number;
  weight?: Stored;
  output: Stored;
}

const folder = new URL("../fixtures/", import.meta.url);
const bytes = new Uint8Array(readFileSync(new URL("modules.bin", folder))).buffer;

export const modules = JSON.parse(readFileSync(new URL("modules.json", folder), "utf8")) as {
  torch: string;
  linear: LinearCase[];
  embedding: EmbeddingCase[];
};

export function storedTensor({ offset, shape, dtype }: Stored): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const data = dtype === "float32" ? new Float32Array(bytes, offset, size) : new Float64Array(bytes, offset, size);
  return new Tensor(data.slice(), shape);
}

/** The checksum that modules.py takes of tensors. */
export function checksum(tensors: readonly Tensor[]): number {
  return tensors.reduce(
    (crc, { data }) => crc32(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), crc),
    0,
  );
}

export function rebuildLinear(c: LinearCase): { linear: Linear; input: Tensor } {
  manualSeed(c.seed);
  const linear = new Linear(c.inFeatures, c.outFeatures, { bias: c.bias, dtype: c.dtype });
  return { linear, input: uniform([...c.lead, c.inFeatures], c.dtype, c.scale) };
}

export function rebuildEmbedding(c: EmbeddingCase): { embedding: Embedding; input: Tensor } {
  const { numEmbeddings, embeddingDim, normType = 2, ...given } = c.options;
  const p = normType === "inf" ? Number.POSITIVE_INFINITY : normType;
  manualSeed(c.seed);
  const embedding = new Embedding(numEmbeddings, embeddingDim, { ...given, normType: p, dtype: c.dtype });
  return { embedding, input: new Tensor(Int32Array.from(c.indices), c.shape) };
}
