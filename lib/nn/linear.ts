// Linear: torch.nn.Linear's module, for inference. It judges the input and turns each pass into one native call; the
// product is the addon's, by the same kernels and threads as the LSTM's.

import type { FloatArray, LinearConfig, NativeLinear } from "../../binding.js";
import { checkBool, checkInt, checkOptions, describe, formatShape, rangeError, typeError } from "../check.js";
import { native } from "../native.js";
import { uniform } from "../random/random.js";
import { checkSignal, type ForwardAsyncOptions, runJob } from "../runtime/job.js";
import { isPacked, PackedSequence } from "../sequences/packed.js";
import { printCall } from "../tensor/inspect.js";
import { allocate, checkFloatDType, type FloatDType } from "../tensor/strided.js";
import { Tensor, type TensorLike, toTensor } from "../tensor/tensor.js";
import {
  holderOf,
  madeWith,
  type Ready,
  readShared,
  ready,
  ShareableModule,
  type SharedArguments,
  type SharedModule,
} from "./module.js";
import {
  entriesUnder,
  type LoadStateDictOptions,
  type ModuleSpec,
  matchStateDict,
  readDType,
  readMatrix,
  type StateDict,
} from "./state-dict.js";
import { named } from "./uncloneable.js";
import { checkTerms, checkWeightDType, type WeightDType } from "./weight-dtype.js";

/** What a Linear's weight is stored in. */
export type LinearWeightDType = Exclude<WeightDType, "float16">;

/** torch.nn.Linear's keyword arguments. */
export interface LinearOptions {
  /** Whether a learnt `bias` is added. Default true. */
  bias?: boolean;
  /** "float32" (default) or "float64". */
  dtype?: FloatDType;
  /**
   * "int8" stores a float32 Linear's weight in a quarter of the memory and multiplies 8-bit integers: each row of it is rounded
   * with a scale of its own when it is loaded, each row of the input when it is multiplied; the bias and the output stay
   * float32. inFeatures is at most 133,144 then. By default as `dtype`.
   */
  weightDtype?: LinearWeightDType;
}

/** Options of {@link Linear.fromStateDict}. */
export interface LinearFromStateDictOptions extends LoadStateDictOptions {
  /** As for the constructor. */
  weightDtype?: LinearWeightDType | undefined;
}

interface ReadyOptions extends LinearOptions, Ready {}

/** One pass made ready, and what `forward` returns once it is written. */
interface Call {
  readonly input: FloatArray;
  readonly output: FloatArray;
  readonly rows: number;
  readonly result: Tensor | PackedSequence;
}

const maxSize = 2 ** 24; // as for the LSTM
const narrower = ["int8"] as const;

type FullConfig = Required<LinearConfig>;

/**
 * y = x·Wᵀ + b, for inference: the arguments, shapes, parameter names and numbers of `torch.nn.Linear`.
 *
 * A given row has the same output to the bit, whatever else is in its batch, on any number of threads.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html
 * @example
 * ```ts
 * const head = new Linear(64, 10);
 * console.log(head, head.forward(rand([32, 64])).shape); // → Linear(64, 10) [ 32, 10 ]
 * ```
 */
export class Linear extends ShareableModule<NativeLinear> {
  static {
    named(Linear);
  }

  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly bias: boolean;
  readonly dtype: FloatDType;
  /** What the weight is stored in: `dtype`, or "int8". */
  readonly weightDtype: LinearWeightDType;

  /**
   * The parameters are drawn from U(-1/√inFeatures, 1/√inFeatures), as torch draws them from the generator that
   * `manualSeed` seeds.
   *
   * @param inFeatures the last dimension of the input, from 1
   * @param outFeatures the last dimension of the output, from 1
   * @throws TypeError ERR_ARG_TYPE, ERR_DTYPE or ERR_OPTION for the kind of an argument or an option that does not exist;
   *   RangeError ERR_ARG_VALUE for a size that is no integer or out of range, or more parameters than memory holds
   */
  constructor(inFeatures: number, outFeatures: number, options: LinearOptions = {}) {
    const given = checkOptions("Linear", options, ["bias", "dtype", "weightDtype"]);
    const { bias = true, dtype: wanted = "float32", weightDtype } = given;
    const dtype = checkFloatDType("dtype", wanted);
    const config: FullConfig = {
      inFeatures: checkInt("inFeatures", inFeatures, { min: 1, max: maxSize }),
      outFeatures: checkInt("outFeatures", outFeatures, { min: 1, max: maxSize }),
      bias: checkBool("bias", bias),
      dtype,
      weightDtype: checkWeightDType(weightDtype, dtype, narrower),
    };
    checkTerms(config.weightDtype, "inFeatures", config.inFeatures);
    const weights = (options as ReadyOptions)[ready] ?? drawParameters(config);
    super({ name: "Linear", spec: linearSpec(config), holder: new native.Linear(config), weights });
    this.inFeatures = config.inFeatures;
    this.outFeatures = config.outFeatures;
    this.bias = config.bias;
    this.dtype = config.dtype;
    this.weightDtype = config.weightDtype;
  }

  /**
   * @param input (*, inFeatures), where * is any number of dimensions, none too; or packed rows of that shape
   * @returns (*, outFeatures), packed as the input was
   * @throws TypeError ERR_ARG_TYPE or ERR_DTYPE for the kind of the input (a dtype is never converted); RangeError
   *   ERR_SHAPE for another last dimension or a detached buffer, ERR_LENGTHS for batch sizes that do not fit; Error
   *   ERR_DISPOSED after dispose
   * @example
   * ```ts
   * const head = Linear.fromStateDict({ weight: tensor([[1, 2]]), bias: tensor([3]) });
   * console.log(head.forward(tensor([10, 100])).toArray()); // → [ 213 ]
   * ```
   */
  forward(input: TensorLike): Tensor;
  forward(input: PackedSequence): PackedSequence;
  forward(input: TensorLike | PackedSequence): Tensor | PackedSequence;
  forward(input: TensorLike | PackedSequence): Tensor | PackedSequence {
    const addon = holderOf(this);
    const call = this.#prepare(input);
    if (call.rows > 0) addon.forward(call.input, call.output, call.rows);
    return call.result;
  }

  /**
   * As `forward`, on other threads: the event loop goes on. The input is copied before this returns. Every error, a wrong
   * argument too, comes as a rejection.
   *
   * @param options `signal`: aborts the pass; the promise rejects with the signal's reason
   * @example
   * ```ts
   * const y = await new Linear(3, 4).forwardAsync(rand([2, 3]), { signal: AbortSignal.timeout(60_000) });
   * console.log(y.shape); // → [ 2, 4 ]
   * ```
   */
  forwardAsync(input: TensorLike, options?: ForwardAsyncOptions): Promise<Tensor>;
  forwardAsync(input: PackedSequence, options?: ForwardAsyncOptions): Promise<PackedSequence>;
  forwardAsync(input: TensorLike | PackedSequence, options?: ForwardAsyncOptions): Promise<Tensor | PackedSequence>;
  async forwardAsync(
    input: TensorLike | PackedSequence,
    options: ForwardAsyncOptions = {},
  ): Promise<Tensor | PackedSequence> {
    const signal = checkSignal(checkOptions("forwardAsync", options, ["signal"]).signal);
    const addon = holderOf(this);
    const { input: rowsIn, output, rows, result } = this.#prepare(input);
    if (signal?.aborted) throw signal.reason;
    if (rows > 0) await runJob((done) => addon.forwardAsync(rowsIn, output, rows, done), signal);
    return result;
  }

  /**
   * The Linear that a state dict belongs to: sizes, bias and dtype are read off its names and shapes. Draws no random
   * numbers.
   * @throws as `loadStateDict`; a RangeError ERR_STATE_DICT names the nearest key when `weight` is not there
   * @example
   * ```ts
   * console.log(Linear.fromStateDict({ weight: rand([4, 3]) })); // → Linear(3, 4, bias=false)
   * ```
   */
  static fromStateDict(dict: StateDict, options: LinearFromStateDictOptions = {}): Linear {
    const { prefix = "", weightDtype: wanted } = checkOptions("fromStateDict", options, ["prefix", "weightDtype"]);
    const { rows, columns } = readMatrix("fromStateDict", dict, prefix, "weight");
    const bias = entriesUnder("fromStateDict", dict, prefix).has("bias");
    const dtype = readDType("fromStateDict", dict, prefix);
    const weightDtype = checkWeightDType(wanted, dtype, narrower);
    const spec = linearSpec({ inFeatures: columns, outFeatures: rows, bias, dtype, weightDtype });
    const parameters = matchStateDict("fromStateDict", dict, prefix, spec);
    const given: ReadyOptions = { bias, dtype, weightDtype, [ready]: parameters };
    return new Linear(columns, rows, given);
  }

  /**
   * As {@link LSTM.fromShared}.
   * @example
   * ```ts
   * console.log(Linear.fromShared(new Linear(64, 10).share())); // → Linear(64, 10)
   * ```
   */
  static fromShared(handle: SharedModule): Linear {
    return new Linear(...readShared("Linear", handle));
  }

  /** @internal */
  override [madeWith](): SharedArguments {
    const { inFeatures, outFeatures, bias, dtype, weightDtype } = this;
    return { sizes: [inFeatures, outFeatures], options: { bias, dtype, weightDtype } };
  }

  /** `Linear(3, 4, bias=false)`: the options that are not the defaults. */
  override toString(): string {
    const { inFeatures, outFeatures, bias, dtype, weightDtype } = this;
    return printCall("Linear", [inFeatures, outFeatures], {
      bias: [bias, true],
      dtype: [dtype, "float32"],
      weightDtype: [weightDtype, dtype],
    });
  }

  #prepare(input: TensorLike | PackedSequence): Call {
    if (!isPacked(input)) {
      const call = this.#prepareRows("input", toTensor("input", input), 1);
      return { ...call, result: call.rowsOut };
    }
    const { data, batchSizes, sortedIndices, unsortedIndices } = PackedSequence.from("input", input);
    const call = this.#prepareRows("input.data", data, 2);
    return { ...call, result: new PackedSequence(call.rowsOut, batchSizes, sortedIndices, unsortedIndices) };
  }

  #prepareRows(name: string, tensor: Tensor, minRank: number): Omit<Call, "result"> & { rowsOut: Tensor } {
    const { inFeatures, outFeatures, dtype } = this;
    const { data, shape } = tensor;
    if (tensor.dtype !== dtype) {
      throw typeError("ERR_DTYPE", name, `a ${dtype} tensor, as the Linear's parameters are`, describe(tensor));
    }
    if (shape.length < minRank || shape.at(-1) !== inFeatures) {
      const expected = minRank === 1 ? `shape (*, ${inFeatures})` : `packed rows of shape (N, *, ${inFeatures})`;
      const short = shape.length < minRank;
      const received = short
        ? `shape ${formatShape(shape)}`
        : `a last dimension of ${shape.at(-1)} in ${formatShape(shape)}`;
      throw rangeError("ERR_SHAPE", name, expected, received);
    }
    const rows = data.length / inFeatures;
    const output = allocate("output", dtype, rows * outFeatures);
    const rowsOut = new Tensor(output, [...shape.slice(0, -1), outFeatures]);
    return { input: data as FloatArray, output, rows, rowsOut };
  }
}

function linearSpec({ inFeatures, outFeatures, bias, dtype, weightDtype }: FullConfig): ModuleSpec {
  const options = [
    bias ? [] : ["bias: false"],
    dtype === "float32" ? [] : [`dtype: "${dtype}"`],
    weightDtype === dtype ? [] : [`weightDtype: "${weightDtype}"`],
  ].flat();
  const title = `Linear(${inFeatures}, ${outFeatures}${options.length === 0 ? "" : `, { ${options.join(", ")} }`})`;
  const weight = { name: "weight", shape: [outFeatures, inFeatures], storage: weightDtype };
  return {
    title,
    dtype,
    parameters: bias ? [weight, { name: "bias", shape: [outFeatures], storage: dtype }] : [weight],
  };
}

/** torch's `reset_parameters`: `kaiming_uniform_(weight, a=√5)` comes to the bounds of the bias but for their last bits. */
function drawParameters({ inFeatures, outFeatures, bias, dtype }: LinearConfig): FloatArray[] {
  const parameters = [allocate("outFeatures", dtype, outFeatures * inFeatures)];
  if (bias) parameters.push(allocate("outFeatures", dtype, outFeatures));
  const slope = Math.sqrt(5);
  const std = Math.sqrt(2 / (1 + slope * slope)) / Math.sqrt(inFeatures);
  const bounds = [Math.sqrt(3) * std, 1 / Math.sqrt(inFeatures)];
  for (const [i, parameter] of parameters.entries()) uniform(parameter, -(bounds[i] as number), bounds[i] as number);
  return parameters;
}
