// TensorFlow.js layers-models: model.json with the config and a manifest of weights, whose bytes lie in .bin files beside it.
// Weights that the converter quantised (uint8, uint16, float16) are widened as TensorFlow.js itself does. Only the
// weights that are asked for are read.
// https://github.com/tensorflow/tfjs/blob/master/tfjs-core/src/io/types.ts

import { describe, rangeError } from "../../check.js";
import { Tensor } from "../../tensor/tensor.js";
import { pathBeside } from "../beside.js";
import { type FileDType, widen } from "../dtypes.js";
import { type OpenSource, openSource, readBytes, type Source } from "../source.js";
import type { Json } from "../strict-json.js";
import { type OpenModel, parseConfig } from "./h5.js";
import { type NamedWeight, NamedWeights } from "./named.js";

const maxConfig = 2 ** 28; // bytes of model.json
const maxFiles = 10_000;
const fileTypes: Readonly<Record<string, FileDType>> = {
  ...{ float32: "F32", float16: "F16", int32: "I32", bool: "BOOL" },
  ...{ uint8: "U8", uint16: "U16", complex64: "C64" },
};
const widths: Readonly<Record<string, number>> = { F32: 4, F16: 2, I32: 4, BOOL: 1, U8: 1, U16: 2, C64: 8 };

/**
 * @param keep is handed every file that is opened, to close it in the end
 * @throws RangeError ERR_FILE when it is no layers-model, or a file of it is missing or too short
 */
export function openTfjs(source: Source, keep: (file: OpenSource) => void): OpenModel {
  const { name: file, size } = source;
  if (size > maxConfig) throw rangeError("ERR_FILE", file, `a model.json of at most ${maxConfig} bytes`, `${size}`);
  const root = parseConfig(file, new TextDecoder().decode(readBytes(source, file, 0, size)));
  const get = (object: Json | undefined, key: string): Json | undefined =>
    object instanceof Map ? object.get(key) : undefined;
  const topology = get(root, "modelTopology");
  if (get(root, "format") === "graph-model" || get(topology, "node") !== undefined) {
    const received = "a graph-model: tensorflowjs_converter --output_format=tfjs_layers_model keeps the layers";
    throw rangeError("ERR_FILE", file, "a layers-model of TensorFlow.js", received);
  }
  const groups = get(root, "weightsManifest");
  if (!Array.isArray(groups)) throw rangeError("ERR_FILE", file, "a weightsManifest", "none");
  const opened = new Map<string, OpenSource>();
  const open = (name: string): OpenSource => {
    let shard = opened.get(name);
    if (shard === undefined) {
      shard = openSource("weights", pathBeside(source, "weights file", name));
      keep(shard);
      opened.set(name, shard);
    }
    return shard;
  };
  const named = new NamedWeights(
    groups.flatMap((group) => readGroup(file, get(group, "paths"), get(group, "weights"), open)),
  );
  return {
    model: get(topology, "model_config") ?? topology ?? null,
    find: (node, part) => named.find(node, part, false),
  };
}

/** The bytes of a group's files, one after the other, as if they were one. */
class Shards {
  readonly #file: string;
  readonly #names: readonly string[];
  readonly #open: (name: string) => OpenSource;

  constructor(file: string, names: readonly string[], open: (name: string) => OpenSource) {
    this.#file = file;
    this.#names = names;
    this.#open = open;
  }

  read(label: string, at: number, length: number): Uint8Array<ArrayBuffer> {
    const shards = this.#names.map((name) => this.#open(name));
    const size = shards.reduce((sum, shard) => sum + shard.size, 0);
    if (!(at + length <= size)) {
      throw rangeError(
        "ERR_FILE",
        `${this.#file} ${label}`,
        `bytes within the ${size} of its files`,
        `${length} from ${at} on`,
      );
    }
    const bytes = new Uint8Array(length);
    let start = 0;
    for (const shard of shards) {
      const from = Math.max(at, start);
      const to = Math.min(at + length, start + shard.size);
      if (from < to) shard.read(bytes.subarray(from - at, to - at), from - start);
      start += shard.size;
    }
    return bytes;
  }
}

interface Spec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly quantised: { readonly dtype: string; readonly scale: number; readonly min: number } | undefined;
  readonly count: number;
}

function readGroup(
  file: string,
  paths: Json | undefined,
  weights: Json | undefined,
  open: (name: string) => OpenSource,
): NamedWeight[] {
  if (!Array.isArray(paths) || !Array.isArray(weights) || paths.length > maxFiles) {
    throw rangeError("ERR_FILE", `${file} weightsManifest`, "groups of paths and weights", "another value");
  }
  const names = paths.map((path) => {
    if (typeof path === "string") return path;
    throw rangeError("ERR_FILE", `${file} weightsManifest`, "paths that are strings", "another value");
  });
  const shards = new Shards(file, names, open);
  let at = 0;
  return weights.map((entry) => {
    const spec = readSpec(file, entry);
    const start = at;
    at += byteSize(file, spec, shards, at);
    return { name: spec.name, read: () => readWeight(file, spec, shards, start) };
  });
}

function readSpec(file: string, entry: Json): Spec {
  const get = (key: string): Json | undefined => (entry instanceof Map ? entry.get(key) : undefined);
  const name = get("name");
  const dtype = get("dtype");
  const shape = get("shape");
  const isSize = (dim: Json): dim is number => typeof dim === "number" && Number.isSafeInteger(dim) && dim >= 0;
  if (
    typeof name !== "string" ||
    typeof dtype !== "string" ||
    !Array.isArray(shape) ||
    !shape.every(isSize) ||
    shape.length > 64
  ) {
    throw rangeError("ERR_FILE", `${file} weightsManifest`, "weights with name, shape and dtype", "another value");
  }
  // Zeros left out of the first product, so that they cannot hide dims whose product is past all counting.
  if (!Number.isSafeInteger(shape.reduce((product, dim) => product * (dim || 1), 8))) {
    throw rangeError("ERR_FILE", `${file} weight ${describe(name)}`, "a size that can be counted", "a larger shape");
  }
  const count = shape.reduce((product, dim) => product * dim, 1);
  return { name, dtype, shape, count, quantised: readQuantisation(file, name, get("quantization")) };
}

function readQuantisation(file: string, name: string, value: Json | undefined): Spec["quantised"] {
  if (value === undefined || value === null) return undefined;
  const get = (key: string): Json | undefined => (value instanceof Map ? value.get(key) : undefined);
  const dtype = get("dtype");
  const scale = get("scale") ?? 1;
  const min = get("min") ?? 0;
  const affine = dtype === "float16" || (get("scale") !== undefined && get("min") !== undefined);
  if (
    (dtype !== "uint8" && dtype !== "uint16" && dtype !== "float16") ||
    typeof scale !== "number" ||
    typeof min !== "number" ||
    !affine
  ) {
    const expected = "a quantization to float16, or to uint8 or uint16 with scale and min";
    throw rangeError("ERR_FILE", `${file} weight ${describe(name)}`, expected, "another");
  }
  return { dtype, scale, min };
}

/** How many bytes a weight takes in its files. Strings say so one by one, each before its bytes. */
function byteSize(file: string, { name, dtype, count, quantised }: Spec, shards: Shards, at: number): number {
  const type = fileTypes[quantised?.dtype ?? dtype];
  if (type !== undefined) return count * (widths[type] as number);
  if (dtype !== "string")
    throw rangeError("ERR_FILE", `${file} weight ${describe(name)}`, "a dtype of TensorFlow.js", describe(dtype));
  let size = 0;
  for (let i = 0; i < count; i++) {
    const length = new DataView(shards.read(`weight ${describe(name)}`, at + size, 4).buffer).getUint32(0, true);
    size += 4 + length;
  }
  return size;
}

function readWeight(file: string, spec: Spec, shards: Shards, at: number): Tensor | string {
  const { name, dtype, shape, count, quantised } = spec;
  const type = fileTypes[quantised?.dtype ?? dtype];
  if (type === undefined) return `${dtype}s, which no Tensor holds`;
  const data = widen(type, shards.read(`weight ${describe(name)}`, at, count * (widths[type] as number)));
  if (typeof data === "string") return data;
  if (quantised === undefined || quantised.dtype === "float16") return new Tensor(data, shape);
  const { scale, min } = quantised;
  // In float64, then rounded, as TensorFlow.js does.
  if (dtype === "float32")
    return new Tensor(
      Float32Array.from(data, (value) => value * scale + min),
      shape,
    );
  if (dtype === "int32")
    return new Tensor(
      Int32Array.from(data, (value) => Math.round(value * scale + min)),
      shape,
    );
  throw rangeError("ERR_FILE", `${file} weight ${describe(name)}`, "quantised float32 or int32", describe(dtype));
}
