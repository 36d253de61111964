// The weights of onnxruntime's DynamicQuantizeLSTM as floats. It holds them the other way round than LSTM does, a column a
// gate's unit, with one scale and zero point for a direction or one for each column.
// https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.DynamicQuantizeLSTM

import { rangeError } from "../../check.js";
import { allocateValues, FLOAT, INT8, type Pay, typeName, UINT8 } from "./element-types.js";
import { alike, showShape } from "./rearrange.js";
import type { Constant } from "./tensor.js";

/**
 * (D, columns, 4H) of int8 or uint8 as (D, 4H, columns) of float32.
 * @param scale (D,) or (D, 4H)
 * @param zeroPoint of the same shape and the weights' type; 0 when left out
 */
export function dequantizeGates(
  label: string,
  of: Constant,
  scale: Constant | undefined,
  zeroPoint: Constant | undefined,
  pay: Pay,
): Constant {
  const [directions = 0, columns = 0, rows = 0] = of.shape;
  if (of.shape.length !== 3 || of.shape.some(Number.isNaN)) {
    throw rangeError("ERR_FILE", label, "3 dims", showShape(of.shape));
  }
  if (of.type !== INT8 && of.type !== UINT8) throw rangeError("ERR_FILE", label, "int8 or uint8", typeName(of.type));
  if (scale?.type !== FLOAT)
    throw rangeError("ERR_FILE", label, "scales of float32", scale ? typeName(scale.type) : "none");
  if (zeroPoint !== undefined && (zeroPoint.type !== of.type || zeroPoint.data.length !== scale.data.length)) {
    const received = `${typeName(zeroPoint.type)} of shape ${showShape(zeroPoint.shape)}`;
    throw rangeError("ERR_FILE", label, `zero points of ${typeName(of.type)} beside each scale`, received);
  }
  const perRow = scale.shape.length === 2;
  const isScalar = scale.data.length === 1 && directions === 1;
  if (!alike(scale.shape, perRow ? [directions, rows] : [directions]) && !isScalar) {
    throw rangeError("ERR_FILE", label, `scales (${directions},) or (${directions}, ${rows})`, showShape(scale.shape));
  }
  const data = allocateValues(label, FLOAT, of.data.length, pay);
  let to = 0;
  for (let d = 0; d < directions; d++) {
    for (let row = 0; row < rows; row++) {
      const place = isScalar ? 0 : perRow ? d * rows + row : d;
      const zero = zeroPoint?.data[place] ?? 0;
      const factor = scale.data[place] as number;
      for (let column = 0; column < columns; column++) {
        data[to] = ((of.data[(d * columns + column) * rows + row] as number) - zero) * factor;
        to++;
      }
    }
  }
  return { shape: [directions, rows, columns], data, type: FLOAT };
}
