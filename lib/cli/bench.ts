// `bench`: what this machine can do at most, measured, and how much of it the modules reach, on a few shapes or on one's own
// model. It compares with no other library; `npm run bench` in a clone does.

import { GRU, getNumThreads, LSTM, type RNN, rand, runtimeInfo, setNumThreads } from "../index.js";
import { floorSeconds, readSizes, type Work } from "../runtime/floor.js";
import { betterRoofline, defaultSizes, measureRoofline, type Roofline } from "../runtime/roofline.js";
import { maxThreads } from "../runtime/runtime.js";
import { type Arguments, type Command, readWhole } from "./command.js";
import { chooseModel } from "./model-file.js";
import { buildModel } from "./run-model.js";

export const command: Command = {
  usage: "[OPTIONS]",
  words: 0,
  options: {
    model: {
      type: "string",
      short: "m",
      value: "FILE",
      help: "measure this model: safetensors, torch, ONNX, Keras",
    },
    prefix: { type: "string", value: "NAME", help: "which layer of the model file, as `inspect` names them" },
    key: { type: "string", value: "KEY", help: "where in a torch checkpoint the state dict lies" },
    threads: { type: "string", value: "N", help: "compute threads; what cores and quota allow unless given" },
    json: { type: "boolean", help: "the same as one JSON object, for programs" },
  },
  details: [
    'The roof of a shape follows from the least time that two measured limits leave for it: the fused multiply-adds that the\nthreads do in registers, and the speed at which they read the recurrent weights, once a step for all sequences. "of\nroof" is what the pass reaches of it. Both are measured before and after, and the better counts.',
    "Example:\n  packed-lstm bench --model model.safetensors --threads 2",
  ],
  run({ options }) {
    const threads = options.threads as string | undefined;
    if (threads !== undefined) setNumThreads(readWhole("bench", "threads", threads, maxThreads));
    const path = options.model as string | undefined;
    const models =
      path === undefined
        ? examples.map(([inputSize, hiddenSize, more]) => new LSTM(inputSize, hiddenSize, more))
        : [openModel(path, options)];
    const dtype = models[0]?.dtype ?? "float32";
    const works = models.flatMap((model) => batches.map((batch) => ({ model, batch, work: workOf(model, batch) })));
    const sizes = [...defaultSizes, ...works.flatMap(({ work }) => readSizes(work, getNumThreads()))];
    const before = measureRoofline({ dtype, sizes });
    const timed = works.map((of) => ({ ...of, seconds: time(of.model, of.batch) }));
    const roofline = betterRoofline(before, measureRoofline({ dtype, sizes }));
    const rows = timed.map((of) => rowOf(of, roofline));
    const info = runtimeInfo();
    process.stdout.write(
      options.json
        ? `${JSON.stringify({ ...info, roofline, shapes: rows }, null, 2)}\n`
        : report(info.isa, roofline, rows),
    );
  },
};

const steps = 100;
const batches = [1, 64];
const examples: readonly [number, number, { numLayers?: number; bidirectional?: boolean }][] = [
  [64, 64, {}],
  [128, 256, { numLayers: 2 }],
  [512, 512, { bidirectional: true }],
];

interface Measured {
  readonly shape: string;
  readonly batch: number;
  readonly milliseconds: number;
  readonly flops: number;
  readonly roof: number;
}

type Model = LSTM | GRU | RNN;

function openModel(path: string, options: Arguments["options"]): Model {
  const [key, prefix] = [options.key, options.prefix] as (string | undefined)[];
  return buildModel(chooseModel("bench", { path, key, prefix, nonlinearity: undefined }));
}

/** The layers in each direction, by the names and shapes of their weights. */
function workOf(model: Model, batch: number): Work {
  const state = model.stateDict();
  const size = (name: string): number => state[name]?.size ?? 0;
  const layers = Object.keys(state)
    .filter((name) => name.startsWith("weight_hh"))
    .map((name) => {
      const [input, projection] = ["weight_ih", "weight_hr"].map((of) => size(name.replace("weight_hh", of)));
      return { input: input ?? 0, recurrent: size(name) + (projection ?? 0), hiddenSize: model.hiddenSize };
    });
  const cell = model instanceof LSTM ? "lstm" : model instanceof GRU ? "gru" : "rnn";
  return { cell, weightBytes: model.dtype === "float32" ? 4 : 8, steps, rows: steps * batch, layers };
}

/** The fastest pass, in seconds. */
function time(model: Model, batch: number): number {
  const input = rand([steps, batch, model.inputSize], model.dtype);
  let best = Number.POSITIVE_INFINITY;
  const until = performance.now() + 700;
  for (let round = 0; round < 3 || performance.now() < until; round++) {
    const started = performance.now();
    (model as GRU).forward(input); // the classes differ in their states alone
    best = Math.min(best, performance.now() - started);
  }
  return best / 1000;
}

interface Timed {
  readonly model: Model;
  readonly batch: number;
  readonly work: Work;
  readonly seconds: number;
}

function rowOf({ model, batch, work, seconds }: Timed, roofline: Roofline): Measured {
  const weights = work.layers.reduce((sum, { input, recurrent }) => sum + input + recurrent, 0);
  const flops = 2 * work.rows * weights;
  return {
    ...{ shape: describeShape(model), batch, milliseconds: 1000 * seconds },
    ...{ flops: flops / seconds, roof: flops / floorSeconds(work, roofline) },
  };
}

function describeShape({ inputSize, hiddenSize, numLayers, bidirectional }: Model): string {
  const layers = numLayers === 1 ? "" : `, ${numLayers} layers`;
  return `${inputSize} → ${hiddenSize}${layers}${bidirectional ? ", both ways" : ""}`;
}

function formatBytes(bytes: number): string {
  return bytes < 2 ** 20 ? `${bytes / 2 ** 10} KiB` : `${bytes / 2 ** 20} MiB`;
}

function report(isa: string, { dtype, threads, flops, reads }: Roofline, rows: readonly Measured[]): string {
  const giga = (value: number): string => (value / 1e9).toFixed(value < 1e10 ? 1 : 0);
  const shown = reads.filter(({ bytes }) => defaultSizes.indexOf(bytes) % 2 === 1);
  const lines = [
    `${isa}, ${threads} thread${threads === 1 ? "" : "s"}, ${dtype}`,
    `fused multiply-adds: ${giga(flops)} GFLOP/s`,
    `reading: ${shown.map(({ bytes, rate }) => `${formatBytes(bytes)} at ${giga(rate)} GB/s`).join(", ")}`,
    "",
    `${`${steps} steps`.padEnd(26)}  batch        ms   GFLOP/s   of roof`,
    ...rows.map(({ shape, batch, milliseconds, flops: reached, roof: most }) => {
      const numbers = [
        milliseconds.toPrecision(3).padStart(8),
        giga(reached).padStart(8),
        `${((100 * reached) / most).toFixed()}%`,
      ];
      return `${shape.padEnd(26)}  ${String(batch).padStart(5)}  ${numbers[0]}  ${numbers[1]}  ${(numbers[2] as string).padStart(8)}`;
    }),
  ];
  return `${lines.join("\n")}\n`;
}
