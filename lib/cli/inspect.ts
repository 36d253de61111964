// `inspect`: what layers a model file holds, and of its LSTMs the sizes and a picture of how their layers stand on each other.

import { basename } from "node:path";
import type { LSTMConfig } from "../../binding.js";
import { formatConfig, parameterSpecs } from "../nn/recurrent/parameters.js";
import type { Command } from "./command.js";
import { drawWires } from "./inspect-graph.js";
import { type FoundLSTM, type ModelFile, readModelFile } from "./model-file.js";

export const command: Command = {
  usage: "FILE [OPTIONS]",
  words: 1,
  options: {
    key: {
      type: "string",
      value: "KEY",
      help: "where in a torch checkpoint the state dict lies, such as model_state_dict",
    },
    json: { type: "boolean", help: "the same as one JSON object, for programs" },
  },
  details: [
    "FILE is of safetensors, torch, ONNX, Keras or TensorFlow.js (its model.json); its bytes say which.",
    "Example:\n  packed-lstm inspect model.safetensors",
  ],
  run({ options, words }) {
    const path = words[0] as string;
    const file = readModelFile(path, options.key as string | undefined);
    process.stdout.write(`${options.json ? JSON.stringify(asJson(path, file), null, 2) : describeFile(path, file)}\n`);
    const recurrent = file.layers.some(({ module }) => module === "GRU" || module === "RNN");
    if (file.lstms.length === 0 && !recurrent) throw new Error(`${path} holds no LSTM`);
  },
};

function sizes(config: LSTMConfig): { parameters: number; bytes: number; perLayer: number[] } {
  const perLayer = new Array<number>(config.numLayers).fill(0);
  for (const { name, shape } of parameterSpecs(config)) {
    const layer = Number(/_l(\d+)/.exec(name)?.[1]);
    perLayer[layer] = (perLayer[layer] ?? 0) + shape.reduce((a, b) => a * b, 1);
  }
  const parameters = perLayer.reduce((a, b) => a + b, 0);
  return { parameters, bytes: parameters * (config.dtype === "float32" ? 4 : 8), perLayer };
}

function asJson(path: string, { format, lstms, layers, refused, others, wires, opaque }: ModelFile): object {
  const described = lstms.map(({ name, config, startsFrom, origins }) => {
    const { weightDtype: _, ...read } = config; // what the file stores is not what a model of it would
    const said = { ...(startsFrom && { startsFrom }), ...(origins && { origins }) };
    return { name, ...read, parameters: sizes(config).parameters, ...said };
  });
  const more = { ...(format === "ONNX" && { wires }), ...(opaque.length > 0 && { opaque }) };
  return { file: path, format, lstms: described, layers, refused, otherTensors: others, ...more };
}

function describeFile(path: string, file: ModelFile): string {
  const { format, lstms, refused, others } = file;
  const count = `${lstms.length} LSTM${lstms.length === 1 ? "" : "s"}`;
  const rest = others === 0 ? "" : `, and ${others} tensor${others === 1 ? "" : "s"} of other layers`;
  return [
    `${basename(path)} (${format}): ${count}${rest}`,
    ...lstms.flatMap((lstm) => ["", ...describeLSTM(path, file, lstm)]),
    ...describeLayers(path, file),
    ...refused.flatMap(({ name, reason }) => ["", `${JSON.stringify(name)} ${refusal(format)}: ${reason}`]),
    ...describeOpaque(file.opaque),
    ...drawWires(file.wires),
  ].join("\n");
}

const mostLayers = 100; // lines

/** The layers that are no LSTM, one a line, each with the code that builds it or reads its weights. */
function describeLayers(path: string, file: ModelFile): string[] {
  const { layers } = file;
  if (layers.length === 0) return [];
  const lines = layers.slice(0, mostLayers).map(({ name, module, title }) => {
    const [code] = howToLoad(path, file, name, module);
    return `  ${name === "" ? "" : `${JSON.stringify(name)}: `}${title}\n    ${code}`;
  });
  if (layers.length > mostLayers) lines.push(`  and ${layers.length - mostLayers} more`);
  return ["", "other layers", ...lines];
}

function describeOpaque(names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const more = names.length > 20 ? `, and ${names.length - 20} more` : "";
  return ["", `names Python objects, which are not run: ${names.slice(0, 20).join(", ")}${more}`];
}

function refusal(format: ModelFile["format"]): string {
  return format === "ONNX" || format === "Keras" ? "is no LSTM that can be run" : "is no LSTM";
}

function describeLSTM(path: string, model: ModelFile, { name, config, startsFrom, origins = [] }: FoundLSTM): string[] {
  const { format } = model;
  const { parameters, bytes, perLayer } = sizes(config);
  const place =
    name === "" ? "" : `${{ ONNX: "node", Keras: "layer" }[format as string] ?? "prefix"} ${JSON.stringify(name)}: `;
  return [
    `${place}${formatConfig(config)}`,
    `${parameters.toLocaleString("en")} parameters, ${config.dtype}, ${formatBytes(bytes)}`,
    ...(startsFrom === undefined ? [] : [`starts from ${startsFrom}, not from zeros`]),
    ...origins,
    "",
    ...picture(config, perLayer),
    "",
    ...howToLoad(path, model, name, "LSTM"),
  ];
}

function formatBytes(bytes: number): string {
  if (bytes < 2 ** 20) return `${(bytes / 2 ** 10).toFixed(1)} KiB`;
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

/** The layers from the output down to the input, the arrows showing which way a direction reads. */
function picture(config: LSTMConfig, perLayer: readonly number[]): string[] {
  const real = config.projSize || config.hiddenSize;
  const cell = `${config.hiddenSize}${config.projSize === 0 ? "" : ` ⇒ ${config.projSize}`}`;
  const output = real * (config.bidirectional ? 2 : 1);
  const boxes = perLayer.map((count, layer) => {
    const directions = config.bidirectional ? `→ ${cell}   ← ${cell}` : `→ ${cell}`;
    return `layer ${layer}   ${directions}   ${count.toLocaleString("en")} parameters`;
  });
  const width = Math.max(...boxes.map((text) => text.length));
  const line = "─".repeat(width);
  const lines = [`    output (T, B, ${output})`, "      ▲"];
  for (let layer = boxes.length - 1; layer >= 0; layer--) {
    const below = layer === 0 ? `input (T, B, ${config.inputSize})` : `${output}`;
    lines.push(
      `  ┌───┴${line.slice(2)}┐`,
      `  │ ${(boxes[layer] as string).padEnd(width)} │`,
      `  └───▲${line.slice(2)}┘`,
    );
    lines.push(layer === 0 ? `    ${below}` : `      │ ${below}`);
  }
  return lines;
}

/** The code that builds a layer; GRU and RNN have no module here yet, so theirs is the code that reads the weights. */
function howToLoad(path: string, { format, key }: ModelFile, name: string, module: string): string[] {
  const file = JSON.stringify(basename(path));
  const builds = module !== "GRU" && module !== "RNN";
  if (format === "ONNX") {
    return [
      `loadOnnx(${file}).find(({ name }) => name === ${JSON.stringify(name)}), its stateDict to LSTM.fromStateDict`,
    ];
  }
  if (format === "Keras") {
    const dict = `loadKeras(${file}).find(({ name }) => name === ${JSON.stringify(name)}).stateDict`;
    const options = module === "LSTM" ? ", { batchFirst: true }" : "";
    return [builds ? `${module}.fromStateDict(${dict}${options})` : dict];
  }
  const load = format === "torch" ? "loadTorch" : "loadSafetensors";
  const prefix = name === "" ? "" : `, { prefix: ${JSON.stringify(name)} }`;
  if (!builds) {
    const options = [...(key === undefined ? [] : [`key: ${JSON.stringify(key)}`]), `prefix: ${JSON.stringify(name)}`];
    return [`${load}(${file}, { ${options.join(", ")} })`];
  }
  const inner = key === undefined ? "" : `, { key: ${JSON.stringify(key)} }`;
  return [`${module}.fromStateDict(${load}(${file}${inner})${prefix})`];
}
