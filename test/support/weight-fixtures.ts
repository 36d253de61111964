// Reads what test/fixtures/weights.py wrote down about the weight files beside it. It judges nothing.

import { readFileSync } from "node:fs";
import type { StoredTensor } from "./stored.js";

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

/** What one file of the folders kinds-… holds, and what is to be said of it. */
export interface StoredKind extends StoredDict {
  over?: Record<string, string>;
  opaque?: string[];
  refused?: string;
}

/** The folders of the other kinds of files, by the version of torch that wrote them. */
export const kindFolders = ["kinds-1.13", "kinds-2.15"] as const;

export function readKindsExpected(folder: string): { torch: string; files: Record<string, StoredKind> } {
  return JSON.parse(readFileSync(weightFile(folder, "expected.json"), "utf8"));
}

/** A layer of the folders names-…: where it lies, the weights that torch computes with, and what comes out; or why not. */
export interface StoredNames {
  prefix: string;
  weights: Record<string, StoredTensor>;
  run: StoredRun;
  refused?: string;
}

/** The folders of layers whose parameters go by other names. */
export const nameFolders = ["names-1.13", "names-2.15"] as const;

export function readNamesExpected(folder: string): { torch: string; files: Record<string, StoredNames> } {
  return JSON.parse(readFileSync(weightFile(folder, "expected.json"), "utf8"));
}

export function weightFile(folder: string, name: string): URL {
  return new URL(`../fixtures/weights/${folder}/${name}`, import.meta.url);
}

export function readTorchExpected(folder: string): TorchExpected {
  return JSON.parse(readFileSync(weightFile(folder, "expected.json"), "utf8")) as TorchExpected;
}

export function readOnnxExpected(): OnnxExpected {
  return JSON.parse(readFileSync(weightFile("onnx", "expected.json"), "utf8")) as OnnxExpected;
}
