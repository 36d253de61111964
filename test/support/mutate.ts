// Damages files, a few hundred ways from a seed: cut short, bytes changed, counts driven to their limits, pieces moved.
// And the one question asked of a reader: whatever comes in, either a result or its own error comes out, and soon.

/** Whole numbers from 0 to limit − 1. */
export type Below = (limit: number) => number;

/** Numbers that are the same for the same seed (mulberry32). */
export function generator(seed: number): Below {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t ^= t + Math.imul(t ^ (t >>> 7), 61 | t);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

const extremes = [0, 1, 0x7f, 0x80, 0xff, 0xfffe, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

/** A copy with one piece of damage. */
export function mutate(original: Uint8Array, below: Below): Uint8Array {
  const bytes = Buffer.from(original);
  const place = (room = 1): number => below(Math.max(bytes.length - room, 1));
  switch (bytes.length < 4 ? below(2) : below(7)) {
    case 0:
      return bytes.subarray(0, place());
    case 1:
      bytes[place()] = below(256);
      return bytes;
    case 2:
      for (let i = below(16); i >= 0; i--) bytes[place()]! ^= 1 << below(8);
      return bytes;
    case 3:
      bytes.writeUInt32LE(extremes[below(extremes.length)]!, place(4));
      return bytes;
    case 4:
      bytes.writeUInt16LE(extremes[below(7)]!, place(2));
      return bytes;
    case 5: {
      const from = place();
      return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + 1 + below(32))]);
    }
    default: {
      const from = place();
      const piece = bytes.subarray(from, from + 1 + below(64));
      const to = place();
      return Buffer.concat([bytes.subarray(0, to), piece, bytes.subarray(to)]);
    }
  }
}

/** How often a reader gave a result and how often its error. */
export interface FuzzCount {
  read: number;
  refused: number;
}

/**
 * Hands `count` damaged copies of a file to a reader.
 * @throws Error when it throws anything but a RangeError ERR_FILE or takes longer than five seconds, with the number of the
 *   mutation, which the same seed makes again
 */
export function fuzz(original: Uint8Array, seed: number, count: number, read: (bytes: Uint8Array) => void): FuzzCount {
  const below = generator(seed);
  const tally: FuzzCount = { read: 0, refused: 0 };
  for (let i = 0; i < count; i++) {
    const bytes = mutate(original, below);
    const start = performance.now();
    try {
      read(bytes);
      tally.read++;
    } catch (error) {
      if (!(error instanceof RangeError) || (error as { code?: unknown }).code !== "ERR_FILE") {
        throw new Error(`mutation ${i} of seed ${seed}`, { cause: error });
      }
      tally.refused++;
    }
    const took = performance.now() - start;
    if (took > 5000) throw new Error(`mutation ${i} of seed ${seed} took ${took} ms`);
  }
  return tally;
}
