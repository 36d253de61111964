// Compiles the addon in an installed package, for a platform without a prebuilt binary: CMake alone, since an installed
// package has no development dependencies, and no network. `packed-lstm build` calls it. The result lies where the
// loader looks first.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { missingTools } from "./toolchain.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const folder = join(root, "build");

/** Visual Studio builds for its own processor unless told; it also puts the C++ runtime in. */
const windowsArguments = [
  ...["-A", process.arch === "arm64" ? "ARM64" : "x64"],
  "-DCMAKE_MSVC_RUNTIME_LIBRARY=MultiThreaded",
];

/** @param {readonly string[]} args */
function cmake(args) {
  const { status, error } = spawnSync("cmake", args, { stdio: "inherit" });
  if (status !== 0) throw new Error(`cmake failed${error ? `: ${error.message}` : "; its output is above"}`);
}

/**
 * @returns {string} the path of the addon
 * @throws Error when a tool is missing, or compiling or loading fails
 */
export function buildFromSource() {
  const missing = missingTools();
  if (missing) throw new Error(missing.replace(/^packed-lstm: */, ""));
  const output = join(folder, "Release");
  const outputs = ["LIBRARY", "RUNTIME"].map((kind) => `-DCMAKE_${kind}_OUTPUT_DIRECTORY_RELEASE=${output}`);
  const options = ["-DCMAKE_BUILD_TYPE=Release", ...outputs, ...(process.platform === "win32" ? windowsArguments : [])];
  cmake(["-S", root, "-B", folder, ...options]);
  cmake(["--build", folder, "--config", "Release", "--parallel"]);
  const path = join(output, "packed_lstm.node");
  if (!existsSync(path)) throw new Error(`cmake reports success, yet there is no ${path}`);
  const check = spawnSync(process.execPath, ["-e", "require(process.argv[1])", path], { encoding: "utf8" });
  if (check.status !== 0) throw new Error(`built, but it does not load: ${check.stderr}`);
  return path;
}
