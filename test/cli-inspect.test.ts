// The command line's own manners (help, version, exit codes, mistyped words) and `inspect` on files of every format.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { LSTM, saveSafetensors, tensor, zeros } from "../lib/index.js";
import { buildPackage, runCli } from "./support/cli.js";
import { withFolder } from "./support/with-folder.js";

const fixtures = fileURLToPath(new URL("fixtures/weights/", import.meta.url));
const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };

beforeAll(buildPackage);

describe("the command line", () => {
  it("tells its version and gives help, of itself and of each command", () => {
    expect(runCli(["--version"])).toEqual({ status: 0, stdout: `${manifest.version}\n`, stderr: "" });
    const help = runCli(["--help"]);
    expect(help).toMatchObject({ status: 0, stderr: "" });
    const commands = [...help.stdout.matchAll(/^ {2}(\w+) {2,}\w/gm)].map(([, name = ""]) => name);
    expect(commands).toContain("inspect");
    for (const command of commands) {
      const text = runCli([command, "--help"]);
      expect(text).toMatchObject({ status: 0, stderr: "" });
      expect(text.stdout).toContain(`Usage: packed-lstm ${command}`);
      expect(runCli(["help", command]).stdout).toBe(text.stdout);
    }
  });

  it.each([
    [["inspct", "x"], 'did you mean "inspect"?'],
    [["inspect"], "too few arguments"],
    [["inspect", "a", "b"], '"b" is one too many'],
    [["inspect", "a", "--jsn"], 'no option "--jsn" (did you mean "--json"?)'],
    [["inspect", "a", "--key"], "--key"],
    [["inspect", "a", "--json=3"], "--json"],
    [[], "Commands:"],
  ])("is used wrongly by %j: exit code 2", (args, piece) => {
    const { status, stdout, stderr } = runCli(args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain(piece);
    expect(stderr).not.toMatch(/\n {4}at /);
  });

  it("answers help and version where no addon loads", () => {
    const env = { PACKED_LSTM_BINARY: "/nowhere.node" };
    for (const args of [["--help"], ["--version"], ["inspect", "--help"]]) expect(runCli(args, env).status).toBe(0);
  });
});

describe("inspect", () => {
  const inspect = (path: string, ...options: string[]) => {
    const { status, stdout, stderr } = runCli(["inspect", path, "--json", ...options]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    return JSON.parse(stdout);
  };

  it("finds every LSTM of a file, and what is none", () => {
    withFolder((folder) => {
      const path = join(folder, "model.safetensors");
      const under = (prefix: string, lstm: LSTM) =>
        Object.fromEntries(Object.entries(lstm.stateDict()).map(([name, value]) => [prefix + name, value]));
      saveSafetensors(path, {
        ...under("encoder.", new LSTM(5, 8, { numLayers: 2, bidirectional: true })),
        ...under("decoder.", new LSTM(16, 9, { projSize: 4, bias: false, dtype: "float64" })),
        "fc.weight": zeros([3, 4]),
        "gru.weight_ih_l0": zeros([12, 5]),
        "gru.weight_hh_l0": zeros([12, 4]),
        "half.weight_ih_l0": zeros([16, 5]),
        epoch: tensor([3], "int32"),
      });
      const { format, lstms, grus, refused, otherTensors } = inspect(path);
      expect(format).toBe("safetensors");
      expect(lstms).toEqual([
        {
          name: "decoder.",
          inputSize: 16,
          hiddenSize: 9,
          projSize: 4,
          numLayers: 1,
          bidirectional: false,
          bias: false,
          dtype: "float64",
          parameters: 4 * 9 * (16 + 4) + 4 * 9,
        },
        {
          name: "encoder.",
          inputSize: 5,
          hiddenSize: 8,
          projSize: 0,
          numLayers: 2,
          bidirectional: true,
          bias: true,
          dtype: "float32",
          parameters: 2 * (4 * 8 * (5 + 8 + 2) + 4 * 8 * (16 + 8 + 2)),
        },
      ]);
      expect(refused.map(({ name }: { name: string }) => name)).toEqual(["half."]);
      expect(grus).toMatchObject([{ name: "gru.", inputSize: 5, hiddenSize: 4, numLayers: 1, bias: false }]);
      expect(otherTensors).toBe(2);

      const { stdout } = runCli(["inspect", path]);
      expect(stdout).toContain('prefix "encoder.": LSTM(5, 8, { numLayers: 2, bidirectional: true })');
      expect(stdout).toContain("│ layer 0   → 9 ⇒ 4   756 parameters │");
      expect(stdout).toContain('LSTM.fromStateDict(loadSafetensors("model.safetensors"), { prefix: "encoder." })');
    });
  });

  it("reads torch's and ONNX's files, by their bytes", () => {
    expect(inspect(join(fixtures, "torch-2.15/tagger.pt")).format).toBe("torch");
    expect(inspect(join(fixtures, "onnx/bidirectional.onnx")).format).toBe("ONNX");
  });

  it("lists the Python objects of a torch file, which are never run, and says of what parameters are worked out", () => {
    const beside = join(fixtures, "kinds-2.15/beside-all-4.pt");
    const { opaque, lstms } = inspect(beside, "--key", "model");
    expect(lstms).toHaveLength(1);
    expect(opaque).toEqual(expect.arrayContaining(["argparse.Namespace", "datetime.datetime", "posix.system"]));
    expect(runCli(["inspect", beside, "--key", "model"]).stdout).toMatch(/not run: .*posix\.system/);
    expect(inspect(join(fixtures, "torch-2.15/lstm.pt")).opaque).toBeUndefined();

    const origins = (file: string) => inspect(join(fixtures, "names-2.15", file)).lstms[0];
    expect(origins("fastai-1.pt")).toMatchObject({
      name: "0.rnns.0.module.",
      origins: [expect.stringMatching(/^weight_hh_l0: 0\.rnns\.0\.weight_hh_l0_raw \(.* dropout mask\)$/)],
    });
    expect(origins("fastai-2.pt").origins).toEqual(["weight_hh_l0: 0.rnns.0.weight_hh_l0_raw"]);
    expect(origins("parametrized.pt").origins).toContain(
      "weight_ih_l0: weight norm of rnn.parametrizations.weight_ih_l0",
    );
    expect(origins("weight-norm.pt").origins).toContain(
      "weight_ih_l0: weight norm of weight_ih_l0_g and weight_ih_l0_v",
    );
    expect(origins("cell-in.pt").origins).toContain("weight_ih_l0: decoder.weight_ih");
    expect(origins("parallel.pt").origins).toBeUndefined();
  });

  it("fails with exit code 1 for a file that is not there, is no model, or holds no recurrent layer", () => {
    withFolder((folder) => {
      const path = join(folder, "none.safetensors");
      saveSafetensors(path, { "fc.weight": zeros([3, 4]) });
      const results = [path, join(folder, "absent"), fileURLToPath(import.meta.url)].map((file) =>
        runCli(["inspect", file]),
      );
      expect(results.map(({ status }) => status)).toEqual([1, 1, 1]);
      expect(results.map(({ stderr }) => stderr).join("")).toMatch(
        /holds no LSTM, GRU or RNN\n.*no such file[\s\S]*no ONNX model/,
      );
    });
  });
});

describe("inspect on Keras' and TensorFlow.js' files", () => {
  it.each([["keras-3.15/nested.h5"], ["keras-2.21/nested.keras"], ["tfjs/uint8/model.json"]])(
    "lists every layer of %s with the code that builds it",
    (name) => {
      const path = join(fixtures, name);
      const { status, stdout } = runCli(["inspect", path]);
      expect(status).toBe(0);
      const file = JSON.stringify(name.replace(/^.*\//, ""));
      const dict = (layer: string) => `loadKeras(${file}).find(({ name }) => name === "${layer}").stateDict`;
      expect(stdout).toContain(`LSTM.fromStateDict(${dict("deep/lstm")}, { batchFirst: true })`);
      expect(stdout).toContain('layer "deep/gru": GRU(4, 4)');
      expect(stdout).toContain(`GRU.fromStateDict(${dict("deep/gru")}, { batchFirst: true })`);
      expect(stdout).toContain(`"head": Linear(6, 2, { bias: false })\n    Linear.fromStateDict(${dict("head")})`);
      expect(stdout).toContain(`"embedding": Embedding(11, 6)\n    Embedding.fromStateDict(${dict("embedding")})`);
      expect(stdout).toContain('"conv" cannot be run: a Conv1D, a layer that is not read');
    },
  );

  it("run and bench take an LSTM of theirs by its name, and say why they do not", () => {
    const path = join(fixtures, "keras-3.15/refused.h5");
    withFolder((folder) => {
      const items = join(folder, "in.jsonl");
      writeFileSync(items, `${JSON.stringify([[1, 2, 3]])}\n`);
      const run = (...options: string[]) =>
        runCli(["run", "--model", path, "--input", items, "--output", join(folder, "out.jsonl"), ...options]);
      expect(run("--prefix", "good", "--quiet")).toMatchObject({ status: 0, stderr: "" });
      expect(run("--prefix", "hard")).toMatchObject({ status: 1, stderr: expect.stringContaining("hard_sigmoid") });
      expect(run("--prefix", "godo").stderr).toContain('did you mean "good"?');
    });
  });
});
