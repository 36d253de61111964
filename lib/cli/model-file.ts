// Finds the LSTMs in a model file of any of the formats that the library reads. What kind a file is, its first bytes say;
// its name does not count. It builds no LSTM, so it needs no addon.

import { closeSync, openSync, readSync } from "node:fs";
import type { LSTMConfig } from "../../binding.js";
import { formatShape } from "../check.js";
import type { Tensor } from "../tensor.js";
import { parameterSpecs, readConfig } from "../weights/lstm-parameters.js";
import { loadOnnx } from "../weights/onnx.js";
import { loadSafetensors } from "../weights/safetensors.js";
import { loadTorch } from "../weights/torch.js";
import { closest, UsageError } from "./command.js";

/** One LSTM of a file. */
export interface FoundLSTM {
  /** What stands before its parameters' names, such as "encoder."; in an ONNX file the node's name. */
  readonly name: string;
  /** Its own parameters, by torch's names: what `LSTM.fromStateDict` takes. */
  readonly stateDict: Readonly<Record<string, Tensor>>;
  readonly config: LSTMConfig;
}

export interface ModelFile {
  readonly format: "safetensors" | "torch" | "ONNX";
  readonly lstms: readonly FoundLSTM[];
  /** Parameters that look like an LSTM's and are none, by what stands before their names; and why. */
  readonly refused: readonly { readonly name: string; readonly reason: string }[];
  /** How many tensors belong to no LSTM. */
  readonly others: number;
}

const parameterName = /^(.*?)((?:weight_(?:ih|hh|hr)|bias_(?:ih|hh))_l\d+(?:_reverse)?)$/;

/**
 * Reads a file and finds every LSTM in it.
 * @param key where in a torch checkpoint the state dict lies
 * @throws as loadSafetensors, loadTorch and loadOnnx do
 */
export function readModelFile(path: string, key?: string): ModelFile {
  const format = formatOf(path);
  if (format === undefined) {
    throw new RangeError(`${path} is no safetensors file, no torch.save file and no ONNX model`);
  }
  if (format === "ONNX") {
    const lstms = loadOnnx(path).map(({ name, stateDict }) => {
      return { name, stateDict, config: readConfig("the node", stateDict, "") };
    });
    return { format, lstms, refused: [], others: 0 };
  }
  const dict = format === "safetensors" ? loadSafetensors(path) : loadTorch(path, key === undefined ? {} : { key });
  const { groups, others } = groupByPrefix(dict);
  const lstms: FoundLSTM[] = [];
  const refused: { name: string; reason: string }[] = [];
  for (const [name, stateDict] of groups) {
    try {
      lstms.push({ name, stateDict, config: checkParameters(stateDict) });
    } catch (error) {
      refused.push({ name, reason: (error as Error).message });
    }
  }
  return { format, lstms, refused, others };
}

/**
 * The LSTM that a command is to take.
 * @param prefix its name, needed when there are several
 * @throws UsageError when there are several and none was named; Error when there is none, or none of that name
 */
export function chooseLSTM(
  command: string,
  path: string,
  key: string | undefined,
  prefix: string | undefined,
): FoundLSTM {
  const { lstms } = readModelFile(path, key);
  const names = lstms.map(({ name }) => name);
  if (prefix !== undefined) {
    const found = lstms.find(({ name }) => name === prefix || name === `${prefix}.`);
    if (found === undefined)
      throw new Error(`${path} holds no LSTM ${closest(prefix, names)}; see packed-lstm inspect`);
    return found;
  }
  if (lstms.length === 1) return lstms[0] as FoundLSTM;
  if (lstms.length === 0) throw new Error(`${path} holds no LSTM`);
  throw new UsageError(
    `${command}: ${path} holds ${lstms.length} LSTMs; choose one with --prefix: ${names.join(", ")}`,
  );
}

function formatOf(path: string): ModelFile["format"] | undefined {
  const head = new Uint8Array(9);
  const fd = openSync(path, "r");
  try {
    readSync(fd, head);
  } finally {
    closeSync(fd);
  }
  if (head[0] === 0x50 && head[1] === 0x4b) return "torch"; // "PK": a zip archive
  // A header's length in 8 bytes, the upper of which are 0 in any file there is, and the header's brace.
  if (head[8] === 0x7b && head[7] === 0 && head[6] === 0) return "safetensors";
  // Before torch 1.6 a file was a bare pickle; loadTorch says what to do about one.
  if (head[0] === 0x80) return "torch";
  return head[0] === 0x08 ? "ONNX" : undefined; // the number of a model's first field, ir_version
}

function groupByPrefix(dict: Record<string, Tensor>): { groups: Map<string, Record<string, Tensor>>; others: number } {
  const groups = new Map<string, Record<string, Tensor>>();
  let others = 0;
  for (const [key, tensor] of Object.entries(dict)) {
    const [, prefix, name] = parameterName.exec(key) ?? [];
    if (prefix === undefined || name === undefined) {
      others++;
      continue;
    }
    const group = groups.get(prefix) ?? {};
    groups.set(prefix, group);
    group[name] = tensor;
  }
  return { groups, others };
}

/** The sizes, when every parameter is there in its shape: a GRU's names are the same, its shapes are not. */
function checkParameters(stateDict: Record<string, Tensor>): LSTMConfig {
  const config = readConfig("the file", stateDict, "");
  for (const { name, shape } of parameterSpecs(config)) {
    const given = stateDict[name];
    if (given === undefined) throw new RangeError(`there is no ${name}`);
    if (formatShape(given.shape) === formatShape(shape)) continue;
    throw new RangeError(`${name} has shape ${formatShape(given.shape)}, in an LSTM it would be ${formatShape(shape)}`);
  }
  return config;
}
