// OpenVINO as a peer: the child process of openvino-peer.py, which reads the same ONNX model as onnxruntime-node, always with
// float32 weights. It computes in float32, or in bf16, which it takes unasked where the processor has it.

import type { Effort } from "./measure.js";
import { onnxModel } from "./onnx-model.js";
import { type Problem, statesOf } from "./problem.js";
import { type Answer, PythonPeer } from "./python-peer.js";
import type { Shape } from "./shapes.js";

export type Precision = "f32" | "bf16";

export class OpenVINO {
  readonly #peer: PythonPeer;

  private constructor(peer: PythonPeer) {
    this.#peer = peer;
  }

  /** The peer, or why it cannot be had. */
  static async start(python: string | undefined): Promise<OpenVINO | string> {
    const peer = await PythonPeer.start("openvino", python);
    return typeof peer === "string" ? peer : new OpenVINO(peer);
  }

  get version(): string {
    return this.#peer.version;
  }

  /** Why it cannot run a shape so, if so. */
  lacks({ dtype }: Shape, precision: Precision): string | undefined {
    if (dtype === "float64") return "float32 alone";
    return this.#peer.precisions.includes(precision) ? undefined : `no ${precision} on this processor`;
  }

  /** Runs and times a problem. @throws Error when OpenVINO fails */
  measure(problem: Problem, threads: number, effort: Effort, precision: Precision): Promise<Answer> {
    const { input, state } = problem;
    const [h0, c0] = statesOf(state);
    const named = { input, ...(h0 && { h0 }), ...(c0 && { c0 }) };
    return this.#peer.ask({ threads, precision, ...effort }, named, problem, onnxModel(problem));
  }

  close(): void {
    this.#peer.close();
  }
}
