// What there is to attack, as the runner sees it: a name, and numbered cases that a seed makes again. A case that throws
// has found something.

import type { Below } from "../support/mutate.js";

/** What one case came to. */
export interface Outcome {
  /** One of a few words, counted at the end: "read", "refused". */
  readonly kind: string;
  /** What must be the same for this case on every instruction set, for targets that ask for that. */
  readonly bits?: string;
}

/** Numbered cases within one process. */
export interface Attack {
  /**
   * Runs one case.
   * @param below the numbers of this case
   * @throws Error that says what was found
   */
  run(below: Below): Outcome | Promise<Outcome>;
}

/** Where an attack runs. */
export interface Place {
  /** The repository. */
  readonly root: string;
  /** A folder of its own. What lies there when a case has found something is kept beside the report. */
  readonly folder: string;
}

export interface Target {
  readonly name: string;
  /** A line that says what is attacked. */
  readonly what: string;
  /** Its part of the time, beside the others'. */
  readonly share: number;
  /** Whether the cases run again on every instruction set that this machine has, to the same bits. */
  readonly everyIsa?: boolean;
  /** Seconds after which a case that gives no answer is taken to hang. Default 10. */
  readonly patience?: number;
  open(place: Place): Attack | Promise<Attack>;
}

/** What a child is told, in JSON, as its one argument. */
export interface Order {
  readonly target: string;
  readonly seed: number;
  /** The cases to run: from the first on, until the time is up or the last is done. */
  readonly first: number;
  readonly last: number;
  readonly milliseconds: number;
  readonly place: Place;
}

/** What a child reports: that it begins a case, and how the case went. */
export type Report =
  | { readonly began: number }
  | { readonly over: number; readonly outcome: Outcome }
  | { readonly over: number; readonly found: string };

/** The seed of a case: neighbours have nothing in common. */
export function caseSeed(seed: number, name: string, number: number): number {
  let hash = seed | 0;
  for (const char of `${name}/${number}`) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193) ^ (hash >>> 15);
  return hash >>> 0;
}
