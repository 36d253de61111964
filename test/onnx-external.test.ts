// Values in a file beside the model: where they may lie, links and caches included, and where not; what the file must be
// and hold. Each model here is one LSTM whose W is outside.

import { execFileSync } from "node:child_process";
import { closeSync, ftruncateSync, mkdirSync, openSync, symlinkSync, writeFileSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { loadOnnx } from "../lib/weights/onnx/onnx.js";
import { expectCoded } from "./support/expect-coded.js";
import { field, initializer, intField, lstm, model, node, tensorProto, weights } from "./support/proto.js";
import { withFolder } from "./support/with-folder.js";

const onUnix = process.platform !== "win32";
const values = Float32Array.from({ length: 24 }, (_, k) => k + 1);
const bytes = Buffer.from(values.buffer);

type Entries = Readonly<Record<string, string>>;

function outside(entries: Entries, dims: readonly (number | bigint)[] = [1, 8, 3], name = "W"): Buffer {
  const parts = Object.entries(entries).map(([key, value]) =>
    field(13, Buffer.concat([field(1, key), field(2, value)])),
  );
  return initializer(tensorProto(name, dims, null, 1, intField(14, 1), ...parts));
}

const modelOf = (entries: Entries, dims?: readonly (number | bigint)[]): Buffer =>
  model([lstm(), outside(entries, dims), ...weights.slice(1)]);

/** Files by path under a folder; text is where a link leads. */
function lay(folder: string, files: Readonly<Record<string, Buffer | string>>): (path: string) => string {
  for (const [path, content] of Object.entries(files)) {
    const full = join(folder, path);
    mkdirSync(dirname(full), { recursive: true });
    if (typeof content === "string") symlinkSync(content, full);
    else writeFileSync(full, content);
  }
  return (path) => join(folder, path);
}

/** Row 0 and, for W's gates i, o, f, c in torch's order, row 2 of the values. */
function expectValues(source: string | URL, first = 1): void {
  const [found] = loadOnnx(source);
  expect(found?.stateDict.weight_ih_l0?.data[0]).toBe(first);
  expect(found?.stateDict.weight_ih_l0?.data[6]).toBe(first + 12);
}

describe("values in a file beside the model are read", () => {
  it("whole, and from an offset, with a length or without", () =>
    withFolder((folder) => {
      const at = lay(folder, {
        "whole.onnx": modelOf({ location: "w.bin" }),
        "length.onnx": modelOf({ location: "w.bin", offset: "0", length: "96" }),
        "offset.onnx": modelOf({ location: "big.bin", offset: "4096", length: "96" }),
        "open.onnx": modelOf({ location: "big.bin", offset: "4096", checksum: "whatever" }),
        "w.bin": bytes,
        "big.bin": Buffer.concat([Buffer.alloc(4096), bytes, Buffer.alloc(10)]),
      });
      for (const name of ["whole", "length", "offset", "open"]) expectValues(at(`${name}.onnx`));
      expectValues(pathToFileURL(at("offset.onnx")));
    }));

  it("in a folder beside it, and under a name with dots", () =>
    withFolder((folder) => {
      const at = lay(folder, {
        "a.onnx": modelOf({ location: "weights/w..bin" }),
        "b.onnx": modelOf({ location: "./weights/w..bin" }),
        "weights/w..bin": bytes,
      });
      expectValues(at("a.onnx"));
      expectValues(at("b.onnx"));
    }));

  it("by a path relative to where the process is", () =>
    withFolder((folder) => {
      lay(folder, { "m.onnx": modelOf({ location: "w.bin" }), "w.bin": bytes });
      const before = process.cwd();
      try {
        process.chdir(folder);
        expectValues("m.onnx");
      } catch (error) {
        // Vitest's threads have no folder of their own to change.
        expect((error as Error).message).toContain("process.chdir() is not supported in workers");
      } finally {
        if (process.cwd() !== before) process.chdir(before);
      }
    }));

  it.runIf(onUnix)("where the model's path is a link: beside the link or beside what it leads to", () =>
    withFolder((folder) => {
      const at = lay(folder, {
        "real/m.onnx": modelOf({ location: "w.bin" }),
        "real/w.bin": bytes,
        "link.onnx": "real/m.onnx",
        "there/link.onnx": "../real/m.onnx",
        "there/w.bin": Buffer.from(values.map((value) => value + 100).buffer),
        folder: "real",
      });
      expectValues(at("link.onnx"));
      expectValues(at("there/link.onnx"), 101);
      expectValues(at("folder/m.onnx"));
    }),
  );

  it.runIf(onUnix)("in a cache of links to blobs, as Hugging Face lays it out", () =>
    withFolder((folder) => {
      const at = lay(folder, {
        "blobs/aa11": modelOf({ location: "model.onnx_data" }),
        "blobs/bb22": bytes,
        "snapshots/0123/onnx/model.onnx": "../../../blobs/aa11",
        "snapshots/0123/onnx/model.onnx_data": "../../../blobs/bb22",
      });
      expectValues(at("snapshots/0123/onnx/model.onnx"));
    }),
  );

  it.runIf(onUnix)("of more than 3 GiB, at once", () =>
    withFolder((folder) => {
      const offset = 3 * 2 ** 30 + 4096;
      const at = lay(folder, { "m.onnx": modelOf({ location: "w.bin", offset: `${offset}`, length: "96" }) });
      const fd = openSync(at("w.bin"), "w");
      ftruncateSync(fd, offset);
      writeSync(fd, bytes, 0, 96, offset);
      closeSync(fd);
      const [start, memory] = [performance.now(), process.memoryUsage().rss];
      expectValues(at("m.onnx"));
      expect(performance.now() - start).toBeLessThan(1000);
      expect(process.memoryUsage().rss - memory).toBeLessThan(64 * 2 ** 20);
    }),
  );
});

describe("values in a file beside the model are refused", () => {
  const refuse = (files: Readonly<Record<string, Buffer | string>>, piece: string | RegExp): void =>
    withFolder((folder) => {
      const at = lay(folder, { "secret.bin": bytes, "in/other.bin": bytes, ...files });
      const start = performance.now();
      expectCoded(() => loadOnnx(at("in/m.onnx")), RangeError, "ERR_FILE", piece);
      expect(performance.now() - start).toBeLessThan(1000);
    });

  it.each([
    ["../secret.bin"],
    ["a/../../secret.bin"],
    ["..\\secret.bin"],
    ["/etc/passwd"],
    ["\\\\host\\share"],
    ["C:\\secret.bin"],
    ["c:secret.bin"],
    [".."],
    [""],
    ["other.bin\0"],
  ])("at %j", (location) => {
    refuse({ "in/m.onnx": modelOf({ location }) }, "values in a file inside the model's folder");
  });

  it("at no location at all", () => {
    refuse({ "in/m.onnx": modelOf({}) }, 'a file inside the model\'s folder, but got ""');
  });

  it.runIf(onUnix).each<[what: string, files: Record<string, Buffer | string>, piece: string]>([
    ["a link out of the folder", { "in/w": "../secret.bin" }, "a link out of it"],
    ["a link to a link out of the folder", { "in/w": "v", "in/v": "../secret.bin" }, "a link out of it"],
    ["a folder that is a link out", { "in/w": "../out", "out/x": bytes }, "a link out of it"],
    ["a device", { "in/w": "/dev/zero" }, "a link out of it"],
    ["a link to itself", { "in/w": "w" }, "that can be opened, but got ELOOP"],
    ["two links to each other", { "in/w": "v", "in/v": "w" }, "that can be opened, but got ELOOP"],
    ["a link to nothing", { "in/w": "nothing" }, '"w", which holds its values, beside m.onnx, but got none'],
  ])("through %s", (_, files, piece) => {
    refuse({ "in/m.onnx": modelOf({ location: "w" }), ...files }, piece);
  });

  it.runIf(onUnix)("through a folder that is a link, on the way", () => {
    const files = { "in/m.onnx": modelOf({ location: "w/x" }), "in/w": "../out", "out/x": bytes };
    refuse(files, "a link out of it");
  });

  it.runIf(onUnix)("where the model is a link, through a link beside it to anywhere but the model's own folder", () => {
    const real = modelOf({ location: "w" });
    refuse({ "blobs/m": real, "in/m.onnx": "../blobs/m", "in/w": "../secret.bin" }, "a link out of it");
    refuse(
      { "blobs/m": real, "blobs/deep/x": bytes, "in/m.onnx": "../blobs/m", "in/w": "../blobs/deep/x" },
      "a link out of it",
    );
  });

  it("when it is not there", () => {
    refuse({ "in/m.onnx": modelOf({ location: "w" }) }, '"w", which holds its values, beside m.onnx, but got none');
    refuse({ "in/m.onnx": modelOf({ location: "other.bin/w" }) }, "beside m.onnx, but got none");
    refuse(
      { "in/m.onnx": modelOf({ location: "w".repeat(5000) }) },
      /that can be opened, but got ENAMETOOLONG|got none/,
    );
  });

  it("when it is a folder", () => {
    refuse({ "in/m.onnx": modelOf({ location: "w" }), "in/w/x": bytes }, /an ordinary file|EISDIR/);
  });

  it.runIf(onUnix)("when it is a pipe, without waiting for anyone", () =>
    withFolder((folder) => {
      const at = lay(folder, { "m.onnx": modelOf({ location: "w" }) });
      execFileSync("mkfifo", [at("w")]);
      expectCoded(() => loadOnnx(at("m.onnx")), RangeError, "ERR_FILE", "an ordinary file");
    }),
  );

  it.each<[what: string, entries: Entries, dims: (number | bigint)[], piece: string]>([
    ["is too short", { offset: "1" }, [1, 8, 3], "at least 97 bytes, but got 96"],
    ["ends before the offset", { offset: "9007199254740991" }, [1, 8, 3], "bytes, but got 96"],
    ["has an offset past 2^53", { offset: "99999999999999999" }, [1, 8, 3], "an offset in bytes"],
    ["has an offset below 0", { offset: "-4" }, [1, 8, 3], 'an offset in bytes, but got "-4"'],
    ["has an offset that is none", { offset: "0x10" }, [1, 8, 3], "an offset in bytes"],
    [
      "has a length of another shape",
      { length: "92" },
      [1, 8, 3],
      "96 bytes for its shape and type, but got a length of 92",
    ],
    ["has a length that is none", { length: "many" }, [1, 8, 3], "a length in bytes"],
    ["would have to hold a tebibyte", {}, [1, 2 ** 36, 4], "bytes, but got 96"],
    ["would have to hold 2^80 bytes", {}, [1, 2n ** 40n, 2n ** 40n], "dims that can be counted"],
  ])("when it %s", (_, entries, dims, piece) => {
    refuse({ "in/m.onnx": modelOf({ location: "other.bin", ...entries }, dims) }, piece);
  });

  it("when the model came as bytes, naming the file and asking for the path", () => {
    const piece = /give loadOnnx the model's path instead of its bytes.*but got values in the file "w\.bin"/;
    expectCoded(() => loadOnnx(modelOf({ location: "w.bin" })), RangeError, "ERR_FILE", piece);
  });

  it("when the same bytes are asked for a thousand times over", () =>
    withFolder((folder) => {
      const rows = 2 ** 16;
      const many = Array.from({ length: 500 }, (_, k) => outside({ location: "w" }, [1, 8, rows], `W${k}`));
      const nodes = Array.from({ length: 500 }, (_, k) => node("LSTM", ["x", `W${k}`, "R", "B"], [`y${k}`]));
      const at = lay(folder, {
        "m.onnx": model([...nodes, ...many, ...weights.slice(1)]),
        w: Buffer.alloc(32 * rows),
      });
      const memory = process.memoryUsage().rss;
      const found = loadOnnx(at("m.onnx"));
      expect(found.length).toBeLessThan(64);
      expect(found.passedOver[0]?.reason).toContain("in proportion to the file");
      expect(process.memoryUsage().rss - memory).toBeLessThan(2 ** 29);
    }));
});
