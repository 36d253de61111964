// The state that a recurrent ONNX node starts from: none, a constant as torch's forward takes it, or a value of the running
// model, of which it is only said where it comes from.

import { rangeError } from "../../check.js";
import { product } from "../../tensor/strided.js";
import { Tensor } from "../../tensor/tensor.js";
import { isZero } from "./arithmetic.js";
import { integerLimits } from "./element-types.js";
import type { NodeView, Sizes } from "./node-view.js";
import { isOpenValue } from "./open-value.js";
import { extents, showShape, transpose } from "./rearrange.js";
import type { Constant } from "./tensor.js";

/** Where a state comes from that the file does not hold. */
export type StateSource = { readonly input: string } | { readonly computed: string };

export interface InitialState {
  /** h0, and for an LSTM c0, each (D, B, H), B being 1 where it is the same for all sequences. */
  readonly state?: readonly Tensor[];
  readonly stateFrom?: StateSource;
}

/** @throws RangeError ERR_FILE for a state of the wrong shape or type, and for one that is a constant in part */
export function readInitialState(view: NodeView, sizes: Sizes, layout: 0 | 1, w: Constant): InitialState {
  const letters = view.module === "LSTM" ? (["initial_h", "initial_c"] as const) : (["initial_h"] as const);
  const parts = letters.map((name, k) => readPart(view, name, view.node.inputs[5 + k] ?? ""));
  const sources = parts.filter((part) => part !== undefined && !("shape" in part)) as StateSource[];
  const constants = parts.map((part) => (part !== undefined && "shape" in part ? part : undefined));
  const acts = constants.some((part) => part !== undefined && !isZero(part));
  if (sources.length > 0) {
    if (acts)
      throw rangeError("ERR_FILE", view.label, "an initial state that is a constant, or none of it", "one in part");
    return { stateFrom: sources.find((source) => "computed" in source) ?? (sources[0] as StateSource) };
  }
  if (!acts) return {};
  const laid = constants.map(
    (part, k) => part && layOut(`${view.label} input ${letters[k]}`, view, part, sizes, layout, w),
  );
  const batches = laid.flatMap((part) => (part === undefined ? [] : [part.shape[1] as number]));
  const known = new Set(batches.filter((batch) => !Number.isNaN(batch)));
  if (known.size > 1) throw rangeError("ERR_FILE", view.label, "initial states of one batch", [...known].join(" and "));
  const [batch = 1] = known;
  return { state: laid.map((part) => spread(view, part, [sizes.directions, batch, sizes.hiddenSize], w)) };
}

function readPart(view: NodeView, name: string, input: string): Constant | StateSource | undefined {
  const { scope, label } = view;
  if (scope.isAbsent(input)) return undefined;
  try {
    return scope.constant(`${label} input ${name}`, input);
  } catch (error) {
    if (!isOpenValue(error)) throw error;
    const origin = scope.origin(input);
    return origin.input === undefined ? { computed: origin.text } : { input: origin.input };
  }
}

/** A state as (D, B, H), B perhaps unknown. */
function layOut(
  label: string,
  { scope }: NodeView,
  of: Constant,
  { directions, hiddenSize }: Sizes,
  layout: 0 | 1,
  w: Constant,
): Constant {
  const pay = (bytes: number): void => scope.context.budget.pay(label, bytes);
  const laid = layout === 1 && of.shape.length === 3 ? transpose(label, of, [1, 0, 2], pay) : of;
  const [d, batch, hidden] = laid.shape;
  if (laid.shape.length !== 3 || d !== directions || hidden !== hiddenSize || batch === 0) {
    const expected = layout === 1 ? `(B, ${directions}, ${hiddenSize})` : `(${directions}, B, ${hiddenSize})`;
    throw rangeError("ERR_FILE", label, `shape ${expected}`, showShape(of.shape));
  }
  if (integerLimits(laid.type) !== undefined || laid.data.BYTES_PER_ELEMENT !== w.data.BYTES_PER_ELEMENT) {
    throw rangeError("ERR_FILE", label, "floats like those of the weights", "other numbers");
  }
  return laid;
}

/** A tensor with memory of its own; zeros for a part that is not given. */
function spread({ label, scope }: NodeView, of: Constant | undefined, shape: readonly number[], w: Constant): Tensor {
  const size = product(shape);
  scope.context.budget.pay(label, size * w.data.BYTES_PER_ELEMENT);
  const data = w.data instanceof Float64Array ? new Float64Array(size) : new Float32Array(size);
  if (of === undefined) return new Tensor(data, shape);
  const [directions = 1, batch = 1, hidden = 1] = shape;
  const given = extents(of.shape)[1] as number;
  for (let d = 0; d < directions; d++) {
    for (let b = 0; b < batch; b++) {
      const from = (d * given + (given === 1 ? 0 : b)) * hidden;
      data.set(of.data.subarray(from, from + hidden), (d * batch + b) * hidden);
    }
  }
  return new Tensor(data, shape);
}
