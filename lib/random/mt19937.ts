// The Mersenne Twister of Matsumoto and Nishimura, MT19937, seeded as in its 2002 revision: the generator of torch's CPU.
// It gives words; what torch makes of them is in random.

const N = 624;
const M = 397;

/** One generator; equal seeds give equal words for ever. */
export class MT19937 {
  readonly #state = new Uint32Array(N);
  #next = N;

  /** @param seed of which the low 32 bits count, as in torch */
  constructor(seed: number) {
    const state = this.#state;
    state[0] = seed;
    for (let i = 1; i < N; i++) {
      const before = state[i - 1] as number;
      state[i] = Math.imul(1812433253, before ^ (before >>> 30)) + i;
    }
  }

  #refill(): void {
    const state = this.#state;
    for (let i = 0; i < N; i++) {
      const mixed = ((state[i] as number) & 0x80000000) | ((state[(i + 1) % N] as number) & 0x7fffffff);
      state[i] = (state[(i + M) % N] as number) ^ (mixed >>> 1) ^ (mixed & 1 ? 0x9908b0df : 0);
    }
    this.#next = 0;
  }

  /** The next word, from 0 to 2³² − 1. */
  next(): number {
    if (this.#next === N) this.#refill();
    let word = this.#state[this.#next++] as number;
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    return (word ^ (word >>> 18)) >>> 0;
  }
}
