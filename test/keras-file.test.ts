// Keras models of every version and kind of file, and TensorFlow.js': layer by layer against what the layer itself made of an
// input in the tool that wrote the file; and what torch's modules do not compute, refused by name.

import { copyFileSync, cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { LSTM, loadKeras, Tensor } from "../lib/index.js";
import { withSource } from "../lib/weights/source.js";
import { openZip } from "../lib/weights/zip.js";
import { zip } from "./support/archive.js";
import { expectCoded } from "./support/expect-coded.js";
import { kerasFile, kerasFolders, readKerasExpected, readTfjsExpected, runLayer } from "./support/keras-fixtures.js";
import { tensorOf } from "./support/stored.js";
import { withFolder } from "./support/with-folder.js";

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] as number))), 0);
}

const modules = { sequence: ["Embedding", "LSTM", "GRU", "RNN", "Linear"] } as Record<string, string[]>;

describe.each(kerasFolders)("%s", (folder) => {
  const { files } = readKerasExpected(folder);
  const models = Object.keys(files).filter((name) => name !== "hard");

  it.each(models.flatMap((name) => [[`${name}.h5`], [`${name}.keras`]]))("%s gives what Keras gives", (file) => {
    const name = file.replace(/\..*/, "");
    const layers = loadKeras(kerasFile(folder, file));
    if (modules[name] !== undefined) expect(layers.map(({ module }) => module)).toEqual(modules[name]);
    if (name !== "refused") expect(layers.map((layer) => layer.name)).toEqual(Object.keys(files[name] as object));
    for (const [layerName, { input, output }] of Object.entries(files[name] as (typeof files)[string])) {
      const layer = layers.find((found) => found.name === layerName);
      if (layer === undefined) throw new Error(`no layer ${layerName}`);
      const { data, shape } = tensorOf(input);
      const x = layerName === "double" ? new Tensor(Float64Array.from(data), shape) : new Tensor(data, shape);
      // Keras computes a float16 layer in float16.
      const limit = { half: 2e-3, double: 1e-12 }[layerName] ?? 1e-6;
      const difference = largestDifference(runLayer(layer, x), tensorOf(output).data);
      expect({ layerName, difference, far: difference > limit }).toEqual({ layerName, difference, far: false });
    }
  });
});

describe.each(["keras-2.21", "keras-3.15"])("%s refuses by name", (folder) => {
  const { refused } = readKerasExpected(folder);

  it.each(["refused.h5", "refused.keras"])(
    "the layers of %s that torch does not compute, each when it is asked for",
    (file) => {
      const layers = loadKeras(kerasFile(folder, file));
      expect(layers.map(({ name }) => name)).toEqual([...Object.keys(refused), "good"]);
      for (const [name, word] of Object.entries(refused)) {
        const layer = layers.find((found) => found.name === name);
        const error = expectCoded(() => layer?.stateDict, RangeError, "ERR_FILE", word);
        expect(error.message).toContain(`${file} layer "${name}"`);
        expect(layer?.config).toMatchObject({ name });
      }
    },
  );

  it.each(["hard.h5", "hard.keras"])("%s, whose one recurrent layer is", (file) => {
    const error = expectCoded(() => loadKeras(kerasFile(folder, file)), RangeError, "ERR_FILE", "recurrent_activation");
    expect(error.message).toContain('layer "lstm"');
    expect(error.message).toContain("hard_sigmoid");
  });

  it("weights without a config, with the step that helps", () => {
    const load = (name: string) => () => loadKeras(kerasFile(folder, name));
    expectCoded(
      load("refused.weights.h5"),
      RangeError,
      "ERR_FILE",
      /weights\.h5 file, which does not say .* model\.save/,
    );
    if (folder === "keras-2.21") {
      expectCoded(load("refused-weights.h5"), RangeError, "ERR_FILE", /weights alone, as save_weights .* model\.save/);
    }
    expectCoded(load("architecture.json"), RangeError, "ERR_FILE", "JSON: load the file that holds the weights");
  });

  it("notes layers of classes that are not read, and not those without weights", () => {
    const layers = loadKeras(kerasFile(folder, "nested.keras"));
    expect(layers.passedOver.map(({ name }) => name)).toEqual(["conv", "deep/norm"]);
  });
});

it("a SimpleRNN with relu says so, and one with tanh does not", () => {
  const [relu] = loadKeras(kerasFile("keras-3.15", "sequence.keras")).filter(({ module }) => module === "RNN");
  expect(relu?.nonlinearity).toBe("relu");
  const [tanh] = loadKeras(kerasFile("keras-3.15", "plain.h5")).filter(({ module }) => module === "RNN");
  expect(tanh).not.toHaveProperty("nonlinearity");
});

describe("TensorFlow.js", () => {
  const expected = readTfjsExpected();

  it.each(["sequence", "nested", "refused"])("%s, converted from .h5, holds what the .h5 holds", (name) => {
    const converted = loadKeras(kerasFile("tfjs", `${name}/model.json`));
    const original = loadKeras(kerasFile("keras-2.21", `${name}.h5`));
    expect(converted.map((layer) => layer.name)).toEqual(original.map((layer) => layer.name));
    for (const [i, { name: layer, module, stateDict }] of original
      .filter(({ name: n }) => !(n in readKerasExpected("keras-2.21").refused))
      .entries()) {
      const same = converted.find((found) => found.name === layer);
      expect([i, same?.module, same?.stateDict]).toEqual([i, module, stateDict]);
    }
  });

  it.each(["uint8", "uint16", "float16"])("%s is widened as TensorFlow.js widens it, to the bit", (name) => {
    const layers = loadKeras(kerasFile("tfjs", `${name}/model.json`));
    const weights = expected.weights[name] as (typeof expected.weights)[string];
    const lstm = layers.find((layer) => layer.name === "z")?.stateDict as Record<string, Tensor>;
    for (const [ours, theirs] of [
      ["weight_ih_l0", "z/lstm_cell/kernel"],
      ["weight_hh_l0", "z/lstm_cell/recurrent_kernel"],
    ] as const) {
      const { data, shape } = tensorOf(weights[theirs] as never);
      const [columns = 0, rows = 0] = shape;
      const turned = Float32Array.from(data, (_, i) => data[(i % columns) * rows + Math.floor(i / columns)] as number);
      expect(lstm[ours]).toEqual(new Tensor(turned, [rows, columns]));
    }
    expect(lstm.bias_ih_l0?.data).toEqual(tensorOf(weights["z/lstm_cell/bias"] as never).data);
    expect(lstm.bias_hh_l0?.data).toEqual(new Float32Array(24));
    expect(layers.find((layer) => layer.name === "embedding")?.stateDict.weight).toEqual(
      tensorOf(weights["embedding/embeddings"] as never),
    );
    // And it is near what was quantised.
    const original = loadKeras(kerasFile("keras-2.21", "nested.h5")).find((layer) => layer.name === "z")?.stateDict;
    const far = largestDifference(
      lstm.weight_ih_l0?.data as Float32Array,
      original?.weight_ih_l0?.data as Float32Array,
    );
    expect(far).toBeLessThan(name === "uint8" ? 4e-3 : 5e-4);
  });

  it("its own model gives what its own layers give", () => {
    const layers = loadKeras(kerasFile("tfjs", "own/model.json"));
    expect(layers.map(({ module }) => module)).toEqual([
      "Embedding",
      "LSTM",
      "LSTM",
      "RNN",
      "Linear",
      "LSTM",
      "Linear",
    ]);
    for (const layer of layers) {
      const { input, output } = expected.own[layer.name] as (typeof expected.own)[string];
      if (layer.name === "refused") {
        expectCoded(() => layer.stateDict, RangeError, "ERR_FILE", 'recurrent_activation "hard_sigmoid"');
      } else {
        expect(largestDifference(runLayer(layer, tensorOf(input)), tensorOf(output).data)).toBeLessThan(1e-6);
      }
    }
  });

  /** A copy of a converted model whose model.json a test may change. */
  function withCopy(
    change: (json: Record<string, unknown>, folder: string) => void,
    use: (path: string) => void,
  ): void {
    withFolder((outside) => {
      const folder = join(outside, "model");
      cpSync(kerasFile("tfjs", "nested"), folder, { recursive: true });
      const path = join(folder, "model.json");
      const json = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
      change(json, folder);
      writeFileSync(path, JSON.stringify(json));
      use(path);
    });
  }

  type Manifest = {
    paths: string[];
    weights: { name: string; shape: number[]; dtype: string; quantization?: object }[];
  }[];
  const manifest = (json: Record<string, unknown>): Manifest[number] =>
    (json.weightsManifest as Manifest)[0] as Manifest[number];

  it("with a file missing, cut short or outside its folder is refused by that file's name", () => {
    const refused = (change: (json: Record<string, unknown>, folder: string) => void, piece: string): void =>
      withCopy(change, (path) => {
        expectCoded(() => loadKeras(path), RangeError, "ERR_FILE", piece);
      });
    refused((_, folder) => rmSync(join(folder, "group1-shard3of9.bin")), 'weights file "group1-shard3of9.bin"');
    refused(
      (_, folder) => writeFileSync(join(folder, "group1-shard9of9.bin"), ""),
      "bytes within the 5600 of its files",
    );
    for (const path of ["../secret.bin", "/etc/passwd", "a/../../x", "C:\\x"]) {
      refused((json, folder) => {
        copyFileSync(join(folder, "group1-shard1of9.bin"), join(folder, "..", "secret.bin"));
        manifest(json).paths[0] = path;
      }, "a file inside the folder of the model");
    }
    refused(
      (json) => Object.assign(manifest(json).weights[0] as object, { shape: [2 ** 40, 2 ** 40] }),
      "a size that can be counted",
    );
    refused((json) => Object.assign(manifest(json).weights[0] as object, { shape: [2 ** 40] }), "bytes within");
    refused((json) => Object.assign(manifest(json).weights[0] as object, { dtype: "float128" }), '"float128"');
    refused(
      (json) => Object.assign(manifest(json).weights[0] as object, { quantization: { dtype: "uint8" } }),
      "scale and min",
    );
    refused((json) => Object.assign(json, { format: "graph-model" }), "a graph-model: tensorflowjs_converter");
  });

  it("steps over strings, and over weights that no Tensor holds", () => {
    withCopy(
      (json, folder) => {
        const { paths, weights } = manifest(json);
        const odd = Buffer.from([3, 0, 0, 0, 1, 2, 3, 0, 0, 0, 0, ...new Uint8Array(8)]);
        const first = join(folder, paths[0] as string);
        writeFileSync(first, Buffer.concat([odd, readFileSync(first)]));
        weights.unshift({ name: "words", shape: [2], dtype: "string" }, { name: "c", shape: [1], dtype: "complex64" });
      },
      (path) => {
        const names = (file: string): unknown[] => loadKeras(file).map(({ stateDict }) => stateDict);
        expect(names(path)).toEqual(names(kerasFile("tfjs", "nested/model.json")));
      },
    );
  });

  it("as bytes is refused: the weights lie beside it", () => {
    const bytes = readFileSync(kerasFile("tfjs", "sequence/model.json"));
    expectCoded(() => loadKeras(bytes), RangeError, "ERR_FILE", "the path of the model");
  });
});

describe("archives of Keras", () => {
  const original = readFileSync(kerasFile("keras-3.15", "nested.keras"));

  it("are read from bytes as from a path", () => {
    const dicts = (source: string | Uint8Array): unknown[] => loadKeras(source).map(({ stateDict }) => stateDict);
    expect(dicts(original)).toEqual(dicts(kerasFile("keras-3.15", "nested.keras")));
  });

  it("whose layers' names and numbers disagree are refused, and never read crosswise", () => {
    // "z" comes before "a" in the model; the config swapped alone must not give z the weights of a.
    const archive = withSource("Keras", original, (source) => {
      const { read } = openZip(source);
      const text = Buffer.from(read("config.json")).toString();
      const swapped = text.replaceAll(/("config": \{"name": )"([az])"/g, (_, start, name) => {
        return `${start}"${name === "a" ? "z" : "a"}"`;
      });
      expect(swapped).not.toBe(text);
      return zip([
        { name: "config.json", data: Buffer.from(swapped) },
        { name: "model.weights.h5", data: read("model.weights.h5") },
      ]);
    });
    const layers = loadKeras(archive);
    for (const name of ["z", "a"]) {
      const layer = layers.find((found) => found.name === name);
      expectCoded(() => layer?.stateDict, RangeError, "ERR_FILE", "in its place");
    }
    expect(LSTM.fromStateDict(layers.find((found) => found.name === "both")?.stateDict as never).bidirectional).toBe(
      true,
    );
  });

  it("without their weights, and other archives, are named", () => {
    expectCoded(
      () =>
        loadKeras(
          zip([
            { name: "config.json", data: Buffer.from("{}") },
            { name: "metadata.json", data: Buffer.from("{}") },
          ]),
        ),
      RangeError,
      "ERR_FILE",
      "model.weights.h5",
    );
    expectCoded(
      () => loadKeras(zip([{ name: "x/data.pkl", data: new Uint8Array(3) }])),
      RangeError,
      "ERR_FILE",
      "a file of torch.save: loadTorch reads it",
    );
    expectCoded(() => loadKeras(new Uint8Array()), RangeError, "ERR_FILE", "an empty file");
    expectCoded(() => loadKeras(3 as never), TypeError, "ERR_ARG_TYPE", "source");
  });
});
