// `--fit-plan`: how well the cost model of native/rnn/plan.cc chooses on this machine. Over the bench's shapes every plan
// that it weighs is forced and timed, and the chosen one is held against the best.

import type { JobTask } from "./ab-job.js";
import { type Team, teamsOf, tellPlans, timePlans } from "./forced-plan.js";
import type { Progress } from "./progress.js";
import { type Cell, cellShapes, type Shape, shapes, sizesOf } from "./shapes.js";
import { medianOf } from "./statistics.js";

/** A shape's plans and their times. */
export interface Choice {
  readonly shape: Shape;
  readonly threads: number;
  readonly chosen: Team;
  /** Medians, ms, of each team that the call can have. */
  readonly times: ReadonlyMap<Team, number>;
}

/** What the chosen plan may cost over the best. */
const bar = 1.03;
/** Of plans this near to each other one round says too little. */
const near = 1.05;
const rounds = 3;
const moreRounds = 6;

export function planShapes(cells: readonly Cell[]): Shape[] {
  const of = (cell: Cell): readonly Shape[] => (cell === "lstm" ? shapes : cellShapes(cell));
  return cells.flatMap(of).filter(({ steps, dtype }) => steps > 1 && dtype === "float32");
}

/** What the chosen plan costs over the best: 1 when it is the best. */
export function lossOf({ chosen, times }: Pick<Choice, "chosen" | "times">): number {
  return (times.get(chosen) ?? Number.NaN) / Math.min(...times.values());
}

/** The teams within 5% of the best, where the chosen one is not the best: those to be timed again. */
export function contested(choice: Pick<Choice, "chosen" | "times">): Team[] {
  if (!(lossOf(choice) > 1)) return [];
  const best = Math.min(...choice.times.values());
  const teams = [...choice.times].filter(([, ms]) => ms <= near * best).map(([team]) => team);
  return [...new Set([...teams, choice.chosen])];
}

/** Times the tasks of each team, in turn, so many times; the medians go where `samples` has a list for team and task. */
function timeRounds(
  of: ReadonlyMap<Team, readonly JobTask[]>,
  count: number,
  samples: Samples,
  progress: Progress,
): void {
  for (let round = 0; round < count; round++) {
    for (const [team, tasks] of of) {
      for (const [i, ms] of timePlans(tasks, team).entries()) samples.add(tasks[i] as JobTask, team, ms);
    }
    progress.step(`plans, round ${round + 1} of ${count}`);
  }
}

class Samples {
  readonly #of = new Map<JobTask, Map<Team, number[]>>();

  add(task: JobTask, team: Team, ms: number): void {
    const teams = this.#of.get(task) ?? new Map<Team, number[]>();
    this.#of.set(task, teams.set(team, [...(teams.get(team) ?? []), ms]));
  }

  times(task: JobTask): Map<Team, number> {
    return new Map([...(this.#of.get(task) ?? [])].map(([team, ms]) => [team, medianOf(ms)]));
  }
}

export const fitRounds = rounds + moreRounds;

/** @param progress `fitRounds` steps */
export function weighPlans(cells: readonly Cell[], threads: number, progress: Progress): Choice[] {
  const tasks = planShapes(cells).map((shape): JobTask => ({ shape, threads }));
  const chosen = tellPlans(tasks).map(({ team }) => team);
  const possible = new Map(
    teamsOf(threads).map((team) => {
      const told = tellPlans(tasks, team);
      return [team, tasks.filter((_, i) => told[i]?.team === team)] as const;
    }),
  );
  const samples = new Samples();
  timeRounds(possible, rounds, samples, progress);
  const choices = (): Choice[] =>
    tasks.map((task, i) => ({ ...task, chosen: chosen[i] as Team, times: samples.times(task) }));
  const again = new Map<Team, JobTask[]>();
  for (const [i, choice] of choices().entries()) {
    for (const team of contested(choice)) again.set(team, [...(again.get(team) ?? []), tasks[i] as JobTask]);
  }
  timeRounds(again, moreRounds, samples, progress);
  return choices();
}

/** The choices that are not the best, worst first, and whether every one is within the bar. */
export function planReport(choices: readonly Choice[]): { readonly text: string; readonly met: boolean } {
  const lost = choices
    .map((choice) => ({ ...choice, loss: lossOf(choice) }))
    .sort((a, b) => b.loss - a.loss)
    .filter(({ loss }) => loss > 1);
  const lines = lost.map(({ shape, threads, chosen, times, loss }) => {
    const teams = [...times].sort(([, a], [, b]) => a - b).map(([team, ms]) => `${team} ${ms.toPrecision(3)} ms`);
    const mark = loss > bar ? "MISSED" : "      ";
    const name = `${shape.cell ?? "lstm"} ${sizesOf(shape)}, ${threads} threads`;
    return `${mark} ${((loss - 1) * 100).toFixed(1).padStart(5)}%  ${name.padEnd(38)} chose ${chosen}; ${teams.join(", ")}`;
  });
  const met = lost.every(({ loss }) => loss <= bar);
  const head = `The plan is the best of those it weighs on ${choices.length - lost.length} of ${choices.length} shapes; the bar is 3%.`;
  return { text: [head, ...lines].join("\n"), met };
}
