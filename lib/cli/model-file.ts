// Finds the layers in a model file of any of the formats that the library reads. What kind a file is, its bytes say; its name
// does not count. It builds no module, so it needs no addon, and it reads the weights of recurrent layers only.

import { formatShape } from "../check.js";
import { readConfig } from "../nn/recurrent/parameters.js";
import type { Tensor } from "../tensor/tensor.js";
import { kindOf } from "../weights/formats.js";
import { type KerasLayer, readKeras } from "../weights/keras/load.js";
import { type Reader, readerOf } from "../weights/load-weights.js";
import type { Wire } from "../weights/onnx/flow.js";
import { type OnnxLSTM, readOnnx, toModule } from "../weights/onnx/onnx.js";
import { listSafetensors, loadSafetensors } from "../weights/safetensors/load.js";
import { withSource } from "../weights/source.js";
import { listTorch, loadTorch } from "../weights/torch/load.js";
import { closest, UsageError } from "./command.js";
import { type FoundLayer, type FoundLSTM, findLayers, titleOf } from "./model-layers.js";

export type { FoundLayer, FoundLSTM } from "./model-layers.js";

export interface ModelFile {
  readonly format: Reader;
  /** Where in a torch checkpoint the state dict lies, when that was said. */
  readonly key?: string;
  readonly lstms: readonly FoundLSTM[];
  /** Recurrent, linear and embedding layers that are no LSTM. */
  readonly layers: readonly FoundLayer[];
  /** What looks like an LSTM and is none that can be run, by what stands before its names; and why. */
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

/** LSTM nodes that run forwards are found; of every other recurrent node it is said what it is. */
function readOnnxFile(path: string): ModelFile {
  const { found, passedOver, wires } = readOnnx(path, true);
  const lstms: FoundLSTM[] = [];
  const refused = [...passedOver];
  for (const node of found) {
    const { name, module, stateDict, reverse, stateFrom } = node;
    if (module !== "LSTM" || reverse) {
      const kind =
        module === "LSTM" ? "it runs backwards only" : `a ${module}${reverse ? " that runs backwards only" : ""}`;
      refused.push({ name, reason: `${kind}; loadOnnx reads its weights` });
      continue;
    }
    const { initialState } = toModule(node) as OnnxLSTM;
    const [h0] = initialState ?? [];
    const own = h0 === undefined ? undefined : `a constant state [h0, c0] of shape ${formatShape(h0.shape)}`;
    const startsFrom = stateFrom !== undefined && "computed" in stateFrom ? stateFrom.computed : own;
    const lstm = { name, stateDict, config: readConfig("the node", stateDict, "") };
    lstms.push(startsFrom === undefined ? lstm : { ...lstm, startsFrom });
  }
  return { format: "ONNX", lstms, layers: [], refused, others: 0, wires, opaque: [] };
}

function readKerasFile(path: string): ModelFile {
  return withSource("Keras", path, (source) => {
    const contents = readKeras(source);
    const lstms: FoundLSTM[] = [];
    const layers: FoundLayer[] = [];
    for (const { entry } of contents.layers) {
      const { name, module, stateDict } = entry;
      if (module === "LSTM") lstms.push({ name, stateDict, config: readConfig("the layer", stateDict, "") });
      else layers.push({ name, module, title: kerasTitle(module, entry) });
    }
    const refused = [...contents.refused, ...contents.others].map(({ name, reason }) => ({ name, reason }));
    return { format: "Keras" as const, lstms, layers, refused, others: 0, wires: [], opaque: [] };
  });
}

function kerasTitle(module: FoundLayer["module"], { stateDict, nonlinearity }: KerasLayer): string {
  const has = (name: string): boolean => Object.hasOwn(stateDict, name);
  const shapeOf = (name: string): readonly number[] => (stateDict[name] as Tensor).shape;
  if (module === "Embedding") return titleOf(module, shapeOf("weight"));
  if (module === "Linear") return titleOf(module, shapeOf("weight").toReversed(), has("bias") ? [] : ["bias: false"]);
  const options = [
    has("bias_ih_l0") ? [] : ["bias: false"],
    has("weight_ih_l0_reverse") ? ["bidirectional: true"] : [],
    nonlinearity === undefined ? [] : [`nonlinearity: "${nonlinearity}"`],
  ].flat();
  return titleOf(module, [shapeOf("weight_ih_l0")[1] ?? 0, shapeOf("weight_hh_l0")[1] ?? 0], options);
}

/**
 * The LSTM that a command is to take.
 * @param prefix its name, needed when there are several
 * @throws UsageError when there are several and none was named; Error when there is none, or none of that name, or one that
 *   does not start from zeros, as commands do
 */
export function chooseLSTM(
  command: string,
  path: string,
  key: string | undefined,
  prefix: string | undefined,
): FoundLSTM {
  const { lstms, refused, layers } = readModelFile(path, key);
  const names = lstms.map(({ name }) => name);
  const isNamed = ({ name }: { name: string }): boolean =>
    name === prefix || name === `${prefix}.` || `${name}.` === prefix;
  if (prefix !== undefined) {
    const found = lstms.find(isNamed);
    if (found !== undefined) return startingFromZeros(command, path, found);
    const other = refused.find(isNamed) ?? layers.filter(isNamed).map(({ title }) => ({ reason: `a ${title}` }))[0];
    if (other !== undefined) throw new Error(`${path}: ${prefix} cannot be run: ${other.reason}`);
    throw new Error(`${path} holds no LSTM ${closest(prefix, names)}; see packed-lstm inspect`);
  }
  if (lstms.length === 1) return startingFromZeros(command, path, lstms[0] as FoundLSTM);
  if (lstms.length === 0) {
    const others = layers.map(({ name, title }) => ({ name, reason: `a ${title}` }));
    const why = [...refused, ...others].slice(0, 5).map(({ name, reason }) => `\n  ${name}: ${reason}`);
    throw new Error(`${path} holds no LSTM that can be run${why.join("")}`);
  }
  throw new UsageError(
    `${command}: ${path} holds ${lstms.length} LSTMs; choose one with --prefix: ${names.join(", ")}`,
  );
}

/** What a measurement starts from makes no difference to it; to a result it does. */
function startingFromZeros(command: string, path: string, lstm: FoundLSTM): FoundLSTM {
  const { name, startsFrom } = lstm;
  if (startsFrom === undefined || command === "bench") return lstm;
  const advice = "in a program, loadOnnx and forward(input, initialState) do";
  throw new Error(
    `${path}: ${JSON.stringify(name)} starts from ${startsFrom}, and ${command} starts from zeros; ${advice}`,
  );
}
