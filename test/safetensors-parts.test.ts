// Of a safetensors file only what is asked for: tensors that no Tensor holds are passed over and refused by name, a
// prefix reads by position, a sharded model reads the shards it needs. Held against files of the official libraries.

import {
  closeSync,
  copyFileSync,
  cpSync,
  ftruncateSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Linear, LSTM, loadSafetensors, Tensor } from "../lib/index.js";
import { expectCoded } from "./support/expect-coded.js";
import { fuzz } from "./support/mutate.js";
import { withFolder } from "./support/with-folder.js";

const fixture = (name: string): string => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));
const everyDType = fixture("official-dtypes.safetensors");
const expected = JSON.parse(readFileSync(fixture("official-dtypes.json"), "utf8")) as {
  widened: Record<string, (number | string)[]>;
  input: number[];
  output: number[];
};

const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] as number))), 0);

function runLSTM(lstm: LSTM): Float32Array {
  return lstm.forward(new Tensor(Float32Array.from(expected.input), [5, 3]))[0].data as Float32Array;
}

describe("tensors of every dtype", () => {
  const dict = loadSafetensors(everyDType);

  it("are widened as torch widens them where that is exact", () => {
    for (const [name, numbers] of Object.entries(expected.widened)) {
      const wanted = numbers.map((x) =>
        x === "inf" ? Number.POSITIVE_INFINITY : x === "-inf" ? Number.NEGATIVE_INFINITY : Number(x),
      );
      const tensor = dict[name] as Tensor;
      expect([name, tensor.dtype]).toEqual([name, /^e\d/.test(name) ? "float32" : "int32"]);
      expect([name, Array.from(tensor.data)]).toEqual([name, wanted]);
    }
  });

  it("leave the LSTM beside them as it was", () => {
    const output = runLSTM(LSTM.fromStateDict(dict, { prefix: "lstm." }));
    expect(largestDifference(output, expected.output)).toBeLessThan(1e-6);
  });

  it.each([
    ["u32.large", "U32 values that int32 does not hold, such as 2147483648"],
    ["u64.large", "U64 values that int32 does not hold, such as 18446744073709551615"],
    ["i64.large", "I64 values that int32 does not hold, such as -2147483649"],
    ["c64", "C64, complex numbers"],
    ["f4", "F4, numbers of 4 bits"],
  ])("pass %s over, which is refused by name when asked for", (name, reason) => {
    expect(Object.keys(dict)).not.toContain(name);
    expect(JSON.stringify(Object.entries({ ...dict }))).not.toContain(`"${name}"`);
    const error = expectCoded(() => dict[name], RangeError, "ERR_FILE", reason);
    expect(error.message).toContain(`official-dtypes.safetensors tensor "${name}"`);
  });
});

/** A file of tensors that hold zeros. */
function zeros(tensors: Record<string, [dtype: string, shape: number[], bytes: number]>): Uint8Array {
  let at = 0;
  const header = Object.entries(tensors).map(([name, [dtype, shape, bytes]]) => {
    at += bytes;
    return [name, { dtype, shape, data_offsets: [at - bytes, at] }];
  });
  const text = Buffer.from(JSON.stringify(Object.fromEntries(header)));
  const bytes = Buffer.alloc(8 + text.length + at);
  bytes.writeBigUInt64LE(BigInt(text.length));
  text.copy(bytes, 8);
  return bytes;
}

describe("a state dict that lacks what was passed over", () => {
  const lstm = { weight_ih_l0: ["F32", [8, 3], 96], weight_hh_l0: ["F32", [8, 2], 64] } as const;
  const load = (odd: Record<string, [string, number[], number]>, prefix = ""): Record<string, Tensor> => {
    const named = Object.entries({ ...lstm, ...odd }).map(([name, value]) => [prefix + name, value]);
    return loadSafetensors(zeros(Object.fromEntries(named)));
  };

  // Each of these would be another model if the key were simply absent: other sizes, fewer layers, no bias.
  it.each([
    ["weight_ih_l0", "C64", [8, 3], 192],
    ["weight_hh_l0", "C64", [8, 2], 128],
    ["bias_ih_l0", "F4", [8], 4],
    ["weight_hr_l0", "F6_E3M2", [1, 4], 3],
    ["weight_ih_l1", "F4", [8, 2], 8],
    ["weight_ih_l0_reverse", "F4", [8, 4], 16],
  ] as [string, string, number[], number][])("says what %s is", (name, dtype, shape, bytes) => {
    for (const prefix of ["", "encoder."]) {
      const dict = load({ [name]: [dtype, shape, bytes] }, prefix);
      const error = expectCoded(() => LSTM.fromStateDict(dict, { prefix }), RangeError, "ERR_STATE_DICT", dtype);
      expect(error.message).toContain(prefix + name);
      expect(error.message).not.toContain("did you mean");
    }
  });

  it("does not mind what no parameter needs", () => {
    expect(LSTM.fromStateDict(load({ mask: ["C64", [2], 16] })).hiddenSize).toBe(2);
  });
});

describe("a prefix", () => {
  it("reads its tensors and keeps their names whole", () => {
    const dict = loadSafetensors(everyDType, { prefix: "lstm." });
    expect(Object.keys(dict).every((name) => name.startsWith("lstm."))).toBe(true);
    expect(runLSTM(LSTM.fromStateDict(dict, { prefix: "lstm." }))).toEqual(
      runLSTM(LSTM.fromStateDict(loadSafetensors(everyDType), { prefix: "lstm." })),
    );
  });

  it("that nothing starts with is refused, with the nearest", () => {
    const load = (): unknown => loadSafetensors(everyDType, { prefix: "lsmt." });
    expectCoded(
      load,
      RangeError,
      "ERR_FILE",
      'prefix "lsmt.": expected names that start with it, but got none (did you mean "lstm."?)',
    );
    expectCoded(() => loadSafetensors(everyDType, { prefix: 3 } as never), TypeError, "ERR_ARG_TYPE", "prefix");
    expectCoded(() => loadSafetensors(everyDType, { prefx: "" } as never), TypeError, "ERR_OPTION", '"prefix"');
  });

  it("costs what its tensors do, in a file of 3 GiB", () => {
    withFolder((folder) => {
      const path = join(folder, "large.safetensors");
      const rest = 3 * 2 ** 30;
      const small = zeros({ "lstm.weight_ih_l0": ["F32", [8, 3], 96], "lstm.weight_hh_l0": ["F32", [8, 2], 64] });
      const length = Number(Buffer.from(small).readBigUInt64LE());
      const header = JSON.parse(Buffer.from(small.subarray(8, 8 + length)).toString()) as object;
      const text = JSON.stringify({
        ...header,
        rest: { dtype: "F32", shape: [rest / 4], data_offsets: [160, 160 + rest] },
      });
      const fd = openSync(path, "w");
      const prefix = Buffer.alloc(8);
      prefix.writeBigUInt64LE(BigInt(text.length));
      writeSync(fd, Buffer.concat([prefix, Buffer.from(text)]));
      ftruncateSync(fd, 8 + text.length + 160 + rest); // a hole, which takes no room on the disk
      closeSync(fd);
      const before = process.resourceUsage().maxRSS;
      const start = performance.now();
      const dict = loadSafetensors(path, { prefix: "lstm." });
      expect(performance.now() - start).toBeLessThan(300);
      expect(process.resourceUsage().maxRSS - before).toBeLessThan(50 * 1024);
      expect(LSTM.fromStateDict(dict, { prefix: "lstm." }).inputSize).toBe(3);
    });
  });
});

describe("a sharded model", () => {
  const index = fixture("sharded/model.safetensors.index.json");

  /** A copy of the model whose index a test may change. */
  function withCopy(
    change: (folder: string, weights: Record<string, string>) => void,
    use: (index: string) => void,
  ): void {
    withFolder((outside) => {
      const folder = join(outside, "model");
      cpSync(fixture("sharded"), folder, { recursive: true });
      const path = join(folder, "model.safetensors.index.json");
      const content = JSON.parse(readFileSync(path, "utf8")) as { weight_map: Record<string, string> };
      change(folder, content.weight_map);
      writeFileSync(path, JSON.stringify(content));
      use(path);
    });
  }

  it("is read by the path of its index", () => {
    const dict = loadSafetensors(index);
    expect(Object.keys(dict)).toHaveLength(10);
    expect(runLSTM(LSTM.fromStateDict(dict, { prefix: "lstm." }))).toEqual(
      runLSTM(LSTM.fromStateDict(loadSafetensors(everyDType), { prefix: "lstm." })),
    );
    expect(Linear.fromStateDict(dict, { prefix: "head." }).inFeatures).toBe(8);
  });

  it("lacks no shard that a prefix does not need, and names one that it does", () => {
    withCopy(
      (folder) => rmSync(join(folder, "model-00001-of-00003.safetensors")),
      (path) => {
        expect(Object.keys(loadSafetensors(path, { prefix: "head." }))).toEqual(["head.weight", "head.bias"]);
        expectCoded(() => loadSafetensors(path), RangeError, "ERR_FILE", 'shard "model-00001-of-00003.safetensors"');
      },
    );
  });

  it("whose shard lacks the tensor is refused by its name", () => {
    withCopy(
      (_, weights) => {
        weights["head.bias"] = "model-00001-of-00003.safetensors";
      },
      (path) => expectCoded(() => loadSafetensors(path), RangeError, "ERR_FILE", 'tensor "head.bias"'),
    );
  });

  it.each(["../model.safetensors", "a/../../b", "/etc/passwd", "C:\\x", "..\\x", "", ".", "a//b", 3, null, ["x"]])(
    "keeps %j outside its folder shut",
    (shard) => {
      withCopy(
        (folder, weights) => {
          // There is something to find up there.
          copyFileSync(join(folder, "model-00003-of-00003.safetensors"), join(folder, "..", "model.safetensors"));
          weights["head.bias"] = shard as string;
        },
        (path) => {
          const error = expectCoded(() => loadSafetensors(path, { prefix: "head." }), RangeError, "ERR_FILE");
          expect(error.message).toContain("a file inside the folder of the index");
        },
      );
    },
  );

  it("in bytes, or as other JSON, is told apart from a damaged file", () => {
    expectCoded(() => loadSafetensors(readFileSync(index)), RangeError, "ERR_FILE", "the path of an index");
    expectCoded(() => loadSafetensors(Buffer.from('{"a": 1}   ')), RangeError, "ERR_FILE", "weight_map");
    expectCoded(() => loadSafetensors(Buffer.from('\n{"weight_map": {"a": "b"')), RangeError, "ERR_FILE", "JSON");
  });

  it("damaged is read or refused", () => {
    withFolder((folder) => {
      cpSync(fixture("sharded"), folder, { recursive: true });
      const path = join(folder, "model.safetensors.index.json");
      const { refused } = fuzz(readFileSync(index), 7, 600, (bytes) => {
        writeFileSync(path, bytes);
        loadSafetensors(path);
      });
      expect(refused).toBeGreaterThan(300);
    });
  });
});
