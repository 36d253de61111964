// `build`: compiles the addon from the sources in the package, where no prebuilt binary fits. The work is done by
// native/scripts/build.mjs, which needs no addon and is not compiled.

import type { Command } from "./command.js";

/** A URL rather than an import: the script is no part of lib/. */
const script = new URL("../../native/scripts/build.mjs", import.meta.url);

export const command: Command = {
  usage: "",
  words: 0,
  options: {},
  details: [
    "Needs cmake and a C++17 compiler, and says how to get what is missing; no network. The result belongs to this",
    "installation of the package and is preferred over the prebuilt binaries: run it again after every update.",
  ],
  async run() {
    const { buildFromSource } = (await import(script.href)) as { buildFromSource(): string };
    process.stdout.write(`built ${buildFromSource()}\n`);
  },
};
