// The ONNX operators that move the values of constants about and compute nothing: transposes, reshapes, slices, joins.
// Arguments come from a file and are judged; what a result costs is told to `pay` before it is made.
// Dims may be unknown (NaN), as Constant says: the values are the same all along such a dim, whatever its size.
// The operators: https://onnx.ai/onnx/operators/

import { formatShape, rangeError } from "../../check.js";
import { copyStrided, denseStrides, product, type TensorData } from "../../tensor/strided.js";
import { allocateValues, type Pay } from "./element-types.js";
import { openValue, unknown } from "./open-value.js";
import type { Constant } from "./tensor.js";

const maxRank = 64;

/** A shape for a message, unknown dims as `?`. */
export function showShape(shape: readonly number[]): string {
  return formatShape(shape).replaceAll("NaN", "?");
}

/** True for the same dims, an unknown one being like another. */
export function alike(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dim, d) => Object.is(dim, b[d]));
}

/** The dims of a constant's data. */
export function extents(shape: readonly number[]): number[] {
  return shape.map((dim) => (Number.isNaN(dim) ? 1 : dim));
}

/** A dim by number, negative ones counting from the end. */
export function checkAxis(label: string, axis: number, rank: number): number {
  const at = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(at) && at >= 0 && at < rank) return at;
  throw rangeError("ERR_FILE", label, `an axis of ${rank} dims`, `${axis}`);
}

function checkAxes(label: string, axes: readonly number[], rank: number): number[] {
  const checked = axes.map((axis) => checkAxis(label, axis, rank));
  if (new Set(checked).size !== checked.length)
    throw rangeError("ERR_FILE", label, "different axes", formatShape(axes));
  return checked;
}

function undecided(label: string, what: string): RangeError {
  return openValue(label, `${what} that the model's input decides`);
}

/** The values that `shape`, `strides` and `offset` select, all of which lie inside the data. */
function take(
  label: string,
  of: Constant,
  shape: readonly number[],
  strides: readonly number[],
  offset: number,
  pay: Pay,
): Constant {
  if (shape.length > maxRank) throw rangeError("ERR_FILE", label, `at most ${maxRank} dims`, `${shape.length}`);
  const sizes = extents(shape);
  const data = allocateValues(label, of.type, product(sizes), pay);
  // It copies between any two arrays of one kind; its types name those of a Tensor.
  copyStrided(data as TensorData, of.data as TensorData, sizes, strides, offset);
  return { shape, data, type: of.type };
}

const stridesOf = (of: Constant): number[] => denseStrides(extents(of.shape));

/** https://onnx.ai/onnx/operators/onnx__Transpose.html */
export function transpose(label: string, of: Constant, perm: readonly number[] | undefined, pay: Pay): Constant {
  const rank = of.shape.length;
  const order = checkAxes(label, perm ?? Array.from({ length: rank }, (_, d) => rank - 1 - d), rank);
  if (order.length !== rank) throw rangeError("ERR_FILE", label, `an order of ${rank} dims`, formatShape(order));
  const strides = stridesOf(of);
  const pick = (list: readonly number[]): number[] => order.map((d) => list[d] as number);
  return take(label, of, pick(of.shape), pick(strides), 0, pay);
}

/** https://onnx.ai/onnx/operators/onnx__Unsqueeze.html */
export function unsqueeze(label: string, of: Constant, axes: readonly number[]): Constant {
  const rank = of.shape.length + axes.length;
  if (rank > maxRank) throw rangeError("ERR_FILE", label, `at most ${maxRank} dims`, `${rank}`);
  const ones = new Set(checkAxes(label, axes, rank));
  const dims = of.shape.values();
  const shape = Array.from({ length: rank }, (_, d) => (ones.has(d) ? 1 : (dims.next().value ?? 1)));
  return { ...of, shape };
}

/** https://onnx.ai/onnx/operators/onnx__Squeeze.html, all dims of 1 where no axes are given */
export function squeeze(label: string, of: Constant, axes: readonly number[] | undefined): Constant {
  if (axes === undefined) {
    if (of.shape.some(Number.isNaN)) throw undecided(label, "dims");
    return { ...of, shape: of.shape.filter((dim) => dim !== 1) };
  }
  const gone = new Set(checkAxes(label, axes, of.shape.length));
  for (const d of gone) {
    if (extents(of.shape)[d] !== 1) throw rangeError("ERR_FILE", label, "dims of 1 on its axes", showShape(of.shape));
  }
  return { ...of, shape: of.shape.filter((_, d) => !gone.has(d)) };
}

/**
 * https://onnx.ai/onnx/operators/onnx__Reshape.html
 * @param keepZero 0 means 0, and not the dim of the input in its place
 */
export function reshape(label: string, of: Constant, target: readonly number[], keepZero: boolean, pay: Pay): Constant {
  if (target.length > maxRank) throw rangeError("ERR_FILE", label, `at most ${maxRank} dims`, `${target.length}`);
  const shape = target.map((dim, d) => (dim === 0 && !keepZero ? (of.shape[d] ?? 0) : dim));
  const isOpen = (dim: number): boolean => dim === -1 || Number.isNaN(dim);
  const open = shape.filter(isOpen).length;
  const known = product(shape.filter((dim) => !isOpen(dim)));
  const bad = () => rangeError("ERR_FILE", label, `a shape for ${showShape(of.shape)}`, showShape(target));
  if (!shape.every((dim) => isOpen(dim) || (Number.isSafeInteger(dim) && dim >= 0))) throw bad();
  if (!of.shape.some(Number.isNaN) && open <= 1) {
    // One dim that is left open, by -1 or by the input, is what the others leave for it.
    const size = product(of.shape);
    const rest = open === 0 ? 1 : known === 0 ? 0 : size / known;
    const decided = shape.map((dim) => (isOpen(dim) ? rest : dim));
    if (!Number.isSafeInteger(rest) || product(decided) !== size) throw bad();
    return { ...of, shape: decided };
  }
  const [first] = of.data;
  if (first === undefined || of.data.some((value) => value !== first)) throw undecided(label, "a shape");
  const decided = shape.map((dim) => (dim === -1 ? unknown : dim));
  return take(
    label,
    of,
    decided,
    decided.map(() => 0),
    0,
    pay,
  );
}

/** https://onnx.ai/onnx/operators/onnx__Flatten.html */
export function flatten(label: string, of: Constant, axis: number, pay: Pay): Constant {
  const rank = of.shape.length;
  const at = axis === rank ? rank : checkAxis(label, axis, rank);
  return reshape(label, of, [product(of.shape.slice(0, at)), product(of.shape.slice(at))], true, pay);
}

/** https://onnx.ai/onnx/operators/onnx__Concat.html */
export function concat(label: string, parts: readonly Constant[], axis: number, pay: Pay): Constant {
  const [first] = parts;
  if (first === undefined) throw rangeError("ERR_FILE", label, "inputs", "none");
  const at = checkAxis(label, axis, first.shape.length);
  for (const { shape, type } of parts) {
    if (type !== first.type || shape.length <= at || !alike(shape.with(at, 0), first.shape.with(at, 0))) {
      throw rangeError("ERR_FILE", label, `inputs like ${showShape(first.shape)}`, showShape(shape));
    }
    if (Number.isNaN(shape[at])) throw undecided(label, "an input of a size");
  }
  const joined = parts.reduce((sum, { shape }) => sum + (shape[at] as number), 0);
  const shape = first.shape.with(at, joined);
  const sizes = extents(shape);
  const data = allocateValues(label, first.type, product(sizes), pay);
  const inner = product(sizes.slice(at + 1));
  const outer = product(sizes.slice(0, at));
  let to = 0;
  for (let row = 0; row < outer && data.length > 0; row++) {
    for (const part of parts) {
      const run = (part.shape[at] as number) * inner;
      data.set(part.data.subarray(row * run, (row + 1) * run), to);
      to += run;
    }
  }
  return { shape, data, type: first.type };
}

/** The lists of a Slice: where it starts and ends on each axis, and its steps; all axes and 1 when left out. */
export interface SliceLists {
  starts: readonly number[];
  ends: readonly number[];
  axes: readonly number[] | undefined;
  steps: readonly number[] | undefined;
}

/** https://onnx.ai/onnx/operators/onnx__Slice.html */
export function slice(label: string, of: Constant, lists: SliceLists, pay: Pay): Constant {
  const { starts, ends, axes = starts.map((_, d) => d), steps = starts.map(() => 1) } = lists;
  if (ends.length !== starts.length || axes.length !== starts.length || steps.length !== starts.length) {
    const counts = [starts, ends, axes, steps].map(({ length }) => length).join(", ");
    throw rangeError("ERR_FILE", label, "one start, end, axis and step each", counts);
  }
  const strides = stridesOf(of);
  const shape = [...of.shape];
  let offset = 0;
  checkAxes(label, axes, of.shape.length).forEach((d, k) => {
    const [start, end, step] = [starts[k] as number, ends[k] as number, steps[k] as number];
    const size = of.shape[d] as number;
    if (Number.isNaN(size)) {
      // Of a dim of unknown size one element is one element; any other piece is of unknown size too.
      if (step === 1 && end - start === 1 && start >= 0 === end > 0) shape[d] = 1;
      return;
    }
    if (![start, end, step].every(Number.isInteger)) throw undecided(label, "limits");
    if (step === 0) throw rangeError("ERR_FILE", label, "steps other than 0", formatShape(steps));
    const limit = (value: number, low: number, high: number): number =>
      Math.min(Math.max(value < 0 ? value + size : value, low), high);
    const [from, to] =
      step > 0 ? [limit(start, 0, size), limit(end, 0, size)] : [limit(start, 0, size - 1), limit(end, -1, size - 1)];
    shape[d] = size === 0 ? 0 : Math.max(Math.ceil((to - from) / step), 0);
    if (shape[d] > 0) offset += from * (strides[d] as number);
    strides[d] = (strides[d] as number) * step;
  });
  return take(label, of, shape, strides, offset, pay);
}

/**
 * One of the outputs of https://onnx.ai/onnx/operators/onnx__Split.html
 * @param sizes of the parts on the axis; equal parts when left out
 * @param count of the parts
 * @param uneven with equal parts, the last may be smaller
 */
export function split(
  label: string,
  of: Constant,
  parts: { axis: number; sizes: readonly number[] | undefined; count: number; uneven: boolean; index: number },
  pay: Pay,
): Constant {
  const { axis, sizes, count, uneven, index } = parts;
  const at = checkAxis(label, axis, of.shape.length);
  const size = of.shape[at] as number;
  if (Number.isNaN(size)) return of;
  if (sizes === undefined) {
    const part = uneven ? Math.ceil(size / count) : size / count;
    if (!Number.isInteger(part)) throw rangeError("ERR_FILE", label, `a size that ${count} parts share`, `${size}`);
    return slice(label, of, { starts: [index * part], ends: [(index + 1) * part], axes: [at], steps: undefined }, pay);
  }
  const from = sizes.slice(0, index).reduce((sum, part) => sum + part, 0);
  const own = sizes[index];
  if (own === undefined || !sizes.every((part) => part >= 0) || sizes.reduce((sum, part) => sum + part, 0) !== size) {
    throw rangeError("ERR_FILE", label, `${count} parts of ${size} in all`, formatShape(sizes));
  }
  return slice(label, of, { starts: [from], ends: [from + own], axes: [at], steps: undefined }, pay);
}

/** https://onnx.ai/onnx/operators/onnx__Gather.html */
export function gather(label: string, of: Constant, indices: Constant, axis: number, pay: Pay): Constant {
  const at = checkAxis(label, axis, of.shape.length);
  const size = of.shape[at] as number;
  const shape = [...of.shape.slice(0, at), ...indices.shape, ...of.shape.slice(at + 1)];
  if (shape.length > maxRank) throw rangeError("ERR_FILE", label, `at most ${maxRank} dims`, `${shape.length}`);
  const sizes = extents(of.shape);
  const inner = product(sizes.slice(at + 1));
  const outer = product(sizes.slice(0, at));
  const data = allocateValues(label, of.type, product(extents(shape)), pay);
  let to = 0;
  for (let row = 0; row < outer && data.length > 0; row++) {
    for (const index of indices.data) {
      // Whichever element of a dim of unknown size it is, they are all the same.
      const place = Number.isNaN(size) ? 0 : index < 0 ? index + size : index;
      if (Number.isNaN(place)) throw undecided(label, "an index");
      if (!Number.isInteger(place) || place < 0 || (place >= size && !Number.isNaN(size))) {
        throw rangeError("ERR_FILE", label, `an index into ${size}`, `${index}`);
      }
      const from = (row * (sizes[at] as number) + place) * inner;
      data.set(of.data.subarray(from, from + inner), to);
      to += inner;
    }
  }
  return { shape, data, type: of.type };
}

/** What two shapes become together: https://github.com/onnx/onnx/blob/main/docs/Broadcasting.md */
export function broadcastShapes(label: string, a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, d) => {
    const [x = 1, y = 1] = [a[d - rank + a.length], b[d - rank + b.length]];
    if (x === y || y === 1) return x;
    if (x === 1) return y;
    if (Number.isNaN(x)) return y; // which is not 1: then x must be the same, or 1
    if (Number.isNaN(y)) return x;
    throw rangeError("ERR_FILE", label, `a shape that goes with ${showShape(a)}`, showShape(b));
  });
}

/** https://onnx.ai/onnx/operators/onnx__Expand.html */
export function expand(label: string, of: Constant, target: readonly number[], pay: Pay): Constant {
  if (!target.every((dim) => Number.isNaN(dim) || (Number.isSafeInteger(dim) && dim >= 0))) {
    throw rangeError("ERR_FILE", label, "a shape", showShape(target));
  }
  const shape = broadcastShapes(label, of.shape, target);
  const lead = shape.length - of.shape.length;
  const strides = [...shape.keys()].map((d) =>
    (extents(of.shape)[d - lead] ?? 1) === 1 ? 0 : (stridesOf(of)[d - lead] as number),
  );
  return take(label, of, shape, strides, 0, pay);
}

/** https://onnx.ai/onnx/operators/onnx__Tile.html */
export function tile(label: string, of: Constant, repeats: readonly number[], pay: Pay): Constant {
  if (repeats.length !== of.shape.length) {
    throw rangeError("ERR_FILE", label, `repeats of ${of.shape.length} dims`, showShape(repeats));
  }
  return repeats.reduce<Constant>((tiled, count, d) => {
    const size = tiled.shape[d] as number;
    if (count === 1 || Number.isNaN(size)) return tiled;
    if (Number.isNaN(count) && size !== 1) throw undecided(label, "repeats");
    if (!Number.isNaN(count) && !(Number.isSafeInteger(count) && count >= 0)) {
      throw rangeError("ERR_FILE", label, "repeats from 0 up", `${count}`);
    }
    const [shape, strides] = [tiled.shape.toSpliced(d, 0, count), stridesOf(tiled).toSpliced(d, 0, 0)];
    const taken = take(label, tiled, shape, strides, 0, pay);
    return { ...taken, shape: tiled.shape.with(d, count * size) };
  }, of);
}
