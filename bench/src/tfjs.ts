// TensorFlow.js with its WebAssembly backend as a contender, typed here as far as it is used. In Node the backend has one
// thread whatever is asked of it, it has no float64, and its masks repeat a sequence's last output where the padding was,
// so it is asked for dense float32 on one thread and for nothing else. Its LSTM's gates are in the order i, f, c, o.
// https://js.tensorflow.org/api/latest/#layers.lstm

import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Tensor } from "packed-lstm";
import { type Contender, floats, type Problem, statesOf } from "./problem.js";
import { layerInputs, type Shape } from "./shapes.js";

interface TfTensor {
  dataSync(): Float32Array;
  dispose(): void;
}
interface TfLayer {
  apply(input: unknown, options?: object): unknown;
  getWeights(): readonly TfTensor[];
  setWeights(weights: readonly TfTensor[]): void;
}
interface TfModel {
  /** Less around the computing than predict, which cuts its input into batches of 32 first. */
  apply(inputs: readonly TfTensor[]): TfTensor | readonly TfTensor[];
}
interface Core {
  setBackend(name: string): Promise<boolean>;
  tensor(data: Float32Array, shape: readonly number[]): TfTensor;
  tidy<T>(work: () => T): T;
}
interface Layers {
  input(options: object): unknown;
  model(options: object): TfModel;
  readonly layers: { lstm(options: object): TfLayer; bidirectional(options: object): TfLayer };
}

export interface Tfjs {
  readonly version: string;
  readonly core: Core;
  readonly layers: Layers;
}

/** The packages with the backend set, or why they cannot be had. */
export async function loadTfjs(): Promise<Tfjs | string> {
  const root = dirname(createRequire(import.meta.url).resolve("packed-lstm/package.json"));
  const load = createRequire(join(root, "bench", "package.json"));
  try {
    const core = load("@tensorflow/tfjs-core") as Core;
    const layers = load("@tensorflow/tfjs-layers") as Layers;
    const { version_wasm: version } = load("@tensorflow/tfjs-backend-wasm") as { version_wasm: string };
    if (!(await core.setBackend("wasm"))) return "its wasm backend does not start";
    return { version, core, layers };
  } catch (error) {
    return error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
  }
}

/** Why it cannot run a shape, or is not asked to. */
export function tfjsLacks({ cell, dtype, lengths, set, stateful }: Shape, threads: number): string | undefined {
  if (cell) return "asked for its LSTM alone";
  if (threads > 1) return "one thread alone in Node";
  if (dtype === "float64") return "float32 alone";
  if (lengths) return "no sequence lengths";
  if (set === "workloads" || (stateful && set === "streaming")) return undefined;
  return "not asked: far behind on the workloads already";
}

function transposed(tensor: Tensor): Tensor {
  return tensor.transpose(0, 1);
}

/** Kernel, recurrent kernel and bias of one layer and direction: torch's matrices turned over, its two biases added. */
function weightsOf({ core }: Tfjs, { module }: Problem, suffix: string): TfTensor[] {
  const state = module.stateDict();
  const matrix = (name: string): TfTensor => {
    const turned = transposed(state[`${name}_${suffix}`] as Tensor);
    return core.tensor(floats(turned), turned.shape);
  };
  const [a, b] = [floats(state[`bias_ih_${suffix}`]), floats(state[`bias_hh_${suffix}`])];
  const bias = a.map((value, i) => value + (b[i] ?? 0));
  return [matrix("weight_ih"), matrix("weight_hh"), core.tensor(bias, [bias.length])];
}

/** A model a layer: in one of several, each layer would find the states of the one before among its own arguments. */
function buildModels(tfjs: Tfjs, problem: Problem): TfModel[] {
  const { layers } = tfjs;
  const { shape } = problem;
  const { steps, hiddenSize, directions, stateful } = shape;
  return layerInputs(shape).map((width, l) => {
    const input = layers.input({ shape: [steps, width] });
    const states = stateful ? [0, 1].map(() => layers.input({ shape: [hiddenSize] })) : [];
    // Zeros: the default initializer works out orthogonal matrices for minutes, to be overwritten.
    const cell = layers.layers.lstm({
      ...{ units: hiddenSize, activation: "tanh", recurrentActivation: "sigmoid", returnSequences: true },
      ...{ kernelInitializer: "zeros", recurrentInitializer: "zeros", unitForgetBias: false },
    });
    const layer = directions === 2 ? layers.layers.bidirectional({ layer: cell, mergeMode: "concat" }) : cell;
    const outputs = layer.apply(input, stateful ? { initialState: states } : {});
    const weights = weightsOf(tfjs, problem, `l${l}`);
    layer.setWeights(directions === 2 ? [...weights, ...weightsOf(tfjs, problem, `l${l}_reverse`)] : weights);
    return layers.model({ inputs: [input, ...states], outputs });
  });
}

/** Batch-first, as it has it; turning the input over and the output back is outside of what is timed. */
export function makeTfjs(tfjs: Tfjs, problem: Problem): Contender {
  const { core } = tfjs;
  const { steps, batch, hiddenSize, directions } = problem.shape;
  const models = buildModels(tfjs, problem);
  const tensorOf = (tensor: Tensor): TfTensor => core.tensor(floats(tensor), tensor.shape);
  const input = tensorOf(transposed(problem.input));
  const states = models.map((_, l) => statesOf(problem.state).map((state) => tensorOf(state.select(0, l))));
  const run = (): Float32Array =>
    core.tidy(() => {
      const last = models.reduce((below, model, l) => {
        const output = model.apply([below, ...(states[l] ?? [])]);
        return Array.isArray(output) ? (output[0] as TfTensor) : (output as TfTensor);
      }, input);
      return last.dataSync();
    });
  return {
    name: "tfjs",
    run,
    results() {
      const rows = run();
      const width = directions * hiddenSize;
      const output = new Float32Array(rows.length);
      for (let b = 0; b < batch; b++) {
        for (let t = 0; t < steps; t++) {
          output.set(rows.subarray((b * steps + t) * width, (b * steps + t + 1) * width), (t * batch + b) * width);
        }
      }
      return Promise.resolve({ output });
    },
    close() {
      for (const tensor of [input, ...states.flat()]) tensor.dispose();
      return Promise.resolve();
    },
  };
}
