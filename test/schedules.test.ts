// The sharing of work under schedules that a seed decides (test/native): pool, barrier and whole passes, with aborts,
// failed allocations and threads that cannot be had. Each scenario runs under so many schedules; one that ends badly
// names its seed. Needs the tools that compile the addon; Windows has no fork.

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const build = join(root, "build", "schedules");
const program = join(build, "schedules");
const seeds = 200;

const scenarios = [
  "run calls each worker once, and as many as are idle",
  "runs of several callers share the helpers",
  "every job runs once, whoever posts it",
  "a job posted as a helper goes idle is not forgotten",
  "jobs keep their order",
  "jobs that run on the pool themselves",
  "a failed preparation loses nobody",
  "an allocation that fails loses nobody",
  "threads that cannot be had are done without",
  "a lowered limit holds, a raised one too",
  "a barrier forgets those that an abort let go",
  "a machine that is busy gets fewer workers, for a while",
  "a worker that is late is noticed",
  "a pass has the bits of one thread under every plan",
  "passes of several callers keep apart",
  "a split pass that is aborted ends, and the next one is whole",
  "a pass without memory writes nothing, and the next one is whole",
];

describe.skipIf(process.platform === "win32")("under schedules", () => {
  let lines: string[] = [];

  beforeAll(() => {
    execFileSync("cmake", ["-S", join(root, "test", "native"), "-B", build], { stdio: "pipe" });
    execFileSync("cmake", ["--build", build], { stdio: "pipe" });
    expect(existsSync(program)).toBe(true);
    const { stdout, stderr } = spawnSync(program, ["--seeds", String(seeds)], { encoding: "utf8" });
    lines = `${stdout}\n${stderr}`.split("\n");
  }, 300_000);

  it.each(scenarios)("%s", (name) => {
    expect(lines, lines.filter((line) => !line.startsWith("ok")).join("\n")).toContain(`ok: ${name}`);
  });

  it("run all that there are", () => {
    expect(lines.filter((line) => /^(ok|FAILED)/.test(line))).toHaveLength(scenarios.length);
  });
});
