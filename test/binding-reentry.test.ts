// Calls of the raw addon that something gets in the way of: arguments that lie in each other's memory, getters that dispose
// of the model while its arguments are read, weights that are replaced under a job. Under the sanitizers it is worth the most.

import { describe, expect, it } from "vitest";
import type { PassArgs } from "../binding.js";
import { dense, model, parameters, single, zeros } from "./support/binding-model.js";

const lstm = model();
const refusal = expect.objectContaining({ code: expect.stringMatching(/^ERR_(ARG_TYPE|ARG_VALUE)$/) });

describe("arguments that overlap", () => {
  const sizes = [24, 32, 16, 40, 16, 40];
  const places = sizes.map((_, i) => sizes.slice(0, i).reduce((a, b) => a + b, 0));
  /** All in one memory, argument `i` moved to begin at an element. */
  const laid = (i: number, at: number): PassArgs => {
    const all = zeros(168 + 64).fill(0.5);
    const arrays = sizes.map((size, k) => all.subarray(k === i ? at : places[k], (k === i ? at : places[k]!) + size));
    return [...arrays, ...dense().slice(6)] as unknown as PassArgs;
  };

  it("are refused where one is written, but that hn may be h0 and cn c0", () => {
    for (const [i, size] of sizes.entries()) {
      for (let at = 0; at < 168 + 64 - size; at++) {
        const met = sizes.flatMap((other, k) =>
          k !== i && at < places[k]! + other && places[k]! < at + size ? [k] : [],
        );
        const own = i === 2 || i === 4 ? 6 - i : i === 3 || i === 5 ? 8 - i : -1;
        const isRead = (k: number): boolean => k === 0 || k === 2 || k === 3;
        const harmless = met.every((k) => (isRead(i) && isRead(k)) || (k === own && at === places[k]));
        const call = (): void => lstm.forward(...laid(i, at));
        if (harmless) expect(call, `argument ${i} at ${at}`).not.toThrow();
        else expect(call, `argument ${i} at ${at}`).toThrow(refusal);
      }
    }
  });
});

describe("weights", () => {
  it.each(["load", "read"] as const)(
    "%s is not fooled by a getter that disposes of the model or loads others",
    (method) => {
      for (const act of ["dispose", "load", "share"] as const) {
        for (const place of [0, 7, 19]) {
          const own = model();
          const stream = single();
          const memory = new Uint8Array(new SharedArrayBuffer(own.byteLength()));
          const list = parameters();
          const value = list[place];
          const get = () => {
            if (act === "share") own.share(memory);
            else own[act](parameters());
            return value;
          };
          Object.defineProperty(list, place, { get });
          const call = (): void => own[method](list);
          if (act === "dispose") expect(call).toThrow("used after dispose()");
          else expect(call).not.toThrow();
          if (act === "dispose") expect(() => own.forward(...dense())).toThrow("used after dispose()");
          else own.forward(...dense());
          stream.step(zeros(1), zeros(1), 1, undefined);
        }
      }
    },
  );

  it("lends a job its weights, whatever becomes of the model's", async () => {
    const wanted = dense();
    lstm.forward(...wanted);
    const outputs = await Promise.all(
      Array.from({ length: 60 }, (_, n) => {
        const own = model();
        const args = dense();
        return new Promise<Float32Array>((resolve) => {
          own.forwardAsync(...args, () => resolve(args[1] as Float32Array));
          if (n % 3 === 0) own.dispose();
          else own.load(parameters());
          if (n % 3 === 2) own.share(new Uint8Array(new SharedArrayBuffer(own.byteLength())));
          (globalThis as { gc?: () => void }).gc?.();
        });
      }),
    );
    for (const output of outputs) expect(output).toEqual(wanted[1]);
  });
});
