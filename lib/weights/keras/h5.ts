// Keras' .h5 files: model.save(path.h5) of every Keras, the model's config in an attribute of the root, the weights in a group
// for each layer of the outermost model, their names in an attribute of that group.

import { describe, rangeError } from "../../check.js";
import type { Hdf5Object } from "../hdf5/file.js";
import { type Json, parseStrictJson } from "../strict-json.js";
import type { FindVariables } from "./layers.js";
import { NamedWeights } from "./named.js";

export const maxDepth = 100; // of a config: every model in a model is some levels deeper

/** What a model file holds: its config, and where its weights are. */
export interface OpenModel {
  readonly model: Json;
  readonly find: FindVariables;
}

/** JSON out of a model file. @throws RangeError ERR_FILE when it is none */
export function parseConfig(label: string, text: string): Json {
  try {
    return parseStrictJson(text, maxDepth);
  } catch (error) {
    throw rangeError("ERR_FILE", label, "JSON without repeated keys", (error as Error).message);
  }
}

/** @throws RangeError ERR_FILE for a file of weights alone, or one that Keras did not write */
export function openH5(file: string, root: Hdf5Object): OpenModel {
  const config = root.attributes.get("model_config");
  if (typeof config !== "string") {
    throw rangeError("ERR_FILE", file, "a whole Keras model, config and weights", describeOther(root));
  }
  const weights = root.get("model_weights") ?? root;
  const groups = new Map<string, NamedWeights>();
  return {
    model: parseConfig(`${file} model_config`, config),
    find(node, part) {
      const [outer = ""] = node.names;
      let named = groups.get(outer);
      if (named === undefined) {
        const group = weights.get(outer);
        if (group === undefined) return "no weights in the file";
        named = readGroup(group);
        groups.set(outer, named);
      }
      return named.find(node, part, node.names.length === 1);
    },
  };
}

function describeOther(root: Hdf5Object): string {
  const step = 'model.save("model.keras") in Python writes both';
  if (root.attributes.has("layer_names")) {
    return `weights alone, as save_weights writes them; they do not say what their layers compute: ${step}`;
  }
  const names = root.names;
  if (names.includes("layers") || names.includes("_layer_checkpoint_dependencies")) {
    return `a .weights.h5 file, which does not say what its layers compute: ${step}`;
  }
  return `an HDF5 file that Keras did not write, with ${names.slice(0, 5).map(describe).join(", ") || "nothing in it"}`;
}

/** The weights of a group in Keras' order, which an attribute gives; a long one is cut into weight_names0, weight_names1, … */
function readGroup(group: Hdf5Object): NamedWeights {
  const { attributes } = group;
  let names = attributes.get("weight_names");
  if (names === undefined) {
    const pieces: (string | number)[] = [];
    for (let i = 0; ; i++) {
      const piece = attributes.get(`weight_names${i}`);
      if (!Array.isArray(piece)) break;
      pieces.push(...piece);
    }
    names = pieces;
  }
  const list = Array.isArray(names) ? names : [names];
  return new NamedWeights(
    list.map((name) => ({
      name: String(name),
      read() {
        const dataset = group.get(String(name));
        return dataset === undefined ? "no values in the file" : dataset.tensor();
      },
    })),
  );
}
