// Finds zig, the compiler behind `npm run prebuild -- --all`. Releases and their makers need it, nobody else.

import { spawnSync } from "node:child_process";
import { join } from "node:path";

/** @param {string} command @param {readonly string[]} args */
function output(command, args) {
  const run = spawnSync(command, args, { encoding: "utf8" });
  return run.status === 0 ? run.stdout.trim() : undefined;
}

/** PyPI's wheel carries the program beside its Python module. */
function fromPython() {
  const script = "import ziglang, os; print(os.path.dirname(ziglang.__file__))";
  for (const python of ["python3", "python"]) {
    const folder = output(python, ["-c", script]);
    if (folder) return join(folder, process.platform === "win32" ? "zig.exe" : "zig");
  }
  return undefined;
}

/** The path of a zig that runs, or undefined. */
export function findZig() {
  const candidates = [() => process.env.ZIG, () => "zig", fromPython];
  return candidates.map((candidate) => candidate()).find((path) => path && output(path, ["version"]) !== undefined);
}

export const howToGetZig =
  "cross-compiling needs zig: `pip install ziglang` (any virtual environment on PATH will do), " +
  "or put zig on PATH, or name it in the environment variable ZIG.";
