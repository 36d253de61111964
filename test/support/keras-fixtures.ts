// What test/fixtures/weights_keras.py and weights_tfjs.mjs wrote down about the Keras files beside them, and how a layer that
// loadKeras gave is run to be held against it. It judges nothing.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Embedding, type KerasLayer, Linear, type Tensor } from "../../lib/index.js";
import { cellFor } from "./cells.js";
import type { StoredTensor } from "./stored.js";
import { weightFile } from "./weight-fixtures.js";

/** The folders of Keras' files, by the version that wrote them. */
export const kerasFolders = ["keras-2.13", "keras-2.21", "keras-3.3", "keras-3.15"] as const;

interface KerasExpected {
  keras: string;
  files: Record<string, Record<string, { input: StoredTensor; output: StoredTensor }>>;
  refused: Record<string, string>;
}

interface TfjsExpected {
  tfjs: string;
  weights: Record<string, Record<string, StoredTensor>>;
  own: Record<string, { input: StoredTensor; output: StoredTensor }>;
}

export function kerasFile(folder: string, name: string): string {
  return fileURLToPath(weightFile(folder, name));
}

export function readKerasExpected(folder: string): KerasExpected {
  return JSON.parse(readFileSync(weightFile(folder, "expected.json"), "utf8")) as KerasExpected;
}

export function readTfjsExpected(): TfjsExpected {
  return JSON.parse(readFileSync(weightFile("tfjs", "expected.json"), "utf8")) as TfjsExpected;
}

const activations: Record<string, (row: number[]) => number[]> = {
  linear: (row) => row,
  tanh: (row) => row.map(Math.tanh),
  softmax: (row) => {
    const powers = row.map((v) => Math.exp(v));
    const sum = powers.reduce((a, b) => a + b, 0);
    return powers.map((v) => v / sum);
  },
};

/** What the layer makes of an input (B, T, I), as Keras gives it: by its config all steps or the last. */
export function runLayer(layer: KerasLayer, input: Tensor): number[] {
  const { module, stateDict, config } = layer;
  if (module === "Embedding") return Array.from(Embedding.fromStateDict(stateDict).forward(input).data);
  if (module === "Linear") {
    const output = Linear.fromStateDict(stateDict).forward(input);
    const width = output.shape.at(-1) as number;
    const activate = activations[config.activation as string] as (row: number[]) => number[];
    const rows = Array.from({ length: output.data.length / width }, (_, r) =>
      output.data.slice(r * width, (r + 1) * width),
    );
    return rows.flatMap((row) => activate(Array.from(row)));
  }
  const [batch = 0, steps = 0] = input.shape;
  const made = cellFor(layer).fromStateDict(stateDict, { batchFirst: true });
  const all = Array.from(made.forward(input)[0].data);
  const inner = (config.layer as { config?: Record<string, unknown> } | undefined)?.config ?? config;
  if (inner.return_sequences === true) return all;
  const width = all.length / (batch * steps);
  const half = "weight_ih_l0_reverse" in stateDict ? width / 2 : width;
  // Backwards ends at the first step.
  return Array.from({ length: batch * width }, (_, i) => {
    const [b, k] = [Math.floor(i / width), i % width];
    return all[(b * steps + (k < half ? steps - 1 : 0)) * width + k] as number;
  });
}
