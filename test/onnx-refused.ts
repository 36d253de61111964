// What every hostile ONNX file is held to: refused by loadOnnx's own error, and long before anyone would call it a hang.

import { expect } from "vitest";
import { loadOnnx } from "../lib/weights/onnx.js";
import { expectCoded } from "./expect-coded.js";

/** Milliseconds; what is to be refused here would otherwise take minutes, or for ever. */
const limit = 10_000;

export function expectRefused(bytes: Uint8Array, piece: string | RegExp): void {
  const start = performance.now();
  expectCoded(() => loadOnnx(bytes), RangeError, "ERR_FILE", piece);
  expect(performance.now() - start).toBeLessThan(limit);
}
