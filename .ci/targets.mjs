// The platforms that have a prebuilt binary, as data: how each file is called, how zig names the machine, and what a
// finished binary must look like. It builds and checks nothing itself.

/**
 * @typedef {object} Target
 * @property {string} name folder and libc, as in "linux-x64-glibc"
 * @property {"linux" | "darwin" | "win32"} platform as process.platform
 * @property {"x64" | "arm64"} arch as process.arch
 * @property {"glibc" | "musl" | undefined} libc
 * @property {string} zig the machine in zig's words
 */

/** glibc 2.28 is that of RHEL 8 and Debian 10, the oldest that Node 20 runs on. */
const glibc = "gnu.2.28";

/** @type {readonly Target[]} */
export const targets = [
  { name: "linux-x64-glibc", platform: "linux", arch: "x64", libc: "glibc", zig: `x86_64-linux-${glibc}` },
  { name: "linux-x64-musl", platform: "linux", arch: "x64", libc: "musl", zig: "x86_64-linux-musl" },
  { name: "linux-arm64-glibc", platform: "linux", arch: "arm64", libc: "glibc", zig: `aarch64-linux-${glibc}` },
  { name: "linux-arm64-musl", platform: "linux", arch: "arm64", libc: "musl", zig: "aarch64-linux-musl" },
  { name: "darwin-x64", platform: "darwin", arch: "x64", libc: undefined, zig: "x86_64-macos.11.0" },
  { name: "darwin-arm64", platform: "darwin", arch: "arm64", libc: undefined, zig: "aarch64-macos.11.0" },
  { name: "win32-x64", platform: "win32", arch: "x64", libc: undefined, zig: "x86_64-windows-gnu" },
  { name: "win32-arm64", platform: "win32", arch: "arm64", libc: undefined, zig: "aarch64-windows-gnu" },
];

/** The target that this very process runs on. */
export function hostTarget() {
  const { platform, arch } = process;
  const libc = platform === "linux" ? hostLibc() : undefined;
  const found = targets.find((target) => target.platform === platform && target.arch === arch && target.libc === libc);
  if (!found) throw new Error(`no prebuilt binary is made for ${platform}-${arch}`);
  return found;
}

function hostLibc() {
  return hostGlibc() ? "glibc" : "musl";
}

/** The version of glibc that this very process runs on, or undefined. */
export function hostGlibc() {
  const report = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (process.report.getReport());
  return report.header.glibcVersionRuntime;
}

/**
 * Where a target's binary lies, from the package's root.
 * @param {Target} target
 */
export function prebuildPath({ platform, arch, libc }) {
  return `prebuilds/${platform}-${arch}/packed-lstm${libc ? `.${libc}` : ""}.node`;
}
