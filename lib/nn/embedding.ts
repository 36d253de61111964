// Embedding: torch.nn.Embedding's module, for inference: a table whose rows are looked up by number. It judges the
// indices' kind and shape; that each names a row is found out while copying.

import type { FloatArray } from "../../binding.js";
import {
  checkBool,
  checkInt,
  checkNumber,
  checkOptions,
  describe,
  formatShape,
  rangeError,
  typedArrayKind,
  typeError,
} from "../check.js";
import { native } from "../native.js";
import { normal } from "../random/random.js";
import { isPacked, PackedSequence } from "../sequences/packed.js";
import { readLayout } from "../tensor/foreign.js";
import { printCall } from "../tensor/inspect.js";
import { toInts } from "../tensor/ints.js";
import { allocate, checkFloatDType, copyAs, type FloatDType, isList } from "../tensor/strided.js";
import { type Ints, Tensor, type TensorLike, toTensor } from "../tensor/tensor.js";
import { type Holder, holderOf, type Ready, ready, WeightedModule } from "./module.js";
import {
  type LoadStateDictOptions,
  type ModuleSpec,
  matchStateDict,
  readDType,
  readMatrix,
  type StateDict,
} from "./state-dict.js";
import { named } from "./uncloneable.js";

/** What torch.nn.Embedding is told of how rows are looked up and trained: no size, no dtype. */
export interface LookupOptions {
  /**
   * The row that stands for padding; negative ones count from the end. Initial weights are 0 there; otherwise it is a row
   * like any other, because what sets it apart is its gradient. Default null.
   */
  paddingIdx?: number | null;
  /** Rows whose norm is larger are given out scaled down to it, as torch does; the stored weights stay. Default null. */
  maxNorm?: number | null;
  /** The p of that norm. Default 2. */
  normType?: number;
  /** Taken so that torch's arguments fit, and without effect: it concerns gradients only. Default false. */
  scaleGradByFreq?: boolean;
  /** Taken so that torch's arguments fit, and without effect: it concerns gradients only. Default false. */
  sparse?: boolean;
}

/** torch.nn.Embedding's keyword arguments, in camelCase. */
export interface EmbeddingOptions extends LookupOptions {
  /** "float32" (default) or "float64". */
  dtype?: FloatDType;
}

/** Options of {@link Embedding.fromStateDict}. */
export interface EmbeddingFromStateDictOptions extends LoadStateDictOptions, LookupOptions {}

interface ReadyOptions extends EmbeddingOptions, Ready {}

const lookupKeys = ["paddingIdx", "maxNorm", "normType", "scaleGradByFreq", "sparse"] as const;
const maxSize = 2 ** 24; // of a row, as for the LSTM
const maxRows = 2 ** 31 - 1;

/**
 * A table of vectors, looked up by index: the arguments, shapes, parameter name and numbers of `torch.nn.Embedding`.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Embedding.html
 * @example
 * ```ts
 * const embedding = new Embedding(1000, 16, { paddingIdx: 0 });
 * console.log(embedding.forward([4, 0, 7]).shape); // → [ 3, 16 ]
 * ```
 */
export class Embedding extends WeightedModule<Table> {
  static {
    named(Embedding);
  }

  readonly numEmbeddings: number;
  readonly embeddingDim: number;
  /** From 0 up, as torch keeps it, or null. */
  readonly paddingIdx: number | null;
  readonly maxNorm: number | null;
  readonly normType: number;
  readonly scaleGradByFreq: boolean;
  readonly sparse: boolean;
  readonly dtype: FloatDType;

  /**
   * The table is drawn from the normal distribution of mean 0 and variance 1, as torch draws it from the generator that
   * `manualSeed` seeds: in float32 to the bit, in float64 as `randn` does.
   *
   * @param numEmbeddings the rows of the table, from 1
   * @param embeddingDim the length of a row, from 1
   * @throws TypeError ERR_ARG_TYPE, ERR_DTYPE or ERR_OPTION for the kind of an argument or an option that does not exist;
   *   RangeError ERR_ARG_VALUE for a size or paddingIdx out of range, or a table larger than memory holds
   */
  constructor(numEmbeddings: number, embeddingDim: number, options: EmbeddingOptions = {}) {
    const given = checkOptions("Embedding", options, [...lookupKeys, "dtype"]);
    const { paddingIdx = null, maxNorm = null, normType = 2, scaleGradByFreq = false, sparse = false } = given;
    const rows = checkInt("numEmbeddings", numEmbeddings, { min: 1, max: maxRows });
    const columns = checkInt("embeddingDim", embeddingDim, { min: 1, max: maxSize });
    const config = {
      paddingIdx: checkPaddingIdx(paddingIdx, rows),
      maxNorm: maxNorm === null ? null : checkNumber("maxNorm", maxNorm, { min: 0 }),
      normType: checkNumber("normType", normType, { finite: false }),
      scaleGradByFreq: checkBool("scaleGradByFreq", scaleGradByFreq),
      sparse: checkBool("sparse", sparse),
      dtype: checkFloatDType("dtype", given.dtype ?? "float32"),
    };
    const spec = embeddingSpec(rows, columns, config.dtype);
    const weights = (options as ReadyOptions)[ready] ?? [drawTable(spec, config.paddingIdx)];
    super({ name: "Embedding", spec, holder: new Table(columns, config), weights });
    this.numEmbeddings = rows;
    this.embeddingDim = columns;
    this.paddingIdx = config.paddingIdx;
    this.maxNorm = config.maxNorm;
    this.normType = config.normType;
    this.scaleGradByFreq = config.scaleGradByFreq;
    this.sparse = config.sparse;
    this.dtype = config.dtype;
  }

  /**
   * @param input indices of any shape (*): an int32 Tensor, a foreign int32 or int64 tensor, or a list; or packed indices
   *   of shape (N, *)
   * @returns (*, embeddingDim), packed as the input was
   * @throws TypeError ERR_ARG_TYPE or ERR_DTYPE for what are no indices; RangeError ERR_ARG_VALUE for an index outside the
   *   table, ERR_SHAPE for a detached buffer, ERR_LENGTHS for batch sizes that do not fit; Error ERR_DISPOSED after dispose
   * @example
   * ```ts
   * const embedding = Embedding.fromPretrained(tensor([[1, 2], [3, 4]]));
   * console.log(embedding.forward([1, 0, 1]).toArray()); // → [ [ 3, 4 ], [ 1, 2 ], [ 3, 4 ] ]
   * ```
   */
  forward(input: PackedSequence): PackedSequence;
  forward(input: TensorLike | Ints): Tensor;
  forward(input: TensorLike | Ints | PackedSequence): Tensor | PackedSequence;
  forward(input: TensorLike | Ints | PackedSequence): Tensor | PackedSequence {
    const table = holderOf(this);
    if (!isPacked(input as TensorLike | PackedSequence)) {
      return this.#lookUp(table, readIndices("input", input as TensorLike));
    }
    const packed = PackedSequence.from("input", input);
    const rows = this.#lookUp(table, readIndices("input.data", packed.data));
    return new PackedSequence(rows, packed.batchSizes, packed.sortedIndices, packed.unsortedIndices);
  }

  /**
   * The Embedding that a state dict belongs to: its sizes and dtype are read off `weight`. Draws no random numbers.
   *
   * @param options `prefix` as in `loadStateDict`; the others as in the constructor, since they cannot be read off
   * @throws as `loadStateDict` and the constructor; a RangeError ERR_STATE_DICT names the nearest key when `weight` is not
   *   there
   * @example
   * ```ts
   * console.log(Embedding.fromStateDict({ "embed.weight": rand([5, 2]) }, { prefix: "embed." })); // → Embedding(5, 2)
   * ```
   */
  static fromStateDict(dict: StateDict, options: EmbeddingFromStateDictOptions = {}): Embedding {
    const { prefix = "", ...lookup } = checkOptions("fromStateDict", options, ["prefix", ...lookupKeys]);
    const { rows, columns } = readMatrix("fromStateDict", dict, prefix, "weight");
    const dtype = readDType("fromStateDict", dict, prefix);
    const table = matchStateDict("fromStateDict", dict, prefix, embeddingSpec(rows, columns, dtype));
    const given: ReadyOptions = { ...lookup, dtype, [ready]: table };
    return new Embedding(rows, columns, given);
  }

  /**
   * The Embedding with this table, a float32 or float64 tensor of shape (numEmbeddings, embeddingDim), which is copied.
   * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Embedding.html#torch.nn.Embedding.from_pretrained
   * @example
   * ```ts
   * console.log(Embedding.fromPretrained(rand([5, 2]), { paddingIdx: -1 })); // → Embedding(5, 2, paddingIdx=4)
   * ```
   */
  static fromPretrained(embeddings: TensorLike, options: LookupOptions = {}): Embedding {
    const given = checkOptions("fromPretrained", options, lookupKeys);
    return Embedding.fromStateDict({ weight: embeddings }, given);
  }

  /** `Embedding(10, 3, paddingIdx=0)`: the options that are not the defaults. */
  override toString(): string {
    const { numEmbeddings, embeddingDim } = this;
    return printCall("Embedding", [numEmbeddings, embeddingDim], {
      paddingIdx: [this.paddingIdx, null],
      maxNorm: [this.maxNorm, null],
      normType: [this.normType, 2],
      scaleGradByFreq: [this.scaleGradByFreq, false],
      sparse: [this.sparse, false],
      dtype: [this.dtype, "float32"],
    });
  }

  #lookUp(table: Table, indices: Tensor): Tensor {
    const { embeddingDim, numEmbeddings, dtype } = this;
    const output = allocate("output", dtype, indices.size * embeddingDim);
    const places = indices.data as Int32Array;
    const place = native.lookup(table.rows, embeddingDim, places, output);
    if (place === indices.size) return new Tensor(output, [...indices.shape, embeddingDim]);
    const where = `${places[place]} at place ${place} of shape ${formatShape(indices.shape)}`;
    throw rangeError("ERR_ARG_VALUE", "input", `indices from 0 to ${numEmbeddings - 1}`, where);
  }
}

/** The weight, and what is given out of it. */
class Table implements Holder {
  /** The weight itself unless there is a maxNorm. */
  rows: FloatArray = new Float32Array();
  #weight: FloatArray = this.rows;
  readonly #columns: number;
  readonly #norm: Pick<Embedding, "maxNorm" | "normType">;

  constructor(columns: number, norm: Pick<Embedding, "maxNorm" | "normType">) {
    this.#columns = columns;
    this.#norm = norm;
  }

  load([weight]: readonly FloatArray[]): void {
    this.rows = this.#renormalised(weight as FloatArray);
    this.#weight = weight as FloatArray;
  }

  read([copy]: readonly FloatArray[]): void {
    copy?.set(this.#weight);
  }

  dispose(): void {
    this.rows = new Float32Array();
    this.#weight = this.rows;
  }

  #renormalised(weight: FloatArray): FloatArray {
    const { maxNorm, normType } = this.#norm;
    if (maxNorm === null) return weight;
    const table = copyAs("maxNorm", weight.BYTES_PER_ELEMENT === 4 ? "float32" : "float64", weight);
    for (let at = 0; at < table.length; at += this.#columns) {
      const row = table.subarray(at, at + this.#columns);
      const size = norm(row, normType);
      if (!(size > maxNorm)) continue;
      const scale = maxNorm / (size + 1e-7);
      for (let i = 0; i < row.length; i++) row[i] = (row[i] as number) * scale;
    }
    return table;
  }
}

function embeddingSpec(rows: number, columns: number, dtype: FloatDType): ModuleSpec {
  const options = dtype === "float32" ? "" : `, { dtype: "${dtype}" }`;
  const parameters = [{ name: "weight", shape: [rows, columns], storage: dtype }];
  return { title: `Embedding(${rows}, ${columns}${options})`, dtype, parameters, keepsArrays: true };
}

function drawTable({ dtype, parameters }: ModuleSpec, paddingIdx: number | null): FloatArray {
  const [rows = 0, columns = 0] = parameters[0]?.shape ?? [];
  const weight = allocate("numEmbeddings", dtype, rows * columns);
  normal(weight);
  if (paddingIdx !== null) weight.fill(0, paddingIdx * columns, (paddingIdx + 1) * columns);
  return weight;
}

function checkPaddingIdx(value: unknown, rows: number): number | null {
  if (value === null) return null;
  const checked = checkInt("paddingIdx", value, { min: -rows, max: rows - 1 });
  return checked < 0 ? checked + rows : checked + 0;
}

/** The p-norm, as `Tensor.norm(p)` has it for every p. */
function norm(row: FloatArray, p: number): number {
  const sizes = Array.from(row, Math.abs);
  if (p === Number.POSITIVE_INFINITY) return Math.max(...sizes);
  if (p === Number.NEGATIVE_INFINITY) return Math.min(...sizes);
  if (p === 0) return sizes.filter((size) => size !== 0).length;
  return sizes.reduce((sum, size) => sum + size ** p, 0) ** (1 / p);
}

/** Indices in any of the forms that are taken, as an int32 Tensor. */
function readIndices(name: string, value: TensorLike | Ints): Tensor {
  if (isList(value)) {
    const list = toInts(name, value as Ints);
    return new Tensor(list, [list.length]);
  }
  if (!Tensor.isTensor(value)) {
    const { data, shape, strides, offset } = readLayout(name, value);
    if (typedArrayKind(data) === "BigInt64Array") {
      const places = toInts(name, data as BigInt64Array);
      return toTensor(name, { data: places, shape, stride: strides, offset });
    }
  }
  const tensor = toTensor(name, value as TensorLike);
  if (tensor.dtype === "int32") return tensor;
  throw typeError("ERR_DTYPE", name, "an int32 or int64 tensor of indices", describe(tensor));
}
