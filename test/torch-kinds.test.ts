// loadTorch on the other kinds of files that PyTorch and NumPy users have, each written by torch 1.13 and 2.15 themselves:
// checkpoints with objects of every sort beside the weights, tensors that no Tensor holds, whole models, TorchScript,
// torch.export, the legacy format, pickles and .npz. Every tensor that loads has torch's own bits; what does not is named.

import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { passedOver } from "../lib/weights/passed-over.js";
import { listTorch, loadTorch } from "../lib/weights/torch/load.js";
import { expectSameBits } from "./support/compare.js";
import { expectCoded } from "./support/expect-coded.js";
import { tensorOf } from "./support/stored.js";
import { kindFolders, readKindsExpected, weightFile } from "./support/weight-fixtures.js";

describe.each(kindFolders)("loadTorch, the files of %s", (folder) => {
  const { torch, files } = readKindsExpected(folder);
  const options = (key: string | undefined) => (key === undefined ? {} : { key });

  it("are what the folder says, and all of them", () => {
    expect(folder).toBe(`kinds-${torch.split(".").slice(0, 2).join(".")}`);
    const inFolder = readdirSync(weightFile(folder, "")).filter((name) => name !== "expected.json");
    expect(inFolder.sort()).toEqual(Object.keys(files).sort());
    expect(inFolder.length).toBeGreaterThan(60);
  });

  const loaded = Object.entries(files).filter(([, { refused }]) => refused === undefined);
  it.each(loaded)("%s: names in order, shapes, dtypes and bits", (file, { key, tensors, over = {}, opaque }) => {
    const dict = loadTorch(weightFile(folder, file), options(key));
    expect(Object.keys(dict)).toEqual(Object.keys(tensors));
    for (const [name, stored] of Object.entries(tensors)) {
      const expected = tensorOf(stored);
      // Of a NaN of 8 bits the sign and the rest of its bits mean nothing, and are not kept.
      if (expected.size === 0 || file.includes("float8")) expect(dict[name]).toEqual(expected);
      else expectSameBits(dict[name]!, expected, name, { nonFinite: true });
    }
    for (const [name, piece] of Object.entries(over)) {
      expect(passedOver(dict).get(name)).toContain(piece);
      expectCoded(() => dict[name], RangeError, "ERR_FILE", piece);
    }
    const listing = listTorch(weightFile(folder, file), options(key));
    expect(listing.tensors.map(({ name }) => name)).toEqual(expect.arrayContaining(Object.keys(tensors)));
    if (opaque !== undefined) expect(listing.opaque).toEqual(expect.arrayContaining(opaque));
  });

  const refused = Object.entries(files).filter(([, kind]) => kind.refused !== undefined);
  it.each(refused)("%s is refused", (file, { key, refused: piece }) => {
    expectCoded(() => loadTorch(weightFile(folder, file), options(key)), RangeError, "ERR_FILE", piece);
  });
});
