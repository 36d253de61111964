// Reads what test/fixtures/weights.py wrote down about the weight files beside it. It judges nothing.

import { readFileSync } from "node:fs";
import { Tensor } from "../lib/tensor.js";

/** A tensor as expected.json holds it. */
export interface StoredTensor {
  dtype: string;
  shape: number[];
  data: string;
}

/** What one .pt file, or one LSTM node, holds. */
export interface StoredDict {
  key?: string;
  name?: string;
  tensors: Record<string, StoredTensor>;
}

/** An input and what torch or onnxruntime made of it. */
export interface StoredRun {
  input: StoredTensor;
  output: StoredTensor;
  hn: StoredTensor;
  cn: StoredTensor;
}

interface TorchExpected {
  torch: string;
  files: Record<string, StoredDict>;
  lstms: Record<string, StoredRun>;
}

interface OnnxExpected {
  onnx: string;
  onnxruntime: string;
  files: Record<string, StoredDict[]>;
  runs: Record<string, StoredRun>;
}

/** The folders of torch.save's files, by the version that wrote them. */
export const torchFolders = ["torch-1.13", "torch-2.15"] as const;

export function weightFile(folder: string, name: string): URL {
  return new URL(`./fixtures/weights/${folder}/${name}`, import.meta.url);
}

export function readTorchExpected(folder: string): TorchExpected {
  return JSON.parse(readFileSync(weightFile(folder, "expected.json"), "utf8")) as TorchExpected;
}

export function readOnnxExpected(): OnnxExpected {
  return JSON.parse(readFileSync(weightFile("onnx", "expected.json"), "utf8")) as OnnxExpected;
}

export function tensorOf({ dtype, shape, data }: StoredTensor): Tensor {
  const { buffer } = new Uint8Array(Buffer.from(data, "base64"));
  if (dtype === "float32") return new Tensor(new Float32Array(buffer), shape);
  if (dtype === "float64") return new Tensor(new Float64Array(buffer), shape);
  if (dtype === "int32") return new Tensor(new Int32Array(buffer), shape);
  throw new Error(`dtype ${dtype} in expected.json`);
}
