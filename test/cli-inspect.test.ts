// The command line's own manners (help, version, exit codes, mistyped words) and `inspect` on files of every format.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { LSTM, saveSafetensors, tensor, zeros } from "../lib/index.js";
import { buildPackage, runCli } from "./cli.js";
import { withFolder } from "./with-folder.js";

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
      const { format, lstms, refused, otherTensors } = inspect(path);
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
      expect(refused.map(({ name }: { name: string }) => name)).toEqual(["gru.", "half."]);
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

  it("fails with exit code 1 for a file that is not there, is no model, or holds no LSTM", () => {
    withFolder((folder) => {
      const path = join(folder, "none.safetensors");
      saveSafetensors(path, { "fc.weight": zeros([3, 4]) });
      const results = [path, join(folder, "absent"), fileURLToPath(import.meta.url)].map((file) =>
        runCli(["inspect", file]),
      );
      expect(results.map(({ status }) => status)).toEqual([1, 1, 1]);
      expect(results.map(({ stderr }) => stderr).join("")).toMatch(/holds no LSTM\n.*no such file[\s\S]*no ONNX model/);
    });
  });
});
