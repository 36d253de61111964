// Reads what test/fixtures/generate.py and cells.py wrote, and rebuilds each case: the seeded module and the seeded input,
// drawn in the generator's order and held against its checksums. It judges no result.

import { crc32 } from "node:zlib";
import type { CellKind } from "../../binding.js";
import { manualSeed, packPaddedSequence, padPackedSequence, rand, type Tensor } from "../../lib/index.js";
import {
  type Cell,
  cellOf,
  type FloatDType,
  type Module,
  type Results,
  resultsOf,
  stateOf,
  stateShapes,
} from "./cells.js";
import type { Tolerance } from "./compare.js";
import { readManifest, readValues, type Stored } from "./stored.js";

/** One case as the manifest has it. `batch` is null for an unbatched input, `lengths` for a dense one. */
export interface Case extends Results<Stored> {
  name: string;
  /** An LSTM's where the manifest names none. */
  cell: CellKind;
  seed: number;
  dtype: FloatDType;
  inputSize: number;
  hiddenSize: number;
  numLayers: number;
  bias: boolean;
  batchFirst: boolean;
  bidirectional: boolean;
  projSize: number;
  steps: number;
  batch: number | null;
  scale: number;
  state: boolean;
  lengths: number[] | null;
  enforceSorted: boolean;
  paddingValue: number;
  totalLength: number | null;
  crc: { weights: number; inputs: number };
}

/** torch's results in float64 for the same float32 numbers. */
export interface Truth {
  trueOutput: Stored;
  trueHn: Stored;
  trueCn: Stored;
}

export interface Fixture<C> {
  torch: string;
  cases: C[];
  tensor(stored: Stored): Tensor;
}

type Name = "parity" | "relations" | "extremes" | "parity-cells" | "extremes-cells";

export function readFixture<C extends Case = Case>(name: Name): Fixture<C> {
  const { torch, cases } = readManifest<{ torch: string; cases: C[] }>(name);
  return { torch, cases: cases.map((c) => ({ ...c, cell: c.cell ?? "lstm" })), tensor: readValues(name) };
}

/** How near to torch's a case's results must be. The values of relu grow, so beyond 1 it is by their size. */
export function bars({ cell, dtype }: Pick<Case, "cell" | "dtype">): Tolerance {
  return { atol: dtype === "float32" ? 5e-6 : 1e-12, rtol: 0, scaled: cell === "rnn_relu" };
}

/** Uniform in [-scale, scale), exactly as the generator draws it. */
export function uniform(shape: readonly number[], dtype: FloatDType, scale = 1): Tensor {
  const t = rand(shape, dtype);
  for (let k = 0; k < t.size; k++) t.data[k] = (t.data[k]! * 2 - 1) * scale;
  return t;
}

/** The checksum that the generators take of tensors. */
export function checksum(tensors: readonly Tensor[]): number {
  let crc = 0;
  for (const { data } of tensors) crc = crc32(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), crc);
  return crc;
}

function expectChecksum(what: string, ours: number, torchs: number): void {
  if (ours !== torchs) throw new Error(`manualSeed: the ${what} differ from torch's; the generator is at fault`);
}

export interface Rebuilt {
  cell: Cell;
  module: Module;
  input: Tensor;
  /** h0, and of an LSTM c0; none where the case has none. */
  states: Tensor[] | undefined;
}

/** The seeded module, input and initial state of a case. Throws when their bits are not torch's. */
export function rebuild(c: Case): Rebuilt {
  const { numLayers, bias, batchFirst, bidirectional, projSize, dtype, batch, steps } = c;
  const cell = cellOf(c.cell);
  manualSeed(c.seed);
  const options = { numLayers, bias, batchFirst, bidirectional, dtype, ...(projSize > 0 && { projSize }) };
  const module = cell.make(c.inputSize, c.hiddenSize, options);
  const lead = batch === null ? [steps] : batchFirst ? [batch, steps] : [steps, batch];
  const input = uniform([...lead, c.inputSize], dtype, c.scale);
  const shapes = stateShapes(cell, c, batch === null ? [] : [batch]);
  const states = c.state ? shapes.map((shape) => uniform(shape, dtype)) : undefined;
  expectChecksum("weights", checksum(Object.values(module.stateDict())), c.crc.weights);
  expectChecksum("inputs", checksum([input, ...(states ?? [])]), c.crc.inputs);
  return { cell, module, input, states };
}

/** Runs a case the way its manifest says: dense as it is, or packed and padded again. */
export function run(c: Case, { module, input, states }: Rebuilt): Results {
  const { batchFirst, lengths, enforceSorted, paddingValue, totalLength } = c;
  const hx = states && stateOf(states);
  if (lengths === null) return resultsOf(...module.forward(input, hx));
  const [packed, state] = module.forward(packPaddedSequence(input, lengths, { batchFirst, enforceSorted }), hx);
  const options = { batchFirst, paddingValue, ...(totalLength === null ? {} : { totalLength }) };
  const [output, back] = padPackedSequence(packed, options);
  if (Array.from(back).join() !== lengths.join()) throw new Error(`lengths came back as ${back}`);
  return resultsOf(output, state);
}
