// What torch's modules make of Keras' layers: weights transposed, gates in torch's order, Keras' one bias beside a zero
// one; and what no module of torch's computes, told by the layer's config and given back as a sentence.
// https://keras.io/api/layers/recurrent_layers/ ; the order of the gates: keras/src/layers/rnn/{lstm,gru}.py, `split`

import { describe, formatShape } from "../../check.js";
import { sameShape } from "../../tensor/strided.js";
import { Tensor } from "../../tensor/tensor.js";
import type { Json } from "../strict-json.js";
import type { JsonObject, LayerNode } from "./config.js";

export type KerasModule = "LSTM" | "GRU" | "RNN" | "Linear" | "Embedding";

/** One variable of a layer. */
export interface Variable {
  /** Its own name, such as "recurrent_kernel", or a number where the file keeps them by number. */
  readonly role: string;
  /** @returns the values, or why no Tensor holds them */
  read(): Tensor | string;
}

/** Which of a layer's parts: itself, or one direction of Bidirectional. */
export type Part = "whole" | "forward" | "backward";

/** Finds the variables of a part of a layer, in Keras' order; or says why it cannot. */
export type FindVariables = (node: LayerNode, part: Part) => Variable[] | string;

/** A layer that can be built. */
export interface Built {
  readonly stateDict: Record<string, Tensor>;
  readonly nonlinearity?: "relu";
}

/** torch's gates among Keras': LSTM i, f, c, o as i, f, g, o; GRU z, r, h as r, z, n. */
const gateOrders: Readonly<Record<string, readonly number[]>> = { LSTM: [0, 1, 2, 3], GRU: [1, 0, 2], RNN: [0] };

const recurrentKinds: Readonly<Record<string, "LSTM" | "GRU" | "RNN">> = { LSTM: "LSTM", GRU: "GRU", SimpleRNN: "RNN" };

/** The layer inside Bidirectional, in the direction of a part. */
function innerLayer(config: JsonObject, part: Part): { kind: string; config: JsonObject } | undefined {
  const layer = config.get(part === "backward" ? "backward_layer" : "layer");
  const kind = layer instanceof Map ? layer.get("class_name") : undefined;
  const inner = layer instanceof Map ? layer.get("config") : undefined;
  return typeof kind === "string" && inner instanceof Map ? { kind, config: inner } : undefined;
}

/** The module that a layer would be, by its class alone; undefined for a class that is not read. */
export function moduleOf({ kind, config }: LayerNode): KerasModule | undefined {
  if (kind === "Dense") return "Linear";
  if (kind === "Embedding") return "Embedding";
  const recurrent = kind === "Bidirectional" ? innerLayer(config, "forward")?.kind : kind;
  return recurrent === undefined || !Object.hasOwn(recurrentKinds, recurrent) ? undefined : recurrentKinds[recurrent];
}

/** The layer as a module's state dict, or why no module of torch's computes it. */
export function buildLayer(node: LayerNode, module: KerasModule, find: FindVariables): Built | string {
  if (module === "Linear") return buildLinear(node, find);
  if (module === "Embedding") return buildEmbedding(node, find);
  return node.kind === "Bidirectional" ? buildBidirectional(node, module, find) : buildRecurrent(node, module, find);
}

/** A name as "hard_sigmoid": TensorFlow.js writes "hardSigmoid", and Keras 3 wraps what it does not know by name. */
function activationOf(value: Json | undefined): string {
  const wrapped =
    value instanceof Map
      ? typeof value.get("config") === "string"
        ? value.get("config")
        : value.get("registered_name")
      : undefined;
  const name = typeof wrapped === "string" ? wrapped : value;
  if (typeof name !== "string")
    return value === undefined ? "none given" : describe(value instanceof Map ? "an object" : value);
  return describe(name.replaceAll(/([a-z])([A-Z])/g, "$1_$2").toLowerCase());
}

/** What torch cannot compute of one direction; undefined when it can. */
function judge(module: "LSTM" | "GRU" | "RNN", config: JsonObject, backwards: boolean): string | undefined {
  const activation = activationOf(config.get("activation"));
  const allowed = module === "RNN" ? ['"tanh"', '"relu"'] : ['"tanh"'];
  if (!allowed.includes(activation)) {
    return `activation ${activation}, where torch.nn.${module} has ${allowed.join(" or ")}`;
  }
  const gate = activationOf(config.get("recurrent_activation"));
  if (module !== "RNN" && gate !== '"sigmoid"') {
    return `recurrent_activation ${gate}, where torch.nn.${module} has "sigmoid"`;
  }
  if (module === "GRU" && config.get("reset_after") !== true) {
    return "reset_after=False, which resets the state before the product; torch.nn.GRU resets it after";
  }
  if ((config.get("go_backwards") === true) !== backwards) {
    return backwards
      ? "a backward_layer that does not go backwards"
      : "go_backwards=True: torch's modules do not run only backwards";
  }
  return undefined;
}

function buildRecurrent(node: LayerNode, module: "LSTM" | "GRU" | "RNN", find: FindVariables): Built | string {
  const fault = judge(module, node.config, false);
  if (fault !== undefined) return fault;
  const direction = readDirection(module, node.config, find(node, "whole"), "");
  return typeof direction === "string" ? direction : { stateDict: direction, ...nonlinearityOf(module, node.config) };
}

function nonlinearityOf(module: KerasModule, config: JsonObject): { nonlinearity?: "relu" } {
  return module === "RNN" && activationOf(config.get("activation")) === '"relu"' ? { nonlinearity: "relu" } : {};
}

function buildBidirectional(node: LayerNode, module: "LSTM" | "GRU" | "RNN", find: FindVariables): Built | string {
  const mode = node.config.get("merge_mode");
  if (mode !== "concat" && mode !== undefined) {
    return `merge_mode ${describe(mode instanceof Map ? "an object" : mode)}, where torch has "concat"`;
  }
  const forward = innerLayer(node.config, "forward");
  // Without a layer of its own, backwards runs a copy of the other one.
  const backward = innerLayer(node.config, "backward") ?? forward;
  if (forward === undefined || backward === undefined) return "no layer in it";
  if (backward.kind !== forward.kind) return `a ${backward.kind} backwards beside a ${forward.kind} forwards`;
  const fault = judge(module, forward.config, false) ?? judge(module, backward.config, backward !== forward);
  if (fault !== undefined) return fault;
  const relu = nonlinearityOf(module, forward.config);
  if (relu.nonlinearity !== nonlinearityOf(module, backward.config).nonlinearity)
    return "two activations, one a direction";
  const ahead = readDirection(module, forward.config, find(node, "forward"), "");
  if (typeof ahead === "string") return ahead;
  const back = readDirection(module, backward.config, find(node, "backward"), "_reverse");
  if (typeof back === "string") return back;
  const stateDict = { ...ahead, ...back };
  for (const [name, { shape }] of Object.entries(ahead)) {
    const other = stateDict[`${name}_reverse`]?.shape ?? [];
    if (!sameShape(shape, other))
      return `directions of different sizes: ${formatShape(shape)} and ${formatShape(other)}`;
  }
  return Object.keys(back).length === Object.keys(ahead).length
    ? { stateDict, ...relu }
    : "a bias in one direction only";
}

/** Variables by their roles, or by their order where the file has no names for them, as Keras itself loads them. */
function readVariables(found: Variable[] | string, roles: readonly string[]): Tensor[] | string {
  if (typeof found === "string") return found;
  if (found.length !== roles.length) {
    return `${found.length} variables where its config makes ${roles.length} (${roles.join(", ")})`;
  }
  const byRole = new Map(found.map((variable) => [variable.role, variable]));
  const named = roles.every((role) => byRole.has(role));
  const tensors: Tensor[] = [];
  for (const [i, role] of roles.entries()) {
    const tensor = (named ? byRole.get(role) : found[i])?.read();
    if (tensor === undefined || typeof tensor === "string") return `a ${role} of ${tensor}`;
    if (tensor.dtype === "int32") return `a ${role} of integers, as quantised layers have`;
    tensors.push(tensor);
  }
  return tensors;
}

function readDirection(
  module: "LSTM" | "GRU" | "RNN",
  config: JsonObject,
  found: Variable[] | string,
  suffix: string,
): Record<string, Tensor> | string {
  const biased = config.get("use_bias") !== false;
  const tensors = readVariables(found, ["kernel", "recurrent_kernel", ...(biased ? ["bias"] : [])]);
  if (typeof tensors === "string") return tensors;
  const [kernel, recurrent, bias] = tensors as [Tensor, Tensor, Tensor | undefined];
  const order = gateOrders[module] as readonly number[];
  const units = recurrent.shape[0] ?? 0;
  const rows = order.length * units;
  const wanted = [
    ["kernel", kernel, [kernel.shape[0] ?? 0, rows]],
    ["recurrent_kernel", recurrent, [units, rows]],
    ...(bias === undefined ? [] : [["bias", bias, module === "GRU" ? [2, rows] : [rows]] as const]),
  ] as const;
  for (const [role, { shape }, expected] of wanted) {
    if (!sameShape(shape, expected))
      return `a ${role} of shape ${formatShape(shape)} where ${formatShape(expected)} is expected`;
  }
  const given = config.get("units");
  if (units === 0 || kernel.shape[0] === 0 || (given !== undefined && given !== units)) {
    return `${units} units where its config has ${describe(given instanceof Map ? "an object" : given)}`;
  }
  const dict: Record<string, Tensor> = {
    [`weight_ih_l0${suffix}`]: gatesOf(kernel, order),
    [`weight_hh_l0${suffix}`]: gatesOf(recurrent, order),
  };
  if (bias === undefined) return dict;
  const pair = module === "GRU" ? splitRows(bias) : ([bias, zerosLike(bias)] as const);
  for (const [i, name] of ["bias_ih_l0", "bias_hh_l0"].entries()) {
    const row = pair[i] as Tensor;
    dict[name + suffix] = new Tensor(gatesOf(new Tensor(row.data, [1, rows]), order).data, [rows]);
  }
  return dict;
}

function zerosLike({ data, shape }: Tensor): Tensor {
  return new Tensor(
    data instanceof Float64Array ? new Float64Array(data.length) : new Float32Array(data.length),
    shape,
  );
}

function splitRows({ data, shape }: Tensor): [Tensor, Tensor] {
  const width = shape[1] as number;
  return [new Tensor(data.slice(0, width), [width]), new Tensor(data.slice(width), [width])];
}

/** A matrix (columns, gates * units) as (gates * units, columns), the gates in another order. */
function gatesOf({ data, shape }: Tensor, order: readonly number[]): Tensor {
  const [columns = 0, rows = 0] = shape;
  const units = rows / order.length;
  const turned = data.slice();
  for (const [to, from] of order.entries()) {
    for (let unit = 0; unit < units; unit++) {
      for (let c = 0; c < columns; c++) {
        turned[(to * units + unit) * columns + c] = data[c * rows + from * units + unit] as number;
      }
    }
  }
  return new Tensor(turned, [rows, columns]);
}

function buildLinear(node: LayerNode, find: FindVariables): Built | string {
  const biased = node.config.get("use_bias") !== false;
  const tensors = readVariables(find(node, "whole"), ["kernel", ...(biased ? ["bias"] : [])]);
  if (typeof tensors === "string") return tensors;
  const [kernel, bias] = tensors as [Tensor, Tensor | undefined];
  if (kernel.shape.length !== 2) return `a kernel of shape ${formatShape(kernel.shape)}`;
  const stateDict: Record<string, Tensor> = { weight: gatesOf(kernel, [0]) };
  if (bias !== undefined) {
    if (!sameShape(bias.shape, [kernel.shape[1] as number])) return `a bias of shape ${formatShape(bias.shape)}`;
    stateDict.bias = bias;
  }
  return { stateDict };
}

function buildEmbedding(node: LayerNode, find: FindVariables): Built | string {
  const tensors = readVariables(find(node, "whole"), ["embeddings"]);
  if (typeof tensors === "string") return tensors;
  const [weight] = tensors as [Tensor];
  return weight.shape.length === 2 ? { stateDict: { weight } } : `embeddings of shape ${formatShape(weight.shape)}`;
}
