// Keras' .keras archives: a zip with the model's config as JSON and model.weights.h5, in which every layer has a group named
// after its class, numbered in the model's order: layers/lstm, layers/lstm_1. Newer files keep the layers' names too.

import { describe, rangeError } from "../../check.js";
import { type Hdf5Object, openHdf5 } from "../hdf5/file.js";
import { openSource, type Source } from "../source.js";
import { openZip } from "../zip.js";
import type { LayerNode, Step } from "./config.js";
import { type OpenModel, parseConfig } from "./h5.js";
import type { Variable } from "./layers.js";

const weightsName = "model.weights.h5";
const maxConfig = 2 ** 26; // bytes

/** @throws RangeError ERR_FILE when it is damaged or lacks a part */
export function openArchive(source: Source): OpenModel {
  const zip = openZip(source);
  const size = zip.size("config.json");
  if (size === undefined || !zip.names.has(weightsName)) {
    const names = [...zip.names].slice(0, 5).map(describe).join(", ");
    throw rangeError("ERR_FILE", source.name, `an archive with config.json and ${weightsName}`, `one with ${names}`);
  }
  if (size > maxConfig)
    throw rangeError("ERR_FILE", `${source.name} config.json`, `at most ${maxConfig} bytes`, `${size}`);
  const model = parseConfig(`${source.name} config.json`, new TextDecoder().decode(zip.read("config.json")));
  const bytes = { ...openSource("HDF5", zip.read(weightsName)), name: `${source.name} ${weightsName}` };
  const root = openHdf5(bytes);
  return {
    model,
    find(node, part) {
      const group = findGroup(root, node);
      if (typeof group === "string") return group;
      if (part === "whole") return readGroup(group, node.kind);
      const direction = group.get(`${part}_layer`);
      return direction === undefined ? `no ${part}_layer in the file` : readGroup(direction, "RNN");
    },
  };
}

/** Keras' own rule for the name of a class. */
function toSnakeCase(name: string): string {
  return name
    .replaceAll(/\W+/g, "")
    .replaceAll(/(.)([A-Z][a-z]+)/g, "$1_$2")
    .replaceAll(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();
}

function findGroup(root: Hdf5Object, node: LayerNode): Hdf5Object | string {
  let group = root;
  for (const step of node.steps) {
    const next = stepInto(group, step);
    if (typeof next === "string") return next;
    group = next;
    // Where the layers' names are kept, they must say the same as the numbers.
    const name = group.get("vars")?.attributes.get("name");
    if (name !== undefined && name !== step.name) return `weights of a layer ${describe(name)} in its place`;
    if (step.wrapped) {
      const inner = group.get("layer");
      if (inner === undefined) return "no weights of the layer in it";
      group = inner;
    }
  }
  return group;
}

function stepInto(group: Hdf5Object, { kind, nth, count }: Step): Hdf5Object | string {
  const base = toSnakeCase(kind);
  const layers = group.get("layers");
  if (layers !== undefined) return layers.get(nth === 0 ? base : `${base}_${nth}`) ?? "no weights in the file";
  // Keras 2.12 and 2.13 count a layer twice when it has weights, so that only the order of the numbers counts.
  const old = group.get("_layer_checkpoint_dependencies");
  if (old === undefined) return "no weights in the file";
  const numberOf = (name: string): number => (name === base ? 0 : Number(name.slice(base.length + 1)));
  const names = old.names.filter((name) => name === base || new RegExp(`^${base}_\\d+$`).test(name));
  if (names.length !== count) return `weights of ${names.length} layers where its model has ${count} of ${kind}`;
  return old.get(names.sort((a, b) => numberOf(a) - numberOf(b))[nth] as string) ?? "no weights in the file";
}

/** Variables by number; those of a recurrent layer belong to its cell. */
function readGroup(group: Hdf5Object, kind: string): Variable[] | string {
  const recurrent = kind !== "Dense" && kind !== "Embedding";
  const vars = (recurrent ? group.get("cell") : group)?.get("vars");
  if (vars === undefined) return "no weights in the file";
  const numbers = vars.names.filter((name) => /^\d+$/.test(name)).sort((a, b) => Number(a) - Number(b));
  return numbers.map((number) => ({
    role: number,
    read() {
      const dataset = vars.get(number) as Hdf5Object;
      return dataset.tensor(dataset.attributes.get("dtype") === "bfloat16" ? "BF16" : undefined);
    },
  }));
}
