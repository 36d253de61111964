// The command line as people and programs call it: every command through a pipe and on a terminal, a file through `run`
// in every format, and `build`. A terminal is what `script` makes (Debian's bsdutils, which every Debian has).

import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { must } from "./project.mjs";

/** @typedef {import("./project.mjs").Project} Project */

const main = "node_modules/packed-lstm/dist/cli/main.js";
const formats = ["npy", "npz", "parquet", "jsonl"];

const makeModels = `
import { LSTM, saveSafetensors } from "packed-lstm";
saveSafetensors("model.safetensors", new LSTM(2, 3).stateDict());
saveSafetensors("next.safetensors", new LSTM(3, 2).stateDict());
saveSafetensors("large.safetensors", new LSTM(2, 512).stateDict());
`;

/** @param {Project} project @param {Record<string, string>} env */
export function checkCommandLine(project, env) {
  const cli = (/** @type {string[]} */ ...args) => project.run("node", [main, ...args], { env });
  must(/^\d+\.\d+\.\d+\n$/.test(cli("--version")), "has a command line");
  const commands = [...cli("--help").matchAll(/^ {2}(\w+) {2,}\S/gm)].map(([, name = ""]) => name);
  must(
    commands.length >= 4 && commands.every((name) => cli(name, "--help").includes("Usage:")),
    `has ${commands.join(", ")}`,
  );
  project.write({ "save.mjs": makeModels, "in.jsonl": "[[1, 2], [3, 4]]\n[[5, 6]]\n" });
  project.run("node", ["save.mjs"], { env });
  must(cli("inspect", "model.safetensors").includes("LSTM(2, 3)"), "inspects a model");
  for (const format of formats)
    cli("run", "-m", "model.safetensors", "-i", "in.jsonl", "-o", `out.${format}`, "--quiet");
  must(
    formats.every((format) => existsSync(join(project.folder, `out.${format}`))),
    "runs a model over a file, into every format",
  );
  for (const format of formats) {
    const column = format === "npy" ? [] : ["--column", "output"];
    cli("run", "-m", "next.safetensors", "-i", `out.${format}`, "-o", `from-${format}.jsonl`, "--quiet", ...column);
  }
  must(true, "runs a model over a file of every format");
}

/**
 * What a command writes to a terminal, both streams together, and what it ended with.
 * @param {Project} project @param {NodeJS.ProcessEnv} env @param {string[]} args
 */
function onTerminal(project, env, ...args) {
  const { status, stdout, error } = project.attempt(
    "script",
    ["-qec", `node ${main} ${args.join(" ")}`, "/dev/null"],
    env,
  );
  if (error) throw new Error(`no terminal to try it on: ${error.message} (script, of bsdutils or util-linux)`);
  return { status, text: stdout };
}

/** @param {Project} project */
export function checkTerminal(project) {
  const env = { ...project.bare("script"), SHELL: "/bin/sh", TERM: "xterm", PACKED_LSTM_NUM_THREADS: "1" };
  // A bar is for work that takes its time.
  const sequence = JSON.stringify(Array.from({ length: 50 }, (_, t) => [t, -t]));
  project.write({ "many.jsonl": `${sequence}\n`.repeat(800) });
  const work = ["-m", "large.safetensors", "-i", "many.jsonl", "-o", "seen.npz", "--last", "--tokens", "1000"];
  const shown = onTerminal(project, env, "run", ...work);
  must(shown.status === 0, `runs on a terminal${shown.status === 0 ? "" : `, which says ${shown.text}`}`);
  must(/█ 100% .*800 of 800 sequences/.test(shown.text), "shows how far it is there");
  must(existsSync(join(project.folder, "seen.npz")), "leaves its output");
  must(!readdirSync(project.folder).some((name) => name.includes(".partial")), "leaves nothing else");
  const quiet = onTerminal(
    project,
    env,
    "run",
    "-m",
    "model.safetensors",
    "-i",
    "in.jsonl",
    "-o",
    "quiet.npz",
    "--quiet",
  );
  must(quiet.status === 0 && quiet.text === "", "is quiet there when told to be");
  const inspected = onTerminal(project, env, "inspect", "model.safetensors");
  must(inspected.status === 0 && inspected.text.includes("LSTM(2, 3)"), "inspects a model there");
  const measured = onTerminal(project, env, "bench", "--model", "model.safetensors");
  must(measured.status === 0 && /of roof/.test(measured.text), "measures a model there");
  const wrong = onTerminal(project, env, "run", "--modle", "x");
  must(wrong.status === 2 && wrong.text.includes("--model"), "says what is wrong there");
}

/** The command that builds from source: says what is missing, then builds what the loader takes before a prebuilt one. */
export function checkBuild(/** @type {Project} */ project) {
  const bare = project.bare();
  const { status, stderr } = project.attempt("node", [main, "build"], bare);
  must(status === 1 && /needs cmake.*compiler.*install with/.test(stderr), "says what building from source lacks");
  rmSync(join(project.folder, "node_modules/packed-lstm/prebuilds"), { recursive: true });
  for (const file of ["import.mjs", "require.cjs"]) {
    const none = project.attempt("node", [file], bare);
    must(
      none.status === 1 && none.stderr.includes(`${process.platform}-${process.arch}`),
      `names the platform in ${file}`,
    );
    must(
      /ERR_NATIVE/.test(none.stderr) && none.stderr.includes("npx packed-lstm build"),
      "names the command that builds one",
    );
  }
  project.run("node", [main, "build"]);
  for (const file of ["import.mjs", "require.cjs"]) project.run("node", [file], { env: bare });
  must(true, "builds from source, offline, and runs that");
}
