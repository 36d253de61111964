// The base of LSTM, GRU and RNN: everything but their names and types. It turns each forward pass into one native call.
// What a call must look like is judged in call, what a state dict must look like in nn/state-dict; the weights are in
// nn/module, promises and signals in runtime/job.

import type { NativeRecurrent } from "../../../binding.js";
import { checkBool, checkOptions, rangeError } from "../../check.js";
import { native } from "../../native.js";
import { checkSignal, type ForwardAsyncOptions, runJob } from "../../runtime/job.js";
import type { PackedSequence } from "../../sequences/packed.js";
import type { FloatDType } from "../../tensor/strided.js";
import type { Tensor, TensorLike } from "../../tensor/tensor.js";
import { type HiddenMapResult, type MapOptions, type MapResult, type MapSource, mapSequences } from "../map/map.js";
import { holderOf, madeWith, type Ready, ready, ShareableModule, type SharedArguments } from "../module.js";
import { matchStateDict, type StateDict } from "../state-dict.js";
import type { WeightDType } from "../weight-dtype.js";
import { prepareCall } from "./call.js";
import { type FullConfig, formatConfig, printRecurrent } from "./config.js";
import { cellOf, type ModuleName, withArticle } from "./kinds.js";
import {
  checkArguments,
  checkNonlinearity,
  checkRecurrentWeightDType,
  type MadeOf,
  type RNNFromStateDictOptions,
} from "./options.js";
import type { Out } from "./out.js";
import { drawParameters, readConfig, recurrentSpec } from "./parameters.js";
import { type Pass, runPass, startPass } from "./pass.js";
import type { FinalState, GivenState } from "./state.js";
import { checkStreamOptions, type StreamOptions, type StreamParts } from "./stream.js";

/** What `map` yields: with cn where a state is a pair. */
type ResultOf<State, Item> = State extends readonly unknown[] ? MapResult<Item> : HiddenMapResult<Item>;

/** A module's config. Not a property: it is no part of what torch's modules show. */
export let configOf: <Hx extends GivenState, State extends FinalState>(module: Recurrent<Hx, State>) => FullConfig;

/**
 * A stacked recurrent module. Hx is a state as it is given, State as it comes out: of an LSTM a pair, of a GRU or RNN h alone.
 */
export abstract class Recurrent<
  Hx extends GivenState,
  State extends FinalState,
> extends ShareableModule<NativeRecurrent> {
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly bias: boolean;
  readonly batchFirst: boolean;
  /** Kept so that torch's arguments fit; without effect, because dropout acts in training only. */
  readonly dropout: number;
  readonly bidirectional: boolean;
  readonly dtype: FloatDType;
  /** What the weights are stored in: `dtype`, "float16" or "int8". */
  readonly weightDtype: WeightDType;

  readonly #config: FullConfig;

  static {
    configOf = (module) => module.#config;
  }

  /** @internal */
  constructor(module: ModuleName, inputSize: number, hiddenSize: number, options: object) {
    const [config, { batchFirst, dropout }] = checkArguments(module, inputSize, hiddenSize, options);
    const spec = recurrentSpec(config);
    const weights = (options as Ready)[ready] ?? drawParameters(spec, config.hiddenSize);
    super({ name: module, spec, holder: new native.Recurrent(config), weights });
    this.inputSize = config.inputSize;
    this.hiddenSize = config.hiddenSize;
    this.numLayers = config.numLayers;
    this.bias = config.bias;
    this.batchFirst = batchFirst;
    this.dropout = dropout;
    this.bidirectional = config.bidirectional;
    this.dtype = config.dtype;
    this.weightDtype = config.weightDtype;
    this.#config = config;
  }

  /**
   * Runs the sequences through every layer.
   *
   * @param input (T, B, I), or (B, T, I) with batchFirst; (T, I) for one sequence without a batch; or packed
   * @param hx the state before the first step: h0 of shape (L·D, B, R), of an LSTM the pair [h0, c0] with c0 of shape
   *   (L·D, B, H), without B when unbatched; zeros when left out. For packed input it is in the order of the caller's
   *   batch, as the final state is
   * @param options `out`: tensors to write to instead of new ones, which spares the page faults of new memory
   * @returns [output, hn], of an LSTM [output, [hn, cn]]: output (T, B, D·R), (B, T, D·R), (T, D·R) or packed, as the input
   *   was, forward half first; hn and cn of the shapes of h0 and c0: the state after each sequence's last step
   * @throws TypeError ERR_ARG_TYPE or ERR_DTYPE for the kind of an argument (a dtype is never converted); RangeError
   *   ERR_SHAPE for a wrong rank or size, zero steps, an empty batch or a detached buffer; RangeError ERR_LENGTHS for
   *   batch sizes that do not fit; RangeError ERR_ARG_VALUE for `out` tensors that share memory; Error ERR_DISPOSED after
   *   dispose
   * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html
   * @example
   * ```ts
   * const [output, hn] = new GRU(3, 8).forward(rand([10, 5, 3])); // 10 steps of 5 sequences
   * const [, [, cn]] = new LSTM(3, 8).forward(rand([10, 5, 3]), [zeros([1, 5, 8]), zeros([1, 5, 8])]);
   * console.log(output.shape, hn.shape, cn.shape); // → [ 10, 5, 8 ] [ 1, 5, 8 ] [ 1, 5, 8 ]
   * ```
   */
  forward(input: TensorLike, hx?: Hx | null, options?: { out?: Out<Hx> | undefined }): [output: Tensor, state: State];
  forward(
    input: PackedSequence,
    hx?: Hx | null,
    options?: { out?: Out<Hx> | undefined },
  ): [output: PackedSequence, state: State];
  forward(
    input: TensorLike | PackedSequence,
    hx?: Hx | null,
    options?: { out?: Out<Hx> | undefined },
  ): [output: Tensor | PackedSequence, state: State];
  forward(
    input: TensorLike | PackedSequence,
    hx?: Hx | null,
    options?: { out?: Out<Hx> | undefined },
  ): [output: Tensor | PackedSequence, state: State] {
    const out = options === undefined ? undefined : checkOptions("forward", options, ["out"]).out;
    const addon = holderOf(this);
    const call = prepareCall(this.#config, this.batchFirst, input, hx, out);
    runPass(addon, call);
    return call.result as [Tensor | PackedSequence, State];
  }

  /**
   * As `forward`, on other threads: the event loop goes on. Input and state are copied before this returns, so the caller
   * may write to them at once. Every error, a wrong argument too, comes as a rejection.
   *
   * @param options `signal`: aborts the pass; the promise rejects with the signal's reason
   * @throws as `forward`, and the signal's reason when aborted before the end
   * @example
   * ```ts
   * const [output] = await new RNN(3, 8).forwardAsync(rand([10, 5, 3]), null, { signal: AbortSignal.timeout(60_000) });
   * console.log(output.shape); // → [ 10, 5, 8 ]
   * ```
   */
  forwardAsync(
    input: TensorLike,
    hx?: Hx | null,
    options?: ForwardAsyncOptions,
  ): Promise<[output: Tensor, state: State]>;
  forwardAsync(
    input: PackedSequence,
    hx?: Hx | null,
    options?: ForwardAsyncOptions,
  ): Promise<[output: PackedSequence, state: State]>;
  forwardAsync(
    input: TensorLike | PackedSequence,
    hx?: Hx | null,
    options?: ForwardAsyncOptions,
  ): Promise<[output: Tensor | PackedSequence, state: State]>;
  async forwardAsync(
    input: TensorLike | PackedSequence,
    hx?: Hx | null,
    options: ForwardAsyncOptions = {},
  ): Promise<[output: Tensor | PackedSequence, state: State]> {
    const signal = checkSignal(checkOptions("forwardAsync", options, ["signal"]).signal);
    const addon = holderOf(this);
    const call = prepareCall(this.#config, this.batchFirst, input, hx);
    if (signal?.aborted) throw signal.reason;
    await runAsync(addon, call, signal);
    return call.result as [Tensor | PackedSequence, State];
  }

  /**
   * Runs any number of sequences of unequal length, from a source that may be longer than memory, off the event loop: the
   * batch job. Items are copied into batches as they come, results come in the same order, each once, and have the same
   * bits as `forward` of the sequence alone. The source is read no faster than results are taken.
   *
   * Memory: at most `concurrency` + 1 batches at a time, each of at most `maxBatchTokens` steps (or one longer sequence) of
   * I elements in and D·R out, the states of its sequences, and its items. The tensors of a batch's results share
   * their memory; copy what is to be kept alone for long, or transferred.
   *
   * @param source an array, a generator, an async iterable, a Node stream in object mode or a web stream; of tensors (T, I),
   *   T from 1, or of any items that `features` makes such tensors of
   * @returns results `{ index, item, output, hn }`, of an LSTM with `cn` too; leaving the loop early stops what is under way
   *   and closes the source
   * @throws TypeError ERR_ARG_TYPE, ERR_OPTION or RangeError ERR_ARG_VALUE at once for a wrong argument. In the loop, after
   *   all results before it: Error ERR_ITEM with `index` and `cause` for an item that `features` throws at or that is no
   *   sequence of this model; the source's own error. At any moment: the signal's reason; Error ERR_DISPOSED
   * @example
   * ```ts
   * const sequences = [rand([4, 3]), rand([9, 3])]; // or a generator, or a stream, of any length
   * for await (const { index, output } of new LSTM(3, 8).map(sequences)) {
   *   console.log(index, output.shape); // → 0 [ 4, 8 ] 1 [ 9, 8 ]
   * }
   * ```
   */
  map<Item extends TensorLike>(
    source: MapSource<Item>,
    options?: MapOptions<Item>,
  ): AsyncGenerator<ResultOf<State, Item>, void, undefined>;
  map<Item>(
    source: MapSource<Item>,
    options: MapOptions<Item> & Required<Pick<MapOptions<Item>, "features">>,
  ): AsyncGenerator<ResultOf<State, Item>, void, undefined>;
  map<Item>(
    source: MapSource<Item>,
    options: MapOptions<Item> = {},
  ): AsyncGenerator<ResultOf<State, Item>, void, undefined> {
    holderOf(this);
    const results = mapSequences(this.#config, source, options, (pass, signal) => {
      return runAsync(holderOf(this), pass, signal);
    });
    return results as AsyncGenerator<ResultOf<State, Item>, void, undefined>;
  }

  /** `LSTM(3, 64, numLayers=2)`: the options that are not the defaults. */
  override toString(): string {
    return printRecurrent(this.#config.name, this.#config, this);
  }

  /** @internal */
  override [madeWith](): SharedArguments {
    const { inputSize, hiddenSize, batchFirst, dropout } = this;
    return { sizes: [inputSize, hiddenSize], options: { ...optionsOf(this.#config), batchFirst, dropout } };
  }
}

/** Settles only when the addon writes no more, whether the pass ended or was stopped. */
async function runAsync(addon: NativeRecurrent, pass: Pass, signal: AbortSignal | undefined): Promise<void> {
  await runJob((done) => startPass(addon, pass, done), signal);
}

/** What a stream of a module is made of. @throws as `LSTM.stream` documents */
export function openStream<Hx extends GivenState, State extends FinalState>(
  module: Recurrent<Hx, State>,
  options: StreamOptions,
): StreamParts {
  const batchSize = checkStreamOptions(options);
  const addon = holderOf(module);
  const config = configOf(module);
  if (config.bidirectional) {
    const name = withArticle(config.name);
    const expected = `${name} in one direction, since the other reads from the end, which a stream does not have`;
    throw rangeError("ERR_ARG_VALUE", "stream", expected, formatConfig(config));
  }
  const { batchFirst } = module;
  return { config, batchFirst, batchSize, addon: addon.stream(batchSize, batchFirst) };
}

/** The options that shape the parameters, as the constructor of the module takes them. */
function optionsOf(config: FullConfig): SharedArguments["options"] {
  const { kind, numLayers, bias, bidirectional, projSize, dtype, weightDtype } = config;
  const own = { ...(kind.projects && { projSize }), ...(kind.nonlinearity && { nonlinearity: kind.nonlinearity }) };
  return { numLayers, bias, bidirectional, ...own, dtype, weightDtype };
}

/** The arguments of the constructor of the module that a state dict belongs to. @throws as LSTM.fromStateDict documents */
export function readStateDict(module: ModuleName, dict: StateDict, options: RNNFromStateDictOptions): MadeOf {
  const caller = "fromStateDict";
  const keys = ["prefix", ...(module === "RNN" ? ["nonlinearity"] : []), "batchFirst", "weightDtype"];
  const { prefix = "", batchFirst = false, weightDtype, nonlinearity } = checkOptions(caller, options, keys);
  checkBool("batchFirst", batchFirst);
  const cell = cellOf(module, checkNonlinearity(nonlinearity));
  const read = readConfig({ caller, dict, prefix, cell });
  const config = { ...read, weightDtype: checkRecurrentWeightDType(weightDtype, read.dtype) };
  const parameters = matchStateDict(caller, dict, prefix, recurrentSpec(config));
  return [read.inputSize, read.hiddenSize, { ...optionsOf(config), batchFirst, [ready]: parameters }];
}
