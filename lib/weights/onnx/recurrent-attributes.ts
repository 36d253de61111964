// What the attributes of a recurrent ONNX node say about its activations: which they are, and whether their inputs are
// clipped in a way that can be seen in a result.

import { describe, rangeError } from "../../check.js";
import type { Attribute } from "./graph.js";

type Attributes = ReadonlyMap<string, Attribute>;

const standard = { LSTM: ["Sigmoid", "Tanh", "Tanh"], GRU: ["Sigmoid", "Tanh"], RNN: ["Tanh"] } as const;

/**
 * RNN's nonlinearity, "tanh" for the others.
 * @throws RangeError ERR_FILE for activations that torch's module has not
 */
export function readActivations(
  label: string,
  module: keyof typeof standard,
  attributes: Attributes,
  directions: 1 | 2,
): "tanh" | "relu" {
  const given = attributes.get("activations")?.texts ?? [];
  if (given.length === 0) return "tanh";
  const names = given.map((name) => name.toLowerCase());
  const relu = module === "RNN" && names[0] === "relu";
  const wanted: readonly string[] = relu ? ["Relu"] : standard[module];
  if (names.length === wanted.length * directions) {
    if (names.every((name, k) => name === wanted[k % wanted.length]?.toLowerCase())) return relu ? "relu" : "tanh";
  }
  const expected =
    module === "RNN" ? "the activation Tanh or Relu, one for all directions" : `the activations ${wanted.join(", ")}`;
  throw rangeError("ERR_FILE", label, expected, `activations ${given.slice(0, 6).map(describe).join(", ")}`);
}

/**
 * Takes a clip that cannot act. Of a number beyond 104 sigmoid and tanh are, in float32, what they are of 104 itself: 1, or
 * 0 and −1, because e^−104 is below half the least float32. In float64 it is 746. relu has no such limit: there the clip
 * must be the greatest float32 or more for a float32 model, and infinite for a float64 one.
 * @throws RangeError ERR_FILE for any other clip
 */
export function readClip(
  label: string,
  module: keyof typeof standard,
  attributes: Attributes,
  nonlinearity: "tanh" | "relu",
  double: boolean,
): void {
  const attribute = attributes.get("clip");
  if (attribute === undefined) return;
  const clip = attribute.float ?? 0;
  const bounded = double ? 746 : 104;
  const unbounded = double ? Number.POSITIVE_INFINITY : 3.4028234663852886e38;
  if (clip >= (nonlinearity === "relu" ? unbounded : bounded)) return;
  throw rangeError("ERR_FILE", label, `no clip, which torch.nn.${module} has not`, `clip ${clip}`);
}
