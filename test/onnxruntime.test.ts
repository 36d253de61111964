// onnxruntime takes our tensors as they are, and we take its: the real package's `run`, a model of PyTorch's, one name for
// every field. The web build is what runs here: it needs no download and judges tensors by the same fields; the native one
// is tried too where bench/ has it.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import * as web from "onnxruntime-web";
import { describe, expect, it } from "vitest";
import { LSTM, loadOnnx, rand, Tensor, type TensorLike, tensor } from "../lib/index.js";
import { expectClose } from "./support/compare.js";

const model = fileURLToPath(new URL("fixtures/weights/onnx/forward.onnx", import.meta.url));

type Ort = Pick<typeof web, "InferenceSession" | "Tensor">;

function native(): Ort | undefined {
  try {
    return createRequire(new URL("../bench/package.json", import.meta.url))("onnxruntime-node") as Ort;
  } catch {
    return undefined;
  }
}

describe.each<[string, Ort | undefined]>([
  ["onnxruntime-web", web],
  ["onnxruntime-node", native()],
])("%s", (_, ort) => {
  it.skipIf(ort === undefined)("runs on our tensors, and its results are tensors to us", async () => {
    const { InferenceSession } = ort as Ort;
    const session = await InferenceSession.create(readFileSync(model));
    const [found] = loadOnnx(model);
    const lstm = LSTM.fromStateDict((found as NonNullable<typeof found>).stateDict);
    const x = rand([6, 3, lstm.inputSize]);
    const feeds = { x: x as unknown as web.Tensor };
    const { y, hn } = await session.run(feeds);
    const [output, [ourHn]] = lstm.forward(x);
    const theirs = (value: unknown, shape: readonly number[]): Tensor => {
      const { data } = value as { data: Float32Array };
      return new Tensor(data, shape);
    };
    expectClose(theirs(y, output.shape), output, { rtol: 1e-5, atol: 1e-6 });
    expectClose(theirs(hn, ourHn.shape), ourHn, { rtol: 1e-5, atol: 1e-6 });
    await session.release();
  });

  it.skipIf(ort === undefined)("has a Tensor whose fields have our names and values", () => {
    const made = new (ort as Ort).Tensor("float32", Float32Array.of(1, 2, 3, 4), [2, 2]);
    const ours = tensor([
      [1, 2],
      [3, 4],
    ]);
    const fields = ({ type, dims, location, size, data }: Tensor | web.Tensor) => ({
      type,
      dims: [...dims],
      location,
      size,
      data,
    });
    expect(fields(ours)).toEqual(fields(made));
    expect(ours.location).toBe("cpu");
    expect(new LSTM(2, 3).forward(made as unknown as TensorLike)[0].shape).toEqual([2, 3]);
  });
});
