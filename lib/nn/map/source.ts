// One face for whatever a batch job reads from: an array, a generator, an async iterable, a Node or web stream. It pulls
// one item at a time, without a promise where the source needs none, and closes the source whenever the job ends early.

import { describe, reading, typeError } from "../../check.js";

/** What `LSTM.map` reads from. A Node stream in object mode and a web stream are async iterables. */
export type MapSource<Item> = Iterable<Item> | AsyncIterable<Item>;

/** An opened source. */
export interface Reader<Item> {
  /** Not to be called again before it has settled, nor after the end, an error or `close`. */
  next(): IteratorResult<Item> | Promise<IteratorResult<Item>>;
  /** Tells a source that has not ended that no more is wanted; resolves when it has cleaned up. Never rejects. */
  close(): Promise<void>;
}

/** @throws TypeError ERR_ARG_TYPE for what cannot be iterated; a string, though it can, holds no sequences */
export function checkSource<Item>(source: MapSource<Item>): MapSource<Item> {
  const expected = "an iterable or async iterable of sequences";
  if (typeof source !== "object" || source === null)
    throw typeError("ERR_ARG_TYPE", "source", expected, describe(source));
  const iterable = reading("source", () => {
    const { [Symbol.asyncIterator]: async, [Symbol.iterator]: sync } = source as Partial<
      Iterable<Item> & AsyncIterable<Item>
    >;
    return typeof async === "function" || typeof sync === "function";
  });
  if (iterable && !ArrayBuffer.isView(source)) return source;
  throw typeError("ERR_ARG_TYPE", "source", expected, describe(source));
}

/** Opens a checked source; its own errors come out of `next` as they are. */
export function openSource<Item>(source: MapSource<Item>): Reader<Item> {
  const iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  let ended = false;
  let waiting: Promise<unknown> | undefined;

  function arrived(result: IteratorResult<Item>): IteratorResult<Item> {
    waiting = undefined;
    ended ||= result.done === true;
    return result;
  }

  function failed(error: unknown): never {
    waiting = undefined;
    ended = true;
    throw error;
  }

  return {
    next() {
      let result: IteratorResult<Item> | Promise<IteratorResult<Item>>;
      try {
        result = iterator.next();
      } catch (error) {
        return failed(error);
      }
      if (!isPromise(result)) return arrived(result);
      const coming = result.then(arrived, failed);
      waiting = coming;
      return coming;
    },
    async close() {
      if (ended) return;
      ended = true;
      // A generator that is waiting answers return() only when its wait is over, which may be never; a stream can be told.
      const { destroy } = source as { destroy?: () => void };
      if (waiting !== undefined && typeof destroy === "function") destroy.call(source);
      try {
        const closing = iterator.return?.();
        if (waiting === undefined) await closing;
        else Promise.resolve(closing).catch(() => undefined);
      } catch {
        // Why the job ends early is known already, and matters more than how its source takes it.
      }
      waiting?.catch(() => undefined);
    },
  };
}

/** True for a promise or anything that can be awaited like one. */
export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}
