// The raw addon under random calls: models, streams and jobs of a few sizes, right arguments with now and then a wrong one
// among them, and lists and options whose getters dispose, load, run or take memory away in the midst of a call. A call
// gives a value or throws an error with a code; nothing is written beside an array; the process lives. What a bug reads
// or frees wrongly, the sanitizers see: npm run test:asan -- fuzz --only addon.

import type {
  FloatArray,
  LinearConfig,
  NativeJob,
  NativeLinear,
  NativeRecurrent,
  NativeStream,
  PassArgs,
  RecurrentConfig,
} from "../../binding.js";
import { native } from "../../lib/native.js";
import type { Below } from "../support/mutate.js";
import { detach } from "../support/odd-buffers.js";
import { parameterSizes, randomConfig, randomLinear, randomRows } from "./sizes.js";
import type { Attack, Outcome, Target } from "./target.js";
import { Memory, type Numbers, stranger } from "./values.js";

interface Model {
  readonly config: RecurrentConfig;
  readonly object: NativeRecurrent;
  readonly streams: { readonly object: NativeStream; readonly batch: number }[];
}

type Product = { readonly config: LinearConfig; readonly object: NativeLinear };

/** One thrown by a getter of ours: the addon passes it on. */
class Ours extends Error {
  readonly code = "ERR_OURS";
}

class Case {
  readonly #below: Below;
  readonly #memory: Memory;
  readonly #models: Model[] = [];
  readonly #products: Product[] = [];
  readonly #jobs: NativeJob[] = [];
  readonly #waiting: Promise<void>[] = [];
  readonly #arrays: Numbers[] = [];
  #depth = 0;
  readonly #log: string[] = [];

  constructor(below: Below) {
    this.#below = below;
    this.#memory = new Memory(below);
  }

  async run(): Promise<Outcome> {
    const calls = 4 + this.#below(24);
    try {
      for (let i = 0; i < calls; i++) this.#call();
      await Promise.all(this.#waiting);
      this.#memory.check();
    } catch (error) {
      throw new Error(`${String(error)} after ${this.#log.join(", ")}`, { cause: error });
    } finally {
      await Promise.all(this.#waiting);
    }
    return { kind: `${calls < 16 ? "few" : "many"} calls` };
  }

  #pick<T>(list: readonly T[]): T | undefined {
    return list[this.#below(list.length)];
  }

  /** One call of the addon; what it throws must be an error with a code. */
  #call(): void {
    const calls = [
      this.#newModel,
      this.#newProduct,
      this.#load,
      this.#load,
      this.#weights,
      this.#forward,
      this.#forward,
      this.#forward,
      this.#stream,
      this.#step,
      this.#step,
      this.#product,
      this.#lookup,
      this.#rows,
      this.#dispose,
      this.#threads,
      () => this.#pick(this.#jobs)?.abort(),
    ];
    const call = this.#models.length === 0 ? this.#newModel : (this.#pick(calls) as () => void);
    this.#log.push(call.name.replace("#", "") || "abort");
    try {
      call.call(this);
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (!(error instanceof Error) || typeof code !== "string" || !code.startsWith("ERR_")) {
        throw new Error(`an error without a code: ${String(error)}`, { cause: error });
      }
    }
  }

  /** What a getter does while the addon waits for its value. */
  #trick(): void {
    if (this.#depth >= 2) return;
    this.#depth++;
    this.#log.push("(");
    try {
      switch (this.#below(6)) {
        case 0:
          this.#pick(this.#models)?.object.dispose();
          break;
        case 1: {
          const array = this.#pick(this.#arrays);
          if (array !== undefined && array.length > 0 && !this.#memory.lent.has(array.buffer)) detach(array);
          break;
        }
        case 2:
          throw new Ours("from a getter");
        default:
          this.#call();
      }
    } finally {
      this.#log.push(")");
      this.#depth--;
    }
  }

  /** The value, or in one of a hundred cases something else. */
  #odd<T>(value: T): T {
    if (this.#below(100) !== 0) return value;
    return stranger(this.#below, this.#memory, () => this.#trick()) as T;
  }

  /** The list with a getter in the place of one element now and then. */
  #tricky<T extends object>(of: T): T {
    if (this.#below(3) !== 0) return of;
    const key = this.#pick(Object.keys(of));
    if (key === undefined) return of;
    const value = of[key as keyof T];
    const get = (): unknown => {
      this.#trick();
      return value;
    };
    Object.defineProperty(of, key, { get, enumerable: true, configurable: true });
    return of;
  }

  #array(kind: "float32" | "float64" | "int32", length: number): Numbers {
    const array = this.#memory.make(kind, length);
    this.#arrays.push(array);
    return array;
  }

  #newModel(): void {
    const config = randomConfig(this.#below);
    const odd = Object.fromEntries(Object.entries(config).map(([key, value]) => [key, this.#odd(value)]));
    const object = new native.Recurrent(this.#tricky(odd) as never);
    this.#models.push({ config, object, streams: [] });
    this.#load();
  }

  #load(): void {
    const model = this.#pick(this.#models);
    if (model === undefined) return;
    const list = parameterSizes(model.config).map((length) => this.#odd(this.#array(model.config.dtype, length)));
    model.object.load(this.#odd(this.#tricky(list)) as FloatArray[]);
  }

  /** The weights read out, put where others see them, and taken from there or from whatever lies there. */
  #weights(): void {
    const model = this.#pick(this.#models);
    if (model === undefined) return;
    const { object, config } = model;
    const list = parameterSizes(config).map((length) => this.#odd(this.#array(config.dtype, length)));
    const bytes = object.byteLength();
    if (bytes > 2 ** 20) return; // an odd size that was taken
    const memory = this.#odd(new Uint8Array(new SharedArrayBuffer(bytes)));
    const chosen = this.#below(4);
    if (chosen === 0) object.read(this.#odd(this.#tricky(list)) as FloatArray[]);
    else if (chosen < 3) object.share(memory);
    if (chosen === 1) memory[this.#below(memory.length)] = this.#below(256);
    if (chosen % 2 === 1) object.open(memory);
  }

  #forward(): void {
    const model = this.#pick(this.#models);
    if (model === undefined) return;
    const { cell, inputSize, hiddenSize, projSize, numLayers, bidirectional, dtype } = model.config;
    const { rows, steps, batch, batchFirst, sizes, sorted, lengths } = randomRows(this.#below);
    const states = numLayers * (bidirectional ? 2 : 1) * batch;
    const width = projSize || hiddenSize;
    const float = (length: number): Numbers => this.#odd(this.#array(dtype, length));
    const maybe = (length: number): Numbers | null => (this.#below(2) === 0 ? null : float(length));
    const hasC = cell === "lstm";
    const arrays = [
      ...[float(rows * inputSize), float(rows * (bidirectional ? 2 : 1) * width)],
      ...[maybe(states * width), hasC ? maybe(states * hiddenSize) : this.#odd(null)],
      ...[float(states * width), hasC ? float(states * hiddenSize) : this.#odd(null)],
    ];
    const description = [steps, batch, batchFirst, sizes, sorted, lengths].map((value) => this.#odd(value));
    const args = [...arrays, ...description] as unknown as PassArgs;
    if (this.#below(3) !== 0) {
      model.object.forward(...args);
      return;
    }
    // A pass under way writes to these; taking them away is what binding.d.ts forbids.
    this.#start(args, (done) => model.object.forwardAsync(...args, done));
  }

  #start(args: readonly unknown[], begin: (done: () => void) => NativeJob): void {
    for (const value of args) if (ArrayBuffer.isView(value)) this.#memory.lent.add(value.buffer);
    let done = (): void => {};
    const over = new Promise<void>((resolve) => {
      done = resolve;
    });
    this.#jobs.push(begin(() => done()));
    this.#waiting.push(over);
  }

  #stream(): void {
    const model = this.#pick(this.#models);
    if (model === undefined) return;
    const batch = 1 + this.#below(5);
    const object = model.object.stream(this.#odd(batch), this.#odd(this.#below(2) === 0));
    model.streams.push({ object, batch });
  }

  #step(): void {
    const model = this.#models.find(({ streams }) => streams.length > 0);
    const stream = this.#pick(model?.streams ?? []);
    if (model === undefined || stream === undefined) return;
    const { cell, inputSize, hiddenSize, projSize, numLayers, dtype } = model.config;
    const width = projSize || hiddenSize;
    const float = (length: number): FloatArray => this.#odd(this.#array(dtype, length)) as FloatArray;
    const rows = Array.from({ length: stream.batch }, (_, i) => i).filter(() => this.#below(3) !== 0);
    const some = rows.length > 0 && this.#below(2) === 0;
    const [steps, batch] = [1 + this.#below(3), some ? rows.length : stream.batch];
    const c = cell === "lstm" ? float(numLayers * stream.batch * hiddenSize) : this.#odd(null);
    const state = [float(numLayers * stream.batch * width), c] as const;
    const calls = [
      () => stream.object.read(...state),
      () => stream.object.write(...state),
      () => stream.object.reset(this.#odd(this.#below(stream.batch + 1) - 1)),
      () => (this.#below(8) === 0 ? stream.object.dispose() : undefined),
    ];
    const own = (): void => {
      const [input, output] = [float(steps * batch * inputSize), float(steps * batch * width)];
      stream.object.step(input, output, this.#odd(steps), this.#odd(some ? Int32Array.from(rows) : undefined));
    };
    (this.#pick([...calls, own, own, own, own]) as () => void)();
  }

  #newProduct(): void {
    const config = randomLinear(this.#below);
    const { dtype } = config;
    const object = new native.Linear(this.#tricky({ ...config, inFeatures: this.#odd(config.inFeatures) }) as never);
    this.#products.push({ config, object });
    const list = [this.#array(dtype, config.inFeatures * config.outFeatures)];
    if (config.bias) list.push(this.#array(dtype, config.outFeatures));
    object.load(this.#odd(this.#tricky(list.map((array) => this.#odd(array)))) as FloatArray[]);
  }

  #product(): void {
    const product = this.#pick(this.#products);
    if (product === undefined) {
      this.#newProduct();
      return;
    }
    const { inFeatures, outFeatures, dtype } = product.config;
    const rows = 1 + this.#below(80);
    const input = this.#odd(this.#array(dtype, rows * inFeatures)) as FloatArray;
    const output = this.#odd(this.#array(dtype, rows * outFeatures)) as FloatArray;
    const count = this.#odd(rows);
    if (this.#below(2) === 0) {
      product.object.forward(input, output, count);
      return;
    }
    this.#start([input, output], (done) => product.object.forwardAsync(input, output, count, done));
  }

  #lookup(): void {
    const [width, count] = [1 + this.#below(6), this.#below(30)];
    const dtype = this.#below(4) === 0 ? "float64" : "float32";
    const table = this.#odd(this.#array(dtype, 4 * width)) as FloatArray;
    const indices = this.#odd(this.#array("int32", count)) as Int32Array;
    native.lookup(table, this.#odd(width), indices, this.#odd(this.#array(dtype, count * width)) as FloatArray);
  }

  #rows(): void {
    const kind = this.#pick(["float32", "float64", "int32"] as const) ?? "float32";
    const [steps, batch, width] = [1 + this.#below(4), 1 + this.#below(6), 1 + this.#below(4)];
    const sizes = Int32Array.from({ length: steps }, (_, t) => Math.max(1, batch - t));
    const total = steps + this.#below(2);
    const move = [
      this.#odd(this.#array(kind, total * batch * width)),
      this.#odd(this.#array(kind, sizes.reduce((a, b) => a + b, 0) * width)),
      this.#odd(sizes),
      this.#odd(this.#below(2) === 0 ? null : Int32Array.from({ length: batch }, (_, i) => batch - 1 - i)),
      this.#odd(total),
      this.#odd(this.#below(2) === 0),
    ] as never as Parameters<typeof native.packRows>;
    if (this.#below(2) === 0) native.packRows(...move);
    else native.padRows(...move, this.#odd(this.#array(kind, 1)) as FloatArray);
  }

  #dispose(): void {
    const chosen = this.#below(9);
    if (chosen < 3) this.#pick(this.#products)?.object.dispose();
    if (chosen === 3) this.#pick(this.#models)?.object.dispose();
  }

  #threads(): void {
    native.setNumThreads(this.#odd(1 + this.#below(4)));
    native.getNumThreads();
  }
}

export const addonTarget: Target = {
  name: "addon",
  what: "random calls of the raw addon",
  share: 5,
  open: (): Attack => ({ run: (below) => new Case(below).run() }),
};
