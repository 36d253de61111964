// How objects of this package look when they are printed: the name by which consoles ask an object for its text, and
// modules written as their constructors are called. What a tensor looks like is in print.

/**
 * Node's console and util.inspect call the method of this name, and so do Bun's and Deno's; who does not know it falls
 * back on toString.
 */
export const inspect: unique symbol = Symbol.for("nodejs.util.inspect.custom") as never;

/**
 * `LSTM(3, 64, numLayers=2)`: sizes by place, then the options that are not what they are by default.
 * @param options each with its value and its default
 */
export function printCall(
  name: string,
  sizes: readonly number[],
  options: Readonly<Record<string, readonly [value: unknown, byDefault: unknown]>>,
): string {
  const given = Object.entries(options).filter(([, [value, byDefault]]) => !Object.is(value, byDefault));
  return `${name}(${[...sizes, ...given.map(([key, [value]]) => `${key}=${value}`)].join(", ")})`;
}

/** What an LSTM shows of itself, and a stream of its LSTM. */
export interface PrintedLSTM {
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly projSize: number;
  readonly numLayers: number;
  readonly bias: boolean;
  readonly batchFirst: boolean;
  readonly dropout?: number;
  readonly bidirectional: boolean;
  readonly dtype: string;
  readonly weightDtype?: string | undefined;
  /** Of a stream. */
  readonly batchSize?: number;
}

/** An LSTM, or under another name what is made of one, with its options in torch's order. */
export function printLSTM(name: string, lstm: PrintedLSTM): string {
  const { dtype, weightDtype = dtype, dropout = 0, batchSize = 1 } = lstm;
  return printCall(name, [lstm.inputSize, lstm.hiddenSize], {
    projSize: [lstm.projSize, 0],
    numLayers: [lstm.numLayers, 1],
    bias: [lstm.bias, true],
    batchFirst: [lstm.batchFirst, false],
    dropout: [dropout, 0],
    bidirectional: [lstm.bidirectional, false],
    dtype: [dtype, "float32"],
    weightDtype: [weightDtype, dtype],
    batchSize: [batchSize, 1],
  });
}
