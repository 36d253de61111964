// Microphones that are not there: sources that come and go and deliver a frame of features every 10 ms, each at a phase of
// its own. What is due when follows from a seed, so a run can be repeated. It knows nothing of models.

/** Milliseconds from frame to frame: 100 a second. */
export const period = 10;

/** A frame that has arrived. */
export interface Frame {
  /** The row that its source holds. */
  readonly row: number;
  /** True for a source's first frame. */
  readonly first: boolean;
  /** When it arrived, in ms. */
  readonly due: number;
}

interface Source {
  row: number;
  due: number;
  left: number;
  first: boolean;
}

/** Numbers in [0, 1), the same ones for the same seed. https://en.wikipedia.org/wiki/Xorshift */
function randomNumbers(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

export class Microphones {
  /** Sources that have come and gone. */
  left = 0;
  readonly #random: () => number;
  readonly #sources: Source[];
  readonly #meanFrames: number;

  /**
   * @param count sources at any time; when one leaves, another takes its row a period later
   * @param meanFrames how many frames a source delivers, on average
   */
  constructor(count: number, meanFrames: number, seed = 1) {
    this.#random = randomNumbers(seed);
    this.#meanFrames = meanFrames;
    this.#sources = Array.from({ length: count }, (_, row) => this.#join(row, this.#random() * period));
  }

  /** Gives every frame that has arrived by `now`, at most one a source, so that a late caller catches up call by call. */
  take(now: number, use: (frame: Frame) => void): void {
    for (const [i, source] of this.#sources.entries()) {
      if (source.due > now) continue;
      use(source);
      source.first = false;
      source.due += period;
      source.left--;
      if (source.left > 0) continue;
      this.left++;
      this.#sources[i] = this.#join(source.row, source.due + period);
    }
  }

  /** Writes one frame of features: a voice's slow wave under noise. */
  listen(into: Float32Array, at: number, width: number, { row, due }: Frame): void {
    for (let k = 0; k < width; k++) into[at + k] = Math.sin(due / 90 + row + k / 5) + 0.5 * (this.#random() - 0.5);
  }

  #join(row: number, due: number): Source {
    const left = 1 + Math.floor(2 * this.#meanFrames * this.#random());
    return { row, due, left, first: true };
  }
}
