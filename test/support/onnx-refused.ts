// What every hostile ONNX file is held to: refused by loadOnnx's own error, and long before anyone would call it a hang.

import { expect } from "vitest";
import { loadOnnx } from "../../lib/weights/onnx/onnx.js";
import { expectCoded } from "./expect-coded.js";

/** Milliseconds of this process's own; what is to be refused here would otherwise take minutes, or for ever. */
const limit = 10_000;

export function expectRefused(bytes: Uint8Array, piece: string | RegExp): void {
  const start = process.cpuUsage();
  expectCoded(() => loadOnnx(bytes), RangeError, "ERR_FILE", piece);
  const { user, system } = process.cpuUsage(start);
  expect((user + system) / 1000).toBeLessThan(limit);
}
