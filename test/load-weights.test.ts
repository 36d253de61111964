// One door: loadWeights gives of every kind of file what its own reader gives, tells the kinds by content, and says of a file of
// another kind what it is. And damaged files of the kinds that came with Keras.

import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import {
  Linear,
  LSTM,
  loadKeras,
  loadOnnx,
  loadSafetensors,
  loadTorch,
  loadWeights,
  type Tensor,
} from "../lib/index.js";
import { withSource } from "../lib/weights/source.js";
import { openZip } from "../lib/weights/zip.js";
import { zip } from "./support/archive.js";
import { expectCoded } from "./support/expect-coded.js";
import { kerasFile } from "./support/keras-fixtures.js";
import { fuzz } from "./support/mutate.js";
import { weightFile } from "./support/weight-fixtures.js";
import { withFolder } from "./support/with-folder.js";

const file = (folder: string, name: string): string => fileURLToPath(weightFile(folder, name));
const sharded = fileURLToPath(new URL("fixtures/sharded/model.safetensors.index.json", import.meta.url));
const official = fileURLToPath(new URL("fixtures/official.safetensors", import.meta.url));

describe("loadWeights", () => {
  it.skipIf(process.platform === "win32")(
    "refuses a folder, a pipe and a device at once, rather than wait for a writer",
    () => {
      withFolder((folder) => {
        const pipe = join(folder, "pipe.safetensors");
        execFileSync("mkfifo", [pipe]);
        for (const path of [folder, pipe, "/dev/zero"]) {
          for (const load of [loadWeights, loadTorch, loadSafetensors, loadOnnx, loadKeras]) {
            expectCoded(() => load(path), RangeError, "ERR_FILE", "a file");
          }
        }
      });
    },
  );

  it("reads state dicts as their own readers do, whatever the file is called", () => {
    const tagger = file("torch-2.15", "tagger.pt");
    expect(loadWeights(tagger)).toEqual(loadTorch(tagger));
    expect(loadWeights(tagger, { prefix: "head." })).toEqual(loadTorch(tagger, { prefix: "head." }));
    expect(loadWeights(file("torch-2.15", "checkpoint.pt"), { key: "model_state_dict" })).toEqual(
      loadTorch(file("torch-2.15", "checkpoint.pt"), { key: "model_state_dict" }),
    );
    expect(loadWeights(official)).toEqual(loadSafetensors(official));
    expect(loadWeights(sharded, { prefix: "lstm." })).toEqual(loadSafetensors(sharded, { prefix: "lstm." }));
    withFolder((folder) => {
      for (const [i, path] of [tagger, official, kerasFile("keras-3.15", "nested.h5")].entries()) {
        copyFileSync(path, join(folder, `${i}.onnx`));
        expect(loadWeights(join(folder, `${i}.onnx`))).toEqual(loadWeights(readFileSync(path)));
      }
    });
  });

  it("gives one layer by torch's names, and several with their own before them", () => {
    const one = file("onnx", "forward.onnx");
    const [node] = loadOnnx(one);
    expect(loadWeights(one)).toEqual(node?.stateDict);
    const prefix = `${node?.name}.`;
    expect(Object.keys(loadWeights(one, { prefix }))).toEqual(
      Object.keys(node?.stateDict ?? {}).map((key) => prefix + key),
    );

    const several = kerasFile("keras-3.15", "nested.keras");
    const dict = loadWeights(several);
    const expected = loadKeras(several).flatMap(({ name, stateDict }) => {
      return Object.entries(stateDict).map(([key, tensor]) => [`${name}.${key}`, tensor] as const);
    });
    expect(dict).toEqual(Object.fromEntries(expected));
    const lstm = LSTM.fromStateDict(loadWeights(several, { prefix: "deep/lstm." }), { prefix: "deep/lstm." });
    expect([lstm.inputSize, lstm.hiddenSize]).toEqual([6, 4]);
    expect(Linear.fromStateDict(dict, { prefix: "deep/project." }).outFeatures).toBe(6);
    expect(Object.keys(loadWeights(kerasFile("tfjs", "nested/model.json"), { prefix: "z." }))).toHaveLength(4);
  });

  it("refuses by name what a state dict does not say, when it is asked for", () => {
    const sequence = kerasFile("keras-3.15", "sequence.h5");
    const dict = loadWeights(sequence);
    expect(Object.keys(dict).some((key) => key.startsWith("simple_rnn."))).toBe(false);
    const build = () => LSTM.fromStateDict(dict, { prefix: "simple_rnn." });
    expectCoded(
      build,
      RangeError,
      "ERR_STATE_DICT",
      "a SimpleRNN with relu, which a state dict does not say: loadKeras gives it",
    );
    expectCoded(() => loadWeights(sequence, { prefix: "simple_rnn." }), RangeError, "ERR_FILE", 'layer "simple_rnn"');

    const refused = kerasFile("keras-3.15", "refused.keras");
    expect(Object.keys(loadWeights(refused)).every((key) => key.startsWith("good."))).toBe(true);
    expectCoded(() => loadWeights(refused, { prefix: "hard." }), RangeError, "ERR_FILE", /layer "hard".*hard_sigmoid/);
    expectCoded(
      () => LSTM.fromStateDict(loadWeights(refused), { prefix: "sum." }),
      RangeError,
      "ERR_STATE_DICT",
      "merge_mode",
    );
    // The head beside the one layer that is refused can be had.
    expect(Object.keys(loadWeights(kerasFile("keras-3.15", "hard.h5"), { prefix: "head." }))).toEqual([
      "head.weight",
      "head.bias",
    ]);
  });

  it("says what is near a prefix that nothing starts with", () => {
    for (const path of [kerasFile("keras-3.15", "nested.h5"), kerasFile("tfjs", "nested/model.json")]) {
      const load = () => loadWeights(path, { prefix: "deep/lsmt." });
      expectCoded(load, RangeError, "ERR_FILE", 'names that start with it, but got none (did you mean "deep/lstm."?)');
    }
    expectCoded(
      () => loadWeights(file("onnx", "forward.onnx"), { prefix: "x." }),
      RangeError,
      "ERR_FILE",
      'prefix "x."',
    );
  });

  it.each<[string, Uint8Array | string, string]>([
    [
      "an LFS pointer",
      Buffer.from("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n"),
      "git lfs pull",
    ],
    ["a web page", Buffer.from("<!DOCTYPE html><html></html>"), "an HTML page"],
    ["gzip", Uint8Array.of(0x1f, 0x8b, 8, 0), "gunzip"],
    ["nothing", new Uint8Array(), "an empty file"],
    ["an architecture", kerasFile("keras-3.15", "architecture.json"), "load the file that holds the weights"],
    ["weights without a config", kerasFile("keras-3.15", "refused.weights.h5"), "model.save"],
    ["an index in bytes", readFileSync(sharded), "the path of an index"],
    ["something else", Buffer.from("just text"), "safetensors, PyTorch, ONNX, Keras or TensorFlow.js"],
  ])("says what %s is, and the step that helps", (_, source, piece) => {
    expectCoded(() => loadWeights(source), RangeError, "ERR_FILE", piece);
  });

  it("refuses a key where there are none, and options that are none", () => {
    expectCoded(() => loadWeights(official, { key: "model" }), RangeError, "ERR_FILE", 'key "model"');
    expectCoded(() => loadWeights(official, { key: 3 } as never), TypeError, "ERR_ARG_TYPE", "key");
    expectCoded(() => loadWeights(official, { prefix: 3 } as never), TypeError, "ERR_ARG_TYPE", "prefix");
    expectCoded(() => loadWeights(official, { prefx: "" } as never), TypeError, "ERR_OPTION", '"prefix"');
    expectCoded(() => loadWeights(null as never), TypeError, "ERR_ARG_TYPE", "source");
  });
});

describe("damaged Keras files", () => {
  const readAll = (source: Uint8Array | string): void => {
    for (const layer of loadKeras(source)) {
      try {
        expect(layer.stateDict).toBeTypeOf("object");
      } catch (error) {
        expect(error).toMatchObject({ code: "ERR_FILE" });
      }
    }
  };

  it.each([
    ["keras-3.15", "sequence.h5"],
    ["keras-2.21", "sequence.h5"],
    ["keras-3.15", "sequence.keras"],
  ])("of %s/%s are read or refused", (folder, name) => {
    const { refused } = fuzz(new Uint8Array(readFileSync(kerasFile(folder, name))), 5, 250, readAll);
    expect(refused).toBeGreaterThan(20);
  });

  it("of an archive without checksums are read or refused", () => {
    const open = withSource("Keras", kerasFile("keras-3.15", "sequence.keras"), (source) => {
      const archive = openZip(source);
      return zip([...archive.names].map((name) => ({ name, data: archive.read(name), crc: 0 })));
    });
    const { read, refused } = fuzz(open, 6, 250, readAll);
    expect(read).toBeGreaterThan(20);
    expect(refused).toBeGreaterThan(20);
  });

  it("of TensorFlow.js are read or refused", () => {
    withFolder((folder) => {
      cpSync(kerasFile("tfjs", "uint8"), folder, { recursive: true });
      const path = join(folder, "model.json");
      const { read, refused } = fuzz(readFileSync(kerasFile("tfjs", "uint8/model.json")), 7, 250, (bytes) => {
        writeFileSync(path, bytes);
        readAll(path);
      });
      expect(read).toBeGreaterThan(5);
      expect(refused).toBeGreaterThan(100);
    });
  });

  it("gives tensors that own their memory", () => {
    const bytes = new Uint8Array(readFileSync(kerasFile("keras-3.15", "plain.h5")));
    const [layer] = loadKeras(bytes);
    const weight = layer?.stateDict.weight_ih_l0 as Tensor;
    const before = Array.from(weight.data);
    bytes.fill(0);
    expect(Array.from(weight.data)).toEqual(before);
    expect(weight.data.buffer.byteLength).toBe(weight.data.byteLength);
  });
});
