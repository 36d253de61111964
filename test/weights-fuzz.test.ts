// A few thousand damaged copies of good weight files. Whatever comes in, a reader must give a result or its own error,
// and soon.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadOnnx } from "../lib/weights/onnx.js";
import { withSource } from "../lib/weights/source.js";
import { loadTorch } from "../lib/weights/torch.js";
import { openZip } from "../lib/weights/zip.js";
import { dict, pickle, tensor, torchArchive, zip } from "./archive.js";
import { expectCoded } from "./expect-coded.js";
import { fuzz } from "./mutate.js";
import { weightFile } from "./weight-fixtures.js";

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
    ["refused-model.pt"],
  ])("of %s are read or refused", (file, key) => {
    const url = weightFile("torch-2.15", file);
    const read = (bytes: Uint8Array): unknown => loadTorch(bytes, key === undefined ? {} : { key });
    const intact = fuzz(new Uint8Array(readFileSync(url)), 1, 300, read);
    const open = fuzz(unchecked(url), 2, 700, read);
    expect(intact.refused).toBeGreaterThan(100);
    expect(open.refused).toBeGreaterThan(100);
    if (!/refused|nested/.test(file)) expect(open.read).toBeGreaterThan(20);
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
  it.each([
    ["onnx", "forward.onnx"],
    ["onnx", "subgraphs.onnx"],
    ["onnx", "functions.onnx"],
    ["onnx", "constants.onnx"],
    ["onnx", "float16-typed.onnx"],
    ["torch-2.15", "export-unfolded.onnx"],
    ["torch-2.15", "export-dynamo.onnx"],
  ])("of %s/%s are read or refused", (folder, file) => {
    const { read, refused } = fuzz(new Uint8Array(readFileSync(weightFile(folder, file))), 3, 600, loadOnnx);
    expect(read).toBeGreaterThan(20);
    expect(refused).toBeGreaterThan(60);
  });

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
