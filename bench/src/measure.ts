// Timing of contenders in this process. Each is timed turn about with the others, so that a change in the machine meets
// all of them, and in a block of its own, so that one's threads and cache use cannot slow another; the lower
// median counts, for everyone alike. What a pass computes is not looked at here.

import type { Contender } from "./problem.js";
import { medianOf } from "./statistics.js";

export interface Effort {
  /** At least so many samples, and at least so long, for each contender and manner. */
  readonly runs: number;
  readonly seconds: number;
}

/** Milliseconds a pass. */
export interface Timing {
  readonly median: number;
  readonly fastest: number;
  readonly samples: number;
  /** How the figure came about. */
  readonly manner: string;
}

interface Turn {
  readonly contender: Contender;
  readonly passes: number;
  readonly samples: number[];
  spent: number;
}

const sampleMs = 0.2; // passes shorter than this are timed several at once
const restMs = 50; // lets threads that still spin go to sleep before another contender's turn

export function better(a: Timing, b: Timing): Timing {
  return b.median < a.median ? b : a;
}

export function rest(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, restMs));
}

async function sample(contender: Contender, passes: number): Promise<number> {
  const began = performance.now();
  for (let i = 0; i < passes; i++) {
    const pending = contender.run();
    if (pending instanceof Promise) await pending;
  }
  return (performance.now() - began) / passes;
}

/** Warms up, and finds how many passes make a sample long enough for the clock. */
async function turnOf(contender: Contender): Promise<Turn> {
  let fastest = Number.POSITIVE_INFINITY;
  const began = performance.now();
  for (let i = 0; i < 100 && (i < 2 || performance.now() - began < 20); i++) {
    fastest = Math.min(fastest, await sample(contender, 1));
  }
  return { contender, passes: Math.max(1, Math.ceil(sampleMs / fastest)), samples: [], spent: 0 };
}

/** In a block of its own, with quiet before and after. */
export async function alone(contender: Contender, effort: Effort, manner: string): Promise<Timing> {
  await rest();
  const [timing] = await measure([contender], effort, manner);
  await rest();
  if (!timing) throw new Error(`${contender.name} was not timed`);
  return timing;
}

/** Times contenders turn about. The result is in their order. */
export async function measure(
  contenders: readonly Contender[],
  { runs, seconds }: Effort,
  manner: string,
): Promise<Timing[]> {
  const turns: Turn[] = [];
  for (const contender of contenders) turns.push(await turnOf(contender));
  const enough = ({ samples, spent }: Turn) => samples.length >= runs && spent >= 1000 * seconds;
  do {
    for (const turn of turns) {
      const ms = await sample(turn.contender, turn.passes);
      turn.samples.push(ms);
      turn.spent += ms * turn.passes;
    }
  } while (!turns.every(enough));
  return turns.map(({ samples }) => ({
    median: medianOf(samples),
    fastest: Math.min(...samples),
    samples: samples.length,
    manner,
  }));
}
