// One door for weight files of every kind: what a file is, its bytes say, and the reader of its kind does the rest. The result
// is a state dict, tensors by torch's names; of a file that holds layers, their names stand before the tensors'. What a state
// dict cannot say is refused by name, never dropped.

import { checkOptions, describe, nearest, rangeError, typeError } from "../check.js";
import type { Tensor } from "../tensor/tensor.js";
import { describeKind, type FileKind, foreignFile, kindOf } from "./formats.js";
import { readKeras } from "./keras/load.js";
import { readOnnx } from "./onnx/onnx.js";
import { notePassedOver } from "./passed-over.js";
import { loadSafetensors } from "./safetensors/load.js";
import { type FileSource, type Source, withSource } from "./source.js";
import { loadTorch } from "./torch/load.js";

/** Options of {@link loadWeights}. */
export interface LoadWeightsOptions {
  /** Where in a checkpoint of torch's the state dict lies, such as `"model_state_dict"`; as in `loadTorch`. */
  key?: string;
  /** Only tensors whose names start with it are read, such as `"encoder."`; they keep their whole names. Default "". */
  prefix?: string;
}

/** The readers, and which kinds of file are theirs. */
export type Reader = "safetensors" | "torch" | "ONNX" | "Keras";

const readers: Partial<Record<FileKind, Reader>> = {
  safetensors: "safetensors",
  "safetensors-index": "safetensors",
  "torch-zip": "torch",
  "torch-legacy": "torch",
  torchscript: "torch",
  pt2: "torch",
  npz: "torch",
  pickle: "torch",
  onnx: "ONNX",
  hdf5: "Keras",
  "keras-zip": "Keras",
  tfjs: "Keras",
};

const expected = "a file of weights (safetensors, PyTorch, ONNX, Keras or TensorFlow.js)";

/**
 * Which reader a file is for.
 * @throws RangeError ERR_FILE for a file that is none of theirs, naming what it is and the step that helps
 */
export function readerOf(source: Source): Reader {
  const kind = kindOf(source);
  const reader = readers[kind];
  if (reader === undefined) throw foreignFile(source, expected, kind);
  return reader;
}

/**
 * Reads the weights of a file of any kind: safetensors (also sharded, by its index), everything that `loadTorch` reads, ONNX,
 * Keras and TensorFlow.js. What kind it is, the bytes say, never the name.
 *
 * A file of layers (ONNX, Keras) with one gives its parameters by torch's names, ready for `fromStateDict`; with several,
 * their names stand before them: `"encoder/lstm.weight_ih_l0"`, which `{ prefix: "encoder/lstm." }` picks.
 *
 * Layers that torch's modules do not compute are passed over, and refused by name when `fromStateDict` asks for them. So are
 * those of which a state dict does not say all: an ONNX node that starts from a state of its own, an RNN with
 * relu. `loadOnnx` and `loadKeras` give these, with what is to be said of them.
 *
 * @param source a path, a file: URL, or the bytes; the path of a file that names others beside it
 * @param options `key`, `prefix`
 * @returns the tensors by name
 * @throws RangeError ERR_FILE for a file that is damaged, hostile or of no kind that is read, naming what it is and the one step
 *   that helps; when nothing in it can be read, or no name starts with `prefix`; TypeError ERR_ARG_TYPE when `source` is neither
 *   path nor bytes; the file system's own error when it cannot be read
 * @example
 * ```ts
 * saveSafetensors("lstm.safetensors", new LSTM(3, 4).stateDict()); // stands for a file of any kind
 * console.log(LSTM.fromStateDict(loadWeights("lstm.safetensors"))); // → LSTM(3, 4)
 * ```
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html (section "Variables", for the names)
 */
export function loadWeights(source: FileSource, options: LoadWeightsOptions = {}): Record<string, Tensor> {
  const { key, prefix = "" } = checkOptions("loadWeights", options, ["key", "prefix"]);
  for (const [name, value] of Object.entries({ key: key ?? "", prefix })) {
    if (typeof value !== "string") throw typeError("ERR_ARG_TYPE", name, "a string", describe(value));
  }
  const { reader, name } = withSource("weights", source, (opened) => {
    const found = readerOf(opened);
    if (key !== undefined && found !== "torch") {
      const received = `${describeKind(kindOf(opened))}, in which there are no keys: leave it out`;
      throw rangeError("ERR_FILE", `${opened.name} key ${describe(key)}`, "a checkpoint of torch's", received);
    }
    return { reader: found, name: opened.name };
  });
  if (reader === "torch") return loadTorch(source, key === undefined ? { prefix } : { key, prefix });
  if (reader === "safetensors") return loadSafetensors(source, { prefix });
  return joinLayers(name, reader === "ONNX" ? onnxLayers(source) : kerasLayers(source, prefix), prefix);
}

/** What a file of layers gives: those that are read, those that are passed over, and how many of both there are in all. */
interface Layers {
  readonly read: { readonly name: string; readonly stateDict: Record<string, Tensor> }[];
  readonly lost: { readonly name: string; readonly reason: string }[];
}

function onnxLayers(source: FileSource): Layers {
  const { found, passedOver } = readOnnx(source);
  const layers: Layers = { read: [], lost: [...passedOver] };
  for (const { name, stateDict, nonlinearity, state, stateFrom } of found) {
    const computed = stateFrom !== undefined && "computed" in stateFrom;
    if (nonlinearity === "relu") {
      layers.lost.push({ name, reason: "an RNN with relu, which a state dict does not say: loadOnnx gives it" });
    } else if (state !== undefined || computed) {
      const reason = "a layer that starts from a state of its own, which a state dict does not say: loadOnnx gives it";
      layers.lost.push({ name, reason });
    } else layers.read.push({ name, stateDict });
  }
  return layers;
}

/** Whether a layer of this name has tensors under a prefix. */
function isUnder(prefix: string, name: string): boolean {
  return `${name}.`.startsWith(prefix) || prefix.startsWith(`${name}.`);
}

function kerasLayers(source: FileSource, prefix: string): Layers {
  return withSource("Keras", source, (opened) => {
    // Layers outside the prefix are not read, but their names tell what was meant when nothing is under it.
    const outside: string[] = [];
    const { layers, refused, others } = readKeras(opened, (name) => {
      const wanted = isUnder(prefix, name);
      if (!wanted) outside.push(name);
      return wanted;
    });
    const found: Layers = { read: [], lost: [...refused, ...others] };
    for (const { entry } of layers) {
      if (entry.nonlinearity === undefined) found.read.push(entry);
      else {
        const reason = "a SimpleRNN with relu, which a state dict does not say: loadKeras gives it";
        found.lost.push({ name: entry.name, reason });
      }
    }
    if (found.read.length + found.lost.length === 0 && outside.length > 0)
      throw noneUnder(opened.name, prefix, outside);
    return found;
  });
}

function noneUnder(file: string, prefix: string, names: readonly string[]): RangeError {
  const near = nearest(
    prefix,
    names.map((name) => `${name}.`),
  );
  const hint = near === undefined ? "" : ` (did you mean ${describe(near)}?)`;
  return rangeError("ERR_FILE", `${file} prefix ${describe(prefix)}`, "names that start with it", `none${hint}`);
}

function joinLayers(file: string, { read, lost }: Layers, prefix: string): Record<string, Tensor> {
  const under = lost.filter(({ name }) => isUnder(prefix, name));
  const named = read.length + lost.length > 1 || prefix !== "";
  const entries = read.flatMap(({ name, stateDict }) => {
    return Object.entries(stateDict).map(([key, tensor]) => [named ? `${name}.${key}` : key, tensor] as const);
  });
  // fromEntries defines properties, so a name such as __proto__ is a name and nothing else.
  const dict = Object.fromEntries(entries.filter(([key]) => key.startsWith(prefix)));
  if (Object.keys(dict).length === 0) {
    const [first] = under;
    if (first !== undefined) {
      throw rangeError(
        "ERR_FILE",
        `${file} layer ${describe(first.name)}`,
        "a layer that a state dict says all of",
        first.reason,
      );
    }
    if (read.length + lost.length > 0)
      throw noneUnder(
        file,
        prefix,
        [...read, ...lost].map(({ name }) => name),
      );
    throw rangeError("ERR_FILE", file, "layers with weights that are read", "none");
  }
  for (const { name, reason } of under) notePassedOver(dict, `${name}.`, reason);
  return dict;
}
