// Which ONNX operators on constants are worked out, and where each finds its arguments: in attributes or in inputs, as
// the version of the operator has it. What an operator does with them stands in rearrange and arithmetic.
// The operators and their versions: https://github.com/onnx/onnx/blob/main/docs/Changelog.md

import { describe, rangeError } from "../../check.js";
import { binary, cast, constantOfShape, dequantize, quantize, type Scales, sizes, where } from "./arithmetic.js";
import { FLOAT, INT64, type Pay, UINT8 } from "./element-types.js";
import { type Attribute, readInt } from "./graph.js";
import { unknown } from "./open-value.js";
import {
  concat,
  expand,
  flatten,
  gather,
  reshape,
  slice,
  split,
  squeeze,
  tile,
  transpose,
  unsqueeze,
} from "./rearrange.js";
import type { Constant } from "./tensor.js";

/** One node's arguments, and what may be spent on it. */
export interface Operands {
  /** For messages. */
  readonly label: string;
  readonly attributes: ReadonlyMap<string, Attribute>;
  /** The version of ONNX's operators. */
  readonly opset: number;
  /** How many inputs the node names, absent ones included. */
  readonly count: number;
  /** The input at a place, if it is there. @throws RangeError ERR_FILE when it is no constant */
  readonly optional: (index: number) => Constant | undefined;
  /** The declared dims of the input at a place, that need not be a constant; undefined when the file does not say. */
  readonly shapeOf: (index: number) => readonly number[] | undefined;
  /** Which of the node's outputs is wanted, and how many there are. */
  readonly output: number;
  readonly outputs: number;
  readonly readTensor: (label: string, proto: Uint8Array) => Constant;
  readonly pay: Pay;
}

class Arguments {
  readonly #of: Operands;
  constructor(of: Operands) {
    this.#of = of;
  }

  input(index: number): Constant {
    const constant = this.#of.optional(index);
    if (constant === undefined) throw rangeError("ERR_FILE", this.#of.label, `input ${index}`, "none");
    return constant;
  }

  int(name: string): number | undefined {
    return readInt(this.#of.attributes, name);
  }

  /** A list of whole numbers: an attribute in older versions of an operator, an input since. */
  list(name: string, index: number): number[] | undefined {
    const attribute = this.#of.attributes.get(name)?.ints;
    if (attribute !== undefined) return [...attribute];
    const input = this.#of.optional(index);
    if (input === undefined) return undefined;
    if (input.shape.length > 1 || input.shape.some(Number.isNaN)) {
      throw rangeError("ERR_FILE", this.#of.label, `a list of whole numbers as input ${index}`, "other dims");
    }
    this.#of.pay(8 * input.data.length);
    return Array.from(input.data);
  }

  sizes(name: string, index: number): number[] {
    const list = this.list(name, index);
    if (list === undefined) throw rangeError("ERR_FILE", this.#of.label, `input ${index}`, "none");
    return list;
  }
}

type Operator = (label: string, args: Arguments, of: Operands) => Constant;

/** With attributes `axis` and `broadcast` where they still existed. */
const arithmetic =
  (opType: string): Operator =>
  (label, args, { opset, pay }) =>
    binary(label, opType, [args.input(0), args.input(1)], opset < 7 ? args.int("axis") : undefined, pay);

function scales(args: Arguments, of: Operands): Scales {
  return {
    scale: args.input(1),
    zeroPoint: of.optional(2),
    axis: args.int("axis") ?? 1,
    block: args.int("block_size") ?? 0,
  };
}

const operators: Readonly<Record<string, Operator>> = {
  Constant: (label, _, of) => constant(label, of),
  Identity: (_, args) => args.input(0),
  Cast: (label, args, { attributes, pay }) => {
    const { int: to, text } = attributes.get("to") ?? {};
    if (to === undefined) throw rangeError("ERR_FILE", label, "a type to cast to, by number", describe(text));
    return cast(label, args.input(0), to, pay);
  },
  CastLike: (label, args, { pay }) => cast(label, args.input(0), args.input(1).type, pay),
  Transpose: (label, args, { attributes, pay }) => transpose(label, args.input(0), attributes.get("perm")?.ints, pay),
  Reshape: (label, args, { pay }) =>
    reshape(label, args.input(0), args.sizes("shape", 1), (args.int("allowzero") ?? 0) !== 0, pay),
  Squeeze: (label, args) => squeeze(label, args.input(0), args.list("axes", 1)),
  Unsqueeze: (label, args) => unsqueeze(label, args.input(0), args.sizes("axes", 1)),
  Flatten: (label, args, { pay }) => flatten(label, args.input(0), args.int("axis") ?? 1, pay),
  Concat: (label, args, { opset, count, pay }) => {
    const axis = args.int("axis") ?? (opset < 4 ? 1 : 0);
    return concat(
      label,
      Array.from({ length: count }, (_, index) => args.input(index)),
      axis,
      pay,
    );
  },
  Slice: (label, args, { pay }) => {
    const lists = { starts: args.list("starts", 1) ?? [], ends: args.list("ends", 2) ?? [] };
    return slice(label, args.input(0), { ...lists, axes: args.list("axes", 3), steps: args.list("steps", 4) }, pay);
  },
  Split: (label, args, { output, outputs, pay }) => {
    const uneven = args.int("num_outputs") !== undefined;
    const parts = { axis: args.int("axis") ?? 0, sizes: args.list("split", 1), count: outputs, uneven, index: output };
    return split(label, args.input(0), parts, pay);
  },
  Gather: (label, args, { pay }) => gather(label, args.input(0), args.input(1), args.int("axis") ?? 0, pay),
  Expand: (label, args, { pay }) => expand(label, args.input(0), args.sizes("", 1), pay),
  Tile: (label, args, { pay }) => tile(label, args.input(0), args.sizes("", 1), pay),
  Add: arithmetic("Add"),
  Sub: arithmetic("Sub"),
  Mul: arithmetic("Mul"),
  Div: arithmetic("Div"),
  Equal: arithmetic("Equal"),
  Where: (label, args, { pay }) => where(label, args.input(0), args.input(1), args.input(2), pay),
  Shape: (_, args, { shapeOf }) => {
    const shape = shapeOf(0);
    if (shape === undefined) return { shape: [unknown], data: Float64Array.of(unknown), type: INT64 };
    return sizes(shape.slice(args.int("start") ?? 0, args.int("end") ?? shape.length), INT64);
  },
  ConstantOfShape: (label, args, { attributes, readTensor, pay }) => {
    const value = attributes.get("value")?.tensor;
    const zero = { shape: [1], data: new Float32Array(1), type: FLOAT };
    const filled = value === undefined ? zero : readTensor(label, value);
    return constantOfShape(label, args.sizes("", 0), filled, pay);
  },
  DequantizeLinear: (label, args, of) => dequantize(label, args.input(0), scales(args, of), of.pay),
  QuantizeLinear: (label, args, of) => {
    const laid = scales(args, of);
    const type = laid.zeroPoint?.type ?? (args.int("output_dtype") || UINT8);
    return quantize(label, args.input(0), laid, type, of.pay);
  },
};

function constant(label: string, { attributes, readTensor }: Operands): Constant {
  const tensor = attributes.get("value")?.tensor;
  if (tensor !== undefined) return readTensor(label, tensor);
  const [float, int] = [attributes.get("value_float")?.float, attributes.get("value_int")?.int];
  if (float !== undefined) return { shape: [], data: Float32Array.of(float), type: FLOAT };
  if (int !== undefined) return { ...sizes([int], INT64), shape: [] };
  const floats = attributes.get("value_floats")?.floats;
  if (floats !== undefined) return { shape: [floats.length], data: Float32Array.from(floats), type: FLOAT };
  const ints = attributes.get("value_ints")?.ints;
  if (ints !== undefined) return sizes(ints, INT64);
  throw rangeError(
    "ERR_FILE",
    label,
    "a value that is a tensor or a list of numbers",
    [...attributes.keys()].slice(0, 8).join(", ") || "none",
  );
}

/** What a node's output is, its inputs being constants; undefined for an operator that is not worked out. */
export function evaluate(opType: string, operands: Operands): Constant | undefined {
  if (!Object.hasOwn(operators, opType)) return undefined;
  return operators[opType]?.(operands.label, new Arguments(operands), operands);
}
