// The few ONNX operations that torch's exporter leaves between an LSTM and its weights when it does not fold constants,
// on constants. Arguments come from a file and are judged; what a result costs is told to `pay` before it is made.
// The operators: https://onnx.ai/onnx/operators/

import { formatShape, rangeError } from "../check.js";
import { copyStrided, denseStrides, product } from "../strided.js";
import type { Constant } from "./onnx-tensor.js";

/** Told how many bytes a result takes; throws when that is too many. */
export type Pay = (bytes: number) => void;

function checkAxis(label: string, axis: number, rank: number): number {
  const at = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(at) && at >= 0 && at < rank) return at;
  throw rangeError("ERR_FILE", label, `an axis of ${rank} dims`, `${axis}`);
}

/** A constant of another shape, over the same kind of numbers. */
function blank({ data, integer }: Constant, shape: readonly number[], pay: Pay): Constant {
  const size = product(shape);
  pay(size * data.BYTES_PER_ELEMENT);
  return { shape, data: data instanceof Float32Array ? new Float32Array(size) : new Float64Array(size), integer };
}

/** https://onnx.ai/onnx/operators/onnx__Unsqueeze.html */
export function unsqueeze(label: string, of: Constant, axes: readonly number[]): Constant {
  const rank = of.shape.length + axes.length;
  if (rank > 64) throw rangeError("ERR_FILE", label, "at most 64 dims", `${rank}`);
  const ones = new Set(axes.map((axis) => checkAxis(label, axis, rank)));
  if (ones.size !== axes.length) throw rangeError("ERR_FILE", label, "different axes", formatShape(axes));
  const dims = of.shape.values();
  const shape = Array.from({ length: rank }, (_, d) => (ones.has(d) ? 1 : (dims.next().value ?? 1)));
  return { ...of, shape };
}

/** https://onnx.ai/onnx/operators/onnx__Concat.html */
export function concat(label: string, parts: readonly Constant[], axis: number, pay: Pay): Constant {
  const [first] = parts;
  if (first === undefined) throw rangeError("ERR_FILE", label, "inputs", "none");
  const at = checkAxis(label, axis, first.shape.length);
  for (const { shape, data, integer } of parts) {
    const alike = integer === first.integer && data.BYTES_PER_ELEMENT === first.data.BYTES_PER_ELEMENT;
    if (!alike || formatShape(shape.with(at, 0)) !== formatShape(first.shape.with(at, 0))) {
      throw rangeError("ERR_FILE", label, `inputs like ${formatShape(first.shape)}`, formatShape(shape));
    }
  }
  const joined = parts.reduce((sum, { shape }) => sum + (shape[at] ?? 0), 0);
  const result = blank(first, first.shape.with(at, joined), pay);
  const inner = product(first.shape.slice(at + 1));
  const outer = product(first.shape.slice(0, at));
  let to = 0;
  for (let row = 0; row < outer; row++) {
    for (const { shape, data } of parts) {
      const run = (shape[at] ?? 0) * inner;
      result.data.set(data.subarray(row * run, (row + 1) * run), to);
      to += run;
    }
  }
  return result;
}

/** The lists of a Slice: where it starts and ends on each axis; all axes when left out. */
export interface SliceLists {
  starts: readonly number[];
  ends: readonly number[];
  axes: readonly number[] | undefined;
  steps: readonly number[] | undefined;
}

/** https://onnx.ai/onnx/operators/onnx__Slice.html, with steps of 1 */
export function slice(label: string, of: Constant, lists: SliceLists, pay: Pay): Constant {
  const { starts, ends, axes = starts.map((_, d) => d), steps = [] } = lists;
  if (ends.length !== starts.length || axes.length !== starts.length) {
    throw rangeError(
      "ERR_FILE",
      label,
      "one start, end and axis each",
      `${starts.length}, ${ends.length}, ${axes.length}`,
    );
  }
  if (steps.some((step) => step !== 1)) throw rangeError("ERR_FILE", label, "steps of 1", formatShape(steps));
  const strides = denseStrides(of.shape);
  const shape = [...of.shape];
  let offset = 0;
  axes.forEach((axis, k) => {
    const d = checkAxis(label, axis, of.shape.length);
    const size = shape[d] ?? 0;
    const limit = (value = 0): number => Math.min(Math.max(value < 0 ? value + size : value, 0), size);
    const from = limit(starts[k]);
    offset += from * (strides[d] ?? 0);
    shape[d] = Math.max(limit(ends[k]) - from, 0);
  });
  const result = blank(of, shape, pay);
  copyStrided(result.data, of.data, shape, strides, offset);
  return result;
}
