// onnxruntime-node as a contender. It belongs to bench/ alone and may be missing, so it is loaded by hand and typed here,
// as far as it is used. Its threads spin between passes by default, which slows whoever runs next, so a caller
// says whether they may.
// https://onnxruntime.ai/docs/api/js/interfaces/InferenceSession.SessionOptions.html

import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { type OnnxWeights, onnxModel } from "./onnx-model.js";
import { type Contender, floats, type Problem, statesOf } from "./problem.js";
import type { Shape } from "./shapes.js";

interface OrtTensor {
  readonly data: unknown;
}

interface OrtSession {
  run(feeds: Record<string, OrtTensor>): Promise<Record<string, OrtTensor>>;
  release(): Promise<void>;
}

export interface Ort {
  readonly env: { readonly versions: { readonly node?: string } };
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<OrtSession> };
  readonly Tensor: new (type: string, data: Float32Array | Int32Array, dims: readonly number[]) => OrtTensor;
}

/** The package, or why it cannot be had. */
export function loadOrt(): Ort | string {
  const root = dirname(createRequire(import.meta.url).resolve("packed-lstm/package.json"));
  try {
    return createRequire(join(root, "bench", "package.json"))("onnxruntime-node") as Ort;
  } catch (error) {
    return error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
  }
}

function joined(tensors: readonly (OrtTensor | undefined)[]): Float32Array {
  const parts = tensors.map(floats);
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function feedsOf(ort: Ort, { shape, input, state }: Problem): Record<string, OrtTensor> {
  const { batch, hiddenSize, layers, directions, lengths } = shape;
  const feeds: Record<string, OrtTensor> = { input: new ort.Tensor("float32", floats(input), input.shape) };
  if (lengths) feeds.lengths = new ort.Tensor("int32", Int32Array.from(lengths), [batch]);
  const size = directions * batch * hiddenSize;
  for (const [s, tensor] of statesOf(state).entries()) {
    for (let layer = 0; layer < layers; layer++) {
      const part = floats(tensor).slice(layer * size, (layer + 1) * size);
      feeds[`${s === 0 ? "h0" : "c0"}_${layer}`] = new ort.Tensor("float32", part, [directions, batch, hiddenSize]);
    }
  }
  return feeds;
}

/** Why it cannot run a shape, if so. Its kernels take double tensors and answer that they do not support them yet. */
export function ortLacks({ dtype }: Shape): string | undefined {
  return dtype === "float64" ? "float32 alone" : undefined;
}

export interface OrtOptions {
  readonly threads: number;
  readonly spin: boolean;
  readonly weights: OnnxWeights;
}

export async function makeOrt(ort: Ort, problem: Problem, { threads, spin, weights }: OrtOptions): Promise<Contender> {
  const session = await ort.InferenceSession.create(onnxModel(problem, weights), {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    logSeverityLevel: 3,
    extra: { session: { intra_op: { allow_spinning: spin ? "1" : "0" } } },
  });
  const feeds = feedsOf(ort, problem);
  const layers = Array.from({ length: problem.shape.layers }, (_, layer) => layer);
  return {
    name: "onnxruntime",
    run: () => session.run(feeds),
    async results() {
      const all = await session.run(feeds);
      const hn = joined(layers.map((layer) => all[`hn_${layer}`]));
      const output = floats(all.output);
      return all.cn_0 ? { output, hn, cn: joined(layers.map((layer) => all[`cn_${layer}`])) } : { output, hn };
    },
    close: () => session.release(),
  };
}
