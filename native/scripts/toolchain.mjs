// Says whether this machine can compile the native core: cmake, a build tool and a C++17 compiler.
// It only looks; it installs nothing and builds nothing.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const minimumCmake = { major: 3, minor: 15 };

/** @type {readonly (readonly [tool: string, hint: string])[]} */
const linuxHints = [
  ["apt-get", "apt-get install cmake g++ make"],
  ["dnf", "dnf install cmake gcc-c++ make"],
  ["apk", "apk add cmake g++ make"],
  ["pacman", "pacman -S cmake gcc make"],
  ["zypper", "zypper install cmake gcc-c++ make"],
];

/**
 * Runs a program and gives its output, or undefined when it is absent or fails.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {string} [input]
 */
function output(command, args, input) {
  const run = spawnSync(command, args, { input, encoding: "utf8" });
  return run.status === 0 ? run.stdout : undefined;
}

function hasCmake() {
  const version = /version (\d+)\.(\d+)/.exec(output("cmake", ["--version"]) ?? "");
  if (!version) return false;
  const [major, minor] = [Number(version[1]), Number(version[2])];
  return major > minimumCmake.major || (major === minimumCmake.major && minor >= minimumCmake.minor);
}

/** A compiler counts when it takes a C++17 program with the standard library's headers. */
function hasCompiler() {
  if (process.platform === "win32") return hasVisualStudio() || output("cl", []) !== undefined;
  const program = "#include <optional>\n#include <thread>\nint main() { return std::optional<int>(0).value(); }\n";
  const args = ["-std=c++17", "-fsyntax-only", "-x", "c++", "-"];
  const candidates = process.env.CXX ? [process.env.CXX] : ["c++", "g++", "clang++"];
  return candidates.some((compiler) => output(compiler, args, program) !== undefined);
}

function hasVisualStudio() {
  const programs = process.env["ProgramFiles(x86)"] ?? "C:\\Program Files (x86)";
  const vswhere = join(programs, "Microsoft Visual Studio", "Installer", "vswhere.exe");
  const component = "Microsoft.VisualStudio.Component.VC.Tools.x86.x64";
  const args = ["-latest", "-products", "*", "-requires", component, "-property", "installationPath"];
  return existsSync(vswhere) && (output(vswhere, args) ?? "").trim() !== "";
}

function hasBuildTool() {
  return process.platform === "win32" || ["ninja", "make"].some((tool) => output(tool, ["--version"]) !== undefined);
}

function howToGet() {
  if (process.platform === "darwin") return "`xcode-select --install` and `brew install cmake`";
  if (process.platform === "win32") {
    return (
      "`winget install Kitware.CMake` and `winget install Microsoft.VisualStudio.2022.BuildTools " +
      '--override "--add Microsoft.VisualStudio.Workload.VCTools --includeRecommended --passive"`'
    );
  }
  const known = linuxHints.find(([tool]) => output(tool, ["--version"]) !== undefined);
  return known ? `\`${known[1]}\`` : "your package manager (packages cmake, g++ and make)";
}

/**
 * One plain sentence on what is missing and how to get it, or undefined when nothing is.
 * @returns {string | undefined}
 */
export function missingTools() {
  const missing = [];
  if (!hasCmake()) missing.push(`cmake ${minimumCmake.major}.${minimumCmake.minor} or newer`);
  if (!hasCompiler()) missing.push("a C++17 compiler");
  if (!hasBuildTool()) missing.push("make or ninja");
  if (missing.length === 0) return undefined;
  const last = missing.pop();
  const list = missing.length === 0 ? last : `${missing.join(", ")} and ${last}`;
  return `packed-lstm needs ${list} to compile its native core: install with ${howToGet()}.`;
}
