// What the modules have in common whose weights the addon holds, packed: the panels are the only copy. They are read out
// for a state dict, replaced by one, moved to memory that worker threads share, and let go of. What a module computes,
// and which parameters it has, its own file says.

import { types } from "node:util";
import type { FloatArray, NativeWeights } from "../../binding.js";
import { checkOptions, describe, disposedError, rangeError, typeError } from "../check.js";
import { native, version } from "../native.js";
import type { Tensor } from "../tensor/tensor.js";
import {
  type LoadStateDictOptions,
  type ModuleSpec,
  makeStateDict,
  matchStateDict,
  type StateDict,
} from "./state-dict.js";

/** How a static maker hands weights to a constructor, which then draws none. No caller can name it. */
export const ready = Symbol("weights");

/** Parameters in torch's order, which are read and not kept; or packed weights that another thread may hold as well. */
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
  /** The class: "LSTM" or "Linear". */
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

/** The weights of one module. */
export class ModuleWeights<N extends NativeWeights> {
  readonly spec: ModuleSpec;
  readonly #name: string;
  #addon: N | null;
  #shared: SharedArrayBuffer | undefined;

  /**
   * @param name the class, for messages
   * @param addon fresh; it is this object's from now on
   * @throws RangeError ERR_ARG_VALUE when memory cannot hold them, or for shared ones of another length
   */
  constructor(name: string, spec: ModuleSpec, addon: N, weights: Weights) {
    this.spec = spec;
    this.#name = name;
    if (types.isSharedArrayBuffer(weights)) {
      const length = addon.byteLength();
      if (weights.byteLength !== length) {
        const expected = `${length} bytes, as ${spec.title} takes`;
        throw rangeError("ERR_ARG_VALUE", `${name}.fromShared: handle.weights`, expected, `${weights.byteLength}`);
      }
      addon.open(new Uint8Array(weights));
      this.#shared = weights;
    } else {
      addon.load(weights);
    }
    this.#addon = addon;
  }

  /** @throws Error ERR_DISPOSED after dispose */
  get addon(): N {
    if (this.#addon === null) throw disposedError(this.#name);
    return this.#addon;
  }

  /** The parameters by torch's names, in torch's order, as fresh arrays. @throws Error ERR_DISPOSED */
  stateDict(): Record<string, Tensor> {
    const { addon } = this;
    return makeStateDict(this.spec, (arrays) => addon.read(arrays));
  }

  /** Replaces every parameter, or none. @throws as LSTM.loadStateDict documents */
  loadStateDict(dict: StateDict, options: LoadStateDictOptions): void {
    const { prefix = "" } = checkOptions("loadStateDict", options, ["prefix"]);
    const { addon } = this;
    const parameters = matchStateDict("loadStateDict", dict, prefix, this.spec);
    addon.load(parameters);
    this.#shared = undefined;
  }

  /**
   * Moves the weights to shared memory, unless they lie there.
   * @throws RangeError ERR_ARG_VALUE when there is no such memory; Error ERR_DISPOSED
   */
  share(sizes: SharedModule["sizes"], options: SharedModule["options"]): SharedModule {
    const { addon } = this;
    if (this.#shared === undefined) {
      const memory = allocateShared(this.#name, addon.byteLength());
      addon.share(new Uint8Array(memory));
      this.#shared = memory;
    }
    return { module: this.#name, sizes, options, layout: layout(), weights: this.#shared };
  }

  dispose(): void {
    this.#addon?.dispose();
    this.#addon = null;
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
 * A handle, judged but for its sizes and options, which the constructor judges as it does everyone's. Each property is
 * read once: a getter could answer differently the second time.
 * @throws TypeError ERR_ARG_TYPE for what is no handle; RangeError ERR_ARG_VALUE for one of another class, or of another
 *   version of this package or instruction set
 */
export function readShared(name: string, handle: SharedModule): SharedModule {
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
  return { module, sizes, options: { ...options }, layout: its, weights };
}
