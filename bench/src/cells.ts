// GRU and RNN: each shape beside the peers, as the LSTM's are, and turn about with our own LSTM of the same sizes, whose
// rate they should keep.

import { contest, type Peers } from "./contest.js";
import { type Effort, measure } from "./measure.js";
import { makeOurs } from "./ours.js";
import { makeProblem } from "./problem.js";
import { bestPeer, type CellOutcome, lstmShare } from "./record.js";
import { asLSTM, type Cell, cellShapes, quickShapes, type Shape, sizesOf, titleOf } from "./shapes.js";

/** The shapes of those of the cells that are not the LSTM. */
export function chosenCellShapes(cells: readonly Cell[], quick: boolean, only: string): Shape[] {
  const brief = new Set(quickShapes.map(({ workload }) => workload));
  return cells
    .filter((cell) => cell !== "lstm")
    .flatMap(cellShapes)
    .filter(({ workload }) => !quick || brief.has(workload))
    .filter((shape) => `${shape.cell} ${sizesOf(shape)} ${shape.workload} ${shape.set}`.includes(only));
}

export async function contestCell(shape: Shape, threads: number, peers: Peers, effort: Effort): Promise<CellOutcome> {
  const outcome = await contest(shape, threads, peers, effort);
  const problems = [makeProblem(shape), makeProblem(asLSTM(shape))];
  const [own, lstm] = await measure(
    problems.map((problem) => makeOurs(problem, threads)),
    effort,
    "turn about",
  );
  for (const { module } of problems) module.dispose();
  if (!own || !lstm) throw new Error("nothing was timed");
  return { ...outcome, beside: { own, lstm } };
}

export function cellLine(outcome: CellOutcome): string {
  const { shape, threads } = outcome;
  const best = bestPeer(outcome);
  const peer = best ? `${best.name} ${best.ratio.toFixed(2)}×, ` : "";
  const share = `${(100 * lstmShare(outcome)).toFixed(0)}% of the LSTM's GFLOP/s`;
  return `${titleOf(shape)}, ${threads} ${threads === 1 ? "thread" : "threads"}  ${peer}${share}`;
}
