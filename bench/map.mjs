// The batch job beside the core: `LSTM.map` and `packed-lstm run` over 100,000 sequences as fractions of one big packed
// call's throughput, and peak memory against the number of sequences. Needs a compiled package, nothing else.
// Usage: node bench/map.mjs throughput | command-line | memory

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  getNumThreads,
  LSTM,
  manualSeed,
  PackedSequence,
  rand,
  runtimeInfo,
  saveSafetensors,
  Tensor,
} from "../dist/index.js";

const [inputSize, hiddenSize, shortest, longest] = [64, 128, 5, 60];
const lengthOf = (/** @type {number} */ i) => shortest + (((i * 2654435761) >>> 0) % (longest - shortest + 1));
const median = (/** @type {number[]} */ times) => times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0;

/** Sequences cut out of one pool of rows, made as they are asked for. */
function* sequences(/** @type {Tensor} */ pool, /** @type {number} */ count) {
  const rows = /** @type {number} */ (pool.shape[0]);
  let row = 0;
  for (let i = 0; i < count; i++) {
    const length = lengthOf(i);
    if (row + length > rows) row = 0;
    yield new Tensor(pool.data.subarray(row * inputSize, (row + length) * inputSize), [length, inputSize]);
    row += length;
  }
}

async function throughput(/** @type {boolean} */ ofCommandLine) {
  const count = 100_000;
  manualSeed(0);
  const lstm = new LSTM(inputSize, hiddenSize);
  const batchSizes = new Int32Array(longest);
  let rows = 0;
  for (let i = 0; i < count; i++) {
    rows += lengthOf(i);
    for (let t = 0; t < lengthOf(i); t++) batchSizes[t]++;
  }
  const pool = rand([rows, inputSize]);
  const packed = new PackedSequence(pool, batchSizes);
  /** @type {Record<string, number[]>} */
  const times = { core: [], all: [], last: [] };
  const time = async (/** @type {string} */ name, /** @type {() => unknown} */ work) => {
    const started = performance.now();
    await work();
    times[name]?.push(performance.now() - started);
  };
  for (let round = 0; round < 3; round++) {
    await time("core", () => lstm.forward(packed));
    for (const outputs of /** @type {("all" | "last")[]} */ (ofCommandLine ? [] : ["all", "last"])) {
      await time(outputs, async () => {
        for await (const { hn } of lstm.map(sequences(pool, count), { outputs }))
          if (hn.size === 0) throw new Error("no state");
      });
    }
  }
  const core = median(times.core ?? []);
  console.log(`${count} sequences of ${shortest} to ${longest} steps (${rows} in all), ${inputSize} to ${hiddenSize}`);
  console.log(`${getNumThreads()} threads, ${runtimeInfo().isa}; one packed call ${(core / 1000).toFixed(2)} s`);
  if (ofCommandLine) return commandLine(lstm, pool, count, core);
  for (const name of ["all", "last"]) {
    console.log(`map, outputs "${name}": ${(core / median(times[name] ?? [])).toFixed(3)} of its throughput`);
  }
}

/** The whole process counts: start, reading, computing, and writing the file. */
function commandLine(
  /** @type {LSTM} */ lstm,
  /** @type {Tensor} */ pool,
  /** @type {number} */ count,
  /** @type {number} */ core,
) {
  const folder = mkdtempSync(join(tmpdir(), "packed-lstm-bench-"));
  const path = (/** @type {string} */ name) => join(folder, name);
  try {
    saveSafetensors(path("model.safetensors"), lstm.stateDict());
    const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${pool.shape.join(", ")}), }`.padEnd(117);
    writeFileSync(path("rows.npy"), Buffer.from(`\x93NUMPY\x01\x00\x76\x00${header}\n`, "latin1"));
    writeFileSync(path("rows.npy"), new Uint8Array(pool.data.buffer, pool.data.byteOffset, pool.data.byteLength), {
      flag: "a",
    });
    writeFileSync(path("lengths.txt"), Array.from({ length: count }, (_, i) => lengthOf(i)).join("\n"));
    const cli = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
    const files = ["-m", path("model.safetensors"), "-i", path("rows.npy"), "--lengths", path("lengths.txt")];
    for (const more of [["--last"], []]) {
      const started = performance.now();
      const { status, stderr } = spawnSync(process.execPath, [
        cli,
        "run",
        ...files,
        "-o",
        path("out.npy"),
        "--quiet",
        ...more,
      ]);
      if (status !== 0) throw new Error(String(stderr));
      const share = core / (performance.now() - started);
      const size = (statSync(path("out.npy")).size / 2 ** 20).toFixed();
      console.log(`packed-lstm run ${more.join(" ") || "(every output)"}: ${share.toFixed(3)}, ${size} MiB written`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function job(/** @type {number} */ count, /** @type {"all" | "last"} */ outputs) {
  const lstm = new LSTM(inputSize, 32); // small, so that a million take seconds
  const pool = rand([10_000, inputSize]);
  for await (const { hn } of lstm.map(sequences(pool, count), { outputs }))
    if (hn.size === 0) throw new Error("no state");
  console.log(Math.round(process.resourceUsage().maxRSS / 1024));
}

function memory() {
  for (const outputs of ["all", "last"]) {
    for (const count of [1e3, 1e4, 1e5, 1e6]) {
      const { stdout } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), "job", String(count), outputs]);
      console.log(`outputs "${outputs}", ${count} sequences: ${String(stdout).trim()} MiB at most`);
    }
  }
}

const [what, count, outputs] = process.argv.slice(2);
if (what === "throughput") await throughput(false);
else if (what === "command-line") await throughput(true);
else if (what === "memory") memory();
else if (what === "job") await job(Number(count), outputs === "all" ? "all" : "last");
else throw new Error("usage: node bench/map.mjs throughput | command-line | memory");
