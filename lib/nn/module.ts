// What the modules have in common. Their weights are held once, in most by the addon, packed: they are read out for a
// state dict, replaced by one, moved to memory that worker threads share, and let go of. What a module computes, and which
// parameters it has, its own file says.

import { types } from "node:util";
import type { FloatArray, NativeWeights } from "../../binding.js";
import { checkOptions, describe, disposedError, rangeError, typeError } from "../check.js";
import { native, version } from "../native.js";
import { inspect } from "../tensor/inspect.js";
import type { Tensor } from "../tensor/tensor.js";
import {
  type LoadStateDictOptions,
  type ModuleSpec,
  makeStateDict,
  matchStateDict,
  type StateDict,
} from "./state-dict.js";
import { Uncloneable } from "./uncloneable.js";

/** How a static maker hands weights to a constructor, which then draws none. No caller can name it. */
export const ready = Symbol("weights");

/** Parameters in torch's order, which the addon reads and does not keep; or packed weights that another thread may hold as well. */
export type Weights = readonly FloatArray[] | SharedArrayBuffer;

/** Options of a constructor that static makers call. */
export interface Ready {
  [ready]?: Weights;
}

/**
 * A module's weights for other threads: plain data over one piece of shared memory, which `postMessage` and `workerData`
 * carry without a copy. What `share` of a module gives and `fromShared` of its class takes, in the same process. The
 * memory is read by every holder while it computes: write to it, and their results are wrong.
 */
export interface SharedModule {
  /** The class, such as "LSTM". */
  readonly module: string;
  /** The constructor's sizes. */
  readonly sizes: readonly number[];
  /** The constructor's options, each of them. */
  readonly options: Readonly<Record<string, number | boolean | string>>;
  /** What the weights are laid out for: the version of this package and the instruction set. */
  readonly layout: string;
  /** The weights as the addon packs them. */
  readonly weights: SharedArrayBuffer;
}

const layout = (): string => `${version} ${native.runtimeInfo().isa}`;

/** Holds a module's weights, in the spec's order: the addon's panels, or a table in JavaScript. */
export type Holder = Pick<NativeWeights, "load" | "read" | "dispose">;

/** What a module's class gives the base: which parameters there are, and a fresh holder, which is the base's from now on. */
export interface Parts<H extends Holder> {
  /** The class, for messages. */
  readonly name: string;
  readonly spec: ModuleSpec;
  readonly holder: H;
  readonly weights: Weights;
}

/**
 * The holder of a module's weights. Not a method: no caller of the package can reach it.
 * @throws Error ERR_DISPOSED after dispose
 */
export let holderOf: <H extends Holder>(module: WeightedModule<H>) => H;

/** A module with a state dict. */
export abstract class WeightedModule<H extends Holder> extends Uncloneable {
  readonly #name: string;
  readonly #spec: ModuleSpec;
  #holder: H | null = null;

  static {
    holderOf = (module) => {
      if (module.#holder === null) throw disposedError(module.#name);
      return module.#holder;
    };
  }

  /** @internal */
  constructor({ name, spec, holder, weights }: Parts<H>) {
    super();
    this.#name = name;
    this.#spec = spec;
    if (!types.isSharedArrayBuffer(weights)) holder.load(weights);
    this.#holder = holder;
  }

  /**
   * The parameters by torch's names, in torch's order, as copies: writing to them does not change the model. Weights that
   * are stored in float16 or int8 come as float32, rounded as they are; loaded into a model that stores them so, they are the same.
   * @throws Error ERR_DISPOSED after dispose
   * @example
   * ```ts
   * const { weight, bias } = new Linear(3, 4).stateDict();
   * console.log(weight?.shape, bias?.shape); // → [ 4, 3 ] [ 4 ]
   * console.log(Object.keys(new GRUCell(3, 4, { bias: false }).stateDict())); // → [ 'weight_ih', 'weight_hh' ]
   * ```
   */
  stateDict(): Record<string, Tensor> {
    const holder = holderOf(this);
    return makeStateDict(this.#spec, (arrays) => holder.read(arrays));
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
   * @example
   * ```ts
   * const head = new Linear(2, 1);
   * head.loadStateDict({ "head.weight": tensor([[1, 2]]), "head.bias": tensor([0]) }, { prefix: "head." });
   * console.log(head.forward(tensor([1, 1])).toArray()); // → [ 3 ]
   * ```
   */
  loadStateDict(dict: StateDict, options: LoadStateDictOptions = {}): void {
    const { prefix = "" } = checkOptions("loadStateDict", options, ["prefix"]);
    const holder = holderOf(this);
    holder.load(matchStateDict("loadStateDict", dict, prefix, this.#spec));
  }

  /**
   * Gives the memory of the weights back now instead of whenever the collector comes by. Passes under way end well;
   * every later use throws ERR_DISPOSED. Disposing twice is no error.
   */
  dispose(): void {
    this.#holder?.dispose();
    this.#holder = null;
  }

  /** `using lstm = new LSTM(…)` disposes at the end of the block. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** `LSTM(3, 64, numLayers=2)`: the options that are not the defaults. */
  abstract override toString(): string;

  /** @internal */
  [inspect](): string {
    return this.toString();
  }
}

/** The constructor's arguments, as a handle carries them. */
export type SharedArguments = Pick<SharedModule, "sizes" | "options">;

/** How `share` asks a module what it was made with. No caller can name it. */
export const madeWith = Symbol("arguments");

/** A module whose packed weights can lie in memory that worker threads share. */
export abstract class ShareableModule<N extends NativeWeights> extends WeightedModule<N> {
  readonly #name: string;
  #shared: SharedArrayBuffer | undefined;

  /**
   * @throws RangeError ERR_ARG_VALUE when memory cannot hold the weights, or for shared ones of another length
   * @internal
   */
  constructor(parts: Parts<N>) {
    super(parts);
    const { name, spec, holder, weights } = parts;
    this.#name = name;
    if (!types.isSharedArrayBuffer(weights)) return;
    const length = holder.byteLength();
    if (weights.byteLength !== length) {
      const expected = `${length} bytes, as ${spec.title} takes`;
      throw rangeError("ERR_ARG_VALUE", `${name}.fromShared: handle.weights`, expected, `${weights.byteLength}`);
    }
    holder.open(new Uint8Array(weights));
    this.#shared = weights;
  }

  /** @internal */
  abstract [madeWith](): SharedArguments;

  override loadStateDict(dict: StateDict, options: LoadStateDictOptions = {}): void {
    super.loadStateDict(dict, options);
    this.#shared = undefined;
  }

  /**
   * A handle for other threads of this process: `postMessage` and `workerData` carry it without copying the weights, and
   * `fromShared` of the class makes a module of it that computes from them where they lie. The first call moves this
   * module's own weights to shared memory. `loadStateDict` gives the one module it is called on new weights of its own and
   * leaves the others as they are, and so does `dispose`; the memory goes when nobody has it any more.
   *
   * @throws RangeError ERR_ARG_VALUE when there is no shared memory of that size; Error ERR_DISPOSED after dispose
   * @example
   * ```ts
   * const lstm = new LSTM(3, 64);
   * const other = LSTM.fromShared(lstm.share()); // in a Worker: LSTM.fromShared(workerData)
   * lstm.dispose(); // the other has the weights still
   * console.log(other.forward(zeros([20, 1, 3]))[0].shape); // → [ 20, 1, 64 ]
   * ```
   */
  share(): SharedModule {
    const holder = holderOf<N>(this);
    if (this.#shared === undefined) {
      const memory = allocateShared(this.#name, holder.byteLength());
      holder.share(new Uint8Array(memory));
      this.#shared = memory;
    }
    return { module: this.#name, ...this[madeWith](), layout: layout(), weights: this.#shared };
  }

  override dispose(): void {
    super.dispose();
    this.#shared = undefined;
  }
}

function allocateShared(name: string, bytes: number): SharedArrayBuffer {
  try {
    return new SharedArrayBuffer(bytes);
  } catch {
    throw rangeError("ERR_ARG_VALUE", `${name}.share`, "shared memory for the weights", `none of ${bytes} bytes`);
  }
}

/**
 * What a constructor makes the module of a handle of. Sizes and options the constructor judges as it does everyone's. Each
 * property is read once: a getter could answer differently the second time.
 * @throws TypeError ERR_ARG_TYPE for what is no handle; RangeError ERR_ARG_VALUE for one of another class, or of another
 *   version of this package or instruction set
 */
export function readShared(name: string, handle: SharedModule): [first: number, second: number, options: object] {
  const caller = `${name}.fromShared: handle`;
  const expected = `what ${name}'s share() gave`;
  if (typeof handle !== "object" || handle === null)
    throw typeError("ERR_ARG_TYPE", caller, expected, describe(handle));
  const { module, sizes: given, options, layout: its, weights } = handle;
  if (!types.isSharedArrayBuffer(weights)) {
    throw typeError("ERR_ARG_TYPE", `${caller}.weights`, "a SharedArrayBuffer", describe(weights));
  }
  if (module !== name) throw rangeError("ERR_ARG_VALUE", caller, expected, `one for ${describe(module)}`);
  if (its !== layout()) {
    throw rangeError("ERR_ARG_VALUE", `${caller}.layout`, `${describe(layout())}, as this thread has`, describe(its));
  }
  const sizes = Array.isArray(given) ? Array.from(given) : [];
  if (sizes.length !== 2) throw typeError("ERR_ARG_TYPE", `${caller}.sizes`, "two numbers", describe(given));
  return [sizes[0], sizes[1], { ...options, [ready]: weights }];
}
