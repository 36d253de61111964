// Fetches the runtimes of the matrix into build-prove/runtimes, and makes the command that runs a script in one of
// them, or says what the machine lacks for it.

import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

/** @typedef {import("./matrix.mjs").Row} Row */

/** Emulator → the Debian packages that bring it, and what it runs on. @type {Readonly<Record<string, string>>} */
const packages = {
  "qemu-aarch64": "qemu-user libc6-arm64-cross libstdc++6-arm64-cross",
  "qemu-x86_64": "qemu-user",
  wine: "wine wine64",
};

/** Any version counts: what is asked is whether a program of this name runs. @param {string} command */
function runs(command) {
  return spawnSync(command, ["--version"], { stdio: "ignore" }).status === 0;
}

/** @param {string} from an npm package @param {string} folder */
function fetchPackage(from, folder) {
  if (existsSync(join(folder, "package.json"))) return;
  mkdirSync(folder, { recursive: true });
  const packed = execFileSync("npm", ["pack", "--silent", "--pack-destination", folder, from], { encoding: "utf8" });
  const tarball = join(folder, packed.trim().split("\n").at(-1) ?? "");
  execFileSync("tar", ["xzf", tarball, "-C", folder, "--strip-components=1"]);
  rmSync(tarball);
}

/**
 * @param {Row} row @param {string} folder where runtimes are kept
 * @returns {{ command: string[], env: Record<string, string> } | { lacking: string }}
 */
export function prepare(row, folder) {
  const [emulator] = row.under ?? [];
  if (emulator && !runs(emulator)) return { lacking: `no ${emulator} here: apt-get install ${packages[emulator]}` };
  const home = join(folder, row.from.replace(/[/@]+/g, "-").replace(/^-/, ""));
  fetchPackage(row.from, home);
  const program = programOf(row, home);
  /** @type {Record<string, string>} */
  const env = row.forced ? { PACKED_LSTM_ISA: row.isa } : {};
  if (emulator === "wine") {
    Object.assign(env, { WINEPREFIX: join(folder, "wine"), WINEDEBUG: "-all", NODE_SKIP_PLATFORM_CHECK: "1" });
  }
  if (!row.libc) return { command: [...(row.under ?? []), program, ...(row.args ?? [])], env };
  const loader = muslLoader(row.libc);
  if (!loader) {
    const name = variable(row.libc);
    return { lacking: `no musl here: name in ${name} a folder with its loader, libstdc++.so.6 and libgcc_s.so.1` };
  }
  const libraries = ["--library-path", dirname(loader)];
  return { command: [...(row.under ?? []), loader, ...libraries, program, ...(row.args ?? [])], env };
}

/** @param {Row} row @param {string} home */
function programOf(row, home) {
  const program = join(home, row.program);
  if (!row.renamed) return program;
  const renamed = join(home, row.renamed);
  copyFileSync(program, renamed);
  return renamed;
}

/** @param {string} libc */
function variable(libc) {
  return `PROVE_${libc.toUpperCase().replace("-", "_")}`;
}

/** musl's loader, 1.2.4 or newer: Bun is linked with relative relocations. @param {"musl-x64" | "musl-arm64"} libc */
function muslLoader(libc) {
  const folder = process.env[variable(libc)];
  const path = folder && join(folder, `ld-musl-${libc === "musl-x64" ? "x86_64" : "aarch64"}.so.1`);
  return path && existsSync(path) ? path : undefined;
}
