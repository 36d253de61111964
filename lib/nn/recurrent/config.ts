// A recurrent module's config and the sizes that follow from it, worked out once; and the module written out, as its
// constructor would be called and as it prints.

import type { RecurrentConfig } from "../../../binding.js";
import { printCall } from "../../tensor/inspect.js";
import { type Kind, kinds } from "./kinds.js";

/** What the addon takes, every field of it, and what follows. L = numLayers. */
export interface FullConfig extends Readonly<Required<RecurrentConfig>> {
  /** The class, for messages: "LSTM", or "LSTMCell". */
  readonly name: string;
  readonly isCell: boolean;
  readonly kind: Kind;
  /** D, 2 when bidirectional. */
  readonly directions: number;
  /** L·D, the rows of a state for each sequence. */
  readonly states: number;
  /** R, what h is wide: projSize or H. */
  readonly real: number;
  /** D·R, what a row of the output is wide. */
  readonly width: number;
}

/** @param isCell whether it is of one layer that is stepped by hand, and torch's class is that of a cell */
export function completeConfig(config: Required<RecurrentConfig>, isCell = false): FullConfig {
  const kind = kinds[config.cell];
  const directions = config.bidirectional ? 2 : 1;
  const real = config.projSize || config.hiddenSize;
  return {
    ...config,
    name: isCell ? `${kind.module}Cell` : kind.module,
    isCell,
    kind,
    directions,
    states: config.numLayers * directions,
    real,
    width: real * directions,
  };
}

/** A module as its constructor would be written, for messages. */
export function formatConfig(config: FullConfig): string {
  const { kind, dtype, weightDtype } = config;
  const options = [
    config.numLayers === 1 ? [] : [`numLayers: ${config.numLayers}`],
    kind.nonlinearity === "relu" ? [`nonlinearity: "relu"`] : [],
    config.bias ? [] : ["bias: false"],
    config.bidirectional ? ["bidirectional: true"] : [],
    config.projSize === 0 ? [] : [`projSize: ${config.projSize}`],
    dtype === "float32" ? [] : [`dtype: "${dtype}"`],
    weightDtype === dtype ? [] : [`weightDtype: "${weightDtype}"`],
  ].flat();
  const given = options.length === 0 ? "" : `, { ${options.join(", ")} }`;
  return `${config.name}(${config.inputSize}, ${config.hiddenSize}${given})`;
}

/** What a module prints besides its config. */
export interface PrintedOptions {
  readonly batchFirst?: boolean;
  readonly dropout?: number;
  /** Of a stream. */
  readonly batchSize?: number;
}

/** `LSTM(3, 64, numLayers=2)`: a module, or under another name what is made of one; options in torch's order. */
export function printRecurrent(name: string, config: FullConfig, options: PrintedOptions = {}): string {
  const { batchFirst = false, dropout = 0, batchSize = 1 } = options;
  return printCall(name, [config.inputSize, config.hiddenSize], {
    projSize: [config.projSize, 0],
    numLayers: [config.numLayers, 1],
    nonlinearity: [config.kind.nonlinearity ?? "tanh", "tanh"],
    bias: [config.bias, true],
    batchFirst: [batchFirst, false],
    dropout: [dropout, 0],
    bidirectional: [config.bidirectional, false],
    dtype: [config.dtype, "float32"],
    weightDtype: [config.weightDtype, config.dtype],
    batchSize: [batchSize, 1],
  });
}
