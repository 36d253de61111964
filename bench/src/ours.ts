// packed-lstm as a contender: the public API as a user calls it. For a padded batch with lengths, packing and padding
// again are inside the call, so that what goes in and comes out is what the peers take and give.

import { packPaddedSequence, padPackedSequence, setNumThreads, type Tensor } from "packed-lstm";
import { type Contender, elements, type Problem } from "./problem.js";

/** @param threads for the whole process from now on */
export function makeOurs({ shape, lstm, input, state }: Problem, threads: number): Contender {
  setNumThreads(threads);
  const { lengths, steps } = shape;

  const dense = (): [Tensor, Tensor, Tensor] => {
    const [output, [hn, cn]] = lstm.forward(input, state && [state[0], state[1]]);
    return [output, hn, cn];
  };
  const packed = (of: readonly number[]): [Tensor, Tensor, Tensor] => {
    const [rows, [hn, cn]] = lstm.forward(packPaddedSequence(input, of, { enforceSorted: false }));
    const [output] = padPackedSequence(rows, { totalLength: steps });
    return [output, hn, cn];
  };
  const run = lengths ? () => packed(lengths) : dense;

  return {
    name: "packed-lstm",
    run,
    results() {
      const [output, hn, cn] = run();
      return Promise.resolve({ output: elements(output), hn: elements(hn), cn: elements(cn) });
    },
    close: () => Promise.resolve(),
  };
}
