// The recurrent layers of an ONNX file, each as a one-layer torch state dict with what such a dict cannot say beside it.
// It reads weights, not models: what surrounds a node stays with the caller.
// The operators: https://onnx.ai/onnx/operators/onnx__LSTM.html

import { rangeError } from "../../check.js";
import type { Tensor } from "../../tensor/tensor.js";
import { type FileSource, toPath, withSource } from "../source.js";
import { folderReader, noFolder } from "./external.js";
import { readModel } from "./graph.js";
import type { StateSource } from "./initial-state.js";
import type { RecurrentNode } from "./recurrent.js";
import { Budget } from "./scope.js";
import { type OnnxPassedOver, type Walked, walk } from "./walk.js";

export type { OnnxPassedOver } from "./walk.js";

/** What is the same for every kind of node. */
interface OnnxNode {
  /**
   * The node's name, or else that of its first output, after the names of the nodes whose bodies it stands in:
   * `if/then_branch/lstm`, `loop/body/lstm`, and for a function `call/lstm`. No two entries have the same.
   */
  name: string;
  /** One layer in torch's names, of one direction or two; without bias when the node has none. */
  stateDict: Record<string, Tensor>;
  /** 0: the node's x is (T, B, I). 1: it is (B, T, I), as with `batchFirst`. */
  layout: 0 | 1;
  /**
   * The layer runs backwards only, and its keys end in `_reverse`. torch's modules have no such thing: load it without that
   * ending, and turn the steps of each sequence round before and its output's after.
   */
  reverse?: true;
  /**
   * The layer does not start from zeros, and its state is no constant of the file: an input of the model, which is the
   * caller's to give, or computed there, by what is named.
   */
  stateFrom?: StateSource;
}

/** An LSTM node, also of onnxruntime's `DynamicQuantizeLSTM`, whose weights are then what its integers stand for. */
export interface OnnxLSTM extends OnnxNode {
  module: "LSTM";
  /** [h0, c0] as `forward` takes them, (D, B, H), where the node starts from a constant; B is 1 when it is for any batch. */
  initialState?: [h0: Tensor, c0: Tensor];
}

/** A GRU node. */
export interface OnnxGRU extends OnnxNode {
  module: "GRU";
  /** h0, (D, B, H), where the node starts from a constant. */
  initialState?: Tensor;
}

/** An RNN node. */
export interface OnnxRNN extends OnnxNode {
  module: "RNN";
  nonlinearity: "tanh" | "relu";
  /** h0, (D, B, H), where the node starts from a constant. */
  initialState?: Tensor;
}

/** One recurrent node; `module` says which kind. */
export type OnnxModule = OnnxLSTM | OnnxGRU | OnnxRNN;

/** What `loadOnnx` gives: the nodes that could be read, and beside them those that could not. */
export type OnnxModules = OnnxModule[] & {
  /** By name and with the reason. Not enumerable, so that the array prints and compares as one. */
  readonly passedOver: readonly OnnxPassedOver[];
};

/**
 * Reads the weights of every LSTM, GRU and RNN node in an ONNX file, in the order of the graph; nodes inside `If`, `Loop`
 * and `Scan` bodies and inside functions stand where the node that holds them does. A module of several layers is several
 * nodes.
 *
 * Weights may be initializers, also in a file beside the model when a path is given, or worked out from constants by the
 * operators that exporters leave between, dequantisation included. float16 and bfloat16 are widened to float32, exactly.
 *
 * A node that torch's modules cannot compute is passed over and listed with its reason: peepholes, other activations, a clip
 * that can act, `input_forget`, a GRU with `linear_before_reset = 0`, weights that are no constants. When no node is left,
 * the first reason is thrown. `sequence_lens` says something of the input and is not looked at.
 *
 * @param source a path, a file: URL, or the bytes
 * @returns one entry a node, each dict ready for `fromStateDict` unless it says `reverse`; none when there is no such node
 * @throws RangeError ERR_FILE for a file that is damaged, hostile or no ONNX model, or when every node is refused, naming
 *   file and node; TypeError ERR_ARG_TYPE when `source` is neither path nor bytes; the file system's own error when it
 *   cannot be read
 * @example
 * ```ts
 * const nodes = loadOnnx("lstm.onnx"); // as torch.onnx.export writes it
 * for (const { name, reason } of nodes.passedOver) console.warn(name, reason);
 * const [node] = nodes;
 * if (node?.module === "LSTM") {
 *   const lstm = LSTM.fromStateDict(node.stateDict, { batchFirst: node.layout === 1 });
 *   const [output] = lstm.forward(zeros([5, 1, 3]), node.initialState);
 *   console.log(lstm, output.shape); // → LSTM(3, 4) [ 5, 1, 4 ]
 * }
 * ```
 * @see https://onnx.ai/onnx/operators/onnx__LSTM.html
 */
export function loadOnnx(source: FileSource): OnnxModules {
  const { found, passedOver, firstError } = readOnnx(source);
  if (found.length === 0 && firstError !== undefined) throw firstError;
  const modules = found.map(toModule);
  return Object.defineProperty(modules, "passedOver", { value: passedOver }) as OnnxModules;
}

/**
 * Everything that is to be seen of a file's recurrent nodes, also when all of them are refused.
 * @param withWires whether to follow which node feeds which
 * @throws as `loadOnnx` does for the file
 */
export function readOnnx(source: FileSource, withWires = false): Walked {
  return withSource("ONNX", source, (opened) => {
    const { name: file, size } = opened;
    if (size === 0) throw rangeError("ERR_FILE", file, "an ONNX model", "no bytes");
    if (size > 2 ** 31) throw rangeError("ERR_FILE", file, "at most 2 GiB, as protobuf", `${size} bytes`);
    const bytes = new Uint8Array(size);
    opened.read(bytes, 0);
    const budget = new Budget();
    budget.allow(size);
    const isPath = typeof source === "string" || source instanceof URL;
    const readExternal = isPath ? folderReader(toPath("source", source), budget) : noFolder;
    const model = readModel(file, bytes);
    return walk({ file, budget, functions: model.functions, readExternal }, model, withWires);
  });
}

/** The entry of a node: what does not apply to it is left out. */
export function toModule(node: RecurrentNode & { readonly name: string }): OnnxModule {
  const { name, module, stateDict, layout, reverse, nonlinearity, state, stateFrom } = node;
  const shared = {
    ...{ name, stateDict, layout },
    ...(reverse ? { reverse } : {}),
    ...(stateFrom === undefined ? {} : { stateFrom }),
  };
  const h0 = state?.[0];
  if (module === "LSTM") return { module, ...shared, ...(state && { initialState: state as [Tensor, Tensor] }) };
  const initial = h0 === undefined ? {} : { initialState: h0 };
  return module === "GRU" ? { module, ...shared, ...initial } : { module, ...shared, nonlinearity, ...initial };
}
