// One shape at one thread count: everyone's results compared with ours first, then everyone's time. What a peer cannot
// do, or fails at, is written down in the place of its time and stops nobody else.

import { alone, better, type Effort, measure, type Timing } from "./measure.js";
import type { OnnxWeights } from "./onnx-model.js";
import { makeOrt, type Ort, ortLacks } from "./onnxruntime.js";
import type { OpenVINO } from "./openvino.js";
import { makeOurs } from "./ours.js";
import { type Contender, compare, makeProblem, type Problem, type Results } from "./problem.js";
import type { Outcome, PeerOutcome } from "./record.js";
import { type Shape, titleOf } from "./shapes.js";
import { makeTfjs, type Tfjs, tfjsLacks } from "./tfjs.js";
import type { Torch } from "./torch.js";

export interface Peers {
  readonly onnxruntime?: Ort;
  readonly openvino?: OpenVINO;
  readonly tfjs?: Tfjs;
  readonly torch?: Torch;
}

interface Setting {
  readonly problem: Problem;
  readonly threads: number;
  readonly effort: Effort;
  readonly ours: Contender;
  readonly expected: Results;
  readonly weights: OnnxWeights;
  readonly compare: typeof compare;
}

interface Pair {
  readonly ours: Timing;
  readonly peer: PeerOutcome;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Turn about with its threads asleep between passes, then each alone, its threads spinning: whichever suits it counts. */
async function againstOrt(ort: Ort, setting: Setting): Promise<Pair> {
  const { problem, threads, effort, ours, expected, weights } = setting;
  const quiet = await makeOrt(ort, problem, { threads, spin: false, weights });
  try {
    const difference = setting.compare(quiet.name, expected, await quiet.results());
    const [mine, its] = await measure([ours, quiet], effort, "turn about");
    if (!mine || !its) throw new Error("nothing was timed");
    const spinning = await makeOrt(ort, problem, { threads, spin: true, weights });
    let block: Timing;
    try {
      block = await alone(spinning, effort, "alone, spinning");
    } finally {
      await spinning.close();
    }
    const own = await alone(ours, effort, "alone");
    return { ours: better(mine, own), peer: { timing: better(its, block), difference } };
  } finally {
    await quiet.close();
  }
}

const tfjsWarmUpMs = 1000; // the compiler of JavaScript takes its time

/** So far behind that a few passes tell as much as many. */
async function againstTfjs(tfjs: Tfjs, { problem, effort, ours, expected }: Setting): Promise<Pair> {
  const contender = makeTfjs(tfjs, problem);
  try {
    const difference = compare(contender.name, expected, await contender.results());
    const began = performance.now();
    for (let i = 0; i < 20 && performance.now() - began < tfjsWarmUpMs; i++) contender.run();
    const [mine, its] = await measure([ours, contender], { runs: 5, seconds: effort.seconds / 5 }, "turn about");
    if (!mine || !its) throw new Error("nothing was timed");
    return { ours: mine, peer: { timing: its, difference } };
  } finally {
    await contender.close();
  }
}

async function againstTorch(torch: Torch, setting: Setting): Promise<Pair> {
  const { problem, threads, effort, ours, expected, weights } = setting;
  const { results, timing } = await torch.measure(problem, threads, effort, weights);
  const difference = setting.compare("torch", expected, results);
  return { ours: await alone(ours, effort, "alone"), peer: { timing, difference } };
}

async function againstOpenVINO(openvino: OpenVINO, setting: Setting, precision: "f32" | "bf16"): Promise<Pair> {
  const { problem, threads, effort, ours, expected } = setting;
  const { results, timing } = await openvino.measure(problem, threads, effort, precision);
  const difference = setting.compare(`openvino, ${precision}`, expected, results);
  return { ours: await alone(ours, effort, "alone"), peer: { timing, difference } };
}

/** Kept by whoever compares numbers that several roundings have gone over. */
export interface Rounding {
  readonly weights: OnnxWeights;
  readonly compare: typeof compare;
}

/** Every peer that is present beside us on one shape. */
export async function contest(
  shape: Shape,
  threads: number,
  peers: Peers,
  effort: Effort,
  rounding: Rounding = { weights: "float32", compare },
): Promise<Outcome> {
  const rounded = rounding.weights === "int8";
  const problem = makeProblem(shape, rounded ? "int8" : shape.dtype);
  const ours = makeOurs(problem, threads);
  const setting = { problem, threads, effort, ours, expected: await ours.results(), ...rounding };
  const outcomes: Record<string, PeerOutcome> = {};
  let best: Timing | undefined;
  const meet = async (name: string, lacks: string | undefined, pair: () => Promise<Pair>): Promise<void> => {
    if (lacks !== undefined) {
      outcomes[name] = { unsupported: lacks };
      return;
    }
    try {
      const { ours: mine, peer } = await pair();
      outcomes[name] = peer;
      best = best ? better(best, mine) : mine;
    } catch (error) {
      outcomes[name] = { failure: messageOf(error) };
    }
  };
  const { onnxruntime, openvino, tfjs, torch } = peers;
  if (onnxruntime) await meet("onnxruntime", ortLacks(shape), () => againstOrt(onnxruntime, setting));
  if (torch) await meet("torch", undefined, () => againstTorch(torch, setting));
  if (openvino) {
    await meet("openvino", openvino.lacks(shape, "f32"), () => againstOpenVINO(openvino, setting, "f32"));
    const bf16 = () => againstOpenVINO(openvino, setting, "bf16");
    if (rounded) await meet("openvinoBf16", openvino.lacks(shape, "bf16"), bf16);
  }
  if (tfjs && !rounded) await meet("tfjs", tfjsLacks(shape, threads), () => againstTfjs(tfjs, setting));
  best ??= await alone(ours, effort, "alone");
  problem.module.dispose();
  return { shape, threads, ours: best, peers: outcomes };
}

/** The shape, our time, and each peer's over it. */
export function lineOf({ shape, threads, ours, peers }: Outcome): string {
  const parts = [`ours ${ours.median.toPrecision(3)} ms`];
  for (const [name, peer] of Object.entries(peers)) {
    if ("failure" in peer) parts.push(`${name} FAILED: ${peer.failure}`);
    else if ("timing" in peer) {
      parts.push(
        `${name} ${(peer.timing.median / ours.median).toFixed(2)}×, differs by ${peer.difference.toExponential(0)}`,
      );
    }
  }
  return `${titleOf(shape)}, ${threads} ${threads === 1 ? "thread " : "threads"}  ${parts.join(" | ")}`;
}
