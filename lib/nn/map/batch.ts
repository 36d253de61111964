// The batches of a batch job: sequences are copied, as they come, one behind the other into one array until the token
// budget is full; one native call runs them where they lie; then each result is a view into the arrays of its batch.
// It waits for nothing, and knows neither sources nor signals.

import type { FloatArray } from "../../../binding.js";
import { describe, formatShape, rangeError } from "../../check.js";
import { allocate, bufferNote, copyAs, copyRun } from "../../tensor/strided.js";
import { Tensor, type TensorLike, toTensor } from "../../tensor/tensor.js";
import type { FullConfig } from "../recurrent/config.js";
import type { Pass } from "../recurrent/pass.js";

/** What a GRU's or RNN's batch job gives for one sequence of T steps. */
export interface HiddenMapResult<Item> {
  /** Its place in the source, from 0. */
  readonly index: number;
  /** What the source gave, as it gave it. */
  readonly item: Item;
  /**
   * With `outputs: "all"` (T, D·R), as `forward` gives it. With `outputs: "last"` (D·R,): the last layer's final h, the
   * forward direction's first; in one direction that is the last row of the former.
   */
  readonly output: Tensor;
  /** (L·D, R): the final h of every layer and direction. */
  readonly hn: Tensor;
}

/** What an LSTM's batch job gives for one sequence of T steps. */
export interface MapResult<Item> extends HiddenMapResult<Item> {
  /** (L·D, H): the final c of every layer and direction. */
  readonly cn: Tensor;
}

/** What the batches of one job have in common. */
export class BatchKind {
  readonly config: FullConfig;
  readonly maxTokens: number;
  readonly outputs: "all" | "last";
  /** Arrays that a batch needs no more, and the next one may have: their pages have been touched already. */
  readonly inputs: FloatArray[] = [];
  readonly discarded: FloatArray[] = [];

  constructor(config: FullConfig, settings: { readonly maxBatchTokens: number; readonly outputs: "all" | "last" }) {
    this.config = config;
    this.maxTokens = settings.maxBatchTokens;
    this.outputs = settings.outputs;
  }

  /** A zeroed array. @throws RangeError ERR_ARG_VALUE when that much memory cannot be had */
  make(size: number): FloatArray {
    return allocate("maxBatchTokens", this.config.dtype, size) as FloatArray;
  }

  /** An array of at least `size` that may have been used before; it doubles, up to a full batch, rather than grow a little. */
  reuse(spares: FloatArray[], size: number, rowWidth: number): FloatArray {
    const spare = spares.pop();
    if (spare !== undefined && spare.length >= size) return spare;
    const doubled = Math.min(2 * (spare?.length ?? 0), this.maxTokens * rowWidth);
    return this.make(Math.max(size, doubled));
  }

  /**
   * A sequence as it comes from the caller, judged as `forward` judges it.
   * @throws TypeError ERR_ARG_TYPE or ERR_DTYPE, RangeError ERR_SHAPE
   */
  check(value: TensorLike): Tensor {
    const sequence = toTensor("sequence", value, this.config.dtype);
    const { shape } = sequence;
    if (shape.length === 2 && shape[1] === this.config.inputSize && shape[0] !== 0) return sequence;
    const expected = `shape (T, ${this.config.inputSize}) with T from 1`;
    throw rangeError("ERR_SHAPE", "sequence", expected, `shape ${formatShape(shape)}`);
  }
}

const fewRows = 1024; // what a batch has room for before it grows

/** Consecutive sequences of at most `maxTokens` rows together; one that is longer is a batch of its own. */
export class Batch<Item> {
  rows = 0;
  readonly #kind: BatchKind;
  readonly #first: number;
  readonly #items: Item[] = [];
  readonly #lengths: number[] = [];
  #input: FloatArray;
  #unwanted: FloatArray | undefined; // rows of the output that nobody is to see

  /** @param first the place in the source of the sequence that is added first */
  constructor(kind: BatchKind, first: number) {
    this.#kind = kind;
    this.#first = first;
    const { inputSize } = kind.config;
    this.#input = kind.reuse(kind.inputs, Math.min(kind.maxTokens, fewRows) * inputSize, inputSize);
  }

  get size(): number {
    return this.#items.length;
  }

  /** Copies a checked sequence in. False when it has no room here; an empty batch has room for any. */
  add(item: Item, sequence: Tensor): boolean {
    const { inputSize } = this.#kind.config;
    const length = sequence.shape[0] as number;
    const end = this.rows + length;
    if (this.rows > 0 && end > this.#kind.maxTokens) return false;
    if (end * inputSize > this.#input.length) this.#grow(end);
    copyRun(this.#input, this.rows * inputSize, sequence.data, 0, length * inputSize);
    this.#items.push(item);
    this.#lengths.push(length);
    this.rows = end;
    return true;
  }

  #grow(rows: number): void {
    const { config } = this.#kind;
    const smaller = this.#input;
    this.#input = this.#kind.reuse([smaller], rows * config.inputSize, config.inputSize);
    this.#input.set(smaller.subarray(0, this.rows * config.inputSize));
  }

  /** The native call that runs the batch. */
  prepare(): Pass {
    const { config, outputs, discarded } = this.#kind;
    const { states, real, width, hiddenSize } = config;
    const size = this.rows * width;
    if (outputs === "last") this.#unwanted = this.#kind.reuse(discarded, size, width);
    return {
      input: this.#input.subarray(0, this.rows * config.inputSize),
      output: this.#unwanted?.subarray(0, size) ?? this.#kind.make(size),
      h0: null,
      c0: null,
      hn: this.#kind.make(states * this.size * real),
      cn: config.kind.hasC ? this.#kind.make(states * this.size * hiddenSize) : null,
      steps: this.#lengths.reduce((a, b) => Math.max(a, b)),
      batch: this.size,
      batchFirst: true,
      batchSizes: null,
      sortedIndices: null,
      lengths: Int32Array.from(this.#lengths),
    };
  }

  /**
   * The results, in the order of the source, once the call is over. They are made one by one, as they are asked for.
   * @throws RangeError ERR_SHAPE once the caller has transferred the memory of one of them away, the others' with it
   */
  *results({ output, hn, cn }: Pass): Generator<HiddenMapResult<Item> | MapResult<Item>> {
    const { config } = this.#kind;
    const { width, real, hiddenSize } = config;
    this.#kind.inputs.push(this.#input);
    if (this.#unwanted !== undefined) this.#kind.discarded.push(this.#unwanted);
    const all = this.#kind.outputs === "all";
    const h = bySequence(config, hn, this.size, real);
    const c = cn === null ? null : bySequence(config, cn, this.size, hiddenSize);
    const outputs = all ? output : this.#lastStates(h);
    let row = 0;
    for (let b = 0; b < this.size; b++) {
      const length = this.#lengths[b] as number;
      const rows = all ? length : 1;
      const outputOfOne = part("output", outputs, row * width, rows * width);
      const result = {
        index: this.#first + b,
        item: this.#items[b] as Item,
        output: new Tensor(outputOfOne, all ? [length, width] : [width]),
        hn: this.#stateOf("hn", h, b, real),
      };
      yield c === null ? result : { ...result, cn: this.#stateOf("cn", c, b, hiddenSize) };
      row += rows;
    }
  }

  /** (L·D, width): sequence b's part of all states. */
  #stateOf(name: string, states: FloatArray, b: number, width: number): Tensor {
    const { config } = this.#kind;
    const size = config.states * width;
    return new Tensor(part(name, states, b * size, size), [config.states, width]);
  }

  /** (B, D·R): a copy, so that who writes to an output does not write to hn. */
  #lastStates(h: FloatArray): FloatArray {
    const { states, real, width } = this.#kind.config;
    const last = this.#kind.make(this.size * width);
    for (let b = 0; b < this.size; b++) copyRun(last, b * width, h, (b + 1) * states * real - width, width);
    return last;
  }
}

/** A view; of a detached array the language's own error would say neither what it was nor what to do. */
function part(name: string, array: FloatArray, start: number, length: number): FloatArray {
  if (array.length > 0) return array.subarray(start, start + length);
  const expected = "the memory that the results of a batch share to be still there";
  throw rangeError(
    "ERR_SHAPE",
    name,
    expected,
    `${describe(array)}${bufferNote(array)} (transfer a copy: ${name}.slice(0))`,
  );
}

/** From (L·D, B, width) to (B, L·D, width), so that what belongs to a sequence lies together. */
function bySequence({ dtype, states }: FullConfig, array: FloatArray, batch: number, width: number): FloatArray {
  if (states === 1) return array;
  const moved = copyAs("maxBatchTokens", dtype, array);
  for (let s = 0; s < states; s++) {
    for (let b = 0; b < batch; b++) copyRun(moved, (b * states + s) * width, array, (s * batch + b) * width, width);
  }
  return moved;
}
