// The ONNX operators that compute with constants, element by element: conversions, the four rules, comparison and choice,
// quantisation. Each rounds as its result's type does. Integers may be unknown (NaN), where they come from the sizes of
// the model's input; what is made of them is unknown too, and never turns into a weight.
// The operators: https://onnx.ai/onnx/operators/

import { rangeError } from "../../check.js";
import { product } from "../../tensor/strided.js";
import { allocateValues, BOOL, holdsSizes, integerLimits, type Pay, settle, typeName } from "./element-types.js";
import { openValue } from "./open-value.js";
import { alike, broadcastShapes, checkAxis, expand, showShape } from "./rearrange.js";
import type { Constant } from "./tensor.js";

/** https://onnx.ai/onnx/operators/onnx__Cast.html, for values that the new type holds */
export function cast(label: string, of: Constant, type: number, pay: Pay): Constant {
  if (type === of.type) return of;
  const limits = integerLimits(type);
  const isInteger = integerLimits(of.type) !== undefined;
  const data = allocateValues(label, type, of.data.length, pay);
  for (let i = 0; i < data.length; i++) {
    const value = of.data[i] as number;
    if (isInteger && Number.isNaN(value)) checkUnknown(label, type);
    if (type === BOOL) data[i] = Number.isNaN(value) && isInteger ? value : value === 0 ? 0 : 1;
    else if (limits === undefined || (isInteger && Number.isNaN(value))) data[i] = value;
    else {
      const whole = Math.trunc(value) + 0; // an integer has no −0
      if (!(whole >= limits[0] && whole <= limits[1])) {
        throw rangeError("ERR_FILE", label, `values that ${typeName(type)} holds`, `${value}`);
      }
      data[i] = whole;
    }
  }
  if (limits === undefined) settle(label, type, data);
  return { shape: of.shape, data, type };
}

function checkUnknown(label: string, type: number): void {
  if (holdsSizes(type) || type === BOOL) return;
  throw openValue(label, "a size that the model's input decides");
}

/** What Add, Sub, Mul, Div and Equal make of two numbers; `whole` where they are integers. */
const rules: Readonly<Record<string, (a: number, b: number, whole: boolean) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b, whole) => (whole ? a * b + 0 : a * b), // an integer has no −0
  Div: (a, b, whole) => (whole ? Math.trunc(a / b) + 0 : a / b),
  Equal: (a, b, whole) => (whole && (Number.isNaN(a) || Number.isNaN(b)) ? Number.NaN : a === b ? 1 : 0),
};

/**
 * https://onnx.ai/onnx/operators/onnx__Add.html and its like, with broadcasting on both sides
 * @param axis of `a`, where the dims of `b` begin: how it was said before opset 7; its last ones when left out
 */
export function binary(
  label: string,
  opType: string,
  [a, given]: readonly [Constant, Constant],
  axis: number | undefined,
  pay: Pay,
): Constant {
  const rule = rules[opType];
  if (rule === undefined || a.type !== given.type) {
    throw rangeError("ERR_FILE", label, "two inputs of one type", `${typeName(a.type)} and ${typeName(given.type)}`);
  }
  const behind = axis === undefined ? 0 : a.shape.length - checkAxis(label, axis, a.shape.length) - given.shape.length;
  const b = behind > 0 ? { ...given, shape: [...given.shape, ...new Array<number>(behind).fill(1)] } : given;
  const whole = integerLimits(a.type) !== undefined;
  const shape = broadcastShapes(label, a.shape, b.shape);
  const [x, y] = [a, b].map((of) => (alike(of.shape, shape) ? of : expand(label, of, shape, pay))) as [
    Constant,
    Constant,
  ];
  const type = opType === "Equal" ? BOOL : a.type;
  const data = allocateValues(label, type, x.data.length, pay);
  for (let i = 0; i < data.length; i++) {
    const [p, q] = [x.data[i] as number, y.data[i] as number];
    if (opType === "Div" && whole && q === 0) throw rangeError("ERR_FILE", label, "divisors other than 0", "0");
    data[i] = rule(p, q, whole);
  }
  settle(label, type, data);
  return { shape, data, type };
}

/** https://onnx.ai/onnx/operators/onnx__Where.html */
export function where(label: string, condition: Constant, a: Constant, b: Constant, pay: Pay): Constant {
  if (a.type !== b.type || condition.type !== BOOL) {
    const types = [condition, a, b].map(({ type }) => typeName(type)).join(", ");
    throw rangeError("ERR_FILE", label, "a bool and two inputs of one type", types);
  }
  const shape = broadcastShapes(label, broadcastShapes(label, condition.shape, a.shape), b.shape);
  const [c, x, y] = [condition, a, b].map((of) => expand(label, of, shape, pay)) as [Constant, Constant, Constant];
  const data = allocateValues(label, a.type, c.data.length, pay);
  for (let i = 0; i < data.length; i++) {
    const chosen = c.data[i] as number;
    if (Number.isNaN(chosen)) checkUnknown(label, a.type);
    data[i] = Number.isNaN(chosen) ? chosen : ((chosen === 0 ? y : x).data[i] as number);
  }
  return { shape, data, type: a.type };
}

/** How the scales of a quantised tensor lie on it: one for all, one along an axis, or one for each block of an axis. */
export interface Scales {
  scale: Constant;
  zeroPoint: Constant | undefined;
  axis: number;
  /** Elements that share a scale along the axis; 0 for one scale each. */
  block: number;
}

/** Of an element's place the place of its scale. */
function scalePlace(label: string, of: Constant, { scale, zeroPoint, axis, block }: Scales): (i: number) => number {
  const bad = (shape: readonly number[]): RangeError =>
    rangeError("ERR_FILE", label, `scales and zero points for ${showShape(of.shape)}`, showShape(shape));
  if ([of, scale].some(({ shape }) => shape.some(Number.isNaN))) throw bad(scale.shape);
  if (zeroPoint !== undefined && zeroPoint.data.length !== scale.data.length) throw bad(zeroPoint.shape);
  if (scale.data.length === 1 && block === 0) return () => 0;
  const at = checkAxis(label, axis, of.shape.length);
  const size = of.shape[at] as number;
  const inner = product(of.shape.slice(at + 1));
  const groups = block > 0 ? Math.ceil(size / block) : size;
  if (!alike(scale.shape, block > 0 ? of.shape.with(at, groups) : [size])) throw bad(scale.shape);
  if (block === 0) return (i) => Math.floor(i / inner) % size;
  return (i) => {
    const row = Math.floor(i / inner);
    const group = Math.floor(row / size) * groups + Math.floor((row % size) / block);
    return group * inner + (i % inner);
  };
}

/** (x − zero point) · scale. https://onnx.ai/onnx/operators/onnx__DequantizeLinear.html */
export function dequantize(label: string, of: Constant, scales: Scales, pay: Pay): Constant {
  const { scale, zeroPoint } = scales;
  if (integerLimits(of.type) === undefined || integerLimits(scale.type) !== undefined) {
    throw rangeError(
      "ERR_FILE",
      label,
      "integers and float scales",
      `${typeName(of.type)} and ${typeName(scale.type)}`,
    );
  }
  if (zeroPoint !== undefined && zeroPoint.type !== of.type) {
    throw rangeError("ERR_FILE", label, `a zero point of ${typeName(of.type)}`, typeName(zeroPoint.type));
  }
  const data = allocateValues(label, scale.type, of.data.length, pay);
  const placeOf = scalePlace(label, of, scales);
  for (let i = 0; i < data.length; i++) {
    const place = placeOf(i);
    data[i] = ((of.data[i] as number) - (zeroPoint?.data[place] ?? 0)) * (scale.data[place] as number);
  }
  settle(label, scale.type, data);
  return { shape: of.shape, data, type: scale.type };
}

/** x / scale, rounded to even, plus zero point, saturated. https://onnx.ai/onnx/operators/onnx__QuantizeLinear.html */
export function quantize(label: string, of: Constant, scales: Scales, type: number, pay: Pay): Constant {
  const { scale, zeroPoint } = scales;
  const limits = integerLimits(type);
  if (limits === undefined || integerLimits(of.type) !== undefined || (zeroPoint?.type ?? type) !== type) {
    throw rangeError("ERR_FILE", label, "floats made integers", `${typeName(of.type)} made ${typeName(type)}`);
  }
  const single = scale.data instanceof Float32Array;
  const data = allocateValues(label, type, of.data.length, pay);
  const placeOf = scalePlace(label, of, scales);
  for (let i = 0; i < data.length; i++) {
    const place = placeOf(i);
    const exact = (of.data[i] as number) / (scale.data[place] as number);
    const value = roundHalfEven(single ? Math.fround(exact) : exact) + (zeroPoint?.data[place] ?? 0);
    data[i] = Math.min(Math.max(value, limits[0]), limits[1]);
  }
  return { shape: of.shape, data, type };
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/** https://onnx.ai/onnx/operators/onnx__ConstantOfShape.html */
export function constantOfShape(label: string, target: readonly number[], value: Constant, pay: Pay): Constant {
  if (value.data.length !== 1) throw rangeError("ERR_FILE", label, "a value of one element", showShape(value.shape));
  return expand(label, { ...value, shape: [] }, target, pay);
}

/** Whole numbers as a constant of int64, known or unknown. */
export function sizes(values: readonly number[], type: number): Constant {
  return { shape: [values.length], data: Float64Array.from(values), type };
}

/** True when every element is 0, of either sign. */
export function isZero({ data }: Constant): boolean {
  return data.every((value) => value === 0);
}
