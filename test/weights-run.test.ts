// From a weight file to numbers: what PyTorch and onnxruntime wrote, loaded and run here, against what they themselves
// computed with it. That the weights arrive to the bit is judged elsewhere; this is the whole way.

import { describe, expect, it } from "vitest";
import { cat, LSTM, loadOnnx, loadTorch, type Tensor } from "../lib/index.js";
import { expectClose } from "./support/compare.js";
import { tensorOf } from "./support/stored.js";
import {
  readOnnxExpected,
  readTorchExpected,
  type StoredRun,
  torchFolders,
  weightFile,
} from "./support/weight-fixtures.js";

type Layers = readonly Readonly<Record<string, Tensor>>[];

const tolerances = {
  float32: { atol: 5e-6, rtol: 0 },
  float64: { atol: 1e-12, rtol: 0 },
};

/** Runs layer after layer, as the nodes of an export follow each other, and holds all three results to the recorded ones. */
function expectRun(layers: Layers, run: StoredRun, prefix = ""): number {
  let output = tensorOf(run.input);
  const hidden: Tensor[] = [];
  const cells: Tensor[] = [];
  for (const layer of layers) {
    const lstm = LSTM.fromStateDict(layer, { prefix });
    const [y, [hn, cn]] = lstm.forward(output);
    output = y;
    hidden.push(hn);
    cells.push(cn);
  }
  const tolerance = tolerances[output.dtype as keyof typeof tolerances];
  return Math.max(
    expectClose(output, tensorOf(run.output), { ...tolerance, label: "output" }),
    expectClose(cat(hidden), tensorOf(run.hn), { ...tolerance, label: "hn" }),
    expectClose(cat(cells), tensorOf(run.cn), { ...tolerance, label: "cn" }),
  );
}

describe.each(torchFolders)("%s, run here", (folder) => {
  const { lstms } = readTorchExpected(folder);

  it.each(Object.entries(lstms))("%s gives torch's own output, hn and cn", (file, run) => {
    if (file.endsWith(".onnx"))
      expectRun(
        loadOnnx(weightFile(folder, file)).map(({ stateDict }) => stateDict),
        run,
      );
    else expectRun([loadTorch(weightFile(folder, file))], run, file === "tagger.pt" ? "encoder.rnn." : "");
  });

  it("holds all of them", () => expect(Object.keys(lstms).length).toBeGreaterThanOrEqual(10));
});

const { onnxruntime, runs } = readOnnxExpected();

describe(`onnxruntime ${onnxruntime}, run here`, () => {
  it.each(Object.entries(runs))("%s gives its output, hn and cn", (name, run) => {
    // "torch-1.13/export.onnx"; "subgraphs.onnx then", where only one branch runs; or a file of the folder onnx.
    const [path = "", node] = name.split(" ");
    const [folder, file] = path.includes("/") ? path.split("/") : ["onnx", path];
    const found = loadOnnx(weightFile(folder!, file!));
    const layers = found.filter((lstm) => node === undefined || lstm.name === node);
    expectRun(
      layers.map(({ stateDict }) => stateDict),
      run,
    );
  });

  it("holds all of them", () => expect(Object.keys(runs).length).toBeGreaterThanOrEqual(13));
});
