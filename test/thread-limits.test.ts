// The default number of threads: what native/base/limits.cc reads off a machine, over faked files and, where this process may
// make one, in a real control group; and which of the reasons runtimeInfo names.

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compiler, compiles } from "./support/compiler.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "packed-lstm-limits-"));
const program = join(folder, "thread-limits");
const addon =
  process.env.PACKED_LSTM_BINARY ?? createRequire(import.meta.url).resolve("../build/Release/packed_lstm.node");
afterAll(() => rmSync(folder, { recursive: true }));

type Files = Readonly<Record<string, string>>;

const v2Mount = "31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
const v1Mount = "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n";
const v1 = "sys/fs/cgroup/cpu,cpuacct";

let fakes = 0;
/** What a machine of these files gives, as "threads from". */
function limitOf(files: Files, processors: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7]): string {
  const fake = join(folder, String(fakes++));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(fake, path)), { recursive: true });
    writeFileSync(join(fake, path), text);
  }
  return execFileSync(program, [fake, ...processors.map(String)], { encoding: "utf8" }).trim();
}

/** Version 2, this process in /pod/box, with these limits of the groups from the root down. */
function v2(...limits: readonly (string | undefined)[]): Files {
  const files: Record<string, string> = {
    "proc/self/mountinfo": v2Mount,
    "proc/self/cgroup": "0::/pod/box\n",
  };
  for (const [i, group] of ["", "/pod", "/pod/box"].entries()) {
    if (limits[i] !== undefined) files[`sys/fs/cgroup${group}/cpu.max`] = `${limits[i]}\n`;
  }
  return files;
}

function siblings(...lists: readonly string[]): Files {
  return Object.fromEntries(
    lists.map((list, i) => [`sys/devices/system/cpu/cpu${i}/topology/thread_siblings_list`, `${list}\n`]),
  );
}

describe.skipIf(!compiles)("the default number of threads (a C++ compiler is needed)", () => {
  beforeAll(() => {
    const sources = ["test/support/thread-limits.cc", "native/base/limits.cc"];
    execFileSync(compiler, ["-std=c++17", "-O1", "-Inative", ...sources, "-o", program], { cwd: root });
  }, 60_000);

  it.each<[what: string, files: Files, expected: string]>([
    ["no files at all", {}, "8 affinity"],
    ["a quota of two", v2(undefined, undefined, "200000 100000"), "2 quota"],
    ["a fraction, rounded up", v2(undefined, undefined, "250000 100000"), "3 quota"],
    ["less than one", v2(undefined, undefined, "5000 100000"), "1 quota"],
    ["one that does not bind", v2(undefined, undefined, "900000 100000"), "8 affinity"],
    ["none", v2("max 100000", "max 100000", "max 100000"), "8 affinity"],
    ["the least along the path: the group above", v2(undefined, "150000 100000", "400000 100000"), "2 quota"],
    ["the least along the path: the root", v2("100000 100000", "max 100000", "400000 100000"), "1 quota"],
    ["no number", v2(undefined, undefined, "many 100000"), "8 affinity"],
    ["no period", v2(undefined, undefined, "100000"), "8 affinity"],
    ["a period of 0", v2(undefined, undefined, "100000 0"), "8 affinity"],
    ["a negative quota", v2(undefined, undefined, "-5 100000"), "8 affinity"],
    ["a number too large", v2(undefined, undefined, `1${"0".repeat(400)} 100000`), "8 affinity"],
    ["an empty file", v2(undefined, undefined, ""), "8 affinity"],
    ["no hierarchy mounted", { "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "100000 100000" }, "8 affinity"],
    [
      "version 2, seen from inside a container",
      {
        "proc/self/mountinfo": v2Mount.replace(" / /sys", " /kubepods/pod7/box /sys"),
        "proc/self/cgroup": "0::/kubepods/pod7/box\n",
        "sys/fs/cgroup/cpu.max": "100000 100000\n",
      },
      "1 quota",
    ],
    [
      "version 2, in a group below the one that is mounted",
      {
        "proc/self/mountinfo": v2Mount.replace(" / /sys", " /kubepods/pod7 /sys"),
        "proc/self/cgroup": "0::/kubepods/pod7/box\n",
        "sys/fs/cgroup/box/cpu.max": "200000 100000\n",
      },
      "2 quota",
    ],
    [
      "version 1, of another period",
      {
        "proc/self/mountinfo": v1Mount,
        "proc/self/cgroup": "4:cpu,cpuacct:/box\n",
        [`${v1}/box/cpu.cfs_quota_us`]: "100000\n",
        [`${v1}/box/cpu.cfs_period_us`]: "50000\n",
      },
      "2 quota",
    ],
    [
      "version 1",
      {
        "proc/self/mountinfo": v1Mount,
        "proc/self/cgroup": "9:name=systemd:/x\n4:cpu,cpuacct:/box\n0::/other\n",
        [`${v1}/box/cpu.cfs_quota_us`]: "300000\n",
        [`${v1}/box/cpu.cfs_period_us`]: "100000\n",
      },
      "3 quota",
    ],
    [
      "version 1 without a quota",
      {
        "proc/self/mountinfo": v1Mount,
        "proc/self/cgroup": "4:cpu,cpuacct:/\n",
        [`${v1}/cpu.cfs_quota_us`]: "-1\n",
        [`${v1}/cpu.cfs_period_us`]: "100000\n",
      },
      "8 affinity",
    ],
    [
      "both versions: the one that limits",
      {
        "proc/self/mountinfo": v1Mount + v2Mount.replace("/sys/fs/cgroup", "/sys/fs/cgroup/unified"),
        "proc/self/cgroup": "4:cpu,cpuacct:/box\n0::/box\n",
        [`${v1}/box/cpu.cfs_quota_us`]: "-1\n",
        [`${v1}/box/cpu.cfs_period_us`]: "100000\n",
        "sys/fs/cgroup/unified/box/cpu.max": "200000 100000\n",
      },
      "2 quota",
    ],
    ["two threads a core", siblings("0,4", "1,5", "2,6", "3,7", "0,4", "1,5", "2,6", "3,7"), "4 cores"],
    ["a thread a core", siblings("0", "1", "2", "3", "4", "5", "6", "7"), "8 affinity"],
    ["cores that are not told", siblings("0,1", "0,1"), "7 cores"],
    [
      "a quota below the cores",
      { ...siblings("0-1", "0-1", "2-3", "2-3", "4-5", "4-5", "6-7", "6-7"), ...v2("300000 100000") },
      "3 quota",
    ],
  ])("%s", (_, files, expected) => {
    expect(limitOf(files)).toBe(expected);
  });

  it("counts the processors of the mask alone", () => {
    expect(limitOf(siblings("0,2", "1,3", "0,2", "1,3"), [1])).toBe("1 affinity");
    expect(limitOf(siblings("0,2", "1,3", "0,2", "1,3"), [1, 3])).toBe("1 cores");
  });
});

/** What a new process reports, started by these words. */
function reported(words: readonly string[], env: NodeJS.ProcessEnv = {}, then = ""): string {
  const script = `const b = require(${JSON.stringify(addon)}); ${then}
    const { threads, threadsFrom } = b.runtimeInfo(); console.log(threads, threadsFrom)`;
  const [file, ...rest] = [...words, process.execPath, "-e", script];
  const clean = { ...process.env, PACKED_LSTM_NUM_THREADS: "", ...env };
  return execFileSync(file!, rest, { env: clean, encoding: "utf8" }).trim();
}

describe("runtimeInfo names what decided", () => {
  it("the environment, then setNumThreads", () => {
    expect(reported([], { PACKED_LSTM_NUM_THREADS: "3" })).toBe("3 environment");
    expect(reported([], { PACKED_LSTM_NUM_THREADS: "3" }, "b.setNumThreads(2);")).toBe("2 setNumThreads");
  });

  const controller = ["/sys/fs/cgroup/cpu", "/sys/fs/cgroup"].find((path) =>
    existsSync(join(path, path.endsWith("cpu") ? "cpu.cfs_quota_us" : "cgroup.subtree_control")),
  );
  const unified = controller === "/sys/fs/cgroup";
  const group = controller === undefined ? "" : join(controller, `packed-lstm-test-${process.pid}`);

  /** Whether a group with a quota of half a processor could be made. */
  function made(): boolean {
    if (controller === undefined || process.platform !== "linux") return false;
    try {
      mkdirSync(group);
      if (unified) writeFileSync(join(group, "cpu.max"), "50000 100000");
      else writeFileSync(join(group, "cpu.cfs_quota_us"), "50000");
      return true;
    } catch {
      if (existsSync(group)) rmdirSync(group);
      return false;
    }
  }

  const real = made();
  afterAll(() => {
    if (real) spawnSync("rmdir", [group]);
  });

  it.skipIf(!real || availableParallelism() < 2)(
    "a real control group's quota (one can be made, and there are two processors)",
    () => {
      const join_ = `echo $$ > ${group}/cgroup.procs && exec "$0" "$@"`;
      expect(reported(["sh", "-c", join_])).toBe("1 quota");
    },
  );
});
