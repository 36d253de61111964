// packed-lstm as a contender: the public API as a user calls it, a single step by the stream that is there for it. For a padded batch with lengths, packing and padding
// again are inside the call, so that what goes in and comes out is what the peers take and give.

import { type LSTM, packPaddedSequence, padPackedSequence, setNumThreads, type Tensor } from "packed-lstm";
import { type Contender, elements, type Problem } from "./problem.js";

/** @param threads for the whole process from now on */
export function makeOurs({ shape, lstm, input, state }: Problem, threads: number): Contender {
  setNumThreads(threads);
  const { lengths, steps } = shape;
  if (shape.stepped && state) return makeStepped(lstm, input.select(0, 0), state);

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

/** Its state goes on from pass to pass; for the results it is set to what the peers start from. */
function makeStepped(lstm: LSTM, frame: Tensor, [h0, c0]: readonly [Tensor, Tensor]): Contender {
  const stream = lstm.stream();
  return {
    name: "packed-lstm",
    run: () => stream.step(frame),
    results() {
      stream.state = [h0, c0];
      const output = elements(stream.step(frame)).slice();
      const [hn, cn] = stream.state;
      return Promise.resolve({ output, hn: elements(hn), cn: elements(cn) });
    },
    close: () => Promise.resolve(stream.dispose()),
  };
}
