// Every reader of files, given damaged ones: a value or an error with a code must come out, within a second of computing
// and with memory in proportion to the file. A reader is one line in `readers`.

import { rmSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { openInput } from "../../lib/cli/run-input.js";
import { loadKeras, loadOnnx, loadSafetensors, loadTorch, loadWeights } from "../../lib/index.js";
import { type Below, mutate } from "../support/mutate.js";
import { fixtures, type Seed, sequences } from "./files.js";
import type { Attack, Outcome, Place, Target } from "./target.js";

interface Reader {
  readonly name: string;
  /** Its part of the time. */
  readonly share: number;
  /** Good files, each no larger than 256 KiB. */
  readonly seeds: (root: string) => Seed[];
  readonly read: (path: string) => unknown;
}

/** Sequences as `run` takes them from a file: all of them, in turn. */
async function readSequences(path: string, column = "x"): Promise<number> {
  const options = { dtype: "float32", inputSize: 3, batchFirst: false, column, lengths: undefined, keep: [] };
  const input = await openInput(path, options as never);
  let count = 0;
  for await (const sequence of input.sequences(0, input.count ?? Number.MAX_SAFE_INTEGER) as AsyncIterable<unknown>)
    count += Number(sequence !== null);
  return count;
}

/** To have a reader attacked, add it here. */
const readers: readonly Reader[] = [
  { name: "safetensors", share: 1, seeds: (root) => fixtures(root, [".safetensors"]), read: loadSafetensors },
  {
    name: "torch",
    share: 3,
    seeds: (root) => fixtures(root, [".pt", ".pth", ".pt2", ".pkl"]),
    read: (path) => loadTorch(path),
  },
  { name: "onnx", share: 2, seeds: (root) => fixtures(root, [".onnx"]), read: loadOnnx },
  { name: "keras", share: 2, seeds: (root) => fixtures(root, [".h5", ".keras"]), read: loadKeras },
  { name: "numpy", share: 1, seeds: (root) => fixtures(root, [".npz"]), read: (path) => loadTorch(path) },
  {
    name: "weights",
    share: 2,
    seeds: (root) => fixtures(root, [".pt", ".onnx", ".h5", ".keras", ".safetensors", ".npz"]),
    read: (path) => loadWeights(path),
  },
  { name: "npy", share: 1, seeds: sequences[".npy"], read: (path) => readSequences(path) },
  { name: "npz", share: 1, seeds: sequences[".npz"], read: (path) => readSequences(path) },
  { name: "jsonl", share: 1, seeds: sequences[".jsonl"], read: (path) => readSequences(path) },
  {
    name: "parquet",
    share: 2,
    seeds: (root) => fixtures(root, [".parquet"]),
    read: (path) => readSequences(path, "input"),
  },
];

const mostSeconds = 1;
/** Bytes a case may add to the most the process has ever had: what a runtime takes for itself, and a multiple of the file. */
const room = (size: number): number => 2 ** 27 + 16 * size;

const seconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
const most = (): number => process.resourceUsage().maxRSS * 1024;

class ReaderAttack implements Attack {
  readonly #reader: Reader;
  readonly #seeds: Seed[];
  readonly #folder: string;
  #path = "";

  /** @throws Error when none of the files is read as it is: then the damage would prove nothing */
  static async open(reader: Reader, place: Place): Promise<ReaderAttack> {
    const attack = new ReaderAttack(reader, place);
    const refused: string[] = [];
    for (const seed of attack.#seeds) {
      attack.#write(seed, seed.bytes);
      try {
        await reader.read(attack.#path);
        return attack;
      } catch (error) {
        refused.push(`${seed.name}: ${String(error)}`);
      }
    }
    throw new Error(`${reader.name}: no good file is read: ${refused.join("; ")}`);
  }

  private constructor(reader: Reader, { root, folder }: Place) {
    this.#reader = reader;
    this.#folder = folder;
    this.#seeds = reader.seeds(root);
    if (this.#seeds.length === 0) throw new Error(`${reader.name}: there is no file to damage`);
  }

  async run(below: Below): Promise<Outcome> {
    const seed = this.#seeds[below(this.#seeds.length)] as Seed;
    let bytes = seed.bytes;
    for (let i = below(3); i >= 0 && bytes.length > 0; i--) bytes = mutate(bytes, below);
    this.#write(seed, bytes);
    const [before, began] = [most(), seconds()];
    const kind = await this.#outcome();
    const [took, grown] = [seconds() - began, most() - before];
    if (took > mostSeconds) throw new Error(`${seed.name}: ${kind} after ${took.toFixed(2)} s of computing`);
    if (grown > room(bytes.length)) {
      throw new Error(`${seed.name}: ${kind} with ${grown >> 20} MiB for a file of ${bytes.length} bytes`);
    }
    return { kind };
  }

  #write({ name }: Seed, bytes: Uint8Array): void {
    rmSync(this.#path, { force: true });
    this.#path = join(this.#folder, `case${extname(name)}`);
    writeFileSync(this.#path, bytes);
  }

  async #outcome(): Promise<string> {
    try {
      await this.#reader.read(this.#path);
      return "read";
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (error instanceof Error && typeof code === "string" && code.startsWith("ERR_")) return "refused";
      throw new Error(`an error without a code: ${String(error)}`, { cause: error });
    }
  }
}

export const readerTargets: readonly Target[] = readers.map((reader) => ({
  name: reader.name,
  what: `damaged ${reader.name} files`,
  share: reader.share,
  open: (place) => ReaderAttack.open(reader, place),
}));
