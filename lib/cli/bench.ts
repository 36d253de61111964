// `bench`: what this machine can do at most, measured, and how much of it the modules reach, on a few shapes or on one's own
// model. It compares with no other library; `npm run bench` in a clone does.

import { type GRU, LSTM, type RNN, rand, runtimeInfo, setNumThreads } from "../index.js";
import { measureRoofline, type Roofline, readRate } from "../runtime/roofline.js";
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
    threads: { type: "string", value: "N", help: "compute threads; all cores unless given" },
    json: { type: "boolean", help: "the same as one JSON object, for programs" },
  },
  details: [
    'The roof of a shape is the lower of two: the fused multiply-adds that the threads do in registers, and the speed at\nwhich they read the recurrent weights, once a step for all the sequences a thread has under way. "of roof" is what\nthe pass reaches of it, input projection, activations and all.',
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
    const roofline = measureRoofline({ dtype });
    const rows = models.flatMap((model) => batches.map((batch) => measure(model, batch, roofline)));
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

/** How many weights there are: of all matrices, each of which a step multiplies by once, and of a direction's recurrent one. */
function weightSizes(model: Model): { all: number; recurrent: number } {
  const weights = Object.entries(model.stateDict()).filter(([name]) => name.startsWith("weight"));
  const all = weights.reduce((sum, [, { size }]) => sum + size, 0);
  return { all, recurrent: weights.find(([name]) => name === "weight_hh_l0")?.[1].size ?? 0 };
}

function measure(model: Model, batch: number, roofline: Roofline): Measured {
  const input = rand([steps, batch, model.inputSize], model.dtype);
  const weights = weightSizes(model);
  const flops = 2 * steps * batch * weights.all;
  let best = Number.POSITIVE_INFINITY;
  const until = performance.now() + 700;
  for (let round = 0; round < 3 || performance.now() < until; round++) {
    const started = performance.now();
    (model as GRU).forward(input); // the classes differ in their states alone
    best = Math.min(best, performance.now() - started);
  }
  return {
    shape: describeShape(model),
    batch,
    milliseconds: best,
    flops: (1000 * flops) / best,
    roof: roof(model.dtype, weights.recurrent, batch, roofline),
  };
}

const rowsUnderWay = 24; // sequences that a thread has under way at once, at most

function roof(dtype: string, recurrent: number, batch: number, roofline: Roofline): number {
  const bytesEach = dtype === "float32" ? 4 : 8;
  const rows = Math.min(Math.ceil(batch / roofline.threads), rowsUnderWay);
  return Math.min(roofline.flops, ((2 * rows) / bytesEach) * readRate(roofline, recurrent * bytesEach));
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
  const shown = reads.filter((_, i) => i % 2 === 1);
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
