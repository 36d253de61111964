// Reads what test/fixtures/generate.py wrote, and rebuilds each case: the seeded module and the seeded input, drawn in
// the generator's order and held against its checksums. It judges no result.

import { readFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import {
  LSTM,
  manualSeed,
  PackedSequence,
  packPaddedSequence,
  padPackedSequence,
  rand,
  Tensor,
} from "../../lib/index.js";

type FloatDType = "float32" | "float64";

/** Where a tensor lies in the .bin file. */
export interface Stored {
  offset: number;
  shape: number[];
  dtype: FloatDType;
}

/** One case as the manifest has it. `batch` is null for an unbatched input, `lengths` for a dense one. */
export interface Case {
  name: string;
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
  output: Stored;
  hn: Stored;
  cn: Stored;
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

export interface Result {
  output: Tensor;
  hn: Tensor;
  cn: Tensor;
}

const folder = new URL("../fixtures/", import.meta.url);

export function readFixture<C extends Case = Case>(name: "parity" | "relations" | "extremes"): Fixture<C> {
  const manifest = JSON.parse(readFileSync(new URL(`${name}.json`, folder), "utf8")) as Omit<Fixture<C>, "tensor">;
  const bytes = new Uint8Array(readFileSync(new URL(`${name}.bin`, folder))).buffer;
  const tensor = ({ offset, shape, dtype }: Stored): Tensor => {
    const size = shape.reduce((a, b) => a * b, 1);
    const data = dtype === "float32" ? new Float32Array(bytes, offset, size) : new Float64Array(bytes, offset, size);
    return new Tensor(data.slice(), shape);
  };
  return { ...manifest, tensor };
}

/** Uniform in [-scale, scale), exactly as the generator draws it. */
export function uniform(shape: readonly number[], dtype: FloatDType, scale = 1): Tensor {
  const t = rand(shape, dtype);
  for (let k = 0; k < t.size; k++) t.data[k] = (t.data[k]! * 2 - 1) * scale;
  return t;
}

function checksum(tensors: readonly Tensor[]): number {
  let crc = 0;
  for (const { data } of tensors) crc = crc32(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), crc);
  return crc;
}

function expectChecksum(what: string, ours: number, torchs: number): void {
  if (ours !== torchs) throw new Error(`manualSeed: the ${what} differ from torch's; the generator is at fault`);
}

/** The seeded module, input and initial state of a case. Throws when their bits are not torch's. */
export function rebuild(c: Case): { lstm: LSTM; input: Tensor; hx: [h0: Tensor, c0: Tensor] | undefined } {
  const { numLayers, bias, batchFirst, bidirectional, projSize, dtype, batch, steps } = c;
  manualSeed(c.seed);
  const lstm = new LSTM(c.inputSize, c.hiddenSize, { numLayers, bias, batchFirst, bidirectional, projSize, dtype });
  const lead = batch === null ? [steps] : batchFirst ? [batch, steps] : [steps, batch];
  const input = uniform([...lead, c.inputSize], dtype, c.scale);
  let hx: [Tensor, Tensor] | undefined;
  if (c.state) {
    const rows = [numLayers * (bidirectional ? 2 : 1), ...(batch === null ? [] : [batch])];
    hx = [uniform([...rows, projSize || c.hiddenSize], dtype), uniform([...rows, c.hiddenSize], dtype)];
  }
  expectChecksum("weights", checksum(Object.values(lstm.stateDict())), c.crc.weights);
  expectChecksum("inputs", checksum([input, ...(hx ?? [])]), c.crc.inputs);
  return { lstm, input, hx };
}

/** Runs a case the way its manifest says: dense as it is, or packed and padded again. */
export function run(c: Case, { lstm, input, hx }: ReturnType<typeof rebuild>): Result {
  const { batchFirst, lengths, enforceSorted, paddingValue, totalLength } = c;
  if (lengths === null) {
    const [output, [hn, cn]] = lstm.forward(input, hx);
    return { output, hn, cn };
  }
  const packed = packPaddedSequence(input, lengths, { batchFirst, enforceSorted });
  const [packedOutput, [hn, cn]] = lstm.forward(packed, hx);
  if (!(packedOutput instanceof PackedSequence)) throw new Error("packed in, packed out");
  const options = { batchFirst, paddingValue, ...(totalLength === null ? {} : { totalLength }) };
  const [output, back] = padPackedSequence(packedOutput, options);
  if (Array.from(back).join() !== lengths.join()) throw new Error(`lengths came back as ${back}`);
  return { output, hn, cn };
}
