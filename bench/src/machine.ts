// What the benchmark runs on: the processor, its caches as far as the system tells, and the roof of both dtypes at each
// thread count, measured in this same run.

import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";
import { setNumThreads } from "packed-lstm";
import { readSizes } from "../../dist/runtime/floor.js";
import { betterRoofline, defaultSizes, measureRoofline, type Roofline } from "../../dist/runtime/roofline.js";
import { workOf } from "./floor.js";
import type { RunRecord } from "./record.js";
import type { Shape } from "./shapes.js";

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

/** Of two measurements of the same roofs the better figures. */
export function betterRoofs(one: readonly Roofline[], other: readonly Roofline[]): Roofline[] {
  return one.map((roof, i) => betterRoofline(roof, other[i] ?? roof));
}

/** Ten seconds or so, of which `--quick` takes a third; also at the sizes that the shapes' floors ask for. */
export function measureRoofs(
  threadCounts: readonly number[],
  quick: boolean,
  shapes: readonly Shape[] = [],
): Roofline[] {
  return threadCounts.flatMap((threads) => {
    setNumThreads(threads);
    const how = quick ? { milliseconds: 4, blocks: 3 } : {};
    return (["float32", "float64"] as const).map((dtype) => {
      const asked = shapes
        .filter((shape) => shape.dtype === dtype)
        .flatMap((shape) => readSizes(workOf(shape), threads));
      return measureRoofline({ dtype, sizes: [...defaultSizes, ...asked], ...how });
    });
  });
}
