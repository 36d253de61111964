// The types of what the native addon exports: the one truth for lib/native.ts and native/binding.
// Every array is checked again on the native side for kind, length and a detached buffer, nothing more;
// meaning (ranks, names, options) is judged in lib/ before the call.

export type FloatArray = Float32Array | Float64Array;

/** Which recurrent module: torch.nn.LSTM, torch.nn.GRU, torch.nn.RNN with tanh or relu. */
export type CellKind = "lstm" | "gru" | "rnn_tanh" | "rnn_relu";

/** Sizes of one stacked recurrent module. `projSize` 0 means none, and only an LSTM has one. */
export interface RecurrentConfig {
  cell: CellKind;
  inputSize: number;
  hiddenSize: number;
  projSize: number;
  numLayers: number;
  bidirectional: boolean;
  bias: boolean;
  dtype: "float32" | "float64";
  /**
   * What weights are stored in: `dtype`, or for float32 "float16" (then every weight, not the biases, must be one already)
   * or "int8" (then `load` rounds them, and `read` gives what they were rounded to).
   */
  weightDtype?: "float32" | "float64" | "float16" | "int8";
}

/**
 * The positional arguments of one forward pass. T steps, B sequences, L layers, D directions, R = projSize or hiddenSize.
 * `c0` and `cn` are null for a cell without c, a GRU or an RNN. The rows are dense, T×B or, with batchFirst, B×T; or packed:
 * batchSizes has one entry per step (then `steps` and `batch` are batchSizes.length and batchSizes[0], batchFirst is false)
 * and sortedIndices, when given, names the row of h0, c0, hn and cn that belongs to each packed sequence; or joined:
 * batchFirst and the `lengths` of the sequences, whose rows lie one sequence after another (then `steps` is the longest
 * length).
 */
export type PassArgs = [
  input: FloatArray, // rows × inputSize
  output: FloatArray, // rows × D·R, written
  h0: FloatArray | null, // L·D × B × R, null for zeros
  c0: FloatArray | null, // L·D × B × H
  hn: FloatArray, // L·D × B × R, written
  cn: FloatArray | null, // L·D × B × H, written
  steps: number,
  batch: number,
  batchFirst: boolean,
  batchSizes: Int32Array | null, // packed
  sortedIndices: Int32Array | null, // packed
  lengths: Int32Array | null, // joined
];

export interface NativeJob {
  /** Asks the running pass to stop at its next timestep; its callback still comes, with `aborted` true. */
  abort(): void;
}

/** Called once, when a job writes no more. */
export type JobDone = (error: Error | null, aborted: boolean) => void;

/**
 * A module's weights, packed: the addon's is the only copy, in memory that JavaScript's collector counts and frees.
 * Parameters are in torch's order. Recurrent: per layer, per direction, weight_ih, weight_hh, [bias_ih, bias_hh], [weight_hr].
 * Linear: weight, [bias].
 */
export interface NativeWeights {
  /** Packs weights, which are not kept. All or nothing. */
  load(parameters: readonly FloatArray[]): void;
  /** Writes the weights to arrays of the same sizes. */
  read(parameters: readonly FloatArray[]): void;
  /** How many bytes `share` and `open` take. */
  byteLength(): number;
  /** Copies the packed weights to a whole SharedArrayBuffer and computes from there from now on. */
  share(memory: Uint8Array): void;
  /** Computes from weights that `share` of a module of the same config has written. Whatever the bytes are, memory is safe. */
  open(memory: Uint8Array): void;
  /** Frees the weights; every use then throws an Error ERR_DISPOSED. Passes already under way keep them alive until they end. */
  dispose(): void;
}

export interface NativeRecurrent extends NativeWeights {
  /** `output`, `hn` and `cn` may share memory with no other argument, but that hn may be h0 and cn may be c0. */
  forward(...args: PassArgs): void;
  /**
   * Copies input (unless joined), h0, c0 and the row description now; writes the outputs from other threads and then calls `done`.
   * The outputs, and joined input, must be out of everyone else's reach until then, as those that lib/ makes are: Node-API
   * can keep an array alive but cannot keep it from being transferred.
   */
  forwardAsync(...args: [...PassArgs, done: JobDone]): NativeJob;
  /** Room for `batch` streams of a model in one direction, all at zero. */
  stream(batch: number, batchFirst: boolean): NativeStream;
}

/**
 * States of B streams, and the model's weights as they are at each step; after the model's dispose `step` throws an Error
 * ERR_DISPOSED. L layers, R = projSize or hiddenSize.
 */
export interface NativeStream {
  /**
   * Takes streams `steps` frames forward, laid out as the model's dense rows: all B of them, or those that `rows` names, from
   * 0 to B − 1 and each at most once. Allocates nothing, unless input and output share memory: then input is copied.
   */
  step(input: FloatArray, output: FloatArray, steps: number, rows: Int32Array | undefined): void;
  read(h: FloatArray, c: FloatArray | null): void; // L × B × R and L × B × H, written; c is null for a cell without one
  write(h: FloatArray, c: FloatArray | null): void;
  /** Zeros for one stream, or for all of them when `row` is −1. */
  reset(row: number): void;
  /** Frees the states; every other method then throws an Error ERR_DISPOSED. */
  dispose(): void;
}

/** Sizes of one torch.nn.Linear. */
export interface LinearConfig {
  inFeatures: number;
  outFeatures: number;
  bias: boolean;
  dtype: "float32" | "float64";
  /** As RecurrentConfig's, without "float16". */
  weightDtype?: "float32" | "float64" | "int8";
}

export interface NativeLinear extends NativeWeights {
  /** rows × inFeatures to rows × outFeatures; `rows` from 1. */
  forward(input: FloatArray, output: FloatArray, rows: number): void;
  /** As NativeRecurrent's: the input is copied now, the output must be out of everyone else's reach until `done`. */
  forwardAsync(input: FloatArray, output: FloatArray, rows: number, done: JobDone): NativeJob;
}

export interface RuntimeInfo {
  /**
   * The instruction set in use: "avx512_vnni", "avx512", "avx_vnni", "avx2", "neon_dotprod", "neon" or "scalar". The longer
   * names have the kernels of the shorter ones, and faster ones for int8.
   */
  isa: string;
  /** Every instruction set compiled in that this processor can run, best first. */
  supportedIsas: string[];
  /** Compute threads, the calling one included. */
  threads: number;
  /**
   * What that number follows from: the affinity mask, the CPU quota of the process's control groups, the physical cores
   * behind the mask, PACKED_LSTM_NUM_THREADS or setNumThreads.
   */
  threadsFrom: "affinity" | "quota" | "cores" | "environment" | "setNumThreads";
  /** The compiler that built the addon. */
  compiler: string;
}

/**
 * Rows between a padded batch and a packed one, all arrays of one kind. The padded rows are steps × batch or, with
 * batchFirst, batch × steps; `steps` is at least the length of batchSizes, the batch is batchSizes[0].
 */
export type RowMove = [
  padded: FloatArray | Int32Array,
  packed: FloatArray | Int32Array,
  batchSizes: Int32Array,
  sortedIndices: Int32Array | null,
  steps: number,
  batchFirst: boolean,
];

export interface Binding {
  Recurrent: new (config: RecurrentConfig) => NativeRecurrent;
  Linear: new (config: LinearConfig) => NativeLinear;
  /**
   * Copies the rows of `table`, `width` wide, that `indices` name to `output`. Returns the number of indices, or the place
   * of one that names no row; then `output` holds anything.
   */
  lookup(table: FloatArray, width: number, indices: Int32Array, output: FloatArray): number;
  /** Copies the rows of a padded batch to where {@link RowMove} says, every one of them written. */
  packRows(...args: RowMove): void;
  /** The way back; rows of `padded` beyond the end of their sequence get `value`, an array of one element. */
  padRows(...args: [...RowMove, value: FloatArray | Int32Array]): void;
  /** The most that setNumThreads takes. */
  maxThreads: number;
  setNumThreads(n: number): void;
  getNumThreads(): number;
  runtimeInfo(): RuntimeInfo;
  /**
   * What all compute threads at once reach at most, in the instruction set in use. With `bytes` 0: floating-point
   * operations a second, of fused multiply-adds in registers. Otherwise: bytes a second, read to and fro by each
   * thread from a buffer of its own of about that size. "int8" has the first alone: multiplications and additions of
   * 8 bits. Blocks for about `milliseconds`.
   */
  probe(dtype: "float32" | "float64" | "int8", bytes: number, milliseconds: number): number;
}
