// Values for the raw addon's arguments: right ones, whose memory is watched on both sides, and every kind of wrong one.
// It calls nothing of the addon's.

import type { Below } from "../support/mutate.js";
import { detach, growable, resizable, shrunk } from "../support/odd-buffers.js";

export type Numbers = Float32Array | Float64Array | Int32Array;
type Kind = "float32" | "float64" | "int32";

const kinds = { float32: Float32Array, float64: Float64Array, int32: Int32Array } as const;
const margin = 16;

/** Arrays that lie between margins, which nobody may write to; and which of them a pass is writing to now. */
export class Memory {
  readonly #below: Below;
  readonly #blocks: Numbers[] = [];
  /** Arrays that may not be taken away yet. */
  readonly lent = new Set<unknown>();

  constructor(below: Below) {
    this.#below = below;
  }

  /** Numbers between −1 and 1, or whole ones from 0 to 3. */
  make(kind: Kind, length: number): Numbers {
    const block = new kinds[kind](length + 2 * margin).fill(77);
    const array = block.subarray(margin, margin + length);
    this.#blocks.push(block);
    for (let i = 0; i < length; i++) array[i] = kind === "int32" ? this.#below(4) : this.#below(2001) / 1000 - 1;
    return array;
  }

  /** @throws Error when something has been written beside an array */
  check(): void {
    for (const block of this.#blocks) {
      const whole = block.length === 0 || [0, block.length - margin].every((at) => intact(block, at));
      if (!whole) throw new Error(`something was written beside an array of ${block.length - 2 * margin} elements`);
    }
  }
}

function intact(block: Numbers, at: number): boolean {
  for (let i = at; i < at + margin; i++) if (block[i] !== 77) return false;
  return true;
}

const numbers = [
  ...[0, 1, 2, 3, 5, -1, 0.5, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  ...[2 ** 24, 2 ** 24 + 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 + 2, 2 ** 53, 1e308, 1025],
];

/** Anything but what is wanted, most likely. What it does when it is looked into, `trick` does. */
export function stranger(below: Below, memory: Memory, trick: () => void): unknown {
  const tricky = <T>(value: T): T => {
    trick();
    return value;
  };
  const length = below(40);
  const makers: (() => unknown)[] = [
    () => numbers[below(numbers.length)],
    () => [undefined, null, true, false, 3n, "text", "", Symbol("s"), () => 0][below(9)],
    () => [{}, [], [1, 2], new Map(), new Date(), /x/][below(6)],
    () => memory.make((["float32", "float64", "int32"] as const)[below(3)] as Kind, length),
    () => [
      new Uint8Array(length),
      new BigInt64Array(length),
      new Uint32Array(length),
      new DataView(new ArrayBuffer(8)),
    ],
    () => detach(new Float32Array(length)),
    () => shrunk(length + 1),
    () => resizable(length)[0],
    () => growable(length)[0],
    () => new Float32Array(new SharedArrayBuffer(4 * length)),
    () => Int32Array.from({ length }, () => numbers[below(numbers.length)] as number),
    () => new Proxy(new Float32Array(length), { get: (of, key) => tricky(Reflect.get(of, key)) }),
    () => new Proxy([], { get: (of, key) => tricky(Reflect.get(of, key)) }),
    () => ({ valueOf: () => tricky(2), toString: () => tricky("float32"), length }),
    () => Object.create(Float32Array.prototype),
    () => new Array(length),
  ];
  return (makers[below(makers.length)] as () => unknown)();
}
