// packed-lstm as a contender: the public API as a user calls it, a single step by the stream that is there for it. For a
// padded batch with lengths, packing and padding again are inside the call, so that what goes in and comes out is what the
// peers take and give.

import type { Tensor } from "packed-lstm";
import { packedLSTM, type Recurrent, type State } from "./packed-lstm.js";
import { type Contender, elements, type Floats, type Problem, type Results, statesOf } from "./problem.js";

/** @param threads for the whole process from now on */
export function makeOurs({ shape, module, input, state }: Problem, threads: number): Contender {
  const { packPaddedSequence, padPackedSequence, setNumThreads } = packedLSTM;
  setNumThreads(threads);
  const { lengths, steps } = shape;
  if (shape.stepped && state) return makeStepped(module, input.select(0, 0), state);

  const packed = (of: readonly number[]): readonly [Tensor, State] => {
    const [rows, last] = module.forward(packPaddedSequence(input, of, { enforceSorted: false }));
    const [output] = padPackedSequence(rows, { totalLength: steps });
    return [output, last];
  };
  const out = shape.out ? { out: module.forward(input, state) } : undefined;
  const run = lengths ? () => packed(lengths) : () => module.forward(input, state, out);

  return {
    name: "packed-lstm",
    run,
    results() {
      const [output, last] = run();
      return Promise.resolve(resultsOf(elements(output), last));
    },
    close: () => Promise.resolve(),
  };
}

function resultsOf(output: Floats, last: State): Results {
  const [hn, cn] = statesOf(last).map(elements);
  return { output, ...(hn && { hn }), ...(cn && { cn }) };
}

/** Its state goes on from pass to pass; for the results it is set to what the peers start from. */
function makeStepped(module: Recurrent, frame: Tensor, state: State): Contender {
  const stream = module.stream();
  return {
    name: "packed-lstm",
    run: () => stream.step(frame),
    results() {
      stream.state = state;
      const output = elements(stream.step(frame)).slice();
      return Promise.resolve(resultsOf(output, stream.state));
    },
    close: () => Promise.resolve(stream.dispose()),
  };
}
