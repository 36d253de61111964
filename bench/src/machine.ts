// What the benchmark runs on: the processor, its caches as far as the system tells, and the roof of both dtypes at each
// thread count, measured in this same run.

import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";
import { setNumThreads } from "packed-lstm";
import { measureRoofline, type Roofline } from "../../dist/runtime/roofline.js";
import type { RunRecord } from "./record.js";

/** Linux tells; elsewhere the list is empty, and the chart goes without names of caches. */
function caches(): RunRecord["machine"]["caches"] {
  const folder = "/sys/devices/system/cpu/cpu0/cache";
  const read = (name: string, what: string): string => readFileSync(`${folder}/${name}/${what}`, "utf8").trim();
  try {
    return readdirSync(folder)
      .filter((name) => name.startsWith("index") && read(name, "type") !== "Instruction")
      .map((name) => ({
        name: `L${read(name, "level")}`,
        bytes: Number.parseInt(read(name, "size"), 10) * 1024,
      }))
      .sort((a, b) => a.bytes - b.bytes);
  } catch {
    return [];
  }
}

export function machineNow(): RunRecord["machine"] {
  const model = cpus()[0]?.model.trim() ?? "unknown processor";
  const { platform, arch } = process;
  return {
    ...{ model, cores: availableParallelism(), memory: totalmem(), platform, arch },
    ...{ load: [loadavg()], caches: caches() },
  };
}

/** Of two measurements of the same roofs the better figures: a limit is what was reached at any time. */
export function betterRoofs(one: readonly Roofline[], other: readonly Roofline[]): Roofline[] {
  return one.map((roof, i) => {
    const again = other[i] ?? roof;
    const reads = roof.reads.map(({ bytes, rate }, r) => ({ bytes, rate: Math.max(rate, again.reads[r]?.rate ?? 0) }));
    return { ...roof, flops: Math.max(roof.flops, again.flops), reads };
  });
}

/** About four seconds, of which `--quick` takes one. */
export function measureRoofs(threadCounts: readonly number[], quick: boolean): Roofline[] {
  return threadCounts.flatMap((threads) => {
    setNumThreads(threads);
    const how = quick ? { milliseconds: 4, blocks: 2 } : {};
    return (["float32", "float64"] as const).map((dtype) => measureRoofline({ dtype, ...how }));
  });
}
