// Parquet as `run` reads it: a thread decodes (run-parquet-worker), one block ahead; here is who waits for it, and for how
// long. What is watched is progress, not the clock: a step of the work may take as long as its bytes honestly need on a
// slow machine, and only this program's own turns count as time, so that a machine that slept has not waited.

import { statSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { rangeError } from "../check.js";
import { Tensor } from "../index.js";
import type { Input, InputOptions, Item } from "./run-items.js";
import {
  type ParquetBlock,
  type ParquetJob,
  type ParquetOpened,
  type ParquetRequest,
  workerUrl,
} from "./run-parquet-worker.js";

const turn = 100; // ms
const graceTurns = 100; // ten seconds for a step of no bytes, which takes microseconds
const slowestBytes = 20_000; // a turn, at a thousandth of what decoding takes on a good machine

/** A thread that answers one question after another. */
interface Asked<Question> {
  /** @throws Error with what the thread threw, or that it died or got no further */
  ask<Answer>(question?: Question): Promise<Answer>;
  end(): Promise<unknown>;
}

/**
 * Watches a thread that answers in turn, and ends it when it gets no further.
 * @param progress the steps it has done, and the bytes of the one under way
 */
export function watchThread<Question>(worker: Worker, progress: Int32Array): Asked<Question> {
  let settle: { resolve: (value: unknown) => void; reject: (error: Error) => void } | undefined;
  const fail = (message: string): void => {
    settle?.reject(new Error(message));
    settle = undefined;
  };
  worker.on("message", ({ value, error }: { value?: unknown; error?: string }) => {
    if (error !== undefined) return fail(error);
    settle?.resolve(value);
    settle = undefined;
  });
  worker.on("error", (error) => fail(error.message));
  worker.on("exit", () => fail("a reader that ended early"));
  return {
    ask<Answer>(question?: Question): Promise<Answer> {
      let last = -1;
      let idle = 0;
      const answer = new Promise<Answer>((resolve, reject) => {
        settle = { resolve: resolve as (value: unknown) => void, reject };
      });
      const timer = setInterval(() => {
        const now = Atomics.load(progress, 0);
        idle = now === last ? idle + 1 : 0;
        last = now;
        if (idle <= graceTurns + Atomics.load(progress, 1) / slowestBytes) return;
        fail(`bytes on which its reader gets no further (step ${now})`);
        worker.terminate();
      }, turn);
      if (question !== undefined) worker.postMessage(question);
      return answer.finally(() => clearInterval(timer));
    },
    end: () => worker.terminate(),
  };
}

/** @throws RangeError ERR_FILE when the file is no Parquet, is damaged, or does not hold what it should */
export async function parquetInput(path: string, options: InputOptions): Promise<Input> {
  const { inputSize, dtype, column, lengths, keep } = options;
  const progress = new Int32Array(new SharedArrayBuffer(8));
  const job: ParquetJob = { path, size: statSync(path).size, column, lengths, keep, inputSize, dtype, progress };
  const worker = new Worker(workerUrl, { workerData: { parquetJob: job }, stdout: false, stderr: false });
  worker.unref();
  const thread = watchThread<ParquetRequest>(worker, progress);
  const broken = (error: unknown): Error => {
    return rangeError("ERR_FILE", path, "a Parquet file that is whole", (error as Error).message);
  };
  const { count, kept } = await thread.ask<ParquetOpened>().catch(async (error) => {
    await thread.end();
    throw broken(error);
  });
  return {
    count,
    kept,
    async *sequences(from, to) {
      const ask = async (): Promise<ParquetBlock | undefined> => {
        try {
          return await thread.ask<ParquetBlock | undefined>({ from, to });
        } catch (error) {
          throw broken(error);
        }
      };
      try {
        let coming = from < to ? ask() : undefined;
        for (;;) {
          const block = await coming;
          if (block === undefined) return;
          coming = block.failure === undefined ? ask() : undefined;
          coming?.catch(() => undefined); // thrown in its turn
          yield* itemsOf(block, inputSize);
          if (block.failure !== undefined) throw Object.assign(new RangeError(block.failure), { code: "ERR_FILE" });
        }
      } finally {
        await thread.end();
      }
    },
  };
}

function* itemsOf({ data, origins, rows, kept }: ParquetBlock, inputSize: number): Generator<Item> {
  for (let i = 0; i < rows.length; i++) {
    const from = origins[i] as number;
    const count = rows[i] as number;
    const sequence = new Tensor(data.subarray(from, from + count * inputSize), [count, inputSize]);
    yield { sequence, kept: kept[i] ?? [] };
  }
}
