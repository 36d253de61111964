// Reads Keras models, of Keras and of TensorFlow.js, as torch's modules: each layer that one of torch's modules computes,
// with its weights by torch's names. A layer that none computes is refused by its name when someone asks for its weights.

import { describe, rangeError } from "../../check.js";
import type { Tensor } from "../../tensor/tensor.js";
import { foreignFile, kindOf } from "../formats.js";
import { openHdf5 } from "../hdf5/file.js";
import { type FileSource, type OpenSource, type Source, withSource } from "../source.js";
import { openArchive } from "./archive.js";
import { listLayers, plainConfig } from "./config.js";
import { type OpenModel, openH5 } from "./h5.js";
import { buildLayer, type KerasModule, moduleOf } from "./layers.js";
import { openTfjs } from "./tfjs.js";

/** One layer of a Keras model. */
export interface KerasLayer {
  /** The layer's name, with those of the models it is in before it: `"encoder/lstm"`. */
  readonly name: string;
  /** The module whose `fromStateDict` takes `stateDict`. */
  readonly module: KerasModule;
  /** Set for a SimpleRNN with activation relu; a state dict cannot say it. */
  readonly nonlinearity?: "relu";
  /**
   * The weights by torch's names. LSTM, GRU and RNN: `weight_ih_l0` (gates·H, I), `weight_hh_l0` (gates·H, H), `bias_ih_l0` and
   * `bias_hh_l0` (gates·H,), of Bidirectional with `_reverse` as well; Linear: `weight` (out, in), `bias` (out,); Embedding:
   * `weight` (num, dim). Reading it of a layer that torch's module cannot compute throws RangeError ERR_FILE, saying why.
   */
  readonly stateDict: Record<string, Tensor>;
  /** What Keras says of the layer (`return_sequences`, `stateful`, `mask_zero`, `activation` of a Dense, …), as the file has it. */
  readonly config: Record<string, unknown>;
}

/** What `loadKeras` gives: the layers, and beside them what was passed over. */
export type KerasLayers = KerasLayer[] & {
  /** By name and with the reason. Not enumerable, so that the array prints and compares as one. */
  readonly passedOver: readonly { readonly name: string; readonly reason: string }[];
};

/** Layers that hold no weights: nothing is lost when no one speaks of them. */
const weightless =
  /^(InputLayer|Masking|Activation|Flatten|Reshape|Permute|RepeatVector|Lambda|Add|Concatenate|Softmax|ReLU)$|Dropout|Pooling|Padding|Cropping|UpSampling|GaussianNoise/;

/**
 * Reads the layers of a Keras model: `.keras` and `.h5` of any Keras from 2.0 on, and the `model.json` of TensorFlow.js with the
 * `.bin` files beside it, quantised or not. LSTM, GRU, SimpleRNN, Bidirectional, Dense and Embedding come as the modules of
 * torch that compute them, in the model's order, those of models in models too; `TimeDistributed(Dense)` is Dense.
 *
 * Kernels are transposed, gates put in torch's order; Keras' one bias is `bias_ih` and `bias_hh` is zero, but for a GRU, which
 * has both. What else Keras says of a layer stands in `config`, and is for the caller to honour: the activation of a Dense,
 * `return_sequences`, `mask_zero`.
 *
 * Refused by name, because torch's modules do not compute it: `recurrent_activation` other than sigmoid (hard_sigmoid was the
 * default until Keras 2.3, and still is TensorFlow.js'), `activation` other than tanh (of a SimpleRNN: or relu), a GRU with
 * `reset_after=False`, `go_backwards`, and `merge_mode` other than concat. Such a layer is listed, and reading its `stateDict`
 * throws; when no recurrent layer of the file can be read, the call itself does. Layers of other classes are passed over,
 * and listed with their reasons in `passedOver`.
 *
 * @param source a path, a file: URL, or the bytes; of a model.json the path
 * @returns one entry a layer
 * @throws RangeError ERR_FILE for a file that is damaged, hostile or of another kind, or that holds weights without a config,
 *   and when every recurrent layer is refused; TypeError ERR_ARG_TYPE when `source` is neither path nor bytes; the file system's own
 *   error when it cannot be read
 * @example
 * ```ts
 * const layers = loadKeras("model.keras"); // an Embedding, an LSTM of 4 units, …
 * const layer = layers.find(({ name }) => name === "lstm");
 * const lstm = LSTM.fromStateDict(layer?.stateDict ?? {}, { batchFirst: true }); // Keras' axes are (batch, time, features)
 * console.log(lstm.hiddenSize); // → 4
 * ```
 * @see https://keras.io/guides/serialization_and_saving/
 */
export function loadKeras(source: FileSource): KerasLayers {
  return withSource("Keras", source, (opened) => {
    const { layers, refused, others } = readKeras(opened);
    const read = layers.filter(({ module }) => isRecurrent(module));
    const lost = refused.filter(({ module }) => isRecurrent(module));
    if (read.length === 0 && lost.length > 0) throw allRefused(opened.name, lost);
    const listed = [...layers, ...refused.map((layer) => refusedEntry(opened.name, layer))];
    const list = listed.sort((a, b) => a.place - b.place).map(({ entry }) => entry);
    const passedOver = [...refused, ...others].map(({ name, reason }) => ({ name, reason }));
    return Object.defineProperty(list, "passedOver", { value: passedOver }) as KerasLayers;
  });
}

/** A layer that can be built, and how manieth of its model it is. */
export interface ReadLayer {
  readonly place: number;
  readonly module: KerasModule;
  readonly entry: KerasLayer;
}

/** A layer that cannot, and why. */
export interface RefusedLayer {
  readonly place: number;
  readonly name: string;
  readonly kind: string;
  readonly module: KerasModule;
  readonly reason: string;
  readonly config: Record<string, unknown>;
}

/** What a model holds: layers to build, layers that no module computes, and layers of classes that are not read. */
export interface KerasContents {
  readonly layers: ReadLayer[];
  readonly refused: RefusedLayer[];
  readonly others: { readonly name: string; readonly reason: string }[];
}

function isRecurrent(module: KerasModule): boolean {
  return module !== "Linear" && module !== "Embedding";
}

/**
 * Reads the layers whose names are wanted, and of the others nothing but the config.
 * @throws as {@link loadKeras}, but never because of a layer that is refused
 */
export function readKeras(source: Source, wanted: (name: string) => boolean = () => true): KerasContents {
  const files: OpenSource[] = [];
  try {
    const { model, find } = openModel(source, (file) => files.push(file));
    const contents: KerasContents = { layers: [], refused: [], others: [] };
    for (const [place, node] of listLayers(source.name, model).entries()) {
      const { name, kind } = node;
      if (!wanted(name)) continue;
      const module = moduleOf(node);
      if (module === undefined) {
        if (!weightless.test(kind))
          contents.others.push({ name, reason: `a ${kind.slice(0, 60)}, a layer that is not read` });
        continue;
      }
      const built = buildLayer(node, module, find);
      const config = plainConfig(node.config) as Record<string, unknown>;
      if (typeof built === "string") contents.refused.push({ place, name, kind, module, config, reason: built });
      else contents.layers.push({ place, module, entry: { name, module, ...built, config } });
    }
    return contents;
  } finally {
    for (const file of files) file.close();
  }
}

function openModel(source: Source, keep: (file: OpenSource) => void): OpenModel {
  const kind = kindOf(source);
  if (kind === "hdf5") return openH5(source.name, openHdf5(source));
  if (kind === "keras-zip") return openArchive(source);
  if (kind === "tfjs") return openTfjs(source, keep);
  throw foreignFile(source, "a .keras or .h5 file of Keras, or a model.json of TensorFlow.js", kind);
}

function refusal(file: string, { name, kind, module, reason }: RefusedLayer): RangeError {
  return rangeError(
    "ERR_FILE",
    `${file} layer ${describe(name)}`,
    `a ${kind} that torch.nn.${module} computes`,
    reason,
  );
}

function allRefused(file: string, refused: readonly RefusedLayer[]): RangeError {
  const [first, ...rest] = refused;
  if (rest.length === 0) return refusal(file, first as RefusedLayer);
  const reasons = refused.slice(0, 8).map(({ name, kind, reason }) => `${describe(name)} (${kind}): ${reason}`);
  return rangeError("ERR_FILE", file, "a recurrent layer that torch.nn computes", `none:\n  ${reasons.join("\n  ")}`);
}

function refusedEntry(file: string, layer: RefusedLayer): ReadLayer {
  const { place, name, module, config } = layer;
  const entry = {
    name,
    module,
    get stateDict(): Record<string, Tensor> {
      throw refusal(file, layer);
    },
    config,
  };
  return { place, module, entry };
}
