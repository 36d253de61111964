// The server: takes whatever frames have arrived, steps their rows together as one batch, and notes how long each frame
// waited for its answer. A source that joins takes over a row, which is reset; one that leaves is no longer named.

import { Linear, LSTM, manualSeed, Tensor } from "packed-lstm";
import { type Frame, Microphones, period } from "./microphones.js";

export interface Settings {
  readonly streams: number;
  readonly seconds: number;
  /** How many frames a source delivers before it leaves, on average. */
  readonly meanFrames: number;
}

export interface Report {
  readonly frames: number;
  readonly steps: number;
  /** Sources that came and went. */
  readonly left: number;
  /** Of each frame, from its arrival to its scores, ms, in rising order. */
  readonly latencies: Float64Array;
  /** Of each batch, what the models took, ms, in rising order. */
  readonly work: Float64Array;
  /** The share of the time in which the process computed. */
  readonly busy: number;
}

export const features = 40;
const hidden = 64;

/** 40 features → two layers of 64 units → a score for speech and one for silence. The weights are torch's for seed 0. */
export function makeModel(): { lstm: LSTM; head: Linear } {
  manualSeed(0);
  return { lstm: new LSTM(features, hidden, { numLayers: 2 }), head: new Linear(hidden, 2) };
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

/** Tensors of every batch size over one memory, made when first needed. */
class Frames {
  readonly #data: Float32Array;
  readonly #rows: Int32Array;
  readonly #views: { x: Tensor; rows: Int32Array }[] = [];

  constructor(capacity: number) {
    this.#data = new Float32Array(capacity * features);
    this.#rows = new Int32Array(capacity);
  }

  /** The first `count` frames and the rows that they are for. */
  of(count: number): { x: Tensor; rows: Int32Array } {
    this.#views[count] ??= {
      x: new Tensor(this.#data.subarray(0, count * features), [count, features]),
      rows: this.#rows.subarray(0, count),
    };
    return this.#views[count];
  }

  put(place: number, frame: Frame, microphones: Microphones): void {
    this.#rows[place] = frame.row;
    microphones.listen(this.#data, place * features, features, frame);
  }
}

export async function serve({ streams, seconds, meanFrames }: Settings): Promise<Report> {
  const { lstm, head } = makeModel();
  const stream = lstm.stream({ batchSize: streams });
  const microphones = new Microphones(streams, meanFrames);
  const frames = new Frames(streams);
  const arrivals = new Float64Array(streams);
  const latencies = new Float64Array(Math.ceil(streams * (seconds + 1) * (1000 / period)));
  const work: number[] = [];
  let [seen, busy] = [0, 0];
  const began = performance.now();
  for (let now = 0; now < 1000 * seconds; now = performance.now() - began) {
    let count = 0;
    microphones.take(now, (frame) => {
      if (frame.first) stream.reset(frame.row);
      frames.put(count, frame, microphones);
      arrivals[count++] = frame.due;
    });
    if (count > 0) {
      const started = performance.now();
      const { x, rows } = frames.of(count);
      const scores = head.forward(stream.step(x, rows));
      const done = performance.now();
      if (!Number.isFinite(scores.at(0, 0))) throw new Error("a score is not finite");
      work.push(done - started);
      busy += done - began - now;
      for (let i = 0; i < count; i++) latencies[seen++] = done - began - (arrivals[i] as number);
    }
    await pause();
  }
  const elapsed = performance.now() - began;
  return {
    frames: seen,
    steps: work.length,
    left: microphones.left,
    latencies: latencies.slice(0, seen).sort(),
    work: Float64Array.from(work).sort(),
    busy: busy / elapsed,
  };
}

/** The value below which a share of the sorted values lies. */
export function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
