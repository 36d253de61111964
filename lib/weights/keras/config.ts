// A Keras model's config, which Keras, its .keras archives and TensorFlow.js write alike: models in models down to layers.
// Here it becomes a flat list of layers, each with its name, its config, and how its weights are found. What a layer
// computes is for others to judge.

import { describe, rangeError } from "../../check.js";
import type { Json } from "../strict-json.js";

export type JsonObject = Map<string, Json>;

/** One layer of a model, at any depth. */
export interface LayerNode {
  /** Keras' class, such as "LSTM". */
  readonly kind: string;
  /** Its name, with those of the models it is in before it: "encoder/lstm". */
  readonly name: string;
  readonly config: JsonObject;
  /** The names that `name` is made of, outermost first. */
  readonly names: readonly string[];
  /** Where an archive keeps it: a step for each model that it is in, and one for itself. */
  readonly steps: readonly Step[];
}

/** A layer among those of its model. */
export interface Step {
  readonly kind: string;
  readonly name: string;
  /** The how manieth of its class it is, from 0, and how many there are. */
  readonly nth: number;
  readonly count: number;
  /** Set for a layer inside TimeDistributed: the wrapper is the step. */
  readonly wrapped: boolean;
}

const maxLayers = 100_000;

function objectOf(value: Json | undefined): JsonObject | undefined {
  return value instanceof Map ? value : undefined;
}

/** A layer as a config lists it: its class, its own config, its name. */
function readLayer(value: Json | undefined): { kind: string; name: string; config: Json } | undefined {
  const layer = objectOf(value);
  const kind = layer?.get("class_name");
  const config = layer?.get("config");
  if (typeof kind !== "string" || config === undefined || config === null) return undefined;
  const name = objectOf(config)?.get("name") ?? layer?.get("name") ?? kind;
  return { kind, name: typeof name === "string" ? name : kind, config };
}

/** The layers of a model's config: Sequential wrote them without a name around them until Keras 2.2. */
function layersOf(config: Json): Json[] | undefined {
  const layers = Array.isArray(config) ? config : objectOf(config)?.get("layers");
  return Array.isArray(layers) ? layers : undefined;
}

/**
 * Every layer that a model's config lists, in its order.
 * @param model the outermost `{ class_name, config }`
 * @throws RangeError ERR_FILE when it is no such thing, or two layers have one name
 */
export function listLayers(file: string, model: Json): LayerNode[] {
  const outermost = readLayer(model);
  const found: LayerNode[] = [];
  const visit = (config: Json, names: readonly string[], steps: readonly Step[]): void => {
    const layers = (layersOf(config) ?? []).map(readLayer);
    const counts = new Map<string, number>();
    for (const layer of layers) if (layer !== undefined) counts.set(layer.kind, (counts.get(layer.kind) ?? 0) + 1);
    const seen = new Map<string, number>();
    for (const layer of layers) {
      if (layer === undefined)
        throw rangeError("ERR_FILE", `${file} config`, "layers with class_name and config", "another value");
      const { kind, name, config: inner } = layer;
      const nth = seen.get(kind) ?? 0;
      seen.set(kind, nth + 1);
      const within = [...names, name];
      const step = { kind, name, nth, count: counts.get(kind) ?? 0, wrapped: false };
      const wrapped = kind === "TimeDistributed" ? readLayer(objectOf(inner)?.get("layer")) : undefined;
      if (layersOf(inner) !== undefined) visit(inner, within, [...steps, step]);
      else if (wrapped === undefined) add(kind, within, inner, [...steps, step]);
      else if (layersOf(wrapped.config) !== undefined)
        visit(wrapped.config, within, [...steps, { ...step, wrapped: true }]);
      else {
        // Dense over every step is Dense; a layer that itself runs over steps is another thing, and keeps its wrapper's kind.
        const same = wrapped.kind === "Dense" || wrapped.kind === "Embedding";
        add(same ? wrapped.kind : kind, within, wrapped.config, [...steps, { ...step, wrapped: true }]);
      }
    }
  };
  const add = (kind: string, names: readonly string[], config: Json, steps: readonly Step[]): void => {
    found.push({ kind, name: names.join("/"), config: objectOf(config) ?? new Map(), names, steps });
    if (found.length > maxLayers) throw rangeError("ERR_FILE", `${file} config`, `at most ${maxLayers} layers`, "more");
  };
  if (outermost === undefined || layersOf(outermost.config) === undefined) {
    const received =
      outermost === undefined ? "another value" : `a ${describe(outermost.kind)}, which does not list its layers`;
    throw rangeError("ERR_FILE", `${file} config`, "a Sequential or Functional model", received);
  }
  visit(outermost.config, [], []);
  const names = new Set<string>();
  for (const { name } of found) {
    if (names.has(name))
      throw rangeError("ERR_FILE", `${file} layer ${describe(name)}`, "one layer of that name", "two");
    names.add(name);
  }
  return found;
}

/** A config as plain objects and arrays, for whoever called. */
export function plainConfig(value: Json): unknown {
  if (Array.isArray(value)) return value.map(plainConfig);
  // fromEntries defines properties, so a key named __proto__ is a key and nothing else.
  return value instanceof Map
    ? Object.fromEntries(Array.from(value, ([key, item]) => [key, plainConfig(item)]))
    : value;
}
