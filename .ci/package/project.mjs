// A stranger's project: an empty folder far from the repository, in which the package is installed and programs are run.
// It states no rule about the package itself.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** @typedef {ReturnType<typeof createProject>} Project */

/** @param {boolean} holds @param {string} rule */
export function must(holds, rule) {
  if (!holds) throw new Error(`the package ${rule}`);
  console.log(`ok: ${rule}`);
}

/** @param {Readonly<Record<string, string>>} files path → text @param {string} [folder] */
export function createProject(files, folder = mkdtempSync(join(tmpdir(), "packed-lstm-package-"))) {
  /** @param {Readonly<Record<string, string>>} more */
  const write = (more) => {
    for (const [path, text] of Object.entries(more)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
  };
  write({ "package.json": '{ "name": "stranger", "private": true }', ...files });
  return {
    folder,
    write,
    /** Throws when the program fails. @param {string} command @param {readonly string[]} args */
    run(command, args, /** @type {import("node:child_process").ExecFileSyncOptions} */ options = {}) {
      return String(execFileSync(command, args, { cwd: folder, stdio: ["ignore", "pipe", "inherit"], ...options }));
    },
    /** Tells what became of it. @param {string} command @param {readonly string[]} args */
    attempt(command, args, /** @type {NodeJS.ProcessEnv} */ env = process.env) {
      return spawnSync(command, args, { cwd: folder, env, encoding: "utf8", timeout: 120_000 });
    },
    /** A PATH with Node and these programs on it, and nothing else. @param {readonly string[]} programs */
    bare(...programs) {
      const bin = join(folder, "bin");
      rmSync(bin, { recursive: true, force: true });
      mkdirSync(bin);
      symlinkSync(process.execPath, join(bin, "node"));
      for (const program of programs) symlinkSync(which(program), join(bin, program));
      return { PATH: bin };
    },
    remove() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** @param {string} program */
function which(program) {
  return execFileSync("sh", ["-c", 'command -v "$0"', program], { encoding: "utf8" }).trim();
}
