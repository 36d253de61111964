// A file of many sequences of unequal length, and a model: what a real job would find on shared storage. Rows lie one
// sequence after another as float32, the lengths beside them; a shard reads its own part and no more.

import { closeSync, openSync, readFileSync, readSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LSTM, loadSafetensors, manualSeed, rand, saveSafetensors, Tensor } from "packed-lstm";

const inputSize = 32;

/** Writes `count` sequences of 5 to 100 steps and a model for them. */
export function makeDataset(/** @type {string} */ folder, /** @type {number} */ count) {
  manualSeed(0);
  saveSafetensors(join(folder, "model.safetensors"), new LSTM(inputSize, 128).stateDict());
  const lengths = Int32Array.from({ length: count }, (_, i) => 5 + ((i * 7919) % 96));
  const { data } = rand([lengths.reduce((a, b) => a + b), inputSize]);
  writeFileSync(join(folder, "rows.f32"), data);
  writeFileSync(join(folder, "lengths.i32"), lengths);
}

export function loadModel(/** @type {string} */ folder) {
  return LSTM.fromStateDict(loadSafetensors(join(folder, "model.safetensors")));
}

/** The sequences `from` to `to`, as they are asked for. */
export function* readSequences(/** @type {string} */ folder, /** @type {number} */ from, /** @type {number} */ to) {
  const lengths = new Int32Array(new Uint8Array(readFileSync(join(folder, "lengths.i32"))).buffer);
  let row = lengths.subarray(0, from).reduce((a, b) => a + b, 0);
  const file = openSync(join(folder, "rows.f32"), "r");
  try {
    for (const length of lengths.subarray(from, to)) {
      const rows = new Float32Array(length * inputSize);
      readSync(file, rows, 0, rows.byteLength, row * inputSize * 4);
      yield new Tensor(rows, [length, inputSize]);
      row += length;
    }
  } finally {
    closeSync(file);
  }
}
