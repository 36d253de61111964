#!/usr/bin/env node
// The command line: which commands there are, and what their end means to the shell. A command is loaded when it is
// called, so that `build` and `--help` work where no addon does.

import { readFileSync } from "node:fs";
import { type Command, closest, commandHelp, parse, UsageError } from "./command.js";

interface Entry {
  readonly summary: string;
  readonly load: () => Promise<{ command: Command }>;
}

/** One line a command. */
const entries: Readonly<Record<string, Entry>> = {
  build: { summary: "compiles the addon from source", load: () => import("./build.js") },
  inspect: { summary: "what layers a model file holds, and how each is built", load: () => import("./inspect.js") },
  run: { summary: "a model over a file of sequences", load: () => import("./run.js") },
  bench: { summary: "this machine against its own roof", load: () => import("./bench.js") },
};

const exitCodes = "Exit codes: 0 when all went well, 1 when the work failed, 2 when the command line was wrong.";

function overview(): string {
  const lines = Object.entries(entries).map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`);
  return [
    "packed-lstm: torch.nn.LSTM, GRU and RNN for Node.js, from the command line",
    "",
    "Usage: packed-lstm COMMAND [OPTIONS]",
    "",
    "Commands:",
    ...lines,
    "",
    "  packed-lstm COMMAND --help   more about a command",
    "  packed-lstm --version        the version of this package",
    "",
    exitCodes,
  ].join("\n");
}

function packageVersion(): string {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** A message may quote a file, which may hold what a terminal would obey. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

async function main(args: readonly string[]): Promise<void> {
  const [name, ...rest] = args;
  if (name === undefined) {
    process.stderr.write(`${overview()}\n`);
    process.exitCode = 2;
    return;
  }
  if (name === "--version" || name === "-v") return say(packageVersion());
  if (name === "--help" || name === "-h" || (name === "help" && rest.length === 0)) return say(overview());
  const wanted = name === "help" ? (rest[0] as string) : name;
  const entry = Object.hasOwn(entries, wanted) ? entries[wanted] : undefined;
  if (entry === undefined) throw new UsageError(`no command ${closest(wanted, Object.keys(entries))}`);
  const { command } = await entry.load();
  if (name === "help" || rest.includes("--help") || rest.includes("-h"))
    return say(commandHelp(wanted, entry.summary, command));
  await command.run(parse(wanted, command, rest));
}

// A reader that goes away, as `| head` does, is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});

try {
  await main(process.argv.slice(2));
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  const usage = error instanceof UsageError;
  const code = error instanceof Error && "code" in error && !usage ? ` [${error.code}]` : "";
  const line = printable(message.trim().replaceAll(/\s*\n\s*/g, " "));
  process.stderr.write(`packed-lstm: ${line}${usage ? " (see packed-lstm --help)" : code}\n`);
  if (process.env.PACKED_LSTM_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  process.exitCode = usage ? 2 : 1;
}
