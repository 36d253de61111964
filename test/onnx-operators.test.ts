// The operators that are worked out on constants, against onnxruntime: graphs of nothing but constants, one for each
// version of the operators that changed any of them, every output to the bit.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readModel } from "../lib/weights/onnx/graph.js";
import { Budget, Scope } from "../lib/weights/onnx/scope.js";
import { type StoredTensor, tensorOf } from "./support/stored.js";
import { weightFile } from "./support/weight-fixtures.js";

interface Expected {
  onnxruntime: string;
  cases: Record<string, StoredTensor>;
}

const expected = JSON.parse(readFileSync(weightFile("onnx-operators", "expected.json"), "utf8")) as Expected;
const scopes = new Map<string, Scope>();

function scopeOf(file: string): Scope {
  const known = scopes.get(file);
  if (known !== undefined) return known;
  const bytes = new Uint8Array(readFileSync(weightFile("onnx-operators", file)));
  const { graph, opset, functions } = readModel(file, bytes);
  const refuse = (): never => {
    throw new Error("no file beside");
  };
  const scope = new Scope({ file, budget: new Budget(), functions, readExternal: refuse }, graph, { opset });
  scopes.set(file, scope);
  return scope;
}

describe(`constants worked out, as onnxruntime ${expected.onnxruntime} does`, () => {
  it("are all here", () => expect(Object.keys(expected.cases).length).toBeGreaterThan(350));

  it.each(Object.keys(expected.cases))("%s", (name) => {
    const [file = "", output = ""] = name.split(" ");
    const { shape, data } = scopeOf(file).constant(file, output);
    const wanted = tensorOf(expected.cases[name]!);
    expect(shape).toEqual([...wanted.shape]);
    expect(Array.from(data)).toEqual(Array.from(wanted.data));
  });
});
