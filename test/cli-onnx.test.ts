// `inspect` and `run` on ONNX files: which node feeds which, and what a state dict cannot say is told, or refused by name.

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { buildPackage, runCli } from "./support/cli.js";
import { withFolder } from "./support/with-folder.js";

const nodes = fileURLToPath(new URL("fixtures/weights/onnx-nodes/", import.meta.url));
const exports = fileURLToPath(new URL("fixtures/weights/onnx-exports-2.15/", import.meta.url));

beforeAll(buildPackage);

describe("inspect, of an ONNX file", () => {
  it("draws which node feeds which, by way of what", () => {
    const { status, stdout } = runCli(["inspect", join(exports, "lstm-legacy.onnx")]);
    expect(status).toBe(0);
    const drawing = stdout.slice(stdout.indexOf("which node feeds which"));
    expect(drawing).toBe(
      [
        "which node feeds which",
        '  input "x" ─▶ "/rnn/LSTM"',
        '  "/rnn/LSTM" ─▶ Transpose, Reshape ─▶ "/rnn/LSTM_1"',
        '  "/rnn/LSTM_1" ─▶ Transpose, Reshape ─▶ output "y"',
        '  "/rnn/LSTM_1" ─▶ Transpose, Reshape, MatMul, Add ─▶ output "z"',
        "",
      ].join("\n"),
    );
  });

  it("tells branches and bodies apart", () => {
    const { stdout } = runCli(["inspect", join(nodes, "branches.onnx")]);
    for (const path of ["if/else_branch", "if/then_branch", "cell/loop/body"]) {
      expect(stdout).toContain(`\ninside "${path}"\n  input "x" ─▶ "${path}/lstm"\n`);
      expect(stdout).toContain(`node "${path}/lstm": LSTM(3, 4)`);
    }
    expect(stdout).toContain(
      '  "if/else_branch/lstm" ─▶ output "picked"\n  "if/then_branch/lstm" ─▶ output "picked"\n',
    );
    expect(stdout).toContain('  "cell/loop/body/lstm" hn ─▶ output "called"\n');
  });

  it("draws what a state comes from, and says so", () => {
    const { stdout } = runCli(["inspect", join(nodes, "state-given.onnx")]);
    expect(stdout).toContain('  input "h_in" ─▶ "encoder" h0\n');
    expect(stdout).toContain('  "encoder" hn ─▶ "decoder" h0\n');
    expect(stdout).toContain('starts from the output of LSTM node "encoder", not from zeros');
  });

  it("says which nodes are of 8-bit integers, and builds them so", () => {
    const file = join(nodes, "quantised-qint8-channel.onnx");
    const { stdout } = runCli(["inspect", file]);
    expect(stdout).toContain('\nmade of 8-bit integers; weightDtype: "int8" computes with such again\n');
    expect(stdout).toMatch(/LSTM\.fromStateDict\(loadOnnx\(.*\)\.stateDict, \{ weightDtype: "int8" \}\)/);
    expect(JSON.parse(runCli(["inspect", "--json", file]).stdout).lstms).toMatchObject([{ quantized: true }]);
    const plain = runCli(["inspect", "--json", join(nodes, "float.onnx")]).stdout;
    expect(JSON.parse(plain).lstms[0]).not.toHaveProperty("quantized");
    expect(runCli(["inspect", join(nodes, "float.onnx")]).stdout).not.toContain("int8");
  });

  it("lists what was passed over, other modules, and layers that run backwards only", () => {
    const { stdout } = runCli(["inspect", join(nodes, "passed-over.onnx")]);
    expect(stdout).toMatch(/"peeping" cannot be run: .*no peepholes/);
    expect(stdout).toMatch(/"before" cannot be run: .*linear_before_reset/);
    const { status, stdout: json } = runCli(["inspect", "--json", join(nodes, "gru.onnx")]);
    expect(status).toBe(0);
    expect(JSON.parse(json)).toMatchObject({
      lstms: [],
      grus: [
        { name: "both", bidirectional: true },
        { name: "plain", bidirectional: false },
      ],
      refused: [{ name: "back", reason: expect.stringContaining("it runs backwards only") }],
    });
    const backwards = runCli(["inspect", join(nodes, "reverse.onnx")]);
    expect(backwards.stdout).toContain('"back" cannot be run: it runs backwards only');
  });
});

describe("run, with an ONNX file", () => {
  const run = (file: string, ...options: string[]): string =>
    withFolder((folder) => {
      const files = ["--input", join(folder, "in.npy"), "--output", join(folder, "out.npy")];
      const { status, stdout, stderr } = runCli(["run", "--model", join(nodes, file), ...files, ...options]);
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      return stderr;
    });

  it.each([
    ["state.onnx", [], '"fixed" starts from a constant state [h0, c0] of shape (2, 2, 4), and run starts from zeros'],
    ["state-given.onnx", ["--prefix", "decoder"], '"decoder" starts from the output of LSTM node "encoder"'],
    ["reverse.onnx", [], "back: it runs backwards only"],
    ["reverse.onnx", ["--prefix", "back"], "back cannot be run: it runs backwards only"],
    ["gru.onnx", ["--prefix", "back"], "back cannot be run: it runs backwards only"],
    ["passed-over.onnx", ["--prefix", "clipped"], "clipped cannot be run"],
  ])("%s %j is refused by name", (file, options, piece) => {
    expect(run(file, ...options)).toContain(piece);
  });

  it("takes a node whose state is the caller's to give, and starts from zeros as always", () => {
    expect(run("state-given.onnx", "--prefix", "encoder")).toMatch(/in\.npy/); // it gets as far as the input
  });
});
