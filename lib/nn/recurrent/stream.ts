// Streams: a recurrent module and the states it has reached, taken forward as frames arrive. It is on the path of every
// frame, so a step allocates nothing: it judges the frame, makes one native call, and gives out a Tensor that it made before.

import type { FloatArray, NativeStream } from "../../../binding.js";
import { checkInt, checkOptions, formatShape, rangeError, typedArrayKind } from "../../check.js";
import { inspect } from "../../tensor/inspect.js";
import { toInts } from "../../tensor/ints.js";
import { allocate, checkIndex, product } from "../../tensor/strided.js";
import { type Ints, Tensor, type TensorLike, toTensor } from "../../tensor/tensor.js";
import { named, Uncloneable } from "../uncloneable.js";
import { type FullConfig, printRecurrent } from "./config.js";
import { checkState, type FinalState, floats, type GivenState, type LSTMState } from "./state.js";

/** Options of {@link LSTM.stream}, and of a GRU's and an RNN's. */
export interface StreamOptions {
  /** B, how many streams there is room for: each is a row, stepped with all others or only when named. Default 1. */
  batchSize?: number;
}

const maxBatch = 2 ** 24;

const isInt32 = (rows: Ints): rows is Int32Array => typedArrayKind(rows) === "Int32Array";

/** Judges the options of `stream`. @internal */
export function checkStreamOptions(options: StreamOptions): number {
  const { batchSize = 1 } = checkOptions("stream", options, ["batchSize"]);
  return checkInt("batchSize", batchSize, { min: 1, max: maxBatch });
}

/** What a stream is made of; the addon's part is the stream's own from now on. */
export interface StreamParts {
  readonly config: FullConfig;
  readonly batchFirst: boolean;
  readonly batchSize: number;
  readonly addon: NativeStream;
}

/**
 * One or many streams of a recurrent module, each with its own state: what its `stream` gives.
 *
 * Stepped frame by frame or in chunks, a stream's outputs are the bits that the whole sequence in one `forward` has. A
 * stream is its model and a state: after `loadStateDict` the next step uses the new weights, and after the model's
 * `dispose` it throws ERR_DISPOSED.
 *
 * Hx is a state as it is given, State as it is had: of an LSTM [h, c], of a GRU or RNN h alone.
 */
abstract class RecurrentStream<Hx extends GivenState, State extends FinalState> extends Uncloneable {
  /** B, how many streams there is room for. */
  readonly batchSize: number;

  readonly #name: string;
  readonly #config: FullConfig;
  readonly #batchFirst: boolean;
  readonly #native: NativeStream;
  readonly #outputs = new Map<number, Tensor>();
  #memory: FloatArray;

  /** @internal */
  constructor({ config, batchFirst, batchSize, addon }: StreamParts) {
    super();
    this.batchSize = batchSize;
    this.#name = `${config.name}Stream`;
    this.#config = config;
    this.#batchFirst = batchFirst;
    this.#native = addon;
    this.#memory = allocate("batchSize", config.dtype, batchSize * config.real);
  }

  /**
   * Takes the streams one frame, or a chunk of T frames, forward.
   *
   * Without `rows` all B of them. With `rows`, only those it names, each once and from 0 to B - 1: `x` and the result then
   * have a row for each of them, in its order, and the others stay as they are. So streams join (take a free row and
   * `reset` it) and leave (are no longer named) while the rest go on.
   *
   * @param x one frame (B, I), or a chunk (T, B, I), with batchFirst (B, T, I); for a batchSize of 1 a frame may be (I).
   *   With `rows` its length stands for B. It may be what the last step returned, or lie in the same memory: then it is
   *   copied first
   * @param rows which streams `x` is for; an Int32Array is taken as it is, other lists are copied
   * @returns h of the last layer at each frame, (B, R), (T, B, R), (B, T, R) or (R). **The Tensor and its memory are the
   *   stream's own and hold until its next step**: read it, or keep a copy, as `h.slice(0)` makes. One that was transferred
   *   away is replaced
   * @throws TypeError ERR_ARG_TYPE or ERR_DTYPE for the kind of an argument; RangeError ERR_SHAPE for a wrong shape, zero
   *   frames or a detached buffer, ERR_ARG_VALUE for rows that are none of this stream's or named twice; Error
   *   ERR_DISPOSED after dispose, of the model too. After an error the states are what they were
   * @example
   * ```ts
   * const stream = new GRU(3, 8).stream({ batchSize: 2 });
   * console.log(stream.step(rand([2, 3])).shape, stream.step(rand([1, 3]), [1]).shape); // → [ 2, 8 ] [ 1, 8 ]
   * ```
   */
  step(x: TensorLike, rows?: Ints): Tensor {
    const frames = toTensor("x", x);
    const { inputSize } = this.#config;
    const data = floats("x", frames, this.#config);
    const places = rows === undefined || isInt32(rows) ? rows : toInts("rows", rows);
    const batch = places === undefined ? this.batchSize : places.length;
    const { shape } = frames;
    const rank = shape.length;
    const chunkFirst = rank === 3 && !this.#batchFirst;
    const steps = rank === 3 ? (shape[chunkFirst ? 0 : 1] as number) : 1;
    const given = rank === 1 ? 1 : (shape[chunkFirst ? 1 : 0] as number);
    const fits = rank === 2 || rank === 3 || (rank === 1 && this.batchSize === 1);
    if (!fits || given !== batch || shape[rank - 1] !== inputSize || frames.size === 0)
      throw this.#misshapen(shape, batch);
    const output = this.#output(rank, steps, batch);
    this.#native.step(data, output.data as FloatArray, steps, places);
    return output;
  }

  /**
   * The states as `forward` gives and takes them: copies of h (L, B, R), and of an LSTM's c (L, B, H) beside it, to be kept,
   * sent elsewhere, or given back to this or another stream of the same sizes.
   * @throws Error ERR_DISPOSED after dispose
   */
  get state(): State {
    const { dtype, kind } = this.#config;
    const [hShape, cShape] = this.#shapes;
    const h = allocate("state", dtype, product(hShape));
    const c = kind.hasC ? allocate("state", dtype, product(cShape)) : null;
    this.#native.read(h, c);
    const hTensor = new Tensor(h, hShape);
    return (c === null ? hTensor : [hTensor, new Tensor(c, cShape)]) as State;
  }

  /**
   * Sets every stream's state, or none: h of shape (L, B, R), and of an LSTM c of shape (L, B, H), which are copied.
   * @throws TypeError ERR_ARG_TYPE or ERR_DTYPE, RangeError ERR_SHAPE, as `forward` does of h0 and c0; Error ERR_DISPOSED
   */
  set state(hx: Hx) {
    const [h, c] = checkState(hx, this.#config, ...this.#shapes, "batched input");
    this.#native.write(h, c);
  }

  /**
   * Sets states to zero, as at the start of a sequence: of one row, or of all when it is left out.
   * @param row negative ones count from the end
   * @throws TypeError ERR_ARG_TYPE, RangeError ERR_ARG_VALUE for a row that is none; Error ERR_DISPOSED
   */
  reset(row?: number): void {
    this.#native.reset(row === undefined ? -1 : checkIndex("row", row, this.batchSize));
  }

  /** Gives the memory of the states back now. Every later use throws ERR_DISPOSED. Disposing twice is no error. */
  dispose(): void {
    this.#native.dispose();
    this.#outputs.clear();
  }

  /** `using stream = lstm.stream()` disposes at the end of the block. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** `LSTMStream(3, 64, batchSize=4)`: the options of its module that are not the defaults, and its own. */
  override toString(): string {
    return printRecurrent(this.#name, this.#config, { batchFirst: this.#batchFirst, batchSize: this.batchSize });
  }

  /** @internal */
  [inspect](): string {
    return this.toString();
  }

  get #shapes(): [h: number[], c: number[]] {
    const { numLayers, hiddenSize, real } = this.#config;
    return [
      [numLayers, this.batchSize, real],
      [numLayers, this.batchSize, hiddenSize],
    ];
  }

  /** The Tensor for results of this kind: all of them lie over one piece of memory, which grows with the largest. */
  #output(rank: number, steps: number, batch: number): Tensor {
    const key = rank === 1 ? 0 : (rank - 2 + 2 * steps) * (this.batchSize + 1) + batch;
    const known = this.#outputs.get(key);
    if (known !== undefined && known.data.length === known.size) return known;
    const size = steps * batch * this.#config.real;
    if (this.#memory.length < size || known !== undefined) {
      this.#outputs.clear();
      this.#memory = allocate("output", this.#config.dtype, Math.max(size, this.batchSize * this.#config.real));
    }
    const lead = rank === 1 ? [] : rank === 2 ? [batch] : this.#batchFirst ? [batch, steps] : [steps, batch];
    const made = new Tensor(this.#memory.subarray(0, size), [...lead, this.#config.real]);
    this.#outputs.set(key, made);
    return made;
  }

  #misshapen(shape: readonly number[], batch: number): RangeError {
    const { inputSize } = this.#config;
    const chunk = this.#batchFirst ? `(${batch}, T, ${inputSize})` : `(T, ${batch}, ${inputSize})`;
    const alone = this.batchSize === 1 ? ` or (${inputSize},)` : "";
    const expected = `a frame of shape (${batch}, ${inputSize})${alone} or a chunk of shape ${chunk} with T from 1`;
    return rangeError("ERR_SHAPE", "x", expected, `shape ${formatShape(shape)}`);
  }
}

/** One or many streams of an LSTM: what {@link LSTM.stream} gives. Its `state` is [h, c]. */
export class LSTMStream extends RecurrentStream<LSTMState, [h: Tensor, c: Tensor]> {
  static {
    named(LSTMStream);
  }
}

/** One or many streams of a GRU: what {@link GRU.stream} gives. Its `state` is h alone. */
export class GRUStream extends RecurrentStream<TensorLike, Tensor> {
  static {
    named(GRUStream);
  }
}

/** One or many streams of an RNN: what {@link RNN.stream} gives. Its `state` is h alone. */
export class RNNStream extends RecurrentStream<TensorLike, Tensor> {
  static {
    named(RNNStream);
  }
}
