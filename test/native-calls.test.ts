// How often lib/ goes down to the addon: once for a pass, never for a call that is refused or aborted before it begins.
// The addon's class is replaced by one that counts and passes on.

import { beforeEach, expect, it, vi } from "vitest";
import type { Binding, NativeJob, NativeRecurrent, PassArgs } from "../binding.js";
import { LSTM, packPaddedSequence, rand } from "../lib/index.js";
import { rejection } from "./support/expect-coded.js";

const calls: string[] = vi.hoisted(() => []);

vi.mock("../lib/native.js", async (importOriginal) => {
  const real = await importOriginal<{ native: Binding }>();
  class Counting extends real.native.Recurrent {
    override load(...args: Parameters<NativeRecurrent["load"]>): void {
      calls.push("load");
      super.load(...args);
    }
    override forward(...args: PassArgs): void {
      calls.push("forward");
      super.forward(...args);
    }
    override forwardAsync(...args: Parameters<NativeRecurrent["forwardAsync"]>): NativeJob {
      calls.push("forwardAsync");
      return super.forwardAsync(...args);
    }
  }
  return { ...real, native: { ...real.native, Recurrent: Counting } };
});

const lstm = new LSTM(3, 5, { numLayers: 3, bidirectional: true });
const x = rand([4, 2, 3]);
beforeEach(() => {
  calls.length = 0;
});

it("one for a pass, whatever its layers, directions and layout", async () => {
  lstm.forward(x, [rand([6, 2, 5]), rand([6, 2, 5])]);
  lstm.forward(packPaddedSequence(x, [2, 4], { enforceSorted: false }));
  await lstm.forwardAsync(x);
  expect(calls).toEqual(["forward", "forward", "forwardAsync"]);
});

it("one for a model and for new weights", () => {
  new LSTM(3, 5, { numLayers: 3 }).loadStateDict(new LSTM(3, 5, { numLayers: 3 }).stateDict());
  expect(calls).toEqual(["load", "load", "load"]);
});

it("none for what is refused, or aborted before", async () => {
  expect(() => lstm.forward(rand([4, 2, 4]))).toThrow();
  expect(() => lstm.loadStateDict({})).toThrow();
  await rejection(lstm.forwardAsync(rand([4, 2, 4])));
  expect(await rejection(lstm.forwardAsync(x, null, { signal: AbortSignal.abort("no") }))).toBe("no");
  expect(calls).toEqual([]);
});
