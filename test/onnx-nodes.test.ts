// What loadOnnx makes of every kind of recurrent node: names, modules, what stands beside the state dict, and the numbers
// that onnxruntime gets from the same file.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { cat, LSTM, loadOnnx, type OnnxModule, type Tensor, zeros } from "../lib/index.js";
import { cellFor, stateOf, tensorsOf } from "./support/cells.js";
import { expectClose, expectSameBits } from "./support/compare.js";
import { expectCoded } from "./support/expect-coded.js";
import { type StoredTensor, tensorOf } from "./support/stored.js";
import { type StoredRun, weightFile } from "./support/weight-fixtures.js";

interface HeldNode {
  name: string;
  tensors: Record<string, StoredTensor>;
  initialState?: StoredTensor[];
  [key: string]: unknown;
}

interface Run extends Omit<StoredRun, "cn"> {
  cn?: StoredTensor;
  h0?: StoredTensor;
}

interface Expected {
  onnxruntime: string;
  files: Record<string, HeldNode[]>;
  passedOver: Record<string, string[]>;
  runs: Record<string, Run>;
}

const folder = "onnx-nodes";
const expected = JSON.parse(readFileSync(weightFile(folder, "expected.json"), "utf8")) as Expected;

/** The steps of (T, B, I) the other way round. */
const flip = (t: Tensor): Tensor => cat([...new Array(t.shape[0]).keys()].reverse().map((k) => t.slice(0, k, k + 1)));

/** As the documentation says to run a layer that runs backwards only. */
function forwards({ stateDict }: OnnxModule): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(stateDict).map(([name, value]) => [name.replace("_reverse", ""), value]));
}

function run(node: OnnxModule, x: Tensor): Tensor[] {
  const dict = node.reverse ? forwards(node) : node.stateDict;
  const input = node.reverse ? flip(x) : x;
  const batch = x.shape[1]!;
  const spread = (state: Tensor): Tensor =>
    state.shape[1] === batch ? state : cat(new Array<Tensor>(batch).fill(state), 1);
  const turned = (output: Tensor): Tensor => (node.reverse ? flip(output) : output);
  const hx = node.initialState && stateOf(tensorsOf(node.initialState).map(spread));
  const [output, state] = cellFor(node).fromStateDict(dict).forward(input, hx);
  return [turned(output), ...tensorsOf(state)];
}

describe("loadOnnx, a node of each kind", () => {
  it.each(Object.entries(expected.files).filter(([, held]) => held.length > 0))(
    "%s: everything said of it",
    (file, held) => {
      const found = loadOnnx(weightFile(folder, file));
      const said = found.map(({ stateDict: _, initialState: __, ...rest }) => rest);
      expect(said).toEqual(held.map(({ tensors: _, initialState: __, ...rest }) => rest));
      for (const [k, { tensors, initialState }] of held.entries()) {
        const node = found[k]!;
        expect(Object.keys(node.stateDict)).toEqual(Object.keys(tensors));
        for (const [name, stored] of Object.entries(tensors))
          expectSameBits(node.stateDict[name]!, tensorOf(stored), name);
        const state =
          node.initialState === undefined ? [] : node.module === "LSTM" ? node.initialState : [node.initialState];
        expect(state.length).toBe(initialState?.length ?? 0);
        for (const [s, stored] of (initialState ?? []).entries()) expectSameBits(state[s] as Tensor, tensorOf(stored));
      }
      expect(found.passedOver.map(({ name }) => name)).toEqual(expected.passedOver[file]);
    },
  );

  it.each(Object.entries(expected.runs))(`%s: onnxruntime ${expected.onnxruntime}'s numbers`, (key, stored) => {
    const [file = ""] = key.split(" ");
    const name = key.slice(file.length + 1);
    const node = loadOnnx(weightFile(folder, file)).find((entry) => entry.name === name)!;
    const results = run(node, tensorOf(stored.input));
    const wanted = [stored.output, stored.hn, stored.cn].flatMap((t) => (t === undefined ? [] : [tensorOf(t)]));
    expect(results.length).toBe(wanted.length);
    // onnxruntime quantises x and h of a quantised node too, to 8 bits each step.
    const atol = file.startsWith("quantised") ? 0.005 : 5e-6;
    for (const [k, tensor] of wanted.entries()) expectClose(results[k]!, tensor, { atol, rtol: 0, label: `${k}` });
  });

  it("holds all of them", () => expect(Object.keys(expected.runs).length).toBeGreaterThanOrEqual(22));

  it("a quantised node is nearer to what its integers say than to the floats they were made of", () => {
    const [exact] = loadOnnx(weightFile(folder, "float.onnx"));
    for (const file of Object.keys(expected.files).filter((name) => name.startsWith("quantised"))) {
      const [node] = loadOnnx(weightFile(folder, file));
      const error = expectClose(node!.stateDict.weight_hh_l0!, exact!.stateDict.weight_hh_l0!, { atol: 0.01, rtol: 0 });
      expect(error).toBeGreaterThan(1e-5);
    }
  });
});

describe("loadOnnx, what is passed over", () => {
  it("is listed by name and reason, beside what was read", () => {
    const found = loadOnnx(weightFile(folder, "passed-over.onnx"));
    expect(found.map(({ name }) => name)).toEqual(["good"]);
    expect(Object.keys(found)).toEqual(["0"]);
    const reasons = Object.fromEntries(found.passedOver.map(({ name, reason }) => [name, reason]));
    expect(reasons.peeping).toContain('no peepholes, which torch.nn.LSTM has not, but got input P "P"');
    expect(reasons.before).toContain('GRU node "before": expected linear_before_reset = 1');
    expect(reasons.clipped).toContain("no clip, which torch.nn.LSTM has not, but got clip 3");
    expect(reasons.foreign).toContain('an operator of "some.where"');
  });

  it("is thrown when nothing else is left", () => {
    const piece = "but got linear_before_reset = 0";
    expectCoded(() => loadOnnx(weightFile(folder, "refused-before.onnx")), RangeError, "ERR_FILE", piece);
  });
});

describe("a layer that runs backwards only", () => {
  it("is refused by LSTM.fromStateDict, which says how to run it", () => {
    const [node] = loadOnnx(weightFile(folder, "reverse.onnx"));
    expect(node).toMatchObject({ module: "LSTM", reverse: true });
    const piece = /a key "(a\.)?weight_ih_l0", but got only .*runs backwards only.*without "_reverse"/;
    expectCoded(() => LSTM.fromStateDict(node!.stateDict), RangeError, "ERR_STATE_DICT", piece);
    const under = Object.fromEntries(Object.entries(node!.stateDict).map(([name, value]) => [`a.${name}`, value]));
    expectCoded(() => LSTM.fromStateDict(under, { prefix: "a." }), RangeError, "ERR_STATE_DICT", piece);
  });

  it("is not what a dict is called that lacks its forward half by mistake, with a second layer", () => {
    const dict = { weight_ih_l1: zeros([8, 4]), weight_hh_l1: zeros([8, 2]) };
    const error = expectCoded(() => LSTM.fromStateDict(dict), RangeError, "ERR_STATE_DICT");
    expect(error.message).not.toContain("backwards");
  });
});
