// What torch.onnx.export makes of whole modules, read and run against torch's own output: by each exporter of two versions,
// with a batch of any size and a fixed one, a learned initial state, and the values in a file beside the model.

import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { cat, loadOnnx, type OnnxModule, type Tensor } from "../lib/index.js";
import { cellFor, stateOf, tensorsOf } from "./support/cells.js";
import { expectClose, expectSameBits } from "./support/compare.js";
import { type StoredTensor, tensorOf } from "./support/stored.js";
import { weightFile } from "./support/weight-fixtures.js";

interface Export {
  module: string;
  tensors: Record<string, StoredTensor>;
  start?: StoredTensor[];
}

interface Expected {
  torch: string;
  files: Record<string, Export>;
  runs: Record<string, { input: StoredTensor; output: StoredTensor; batchFirst: boolean }>;
}

function runLayers(nodes: readonly OnnxModule[], input: Tensor): Tensor {
  const batch = input.shape[1]!;
  const spread = (state: Tensor): Tensor =>
    state.shape[1] === batch ? state : cat(new Array<Tensor>(batch).fill(state), 1);
  return nodes.reduce((x, node) => {
    const hx = node.initialState && stateOf(tensorsOf(node.initialState).map(spread));
    return cellFor(node).fromStateDict(node.stateDict).forward(x, hx)[0];
  }, input);
}

describe("loadOnnx, Keras' LSTM by tf2onnx", () => {
  const folder = "onnx-tf2onnx";
  const { runs } = JSON.parse(readFileSync(weightFile(folder, "expected.json"), "utf8")) as Pick<Expected, "runs">;

  it.each(Object.entries(runs))("%s gives Keras' output", (file, { input, output }) => {
    const nodes = loadOnnx(weightFile(folder, file));
    expect(nodes.map(({ module, reverse, initialState }) => [module, reverse, initialState])).toEqual([
      ["LSTM", undefined, undefined],
    ]);
    // tf2onnx turns the steps round outside of the node.
    const x = tensorOf(input);
    const steps = [...new Array(x.shape[1]).keys()];
    const given = file === "backwards.onnx" ? x.indexSelect(1, steps.reverse()) : x;
    const result = runLayers(nodes, given.transpose(0, 1)).transpose(0, 1);
    expectClose(result, tensorOf(output), { atol: 5e-6, rtol: 0 });
  });

  it("holds all of them", () => expect(Object.keys(runs).length).toBe(3));
});

/** Of rows layer by layer those of one layer, as (D, 1, H). */
function startOf(start: StoredTensor, layer: number, layers: number): Tensor {
  const all = tensorOf(start);
  const rows = all.shape[0]! / layers;
  return all.slice(0, layer * rows, (layer + 1) * rows);
}

describe.each([
  ["1.13", 12],
  ["2.15", 24],
])("loadOnnx, modules that torch %s exported", (version, count) => {
  const folder = `onnx-exports-${version}`;
  const { files, runs } = JSON.parse(readFileSync(weightFile(folder, "expected.json"), "utf8")) as Expected;

  it("are all here", () => expect(Object.keys(files).length).toBe(count));

  it.each(Object.entries(files))("%s: parameters and state to the bit, torch's output", (file, held) => {
    const nodes = loadOnnx(weightFile(folder, file));
    // The newer exporter writes RNN out, step by step: no node is left, and nothing is found.
    const isUnrolled = held.module === "RNN" && /dynamo|default/.test(file);
    expect(nodes.length === 0).toBe(isUnrolled);
    if (isUnrolled) return;
    expect(nodes.map(({ module }) => module)).toEqual(new Array(nodes.length).fill(held.module));
    expect(nodes.passedOver).toEqual([]);
    const found = nodes.flatMap(({ stateDict }, layer) =>
      Object.entries(stateDict).map(([name, value]) => [name.replace("_l0", `_l${layer}`), value] as const),
    );
    expect(found.map(([name]) => name)).toEqual(Object.keys(held.tensors));
    for (const [name, value] of found) expectSameBits(value, tensorOf(held.tensors[name]!), name);

    for (const [layer, node] of nodes.entries()) {
      const state =
        node.module === "LSTM" ? (node.initialState ?? []) : [node.initialState].filter((t) => t !== undefined);
      const wanted = (held.start ?? []).slice(0, node.module === "LSTM" ? 2 : 1);
      expect(state.length).toBe(wanted.length);
      for (const [k, start] of wanted.entries()) {
        const given = state[k] as Tensor;
        const fixed = /fixed|default/.test(file);
        expect(given.shape[1]).toBe(fixed ? 3 : 1);
        expectSameBits(given.slice(1, 0, 1), startOf(start, layer, nodes.length), `${layer}`);
      }
    }

    const { input, output, batchFirst } = runs[file]!;
    const turn = (t: Tensor): Tensor => (batchFirst ? t.transpose(0, 1) : t);
    const result = turn(runLayers(nodes, turn(tensorOf(input))));
    expectClose(result, tensorOf(output), { atol: 5e-6, rtol: 0 });
  });

  it("keep their values in a file beside them, where the exporter does so", () => {
    const beside = Object.keys(files).filter((file) => existsSync(weightFile(folder, `${file}.data`)));
    expect(beside.length).toBe(version === "1.13" ? 0 : 6);
  });
});
