// How far weights in 8 bits are from our own float32, beside the int8 modules of torch.ao and onnxruntime: the root of the mean
// square of the differences in the output, over models drawn as torch draws them and inputs from a normal distribution.
// Needs a compiled package, and for the peers the Python with torch, onnx and onnxruntime that PACKED_LSTM_BENCH_PYTHON
// names; without it their columns stay empty. Prints a table in Markdown, and ends with 1 where a bar is missed.
// Usage: node bench/int8-error.mjs

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { GRU, Linear, LSTM, manualSeed, RNN, randn, saveSafetensors } from "../dist/index.js";

const steps = 50;
const batch = 16;
const seeds = [1, 2, 3];

/**
 * @typedef {{ module: "LSTM" | "GRU" | "RNN" | "Linear", inputs: number, size: number, layers?: number, both?: boolean, projection?: number }} Shape
 * @typedef {{ torch?: number, onnxruntime?: number }} Peers
 */

/** @type {Shape[]} */
const recurrent = [
  { module: "LSTM", inputs: 3, size: 64 },
  { module: "LSTM", inputs: 128, size: 256, layers: 2 },
  { module: "LSTM", inputs: 256, size: 256 },
  { module: "LSTM", inputs: 512, size: 512 },
];

/** @type {Shape[]} */
const shapes = [
  ...recurrent,
  ...recurrent.map((shape) => ({ ...shape, both: true })),
  { module: "LSTM", inputs: 256, size: 512, projection: 128 },
  { module: "GRU", inputs: 256, size: 256 },
  { module: "GRU", inputs: 128, size: 256, layers: 2, both: true },
  { module: "RNN", inputs: 256, size: 256 },
  { module: "Linear", inputs: 512, size: 512 },
];

/** @param {Shape} shape @returns {string} */
function titleOf({ module, inputs, size, layers = 1, both = false, projection }) {
  const more = [
    layers > 1 && `${layers} layers`,
    both && "both directions",
    projection && `projected to ${projection}`,
  ];
  return [`${module} ${inputs} → ${size}`, ...more.filter(Boolean)].join(", ");
}

/** @param {Shape} shape */
function make({ module, inputs, size, layers = 1, both = false, projection = 0 }) {
  const options = { numLayers: layers, bidirectional: both };
  if (module === "Linear") return new Linear(inputs, size);
  if (module === "LSTM") return new LSTM(inputs, size, { ...options, projSize: projection });
  return new (module === "GRU" ? GRU : RNN)(inputs, size, options);
}

/** @param {ReturnType<typeof make>} module @param {import("../dist/index.js").Tensor} x */
function outputOf(module, x) {
  const result = module.forward(x);
  return Array.isArray(result) ? result[0] : result;
}

/** @param {Shape} shape @param {ReturnType<typeof make>} module */
function inInt8({ module: name }, module) {
  const options = /** @type {const} */ ({ weightDtype: "int8" });
  const dict = module.stateDict();
  if (name === "Linear") return Linear.fromStateDict(dict, options);
  return { LSTM, GRU, RNN }[name].fromStateDict(dict, options);
}

/** @param {ArrayLike<number>} a @param {ArrayLike<number>} b */
function rms(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (Number(a[i]) - Number(b[i])) ** 2;
  return Math.sqrt(sum / a.length);
}

/** The peers' errors against the same float32 output. @param {Shape} shape @param {string} path @returns {Peers} */
function peersOf(shape, path) {
  const python = process.env.PACKED_LSTM_BENCH_PYTHON;
  if (python === undefined) return {};
  const script = fileURLToPath(new URL("int8-peers.py", import.meta.url));
  const { status, stdout, stderr } = spawnSync(python, [script, path, JSON.stringify(shape)], { encoding: "utf8" });
  if (status !== 0) throw new Error(`int8-peers.py: ${stderr}`);
  return JSON.parse(stdout);
}

const mean = (/** @type {number[]} */ values) => Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
const show = (/** @type {number | undefined} */ error) => (error === undefined ? "–" : error.toExponential(1));
const times = (/** @type {number} */ ours, /** @type {number | undefined} */ theirs) =>
  theirs === undefined ? "–" : `${show(theirs)} (${(theirs / ours).toFixed(1)}×)`;

const folder = mkdtempSync(join(tmpdir(), "packed-lstm-int8-"));
const missed = [];
try {
  console.log("| rms difference from float32 | ours | torch.ao | onnxruntime |\n| --- | --- | --- | --- |");
  for (const shape of shapes) {
    /** @type {{ ours: number, peers: Peers }[]} */
    const found = seeds.map((seed) => {
      manualSeed(seed);
      const module = make(shape);
      const input = randn([steps, batch, shape.inputs]);
      const reference = outputOf(module, input);
      const path = join(folder, "model.safetensors");
      saveSafetensors(path, { ...module.stateDict(), input, reference });
      return { ours: rms(outputOf(inInt8(shape, module), input).data, reference.data), peers: peersOf(shape, path) };
    });
    const ours = mean(found.map((one) => one.ours));
    const [torch, onnxruntime] = /** @type {const} */ (["torch", "onnxruntime"]).map((name) => {
      const errors = found.flatMap(({ peers }) => peers[name] ?? []);
      return errors.length === 0 ? undefined : mean(errors);
    });
    if (torch !== undefined && ours > torch / 2) missed.push(`${titleOf(shape)}: more than half of torch.ao's`);
    if (onnxruntime !== undefined && ours > onnxruntime) missed.push(`${titleOf(shape)}: more than onnxruntime's`);
    console.log(`| ${titleOf(shape)} | ${show(ours)} | ${times(ours, torch)} | ${times(ours, onnxruntime)} |`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
for (const what of missed) console.error(what);
process.exitCode = missed.length === 0 ? 0 : 1;
