// `packed-lstm bench`: that it measures what it says it measures, not how fast the machine is.

import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { LSTM, saveSafetensors } from "../lib/index.js";
import { buildPackage, runCli } from "./support/cli.js";
import { withFolder } from "./support/with-folder.js";

beforeAll(buildPackage);

it("measures a model against the roof, on the threads asked for", () => {
  withFolder((folder) => {
    const path = join(folder, "model.safetensors");
    saveSafetensors(path, new LSTM(8, 32, { dtype: "float64", numLayers: 2 }).stateDict());
    const { status, stdout, stderr } = runCli(["bench", "--model", path, "--threads", "1", "--json"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const { threads, roofline, shapes } = JSON.parse(stdout);
    expect([threads, roofline.threads, roofline.dtype]).toEqual([1, 1, "float64"]);
    expect(shapes.map(({ shape, batch }: { shape: string; batch: number }) => [shape, batch])).toEqual([
      ["8 → 32, 2 layers", 1],
      ["8 → 32, 2 layers", 64],
    ]);
    for (const { batch, milliseconds, flops, roof } of shapes) {
      expect(flops).toBeLessThanOrEqual(1.03 * roof);
      // 2 · 4H · (I + R) for the lower layer, 2 · 4H · (R + R) for the upper one, over 100 steps
      expect((flops * milliseconds) / 1000).toBeCloseTo(100 * batch * 2 * 128 * (8 + 32 + 32 + 32), -1);
      expect(roof).toBeGreaterThan(0);
      expect(roof).toBeLessThanOrEqual(roofline.flops);
    }
  });
});

it("refuses threads that are none, and a model that is not there", () => {
  for (const threads of ["0", "x", "1025", "1.5"]) {
    expect(runCli(["bench", "--threads", threads])).toMatchObject({ status: 2, stdout: "" });
  }
  expect(runCli(["bench", "--model", "/nowhere"])).toMatchObject({ status: 1, stdout: "" });
});
