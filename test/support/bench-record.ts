// A small record, as a run of the benchmark might have left it: figures chosen so that what follows can be worked out by
// hand. One shape is dense and faster than the peers, one is dense and slower than one of them, one is packed.

import type { Outcome, RunRecord } from "../../bench/src/record.js";
import type { Shape } from "../../bench/src/shapes.js";

export const base: Shape = {
  set: "workloads",
  workload: "made up",
  steps: 10,
  batch: 64,
  inputSize: 256,
  hiddenSize: 256,
  layers: 1,
  directions: 1,
  dtype: "float32",
};

const timing = (median: number) => ({ median, fastest: median, samples: 9, manner: "made up" });

/** 10·64 rows × 2·4·256·512 FLOP = 671,088,640 a pass. */
export function outcome(
  threads: number,
  ours: number,
  peers: Record<string, number>,
  shape: Partial<Shape> = {},
): Outcome {
  const timed = Object.entries(peers).map(([name, median]) => [name, { timing: timing(median), difference: 1e-7 }]);
  return { shape: { ...base, ...shape }, threads, ours: timing(ours), peers: Object.fromEntries(timed) };
}

const single = { batch: 1, hiddenSize: 1024, inputSize: 1024, workload: "one" } as const;
const lengths = { lengths: [10, 5, 1], batch: 3, workload: "packed", set: "packed" } as const;

export const record: RunRecord = {
  date: "2026-11-25T00:00:00.000Z",
  quick: false,
  machine: {
    ...{ model: "A <Processor>", cores: 2, memory: 2 ** 33, platform: "linux", arch: "x64" },
    load: [[0, 0, 0]],
    caches: [
      { name: "L1", bytes: 2 ** 15 },
      { name: "L2", bytes: 2 ** 20 },
      { name: "L3", bytes: 2 ** 25 },
    ],
  },
  isa: "avx512",
  compiler: "gcc 12.2",
  versions: { "packed-lstm": "0.1.0", node: "20.20.2", onnxruntime: "1.30.0", torch: "2.15.0" },
  missing: { tfjs: "not installed" },
  roofs: [1, 2].map((threads) => ({
    ...{ dtype: "float32" as const, threads, flops: threads * 1e11 },
    reads: [14, 16, 18, 20, 22, 24, 26, 28].map((power) => ({ bytes: 2 ** power, rate: threads * 1e11 })),
  })),
  outcomes: [
    outcome(1, 8, { onnxruntime: 16, torch: 12 }),
    outcome(2, 4, { onnxruntime: 16, torch: 8 }),
    outcome(1, 1, { onnxruntime: 0.5, torch: 2 }, single),
    outcome(2, 0.5, { onnxruntime: 0.5, torch: 1 }, single),
    outcome(1, 1, { onnxruntime: 3.5 }, lengths),
    { ...outcome(2, 0.5, {}, lengths), peers: { onnxruntime: { failure: "broke" }, torch: { unsupported: "cannot" } } },
  ],
  calls: {
    sync: 1,
    async: 1.02,
    addedMicroseconds: 20,
    nodeAddedMicroseconds: 25,
    heldMedian: 0.3,
    heldMax: 1.4,
    loopDelayMax: 3,
    loopDelayIdle: 0.2,
  },
  float16: [
    {
      ...{ shape: { ...base, ...single, stepped: true }, threads: 1 },
      ...{ float32: timing(0.6), float16: timing(0.4) },
    },
  ],
  growth: {
    sweeps: [
      {
        ...{ name: "steps T", unit: "steps", threads: 1 },
        points: [1, 10, 100].map((x) => ({ x, ms: 2 * x })),
      },
    ],
    memory: [{ sequences: 2, rows: 100, longest: 80, data: 2 ** 20, peakOver: 2 ** 21 }],
  },
};
