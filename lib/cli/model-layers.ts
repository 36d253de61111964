// Tells which layers the tensors of a state dict are, by their names and shapes: groups with the names of an LSTM, a GRU or
// an RNN, which their shapes tell apart, and matrices that a Linear or an Embedding holds. Values are read of recurrent groups only, one group at a time.

import { formatShape } from "../check.js";
import type { FullConfig } from "../nn/recurrent/config.js";
import { withArticle } from "../nn/recurrent/kinds.js";
import { parameterSpecs, readConfig } from "../nn/recurrent/parameters.js";
import { entriesUnder } from "../nn/state-dict.js";
import { type Tensor, toTensor } from "../tensor/tensor.js";
import { describeOrigin } from "../weights/derived.js";
import { passedOver } from "../weights/passed-over.js";

/** One LSTM, GRU or RNN of a file. */
export interface FoundModel {
  /** What stands before its parameters' names, such as "encoder."; of a file of layers the layer's name. */
  readonly name: string;
  /** Its own parameters, by torch's names: what `fromStateDict` of its class takes. */
  readonly stateDict: Readonly<Record<string, Tensor>>;
  readonly config: FullConfig;
  /** Set for an RNN of a file of tensors: whether it is of tanh, as the config has it, or of relu, they do not say. */
  readonly unsaid?: true;
  /** Set where an ONNX node starts from a state of its own: what it is, for a message. */
  readonly startsFrom?: string;
  /** Parameters that the file has under other names or in parts, and what each is worked out of. */
  readonly origins?: readonly string[];
  /** Set where the file's weights are 8-bit integers, and these are what they stand for. */
  readonly quantized?: true;
}

/** A layer that is not recurrent. */
export interface FoundLayer {
  readonly name: string;
  readonly module: "Linear" | "Embedding";
  /** As its constructor would be written. */
  readonly title: string;
}

/** A tensor as a file lists it. */
export interface ListedTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

/** What a state dict holds. */
export interface StateDictLayers {
  readonly models: FoundModel[];
  readonly layers: FoundLayer[];
  /** Groups with the names of a recurrent layer's parameters that cannot be built, and why. */
  readonly refused: { readonly name: string; readonly reason: string }[];
  /** How many tensors belong to no recurrent group. */
  readonly others: number;
}

/** A recurrent parameter, also under the names that weight norm, weight drop and cells give it. */
const recurrentName =
  /^(.*?)(?:parametrizations\.)?((?:weight_(?:ih|hh|hr)|bias_(?:ih|hh))(?:_l\d+(?:_reverse)?)?)(?:_raw|_[gv]|\.original[01])?$/;

/** @param load reads the tensors whose names start with a prefix */
export function findLayers(
  listed: readonly ListedTensor[],
  load: (prefix: string) => Record<string, Tensor>,
): StateDictLayers {
  const groups = new Map<string, ListedTensor[]>();
  const rest: ListedTensor[] = [];
  for (const tensor of listed) {
    const prefix = recurrentName.exec(tensor.name)?.[1];
    if (prefix === undefined) rest.push(tensor);
    else groups.set(prefix, [...(groups.get(prefix) ?? []), tensor]);
  }
  const found: StateDictLayers = { models: [], layers: findMatrices(rest), refused: [], others: rest.length };
  for (const [name, tensors] of groups) {
    // Weight drop keeps one weight outside the group that it belongs to.
    if (!tensors.some((tensor) => tensor.name.slice(name.length).includes("weight_ih"))) continue;
    try {
      found.models.push({ name, ...readGroup(name, tensors, load) });
    } catch (error) {
      found.refused.push({ name, reason: (error as Error).message });
    }
  }
  return found;
}

/** Everything that a group may need: of names that start with nothing, only those that look like parameters. */
function loadGroup(
  prefix: string,
  tensors: readonly ListedTensor[],
  load: (prefix: string) => Record<string, Tensor>,
): Record<string, Tensor> {
  const starts = prefix !== "" ? [prefix] : ["weight_", "bias_", "parametrizations."];
  const dict: Record<string, Tensor> = {};
  for (const start of starts.filter((word) => tensors.some(({ name }) => name.startsWith(word)))) {
    const part = load(start);
    for (const [name, reason] of passedOver(part)) throw new RangeError(`${name} is ${reason}`);
    Object.assign(dict, part);
  }
  return dict;
}

/** The module of a group, when every parameter is there in its shape. @throws Error saying what is not */
function readGroup(
  prefix: string,
  tensors: readonly ListedTensor[],
  load: (prefix: string) => Record<string, Tensor>,
): Omit<FoundModel, "name"> {
  const dict = loadGroup(prefix, tensors, load);
  const config = readConfig({ caller: "the file", dict, prefix });
  const given = entriesUnder("the file", dict, prefix, "layers");
  const stateDict: Record<string, Tensor> = {};
  for (const { name, shape } of parameterSpecs(config)) {
    const value = given.get(name);
    if (value === undefined) throw new RangeError(`there is no ${name}`);
    const tensor = toTensor(name, value);
    if (formatShape(tensor.shape) !== formatShape(shape)) {
      const there = `in ${withArticle(config.name)} it would be ${formatShape(shape)}`;
      throw new RangeError(`${name} has shape ${formatShape(tensor.shape)}, ${there}`);
    }
    stateDict[name] = tensor;
  }
  const origins = Object.keys(stateDict).flatMap((name) => {
    const origin = describeOrigin(dict, prefix, name);
    return origin === undefined ? [] : [`${name}: ${origin}`];
  });
  const unsaid = config.kind.nonlinearity !== undefined;
  return { stateDict, config, ...(unsaid && { unsaid }), ...(origins.length > 0 && { origins }) };
}

/** A module as its constructor would be written. */
export function titleOf(module: string, sizes: readonly number[], options: readonly string[] = []): string {
  return `${module}(${sizes.join(", ")}${options.length === 0 ? "" : `, { ${options.join(", ")} }`})`;
}

/** Matrices called weight. Beside a bias of their rows they are a Linear's; without one, the name tells. */
function findMatrices(tensors: readonly ListedTensor[]): FoundLayer[] {
  const shapes = new Map(tensors.map(({ name, shape }) => [name, shape]));
  const found: FoundLayer[] = [];
  for (const { name: key, shape } of tensors) {
    const [, name] = /^(|.*\.)weight$/.exec(key) ?? [];
    const [rows, columns] = shape;
    if (name === undefined || shape.length !== 2 || rows === undefined || columns === undefined) continue;
    const bias = shapes.get(`${name}bias`);
    if (bias !== undefined && !(bias.length === 1 && bias[0] === rows)) continue;
    if (bias === undefined && /emb|wte|wpe|encoder\.weight$/i.test(key)) {
      found.push({ name, module: "Embedding", title: titleOf("Embedding", [rows, columns]) });
    } else {
      const options = bias === undefined ? ["bias: false"] : [];
      found.push({ name, module: "Linear", title: titleOf("Linear", [columns, rows], options) });
    }
  }
  return found;
}
