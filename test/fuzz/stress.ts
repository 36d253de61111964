// Everything at once, for the thread sanitizer: passes and aborts, loads and disposes while passes run, the number of
// threads changed, and workers that do the same in the same process and are ended in the midst of it. Passes that were
// not aborted have the right bits.

import { Worker } from "node:worker_threads";
import { Linear, LSTM, manualSeed, packSequence, rand, setNumThreads, type Tensor } from "../../lib/index.js";
import type { Below } from "../support/mutate.js";
import { generator } from "../support/mutate.js";
import type { Attack, Outcome, Place, Target } from "./target.js";

/** Models whose plans share a pass out in different ways: over sequences, directions, units. */
const shapes = [
  { inputSize: 6, hiddenSize: 16, numLayers: 2, lengths: [9, 7, 7, 3, 1, 1, 4, 8, 8, 2] },
  { inputSize: 8, hiddenSize: 48, numLayers: 1, bidirectional: true, lengths: [12] },
  { inputSize: 24, hiddenSize: 200, numLayers: 2, lengths: [6, 5] },
];

type State = readonly [Tensor, Tensor];

class Subject {
  readonly #models: LSTM[];
  readonly #input;
  readonly #expected: Float32Array;

  constructor({ inputSize, hiddenSize, lengths, ...options }: (typeof shapes)[number]) {
    manualSeed(3);
    const first = new LSTM(inputSize, hiddenSize, options);
    this.#models = [first, new LSTM(inputSize, hiddenSize, options)];
    this.#models[1]?.loadStateDict(first.stateDict());
    this.#input = packSequence(
      lengths.map((steps) => rand([steps, inputSize])),
      { enforceSorted: false },
    );
    this.#expected = first.forward(this.#input)[0].data.data as Float32Array;
  }

  #model(below: Below): LSTM {
    return this.#models[below(this.#models.length)] as LSTM;
  }

  #judge(output: Float32Array): void {
    if (Buffer.compare(Buffer.from(output.buffer), Buffer.from(this.#expected.buffer.slice(0))) !== 0) {
      throw new Error("other bits than the same pass alone");
    }
  }

  sync(below: Below): void {
    this.#judge(this.#model(below).forward(this.#input)[0].data.data as Float32Array);
  }

  async async(below: Below): Promise<void> {
    const controller = new AbortController();
    const coming = this.#model(below).forwardAsync(this.#input, null as State | null, { signal: controller.signal });
    if (below(3) === 0) setTimeout(() => controller.abort(), below(3));
    try {
      const [output] = await coming;
      this.#judge(output.data.data as Float32Array);
    } catch (error) {
      if ((error as Error).name !== "AbortError") throw error;
    }
  }

  /** New weights of the same values, while passes hold the old. */
  reload(below: Below): void {
    this.#model(below).loadStateDict(this.#model(below).stateDict());
  }

  /** A model gone while a pass of it runs. */
  async dispose(below: Below): Promise<void> {
    const dict = this.#model(below).stateDict();
    const own = this.#model(below);
    const { inputSize, hiddenSize, numLayers, bidirectional } = own;
    const copy = new LSTM(inputSize, hiddenSize, { numLayers, bidirectional });
    copy.loadStateDict(dict);
    const coming = copy.forwardAsync(this.#input);
    copy.dispose();
    const [output] = await coming;
    this.#judge(output.data.data as Float32Array);
  }
}

/** A burst of `count` things at once. Run by the process and by its workers. */
export async function burst(below: Below, count: number): Promise<void> {
  const subjects = shapes.map((shape) => new Subject(shape));
  const linear = new Linear(40, 90);
  const x = rand([70, 40]);
  const running: Promise<unknown>[] = [];
  for (let i = 0; i < count; i++) {
    const subject = subjects[below(subjects.length)] as Subject;
    const act = [
      () => subject.sync(below),
      () => running.push(subject.async(below)),
      () => running.push(subject.async(below)),
      () => subject.reload(below),
      () => running.push(subject.dispose(below)),
      () => setNumThreads(1 + below(4)),
      () => linear.forward(x),
      () => running.push(linear.forwardAsync(x)),
    ];
    (act[below(act.length)] as () => void)();
    if (below(4) === 0) await new Promise((resolve) => setTimeout(resolve, below(3)));
  }
  await Promise.all(running);
}

class Stress implements Attack {
  async run(below: Below): Promise<Outcome> {
    const ended = [below(2), 1].map((whole) => {
      const worker = new Worker(process.argv[1] as string, { workerData: { burst: below(2 ** 31) } });
      const over = new Promise<void>((resolve, reject) => worker.once("error", reject).once("exit", () => resolve()));
      // One of them is ended wherever it happens to be.
      if (whole === 0) setTimeout(() => worker.terminate(), 40 + below(200));
      return over;
    });
    await burst(below, 30);
    await Promise.all(ended);
    return { kind: "burst" };
  }
}

/** What a worker of the stress does. */
export async function workerBurst(seed: number): Promise<void> {
  await burst(generator(seed), 20);
}

export const stressTarget: Target = {
  name: "stress",
  what: "concurrent passes, aborts, loads, disposes and workers; for npm run test:tsan",
  share: 1,
  patience: 120,
  open: (_: Place): Attack => new Stress(),
};
