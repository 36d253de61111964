// `inspect`: what layers a model file holds, and of the recurrent ones the sizes and a picture of how their
// layers stand on each other.

import { basename } from "node:path";
import { type FullConfig, formatConfig } from "../nn/recurrent/config.js";
import type { ModuleName } from "../nn/recurrent/kinds.js";
import { parameterSpecs } from "../nn/recurrent/parameters.js";
import type { Command } from "./command.js";
import { drawWires } from "./inspect-graph.js";
import { anyModule, countModules, type FoundModel, type ModelFile, readModelFile } from "./model-file.js";

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
    if (file.models.length === 0) throw new Error(`${path} holds no ${anyModule}`);
  },
};

function sizes(config: FullConfig): { parameters: number; bytes: number; perLayer: number[] } {
  const perLayer = new Array<number>(config.numLayers).fill(0);
  for (const { name, shape } of parameterSpecs(config)) {
    const layer = Number(/_l(\d+)/.exec(name)?.[1]);
    perLayer[layer] = (perLayer[layer] ?? 0) + shape.reduce((a, b) => a * b, 1);
  }
  const parameters = perLayer.reduce((a, b) => a + b, 0);
  return { parameters, bytes: parameters * (config.dtype === "float32" ? 4 : 8), perLayer };
}

function asJson(path: string, { format, models, layers, refused, others, wires, opaque }: ModelFile): object {
  const described = (module: ModuleName): object[] =>
    models.filter(({ config }) => config.kind.module === module).map(modelAsJson);
  const recurrent = { lstms: described("LSTM"), grus: described("GRU"), rnns: described("RNN") };
  const more = { ...(format === "ONNX" && { wires }), ...(opaque.length > 0 && { opaque }) };
  return { file: path, format, ...recurrent, layers, refused, otherTensors: others, ...more };
}

/** What the file says; weights are stored in what the file stores, which a model of it need not. */
function modelAsJson({ name, config, unsaid, startsFrom, origins, quantized }: FoundModel): object {
  const { kind, inputSize, hiddenSize, projSize, numLayers, bidirectional, bias, dtype } = config;
  return {
    ...{ name, inputSize, hiddenSize },
    ...(kind.projects && { projSize }),
    ...(kind.nonlinearity && !unsaid && { nonlinearity: kind.nonlinearity }),
    ...{ numLayers, bidirectional, bias, dtype, parameters: sizes(config).parameters },
    ...(startsFrom && { startsFrom }),
    ...(origins && { origins }),
    ...(quantized && { quantized }),
  };
}

function describeFile(path: string, file: ModelFile): string {
  const { format, models, refused, others } = file;
  const rest = others === 0 ? "" : `, and ${others} tensor${others === 1 ? "" : "s"} of other layers`;
  return [
    `${basename(path)} (${format}): ${countModules(models)}${rest}`,
    ...models.flatMap((model) => ["", ...describeModel(path, file, model)]),
    ...describeLayers(path, file),
    ...refused.flatMap(({ name, reason }) => ["", `${JSON.stringify(name)} cannot be run: ${reason}`]),
    ...describeOpaque(file.opaque),
    ...drawWires(file.wires),
  ].join("\n");
}

const mostLayers = 100; // lines

/** The layers that are not recurrent, one a line, each with the code that builds it. */
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

function describeModel(path: string, file: ModelFile, model: FoundModel): string[] {
  const { name, config, unsaid, startsFrom, origins = [], quantized = false } = model;
  const { parameters, bytes, perLayer } = sizes(config);
  const place =
    name === ""
      ? ""
      : `${{ ONNX: "node", Keras: "layer" }[file.format as string] ?? "prefix"} ${JSON.stringify(name)}: `;
  return [
    `${place}${formatConfig(config)}`,
    `${parameters.toLocaleString("en")} parameters, ${config.dtype}, ${formatBytes(bytes)}`,
    ...(unsaid ? ['with tanh, unless it was trained with nonlinearity: "relu", which weights do not say'] : []),
    ...(startsFrom === undefined ? [] : [`starts from ${startsFrom}, not from zeros`]),
    ...origins,
    ...(quantized ? ['made of 8-bit integers; weightDtype: "int8" computes with such again'] : []),
    "",
    ...picture(config, perLayer),
    "",
    ...howToLoad(path, file, name, config.name, [
      ...(config.kind.nonlinearity === "relu" ? ['nonlinearity: "relu"'] : []),
      ...(quantized ? ['weightDtype: "int8"'] : []),
    ]),
  ];
}

function formatBytes(bytes: number): string {
  if (bytes < 2 ** 20) return `${(bytes / 2 ** 10).toFixed(1)} KiB`;
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

/** The layers from the output down to the input, the arrows showing which way a direction reads. */
function picture(config: FullConfig, perLayer: readonly number[]): string[] {
  const cell = `${config.hiddenSize}${config.projSize === 0 ? "" : ` ⇒ ${config.projSize}`}`;
  const output = config.width;
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

/** The code that builds a layer. */
function howToLoad(
  path: string,
  { format, key }: ModelFile,
  name: string,
  module: string,
  options: readonly string[] = [],
): string[] {
  const file = JSON.stringify(basename(path));
  const builds = (dict: string, given: readonly string[]): string[] => {
    return [`${module}.fromStateDict(${dict}${given.length === 0 ? "" : `, { ${given.join(", ")} }`})`];
  };
  const recurrent = module !== "Linear" && module !== "Embedding";
  if (format === "ONNX" || format === "Keras") {
    const dict = `load${format === "ONNX" ? "Onnx" : "Keras"}(${file}).find(({ name }) => name === ${JSON.stringify(name)}).stateDict`;
    return builds(dict, format === "Keras" && recurrent ? ["batchFirst: true", ...options] : options);
  }
  const load = format === "torch" ? "loadTorch" : "loadSafetensors";
  const inner = key === undefined ? "" : `, { key: ${JSON.stringify(key)} }`;
  return builds(`${load}(${file}${inner})`, name === "" ? options : [`prefix: ${JSON.stringify(name)}`, ...options]);
}
