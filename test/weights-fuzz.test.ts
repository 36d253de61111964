// A few thousand damaged copies of good weight files. Whatever comes in, a reader must give a result or its own error,
// and soon.

import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { noFolder } from "../lib/weights/onnx/external.js";
import { readModel } from "../lib/weights/onnx/graph.js";
import { loadOnnx } from "../lib/weights/onnx/onnx.js";
import { Budget, Scope } from "../lib/weights/onnx/scope.js";
import type { Constant } from "../lib/weights/onnx/tensor.js";
import { withSource } from "../lib/weights/source.js";
import { loadTorch } from "../lib/weights/torch/load.js";
import { openZip } from "../lib/weights/zip.js";
import { dict, pickle, tensor, torchArchive, zip } from "./support/archive.js";
import { expectCoded } from "./support/expect-coded.js";
import { fuzz } from "./support/mutate.js";
import { weightFile } from "./support/weight-fixtures.js";
import { withFolder } from "./support/with-folder.js";

const storage = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);

describe("damaged torch files", () => {
  /** The same archive without checksums, so that damage gets as far as the pickle and the tensors. */
  function unchecked(file: URL): Uint8Array {
    return withSource("torch", file, (source) => {
      const archive = openZip(source);
      return zip([...archive.names].map((name) => ({ name, data: archive.read(name), crc: 0 })));
    });
  }

  it.each<[file: string, key?: string]>([
    ["stacked.pth"],
    ["views.pt"],
    ["dtypes.pt"],
    ["rezipped.pt"],
    ["protocol5.pt"],
    ["checkpoint4.pt", "model_state_dict"],
    ["nested.pt"],
    ["kinds-2.15/model.pt"],
    ["kinds-2.15/script.pt"],
    ["kinds-2.15/program.pt2"],
    ["kinds-2.15/arrays-compressed.npz"],
    ["kinds-2.15/beside-all-4.pt", "model"],
    ["kinds-2.15/tensor-sparse.pt"],
  ])("of %s are read or refused", (path, key) => {
    const [file = "", folder = "torch-2.15"] = path.split("/").reverse();
    const url = weightFile(folder, file);
    const read = (bytes: Uint8Array): unknown => loadTorch(bytes, key === undefined ? {} : { key });
    const intact = fuzz(new Uint8Array(readFileSync(url)), 1, 300, read);
    const open = fuzz(unchecked(url), 2, 700, read);
    expect(intact.refused).toBeGreaterThan(100);
    expect(open.refused).toBeGreaterThan(100);
    if (!/nested/.test(file)) expect(open.read).toBeGreaterThan(20);
  });

  it.each<[file: string, key?: string]>([
    ["legacy.pt"],
    ["legacy-views.pt"],
    ["legacy-model.pt"],
    ["beside-all-legacy.pt", "model"],
    ["tensors.pkl"],
    ...[0, 1, 2, 3, 4, 5].map((protocol): [string] => [`arrays-${protocol}.pkl`]),
  ])("of %s, which has no checksums, are read or refused", (file, key) => {
    const bytes = new Uint8Array(readFileSync(weightFile("kinds-2.15", file)));
    const { read, refused } = fuzz(bytes, 4, 600, (damaged) => loadTorch(damaged, key === undefined ? {} : { key }));
    expect(read).toBeGreaterThan(20);
    expect(refused).toBeGreaterThan(60);
  });

  it("cut at every byte are refused", () => {
    const bytes = new Uint8Array(readFileSync(weightFile("torch-2.15", "protocol4.pt")));
    for (let length = 0; length < bytes.length; length++) {
      expectCoded(() => loadTorch(bytes.subarray(0, length)), RangeError, "ERR_FILE");
    }
  });

  it("of every pickle byte set to every opcode are read or refused", () => {
    const source = pickle(dict(["w", tensor({})]));
    for (let at = 0; at < source.length; at++) {
      for (let value = 0; value < 256; value++) {
        const bytes = Buffer.from(source);
        bytes[at] = value;
        try {
          loadTorch(torchArchive(bytes, { 0: storage }));
        } catch (error) {
          expect(error).toMatchObject({ code: "ERR_FILE" });
        }
      }
    }
  });
});

describe("damaged ONNX files", () => {
  /** The outputs of a graph of constants; undefined for one that is refused. */
  function constantsOf(bytes: Uint8Array): (Constant | undefined)[] {
    const { graph, opset, functions } = readModel("m", bytes);
    const budget = new Budget();
    budget.allow(bytes.length);
    const scope = new Scope({ file: "m", budget, functions, readExternal: noFolder }, graph, { opset });
    return graph.outputs.map((name) => {
      try {
        return scope.constant("m", name);
      } catch (error) {
        expect(error).toMatchObject({ code: "ERR_FILE" });
        return undefined;
      }
    });
  }

  it.each([
    ["onnx", "forward.onnx"],
    ["onnx", "subgraphs.onnx"],
    ["onnx", "functions.onnx"],
    ["onnx", "constants.onnx"],
    ["onnx", "float16-typed.onnx"],
    ["torch-2.15", "export-unfolded.onnx"],
    ["torch-2.15", "export-dynamo.onnx"],
    ["onnx-nodes", "gru.onnx"],
    ["onnx-nodes", "state-any.onnx"],
    ["onnx-nodes", "branches.onnx"],
    ["onnx-nodes", "passed-over.onnx"],
    ["onnx-nodes", "quantised-unsigned.onnx"],
    ["onnx-exports-2.15", "learned-legacy.onnx"],
  ])("of %s/%s are read or refused", (folder, file) => {
    const { read, refused } = fuzz(new Uint8Array(readFileSync(weightFile(folder, file))), 3, 600, loadOnnx);
    expect(read).toBeGreaterThan(20);
    expect(refused).toBeGreaterThan(60);
  });

  it.each([9, 13, 21])("of constants of opset %i are worked out or refused", (opset) => {
    const file = new Uint8Array(readFileSync(weightFile("onnx-operators", `opset-${opset}.onnx`)));
    const evaluated = { done: 0, refused: 0 };
    fuzz(file, 4, 300, (bytes) => {
      for (const value of constantsOf(bytes)) evaluated[value === undefined ? "refused" : "done"]++;
    });
    expect(evaluated.done).toBeGreaterThan(1000);
    expect(evaluated.refused).toBeGreaterThan(15);
  });

  it("with values in a file beside them are read or refused", () =>
    withFolder((folder) => {
      const name = "large-default.onnx";
      const model = join(folder, name);
      copyFileSync(weightFile("onnx-exports-2.15", `${name}.data`), `${model}.data`);
      const { read, refused } = fuzz(
        new Uint8Array(readFileSync(weightFile("onnx-exports-2.15", name))),
        5,
        400,
        (bytes) => {
          writeFileSync(model, bytes);
          loadOnnx(model);
        },
      );
      expect(read).toBeGreaterThan(20);
      expect(refused).toBeGreaterThan(60);
    }));

  it("cut at every byte are read or refused", () => {
    const bytes = new Uint8Array(readFileSync(weightFile("onnx", "functions.onnx")));
    for (let length = 0; length < bytes.length; length++) {
      try {
        loadOnnx(bytes.subarray(0, length));
      } catch (error) {
        expect(error).toMatchObject({ code: "ERR_FILE" });
      }
    }
  });
});
