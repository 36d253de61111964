// By what two runs are told to be the same: the weights themselves, the input, and every option that shapes the results.

import { createHash } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import type { Tensor } from "../index.js";
import type { FullConfig } from "../nn/recurrent/config.js";
import { standard } from "./run-files.js";
import type { Settings } from "./run-settings.js";
import type { RunIdentity } from "./run-store.js";

const piece = 2 ** 26; // bytes

/** A digest of tensors: names, dtypes, shapes and values. Not of a file, which may be large, and hold other things. */
export function hashTensors(tensors: Readonly<Record<string, Tensor>>): string {
  const hash = createHash("sha256");
  for (const name of Object.keys(tensors).sort()) {
    const { dtype, shape, data } = tensors[name] as Tensor;
    hash.update(`${JSON.stringify([name, dtype, shape])}\n`);
    for (let at = 0; at < data.byteLength; at += piece) {
      hash.update(new Uint8Array(data.buffer, data.byteOffset + at, Math.min(piece, data.byteLength - at)));
    }
  }
  return hash.digest("hex");
}

/** A file's name, size and time of change; of a name that is no file's, the name. */
function fileText(path: string): string {
  if (path === standard || !existsSync(path)) return path;
  const { size, mtimeMs } = statSync(path);
  return `${path} ${size} ${mtimeMs}`;
}

/** @param found the model as its file has it, with a digest of its weights */
export function identify(
  settings: Settings,
  found: { readonly config: FullConfig; readonly hash: string },
  from: number,
  to: number,
): RunIdentity {
  const { prefix, key, column, lengths, keep, batchFirst, weightDtype } = settings;
  const { cell, kind, width, states, real, hiddenSize, dtype } = found.config;
  return {
    model: found.hash,
    input: fileText(settings.input),
    options: JSON.stringify([
      ...[prefix, key, column, lengths === undefined ? null : fileText(lengths), keep],
      ...[batchFirst, weightDtype, from, to, cell],
    ]),
    last: settings.last,
    width,
    states,
    real,
    hiddenSize: kind.hasC ? hiddenSize : 0,
    bytes: dtype === "float32" ? 4 : 8,
  };
}
