// Reads what test/fixtures/modules.py wrote, and rebuilds its seeded modules and inputs. It judges no result.

import { Embedding, type EmbeddingOptions, Linear, manualSeed, Tensor } from "../../lib/index.js";
import { uniform } from "./fixture.js";
import { readManifest, readValues, type Stored } from "./stored.js";

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

export const modules = readManifest<{ torch: string; linear: LinearCase[]; embedding: EmbeddingCase[] }>("modules");

export const storedTensor = readValues("modules");

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
