// The LSTM: torch.nn.LSTM's module, for inference. It turns each forward pass into one native call. What a call must look
// like is judged in call, what a state dict must look like in nn/state-dict; the weights are in nn/module, promises
// and signals in runtime/job.

import type { LSTMConfig, NativeLSTM } from "../../../binding.js";
import { checkBool, checkOptions, rangeError } from "../../check.js";
import { native } from "../../native.js";
import { checkSignal, type ForwardAsyncOptions } from "../../runtime/job.js";
import type { PackedSequence } from "../../sequences/packed.js";
import { inspect, printLSTM } from "../../tensor/inspect.js";
import type { FloatDType } from "../../tensor/strided.js";
import type { Tensor, TensorLike } from "../../tensor/tensor.js";
import { type MapOptions, type MapResult, type MapSource, mapSequences } from "../map/map.js";
import { ModuleWeights, type Ready, readShared, ready, type SharedModule } from "../module.js";
import { type LoadStateDictOptions, matchStateDict, type StateDict } from "../state-dict.js";
import { named, Uncloneable } from "../uncloneable.js";
import { type LSTMOutput, prepareCall, runAsync } from "./call.js";
import {
  checkArguments,
  checkWeightDType,
  type ForwardOptions,
  type FromStateDictOptions,
  type FullConfig,
  type LSTMOptions,
  type Manner,
  type WeightDType,
} from "./options.js";
import { drawParameters, lstmSpec, readConfig } from "./parameters.js";
import type { LSTMState } from "./state.js";
import { checkStreamOptions, LSTMStream, type StreamOptions } from "./stream.js";

interface ReadyOptions extends LSTMOptions, Ready {}

/**
 * A stacked LSTM, for inference: the arguments, shapes, parameter names and numbers of `torch.nn.LSTM`.
 *
 * T steps, B sequences, I = inputSize, H = hiddenSize, R = projSize or H, L = numLayers, D = 2 when bidirectional, else 1.
 *
 * A given sequence has the same output to the bit, whatever else is in its batch, in any layout, on any number of threads.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html
 * @example
 * ```ts
 * const lstm = new LSTM(3, 64, { numLayers: 2 });
 * const [output, [hn, cn]] = lstm.forward(rand([10, 5, 3])); // 10 steps of 5 sequences
 * console.log(output.shape, hn.shape, cn.shape); // → [ 10, 5, 64 ] [ 2, 5, 64 ] [ 2, 5, 64 ]
 * ```
 */
export class LSTM extends Uncloneable {
  static {
    named(LSTM);
  }

  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly bias: boolean;
  readonly batchFirst: boolean;
  /** Kept so that torch's arguments fit; without effect, because dropout acts in training only. */
  readonly dropout: number;
  readonly bidirectional: boolean;
  readonly projSize: number;
  readonly dtype: FloatDType;
  /** What the weights are stored in: `dtype`, or "float16". */
  readonly weightDtype: WeightDType;

  readonly #config: LSTMConfig;
  readonly #weights: ModuleWeights<NativeLSTM>;

  /**
   * Every parameter is drawn from U(-1/√H, 1/√H), in torch's order from the generator that `manualSeed` seeds.
   *
   * @param inputSize I, from 1
   * @param hiddenSize H, from 1
   * @param options torch's keyword arguments in camelCase
   * @throws TypeError ERR_ARG_TYPE, ERR_DTYPE or ERR_OPTION for the kind of an argument or an option that does not exist;
   *   RangeError ERR_ARG_VALUE for a size that is no integer or out of range, projSize not below hiddenSize, or more
   *   parameters than memory holds
   */
  constructor(inputSize: number, hiddenSize: number, options: LSTMOptions = {}) {
    super();
    const [config, manner]: [FullConfig, Manner] = checkArguments(inputSize, hiddenSize, options);
    this.inputSize = config.inputSize;
    this.hiddenSize = config.hiddenSize;
    this.numLayers = config.numLayers;
    this.bias = config.bias;
    this.batchFirst = manner.batchFirst;
    this.dropout = manner.dropout;
    this.bidirectional = config.bidirectional;
    this.projSize = config.projSize;
    this.dtype = config.dtype;
    this.weightDtype = config.weightDtype;
    this.#config = config;
    const spec = lstmSpec(config);
    const weights = (options as ReadyOptions)[ready] ?? drawParameters(spec, config.hiddenSize);
    this.#weights = new ModuleWeights("LSTM", spec, new native.LSTM(config), weights);
  }

  /**
   * Runs the sequences through every layer.
   *
   * @param input (T, B, I), or (B, T, I) with batchFirst; (T, I) for one sequence without a batch; or packed
   * @param hx [h0, c0] of shapes (L·D, B, R) and (L·D, B, H), without B when unbatched; zeros when left out. For packed
   *   input they are in the order of the caller's batch, as hn and cn are
   * @param options `out`: tensors to write to instead of new ones, which spares the page faults of new memory
   * @returns [output, [hn, cn]]: output (T, B, D·R), (B, T, D·R), (T, D·R) or packed, as the input was, forward half
   *   first; hn and cn of the shapes of h0 and c0: the state after each sequence's last step
   * @throws TypeError ERR_ARG_TYPE or ERR_DTYPE for the kind of an argument (a dtype is never converted); RangeError
   *   ERR_SHAPE for a wrong rank or size, zero steps, an empty batch or a detached buffer; RangeError ERR_LENGTHS for
   *   batch sizes that do not fit; RangeError ERR_ARG_VALUE for `out` tensors that share memory; Error ERR_DISPOSED after
   *   dispose
   * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html
   */
  forward(input: TensorLike, hx?: LSTMState | null, options?: ForwardOptions): LSTMOutput<Tensor>;
  forward(input: PackedSequence, hx?: LSTMState | null, options?: ForwardOptions): LSTMOutput<PackedSequence>;
  forward(
    input: TensorLike | PackedSequence,
    hx?: LSTMState | null,
    options?: ForwardOptions,
  ): LSTMOutput<Tensor | PackedSequence>;
  forward(
    input: TensorLike | PackedSequence,
    hx?: LSTMState | null,
    options?: ForwardOptions,
  ): LSTMOutput<Tensor | PackedSequence> {
    const out = options === undefined ? undefined : checkOptions("forward", options, ["out"]).out;
    const { addon } = this.#weights;
    const call = prepareCall(this.#config, this.batchFirst, input, hx, out);
    addon.forward(
      call.input,
      call.output,
      call.h0,
      call.c0,
      call.hn,
      call.cn,
      call.steps,
      call.batch,
      call.batchFirst,
      call.batchSizes,
      call.sortedIndices,
    );
    return call.result;
  }

  /**
   * As `forward`, on other threads: the event loop goes on. Input and state are copied before this returns, so the caller
   * may write to them at once. Every error, a wrong argument too, comes as a rejection.
   *
   * @param options `signal`: aborts the pass; the promise rejects with the signal's reason
   * @throws as `forward`, and the signal's reason when aborted before the end
   */
  forwardAsync(input: TensorLike, hx?: LSTMState | null, options?: ForwardAsyncOptions): Promise<LSTMOutput<Tensor>>;
  forwardAsync(
    input: PackedSequence,
    hx?: LSTMState | null,
    options?: ForwardAsyncOptions,
  ): Promise<LSTMOutput<PackedSequence>>;
  forwardAsync(
    input: TensorLike | PackedSequence,
    hx?: LSTMState | null,
    options?: ForwardAsyncOptions,
  ): Promise<LSTMOutput<Tensor | PackedSequence>>;
  async forwardAsync(
    input: TensorLike | PackedSequence,
    hx?: LSTMState | null,
    options: ForwardAsyncOptions = {},
  ): Promise<LSTMOutput<Tensor | PackedSequence>> {
    const signal = checkSignal(checkOptions("forwardAsync", options, ["signal"]).signal);
    const { addon } = this.#weights;
    const call = prepareCall(this.#config, this.batchFirst, input, hx);
    if (signal?.aborted) throw signal.reason;
    await runAsync(addon, call, signal);
    return call.result;
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
   * @returns results `{ index, item, output, hn, cn }`; leaving the loop early stops what is under way and closes the source
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
  ): AsyncGenerator<MapResult<Item>, void, undefined>;
  map<Item>(
    source: MapSource<Item>,
    options: MapOptions<Item> & Required<Pick<MapOptions<Item>, "features">>,
  ): AsyncGenerator<MapResult<Item>, void, undefined>;
  map<Item>(source: MapSource<Item>, options: MapOptions<Item> = {}): AsyncGenerator<MapResult<Item>, void, undefined> {
    const weights = this.#weights;
    weights.addon;
    return mapSequences(this.#config, source, options, async (call, signal) => {
      await runAsync(weights.addon, call, signal);
    });
  }

  /**
   * One or many streams of this LSTM, to be stepped as their frames arrive: nothing is allocated per step.
   *
   * @param options `batchSize`: how many streams there is room for, 1 when left out
   * @throws RangeError ERR_ARG_VALUE for a bidirectional LSTM, or a batchSize that is no integer from 1; TypeError
   *   ERR_ARG_TYPE, ERR_OPTION; Error ERR_DISPOSED after dispose
   */
  stream(options: StreamOptions = {}): LSTMStream {
    const batchSize = checkStreamOptions(options);
    const { addon } = this.#weights;
    if (this.bidirectional) {
      const expected = "an LSTM in one direction, since the other reads from the end, which a stream does not have";
      throw rangeError("ERR_ARG_VALUE", "stream", expected, this.#weights.spec.title);
    }
    return new LSTMStream(this.#config, this.batchFirst, batchSize, addon.stream(batchSize, this.batchFirst));
  }

  /**
   * The parameters by torch's names, in torch's order, as copies: writing to them does not change the model. Weights that
   * are stored in float16 come as float32, rounded as they are.
   * @throws Error ERR_DISPOSED after dispose
   */
  stateDict(): Record<string, Tensor> {
    return this.#weights.stateDict();
  }

  /**
   * Replaces every parameter, or none: when it throws, the model is what it was. Strict, as torch's `load_state_dict` is;
   * float32 and float64 are converted to the model's dtype, as there. Passes already under way keep the old weights.
   *
   * @param dict tensors by torch's names (`weight_ih_l0`, …)
   * @param options `prefix`: of a larger model's dict take only the keys that start with it, such as "encoder.lstm."
   * @throws RangeError ERR_STATE_DICT listing every missing, unexpected and misshapen key; RangeError ERR_ARG_VALUE for a
   *   weight that the model's `weightDtype` cannot hold; TypeError ERR_ARG_TYPE, ERR_DTYPE or ERR_OPTION for the wrong kind
   *   of dict, value or option; Error ERR_DISPOSED after dispose
   * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.load_state_dict
   */
  loadStateDict(dict: StateDict, options: LoadStateDictOptions = {}): void {
    this.#weights.loadStateDict(dict, options);
  }

  /**
   * The LSTM that a state dict belongs to: every size, the layers, the directions, the projection, the biases and the
   * dtype are read off its names and shapes. Draws no random numbers.
   *
   * @param dict tensors by torch's names
   * @param options `prefix` as in `loadStateDict`; `batchFirst` and `weightDtype` as in the constructor
   * @throws as `loadStateDict`; a RangeError ERR_STATE_DICT names the nearest key when `weight_ih_l0` is not there
   */
  static fromStateDict(dict: StateDict, options: FromStateDictOptions = {}): LSTM {
    const given = checkOptions("fromStateDict", options, ["prefix", "batchFirst", "weightDtype"]);
    const { prefix = "", batchFirst = false, weightDtype } = given;
    checkBool("batchFirst", batchFirst);
    const config = readConfig("fromStateDict", dict, prefix);
    config.weightDtype = checkWeightDType(weightDtype, config.dtype);
    const { inputSize, hiddenSize, ...rest } = config;
    const parameters = matchStateDict("fromStateDict", dict, prefix, lstmSpec(config));
    const made: ReadyOptions = { ...rest, batchFirst, [ready]: parameters };
    return new LSTM(inputSize, hiddenSize, made);
  }

  /**
   * A handle for other threads of this process: `postMessage` and `workerData` carry it without copying the weights, and
   * `fromShared` makes an LSTM of it that computes from them where they lie. The first call moves this LSTM's own weights
   * to shared memory. `loadStateDict` gives the one LSTM it is called on new weights of its own and leaves the others as
   * they are, and so does `dispose`; the memory goes when nobody has it any more.
   *
   * @example
   * ```ts
   * const lstm = new LSTM(3, 64);
   * const other = LSTM.fromShared(lstm.share()); // in a Worker: LSTM.fromShared(workerData)
   * lstm.dispose(); // the other has the weights still
   * console.log(other.forward(zeros([20, 1, 3]))[0].shape); // → [ 20, 1, 64 ]
   * ```
   * @throws RangeError ERR_ARG_VALUE when there is no shared memory of that size; Error ERR_DISPOSED after dispose
   */
  share(): SharedModule {
    const { numLayers, bias, batchFirst, dropout, bidirectional, projSize, dtype, weightDtype } = this;
    const options = { numLayers, bias, batchFirst, dropout, bidirectional, projSize, dtype, weightDtype };
    return this.#weights.share([this.inputSize, this.hiddenSize], options);
  }

  /**
   * The LSTM that `share` gave the handle of, here or in another thread, with the same options. Draws no random numbers.
   * @throws TypeError ERR_ARG_TYPE for what is no handle; RangeError ERR_ARG_VALUE for one of another class, of another
   *   version of this package or instruction set, or with more or fewer bytes than its sizes take; and as the constructor
   */
  static fromShared(handle: SharedModule): LSTM {
    const { sizes, options, weights } = readShared("LSTM", handle);
    const given: ReadyOptions = { ...options, [ready]: weights };
    return new LSTM(sizes[0] as number, sizes[1] as number, given);
  }

  /**
   * Gives the memory of the weights back now instead of whenever the collector comes by. Passes under way end well;
   * every later use throws ERR_DISPOSED. Disposing twice is no error.
   */
  dispose(): void {
    this.#weights.dispose();
  }

  /** `using lstm = new LSTM(…)` disposes at the end of the block. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** `LSTM(3, 64, numLayers=2)`: the options that are not the defaults. */
  override toString(): string {
    return printLSTM("LSTM", this);
  }

  /** @internal */
  [inspect](): string {
    return this.toString();
  }
}
