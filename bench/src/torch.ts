// PyTorch as a peer: the child process of torch-peer.py. With int8 weights it is torch.ao's quantize_dynamic.

import type { Effort } from "./measure.js";
import type { OnnxWeights } from "./onnx-model.js";
import { type Problem, statesOf } from "./problem.js";
import { type Answer, PythonPeer } from "./python-peer.js";

export class Torch {
  readonly #peer: PythonPeer;

  private constructor(peer: PythonPeer) {
    this.#peer = peer;
  }

  /** The peer, or why it cannot be had. */
  static async start(python: string | undefined): Promise<Torch | string> {
    const peer = await PythonPeer.start("torch", python);
    return typeof peer === "string" ? peer : new Torch(peer);
  }

  get version(): string {
    return this.#peer.version;
  }

  /** Runs and times a problem. @throws Error when torch fails */
  measure(problem: Problem, threads: number, effort: Effort, weights: OnnxWeights): Promise<Answer> {
    const { module, input, state } = problem;
    const [h0, c0] = statesOf(state);
    const named = { ...module.stateDict(), input, ...(h0 && { h0 }), ...(c0 && { c0 }) };
    return this.#peer.ask({ threads, weights, ...effort }, named, problem);
  }

  close(): void {
    this.#peer.close();
  }
}
