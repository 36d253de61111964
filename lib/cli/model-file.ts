// Finds the layers in a model file of any of the formats that the library reads. What kind a file is, its bytes say; its name
// does not count. It builds no module, so it needs no addon, and it reads the weights of recurrent layers only.

import { formatShape } from "../check.js";
import { completeConfig } from "../nn/recurrent/config.js";
import { cellOf, type Nonlinearity, withArticle } from "../nn/recurrent/kinds.js";
import { readConfig } from "../nn/recurrent/parameters.js";
import type { Tensor } from "../tensor/tensor.js";
import { kindOf } from "../weights/formats.js";
import { type KerasLayer, readKeras } from "../weights/keras/load.js";
import { type Reader, readerOf } from "../weights/load-weights.js";
import type { Wire } from "../weights/onnx/flow.js";
import { readOnnx } from "../weights/onnx/onnx.js";
import { listSafetensors, loadSafetensors } from "../weights/safetensors/load.js";
import { withSource } from "../weights/source.js";
import { listTorch, loadTorch } from "../weights/torch/load.js";
import { closest, UsageError } from "./command.js";
import { type FoundLayer, type FoundModel, findLayers, titleOf } from "./model-layers.js";

export type { FoundLayer, FoundModel } from "./model-layers.js";

export interface ModelFile {
  readonly format: Reader;
  /** Where in a torch checkpoint the state dict lies, when that was said. */
  readonly key?: string;
  readonly models: readonly FoundModel[];
  /** Linear and embedding layers. */
  readonly layers: readonly FoundLayer[];
  /** What looks like a recurrent layer and is none that can be run, by what stands before its names; and why. */
  readonly refused: readonly { readonly name: string; readonly reason: string }[];
  /** How many tensors belong to no recurrent layer. */
  readonly others: number;
  /** Which node of an ONNX graph feeds which. */
  readonly wires: readonly Wire[];
  /** Python functions and classes that a torch file names; they are not run. */
  readonly opaque: readonly string[];
}

/**
 * Reads a file and finds the layers in it.
 * @param key where in a torch checkpoint the state dict lies
 * @throws as loadWeights does
 */
export function readModelFile(path: string, key?: string): ModelFile {
  const format = withSource("weights", path, (source) => {
    if (kindOf(source) !== "unknown") return readerOf(source);
    throw new RangeError(`${path} is no safetensors file, no file of torch's, no Keras model and no ONNX model`);
  });
  if (format === "ONNX") return readOnnxFile(path);
  if (format === "Keras") return readKerasFile(path);
  const none = { wires: [], opaque: [] };
  if (format === "safetensors") {
    return { format, ...none, ...findLayers(listSafetensors(path), (prefix) => loadSafetensors(path, { prefix })) };
  }
  const options = key === undefined ? {} : { key };
  const { tensors, opaque } = listTorch(path, options);
  return {
    format,
    ...options,
    ...none,
    opaque,
    ...findLayers(tensors, (prefix) => loadTorch(path, { ...options, prefix })),
  };
}

/** Nodes that run forwards are found; of every other recurrent node it is said what it is. */
function readOnnxFile(path: string): ModelFile {
  const { found, passedOver, wires } = readOnnx(path, true);
  const models: FoundModel[] = [];
  const refused = [...passedOver];
  for (const node of found) {
    const { name, module, stateDict, nonlinearity, reverse, quantized, state, stateFrom } = node;
    if (reverse) {
      refused.push({ name, reason: "it runs backwards only; loadOnnx reads its weights" });
      continue;
    }
    const letters = module === "LSTM" ? "[h0, c0]" : "h0";
    const own = state && `a constant state ${letters} of shape ${formatShape((state[0] as Tensor).shape)}`;
    const startsFrom = stateFrom !== undefined && "computed" in stateFrom ? stateFrom.computed : own;
    const cell = cellOf(module, nonlinearity);
    const config = readConfig({ caller: "the node", dict: stateDict, prefix: "", cell });
    models.push({
      ...{ name, stateDict, config },
      ...(startsFrom !== undefined && { startsFrom }),
      ...(quantized && { quantized }),
    });
  }
  return { format: "ONNX", models, layers: [], refused, others: 0, wires, opaque: [] };
}

function readKerasFile(path: string): ModelFile {
  return withSource("Keras", path, (source) => {
    const contents = readKeras(source);
    const models: FoundModel[] = [];
    const layers: FoundLayer[] = [];
    for (const { entry } of contents.layers) {
      const { name, module, stateDict, nonlinearity } = entry;
      if (module === "Linear" || module === "Embedding")
        layers.push({ name, module, title: kerasTitle(module, entry) });
      else {
        const cell = cellOf(module, nonlinearity);
        models.push({
          name,
          stateDict,
          config: readConfig({ caller: "the layer", dict: stateDict, prefix: "", cell }),
        });
      }
    }
    const refused = [...contents.refused, ...contents.others].map(({ name, reason }) => ({ name, reason }));
    return { format: "Keras" as const, models, layers, refused, others: 0, wires: [], opaque: [] };
  });
}

function kerasTitle(module: FoundLayer["module"], { stateDict }: KerasLayer): string {
  const { shape } = stateDict.weight as Tensor;
  if (module === "Embedding") return titleOf(module, shape);
  return titleOf(module, shape.toReversed(), Object.hasOwn(stateDict, "bias") ? [] : ["bias: false"]);
}

/** Which layer of which file a command is to take. */
export interface Choice {
  readonly path: string;
  /** Where in a torch checkpoint the state dict lies. */
  readonly key: string | undefined;
  /** The layer's name, needed when there are several. */
  readonly prefix: string | undefined;
  /** An RNN's, where the file does not say it. */
  readonly nonlinearity: Nonlinearity | undefined;
}

/**
 * The layer that a command is to take.
 * @throws UsageError when there are several and none was named, or for a nonlinearity that is not the user's to say; Error
 *   when there is none, or none of that name, or one that does not start from zeros, as commands do
 */
export function chooseModel(command: string, { path, key, prefix, nonlinearity }: Choice): FoundModel {
  const { models, refused, layers } = readModelFile(path, key);
  const names = models.map(({ name }) => name);
  const isNamed = ({ name }: { name: string }): boolean =>
    name === prefix || name === `${prefix}.` || `${name}.` === prefix;
  const take = (found: FoundModel): FoundModel =>
    withNonlinearity(command, startingFromZeros(command, path, found), nonlinearity);
  if (prefix !== undefined) {
    const found = models.find(isNamed);
    if (found !== undefined) return take(found);
    const other = refused.find(isNamed) ?? layers.filter(isNamed).map(({ title }) => ({ reason: `a ${title}` }))[0];
    if (other !== undefined) throw new Error(`${path}: ${prefix} cannot be run: ${other.reason}`);
    throw new Error(`${path} holds no ${anyModule} ${closest(prefix, names)}; see packed-lstm inspect`);
  }
  if (models.length === 1) return take(models[0] as FoundModel);
  if (models.length === 0) {
    const others = layers.map(({ name, title }) => ({ name, reason: `a ${title}` }));
    const why = [...refused, ...others].slice(0, 5).map(({ name, reason }) => `\n  ${name}: ${reason}`);
    throw new Error(`${path} holds no ${anyModule} that can be run${why.join("")}`);
  }
  throw new UsageError(
    `${command}: ${path} holds ${countModules(models)}; choose one with --prefix: ${names.join(", ")}`,
  );
}

/** What the commands run, for a message that there is none. */
export const anyModule = "LSTM, GRU or RNN";

/** "2 LSTMs, 1 GRU and 1 RNN". */
export function countModules(models: readonly FoundModel[]): string {
  const counts = (["LSTM", "GRU", "RNN"] as const).flatMap((module) => {
    const count = models.filter(({ config }) => config.kind.module === module).length;
    return count === 0 ? [] : [`${count} ${module}${count === 1 ? "" : "s"}`];
  });
  if (counts.length === 0) return `no ${anyModule}`;
  return counts.join(", ").replace(/, (?=[^,]*$)/, " and ");
}

/** What a measurement starts from makes no difference to it; to a result it does. */
function startingFromZeros(command: string, path: string, found: FoundModel): FoundModel {
  const { name, startsFrom } = found;
  if (startsFrom === undefined || command === "bench") return found;
  const advice = "in a program, loadOnnx and forward(input, initialState) do";
  throw new Error(
    `${path}: ${JSON.stringify(name)} starts from ${startsFrom}, and ${command} starts from zeros; ${advice}`,
  );
}

/** The layer with the nonlinearity that the user says, which must be one that the file leaves open. */
function withNonlinearity(command: string, found: FoundModel, wanted: Nonlinearity | undefined): FoundModel {
  const { config, unsaid } = found;
  const { nonlinearity } = config.kind;
  if (wanted === undefined || wanted === nonlinearity) return found;
  if (!unsaid) {
    const what = nonlinearity === undefined ? `${withArticle(config.name)} has none` : `the file says ${nonlinearity}`;
    throw new UsageError(`${command}: --nonlinearity: ${what}; leave it out`);
  }
  return { ...found, config: completeConfig({ ...config, cell: cellOf("RNN", wanted) }) };
}
