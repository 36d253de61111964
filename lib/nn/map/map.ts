// The batch job: sequences of unequal length from any source, through one model, to results in the order of the source.
// Batches fill while others are computed. How a batch is made is in batch, what a source is in source, when the
// event loop has a turn in turns; here is who waits for whom, and how it all ends.
//
// Memory: at most `concurrency` batches filling, queued or computing, and one whose results are being handed out.

import { checkInt, checkOptions, describe, rangeError, typeError } from "../../check.js";
import { checkSignal } from "../../runtime/job.js";
import type { Tensor, TensorLike } from "../../tensor/tensor.js";
import type { FullConfig } from "../recurrent/config.js";
import type { Pass } from "../recurrent/pass.js";
import { Batch, BatchKind, type HiddenMapResult } from "./batch.js";
import { checkSource, isPromise, type MapSource, openSource, type Reader } from "./source.js";
import { turn, turnIsDue } from "./turns.js";

export type { HiddenMapResult, MapResult } from "./batch.js";
export type { MapSource } from "./source.js";

/** How far a batch job has come. */
export interface MapProgress {
  /** Sequences whose results are ready or were handed out. */
  readonly sequences: number;
  /** Their steps together. */
  readonly tokens: number;
}

/** Options of {@link LSTM.map}, and of a GRU's and an RNN's. */
export interface MapOptions<Item> {
  /**
   * Makes the sequence, a tensor (T, I), of an item. Left out, the items are the sequences. It may return a promise; items
   * are asked for one after another.
   */
  features?: ((item: Item, index: number) => TensorLike | Promise<TensorLike>) | undefined;
  /** Steps of a batch, all its sequences together; there is no padding to count. Default 16384. */
  maxBatchTokens?: number | undefined;
  /** Batches filling, queued or being computed at once. With 2, the default, one fills while another is computed. */
  concurrency?: number | undefined;
  /** "all" (default): `output` is that of every step. "last": of the last layer's final state alone. */
  outputs?: "all" | "last" | undefined;
  /** Stops the job: what is being computed is given up, the source is closed, the loop throws the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Called after each batch, before its results are handed out. */
  onProgress?: ((progress: MapProgress) => void) | undefined;
}

/** Runs one native call; rejects as soon as `signal` is aborted and nothing is written any more. */
export type RunCall = (pass: Pass, signal: AbortSignal) => Promise<void>;

const optionKeys = ["features", "maxBatchTokens", "concurrency", "outputs", "signal", "onProgress"];

interface Settings<Item> {
  readonly features: (item: Item, index: number) => TensorLike | Promise<TensorLike>;
  readonly maxBatchTokens: number;
  readonly concurrency: number;
  readonly outputs: "all" | "last";
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (progress: MapProgress) => void;
}

function checkFunction(name: string, value: unknown): void {
  if (value === undefined || typeof value === "function") return;
  throw typeError("ERR_ARG_TYPE", name, "a function", describe(value));
}

function checkSettings<Item>(options: MapOptions<Item>): Settings<Item> {
  const given = checkOptions("map", options, optionKeys);
  const { features, maxBatchTokens = 16384, concurrency = 2, outputs = "all", signal, onProgress } = given;
  checkFunction("features", features);
  checkFunction("onProgress", onProgress);
  if (outputs !== "all" && outputs !== "last") {
    const build = typeof outputs === "string" ? rangeError : typeError;
    throw build(
      typeof outputs === "string" ? "ERR_ARG_VALUE" : "ERR_ARG_TYPE",
      "outputs",
      '"all" or "last"',
      describe(outputs),
    );
  }
  return {
    features: features ?? ((item) => item as TensorLike),
    maxBatchTokens: checkInt("maxBatchTokens", maxBatchTokens, { min: 1, max: 2 ** 31 - 1 }),
    concurrency: checkInt("concurrency", concurrency, { min: 1, max: 1024 }),
    outputs,
    signal: checkSignal(signal),
    onProgress: onProgress ?? (() => undefined),
  };
}

/** Judges the arguments now; the job itself starts when the first result is asked for. @throws as LSTM.map documents */
export function mapSequences<Item>(
  config: FullConfig,
  source: MapSource<Item>,
  options: MapOptions<Item>,
  run: RunCall,
): AsyncGenerator<HiddenMapResult<Item>, void, undefined> {
  return handOut(config, checkSource(source), checkSettings(options), run);
}

interface Running<Item> {
  readonly batch: Batch<Item>;
  readonly over: Promise<Pass>;
}

async function* handOut<Item>(
  config: FullConfig,
  source: MapSource<Item>,
  settings: Settings<Item>,
  run: RunCall,
): AsyncGenerator<HiddenMapResult<Item>, void, undefined> {
  const { signal, concurrency, onProgress } = settings;
  throwIfAborted(signal);
  const stop = new AbortController();
  const passes: Running<Item>[] = [];
  const filler = new Filler(openSource(source), new BatchKind(config, settings), settings.features, stop.signal);
  let filling: Promise<void> | undefined;
  let wake = (): void => undefined;

  function pump(): void {
    if (filling !== undefined || filler.ended || stop.signal.aborted || passes.length >= concurrency) return;
    filling = filler.fill().then((batch) => {
      filling = undefined;
      if (batch.size > 0 && !stop.signal.aborted) passes.push({ batch, over: compute(batch, run, stop.signal) });
      wake();
      pump();
    });
  }

  function onAbort(): void {
    stop.abort(signal?.reason);
    wake();
  }

  signal?.addEventListener("abort", onAbort, { once: true });
  let sequences = 0;
  let tokens = 0;
  try {
    for (;;) {
      throwIfAborted(signal); // it may have been while the caller had a result in hand, when nobody was there to wake
      pump();
      const first = passes[0];
      if (first === undefined) {
        if (filling === undefined) break;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      const pass = await first.over;
      passes.shift();
      pump(); // the next batch fills before this one is handed out, so that the threads do not wait for the caller
      sequences += first.batch.size;
      tokens += first.batch.rows;
      onProgress({ sequences, tokens });
      for (const result of first.batch.results(pass)) {
        if (turnIsDue()) await turn();
        throwIfAborted(signal);
        yield result;
      }
    }
    throwIfAborted(signal);
    if (filler.failure !== undefined) throw filler.failure.error;
  } finally {
    stop.abort();
    await Promise.allSettled([...passes.map(({ over }) => over), filler.close()]);
    signal?.removeEventListener("abort", onAbort); // last: a signal that is not Node's own may throw
  }
}

/** The signal need not be of this realm, nor have more than checkSignal asks for. */
function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw signal.reason;
}

function compute<Item>(batch: Batch<Item>, run: RunCall, signal: AbortSignal): Promise<Pass> {
  const over = (async () => {
    const pass = batch.prepare();
    await run(pass, signal);
    return pass;
  })();
  over.catch(() => undefined); // it is looked at in its turn
  return over;
}

/** Fills one batch after another from a source, until that ends or something fails. */
class Filler<Item> {
  /** Why the source was not read to its end; to be thrown when all before it has been handed out. */
  failure: { readonly error: unknown } | undefined;
  ended = false;
  readonly #reader: Reader<Item>;
  readonly #kind: BatchKind;
  readonly #features: Settings<Item>["features"];
  readonly #stop: AbortSignal;
  #index = 0;
  #held: { readonly item: Item; readonly sequence: Tensor } | undefined; // did not fit into the last batch

  constructor(reader: Reader<Item>, kind: BatchKind, features: Settings<Item>["features"], stop: AbortSignal) {
    this.#reader = reader;
    this.#kind = kind;
    this.#features = features;
    this.#stop = stop;
  }

  /** The next batch, empty if nothing is left. Never rejects. */
  async fill(): Promise<Batch<Item>> {
    const batch = new Batch<Item>(this.#kind, this.#held === undefined ? this.#index : this.#index - 1);
    let index: number | undefined;
    try {
      if (this.#held !== undefined) batch.add(this.#held.item, this.#held.sequence);
      this.#held = undefined;
      while (batch.rows < this.#kind.maxTokens && !this.#stop.aborted) {
        index = undefined;
        if (turnIsDue()) {
          await turn();
          if (this.#stop.aborted) break;
        }
        const coming = this.#reader.next();
        const { done, value: item } = isPromise(coming) ? await coming : coming;
        if (done) {
          this.ended = true;
          break;
        }
        index = this.#index++;
        const made = this.#features(item, index);
        const sequence = this.#kind.check(isPromise(made) ? await made : made);
        if (batch.add(item, sequence)) continue;
        this.#held = { item, sequence };
        break;
      }
    } catch (error) {
      this.ended = true;
      this.failure = { error: index === undefined ? error : itemError(index, error) };
    }
    return batch;
  }

  close(): Promise<void> {
    return this.#reader.close();
  }
}

function itemError(index: number, cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return Object.assign(new Error(`map: item ${index}: ${reason}`, { cause }), { code: "ERR_ITEM" as const, index });
}
