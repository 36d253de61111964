// `inspect`: what LSTMs a model file holds, their sizes, and a picture of how their layers stand on each other.

import { basename } from "node:path";
import type { LSTMConfig } from "../../binding.js";
import { formatConfig, parameterSpecs } from "../weights/lstm-parameters.js";
import type { Command } from "./command.js";
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
    "FILE is a .safetensors, a .pt of torch.save(model.state_dict(), …) or an .onnx file; its bytes say which.",
    "Example:\n  packed-lstm inspect model.safetensors",
  ],
  run({ options, words }) {
    const path = words[0] as string;
    const file = readModelFile(path, options.key as string | undefined);
    process.stdout.write(`${options.json ? JSON.stringify(asJson(path, file), null, 2) : describeFile(path, file)}\n`);
    if (file.lstms.length === 0) throw new Error(`${path} holds no LSTM`);
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

function asJson(path: string, { format, lstms, refused, others }: ModelFile): object {
  const described = lstms.map(({ name, config }) => {
    const { weightDtype: _, ...read } = config; // what the file stores is not what a model of it would
    return { name, ...read, parameters: sizes(config).parameters };
  });
  return { file: path, format, lstms: described, refused, otherTensors: others };
}

function describeFile(path: string, file: ModelFile): string {
  const { format, lstms, refused, others } = file;
  const count = `${lstms.length} LSTM${lstms.length === 1 ? "" : "s"}`;
  const rest = others === 0 ? "" : `, and ${others} tensor${others === 1 ? "" : "s"} of other layers`;
  return [
    `${basename(path)} (${format}): ${count}${rest}`,
    ...lstms.flatMap((lstm) => ["", ...describeLSTM(path, format, lstm)]),
    ...refused.flatMap(({ name, reason }) => ["", `${JSON.stringify(name)} is no LSTM: ${reason}`]),
  ].join("\n");
}

function describeLSTM(path: string, format: ModelFile["format"], { name, config }: FoundLSTM): string[] {
  const { parameters, bytes, perLayer } = sizes(config);
  const place = name === "" ? "" : `${format === "ONNX" ? "node" : "prefix"} ${JSON.stringify(name)}: `;
  return [
    `${place}${formatConfig(config)}`,
    `${parameters.toLocaleString("en")} parameters, ${config.dtype}, ${formatBytes(bytes)}`,
    "",
    ...picture(config, perLayer),
    "",
    ...howToLoad(path, format, name),
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

function howToLoad(path: string, format: ModelFile["format"], name: string): string[] {
  const file = JSON.stringify(basename(path));
  if (format === "ONNX") {
    return [
      `loadOnnx(${file}).find(({ name }) => name === ${JSON.stringify(name)}), its stateDict to LSTM.fromStateDict`,
    ];
  }
  const load = format === "torch" ? "loadTorch" : "loadSafetensors";
  const prefix = name === "" ? "" : `, { prefix: ${JSON.stringify(name)} }`;
  return [`LSTM.fromStateDict(${load}(${file})${prefix})`];
}
