// The batches of a batch job: sequences are copied, as they come, one behind the other into one array until the token
// budget is full; one native call runs them where they lie; then each result is a view into the arrays of its batch.
// It waits for nothing, and knows neither sources nor signals.

import type { FloatArray, LSTMConfig } from "../../../binding.js";
import { describe, formatShape, rangeError } from "../../check.js";
import { allocate, bufferNote, copyAs, copyRun, type FloatDType } from "../../tensor/strided.js";
import { Tensor, type TensorLike, toTensor } from "../../tensor/tensor.js";
import type { Call } from "../recurrent/call.js";

/** What a batch job gives for one sequence of T steps. */
export interface MapResult<Item> {
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
  /** (L·D, H): the final c of every layer and direction. */
  readonly cn: Tensor;
}

/** What the batches of one job have in common. */
export class BatchKind {
  readonly config: LSTMConfig;
  readonly maxTokens: number;
  readonly outputs: "all" | "last";
  /** Arrays that a batch needs no more, and the next one may have: their pages have been touched already. */
  readonly inputs: FloatArray[] = [];
  readonly discarded: FloatArray[] = [];

  constructor(config: LSTMConfig, settings: { readonly maxBatchTokens: number; readonly outputs: "all" | "last" }) {
    this.config = config;
    this.maxTokens = settings.maxBatchTokens;
    this.outputs = settings.outputs;
  }

  /** L·D */
  get states(): number {
    return this.config.numLayers * (this.config.bidirectional ? 2 : 1);
  }

  /** R */
  get real(): number {
    return this.config.projSize || this.config.hiddenSize;
  }

  /** D·R */
  get width(): number {
    return this.real * (this.config.bidirectional ? 2 : 1);
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
  prepare(): Call {
    const { config, outputs, discarded, states, real, width } = this.#kind;
    const size = this.rows * width;
    if (outputs === "last") this.#unwanted = this.#kind.reuse(discarded, size, width);
    const output = this.#unwanted?.subarray(0, size) ?? this.#kind.make(size);
    const hn = this.#kind.make(states * this.size * real);
    const cn = this.#kind.make(states * this.size * config.hiddenSize);
    return {
      input: this.#input.subarray(0, this.rows * config.inputSize),
      output,
      h0: null,
      c0: null,
      hn,
      cn,
      steps: this.#lengths.reduce((a, b) => Math.max(a, b)),
      batch: this.size,
      batchFirst: true,
      batchSizes: Int32Array.from(this.#lengths),
      sortedIndices: null,
      result: [
        new Tensor(output, [this.rows, width]),
        [new Tensor(hn, [states, this.size, real]), new Tensor(cn, [states, this.size, config.hiddenSize])],
      ],
    };
  }

  /**
   * The results, in the order of the source, once the call is over. They are made one by one, as they are asked for.
   * @throws RangeError ERR_SHAPE once the caller has transferred the memory of one of them away, the others' with it
   */
  *results({ output, hn, cn }: Call): Generator<MapResult<Item>> {
    const { config, states, real, width } = this.#kind;
    this.#kind.inputs.push(this.#input);
    if (this.#unwanted !== undefined) this.#kind.discarded.push(this.#unwanted);
    const all = this.#kind.outputs === "all";
    const h = bySequence(config.dtype, hn, states, this.size, real);
    const c = bySequence(config.dtype, cn, states, this.size, config.hiddenSize);
    const outputs = all ? output : this.#lastStates(h);
    let row = 0;
    for (let b = 0; b < this.size; b++) {
      const length = this.#lengths[b] as number;
      const rows = all ? length : 1;
      const outputOfOne = part("output", outputs, row * width, rows * width);
      yield {
        index: this.#first + b,
        item: this.#items[b] as Item,
        output: new Tensor(outputOfOne, all ? [length, width] : [width]),
        hn: new Tensor(part("hn", h, b * states * real, states * real), [states, real]),
        cn: new Tensor(part("cn", c, b * states * config.hiddenSize, states * config.hiddenSize), [
          states,
          config.hiddenSize,
        ]),
      };
      row += rows;
    }
  }

  /** (B, D·R): a copy, so that who writes to an output does not write to hn. */
  #lastStates(h: FloatArray): FloatArray {
    const { states, real, width } = this.#kind;
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
function bySequence(dtype: FloatDType, array: FloatArray, states: number, batch: number, width: number): FloatArray {
  if (states === 1) return array;
  const moved = copyAs("maxBatchTokens", dtype, array);
  for (let s = 0; s < states; s++) {
    for (let b = 0; b < batch; b++) copyRun(moved, (b * states + s) * width, array, (s * batch + b) * width, width);
  }
  return moved;
}
