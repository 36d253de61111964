// What a command is: its options as a table, from which both the parsing and the help come, so that neither can say what
// the other does not know. node:util does the parsing proper. It knows no particular command.

import { type ParseArgsConfig, parseArgs } from "node:util";
import { nearest } from "../check.js";

/** The command line is wrong: exit code 2. Every other error is a failure of the work: exit code 1. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export interface Option {
  readonly type: "string" | "boolean";
  readonly short?: string;
  /** How the value is called in the help, such as FILE. */
  readonly value?: string;
  readonly help: string;
  readonly required?: boolean;
  /** May be given several times; its value is then a list. */
  readonly multiple?: boolean;
}

/** The options given, by name, and the words that belong to none. */
export interface Arguments {
  readonly options: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
  readonly words: readonly string[];
}

export interface Command {
  /** What stands after the command's name, such as "FILE [OPTIONS]". */
  readonly usage: string;
  /** How many words there must be. */
  readonly words: number;
  readonly options: Readonly<Record<string, Option>>;
  /** Paragraphs of the help after the options. */
  readonly details: readonly string[];
  /** @throws UsageError when arguments do not fit together; any other error when the work fails */
  run(args: Arguments): Promise<void> | void;
}

/** A mistyped word for a message, with what was probably meant. */
export function closest(word: string, candidates: readonly string[]): string {
  const near = nearest(word, candidates);
  return near === undefined ? JSON.stringify(word) : `${JSON.stringify(word)} (did you mean ${JSON.stringify(near)}?)`;
}

/** @throws UsageError for an option that does not exist or lacks its value, and for the wrong number of words */
export function parse(name: string, command: Command, args: readonly string[]): Arguments {
  const config = {
    args: [...args],
    options: Object.fromEntries(
      Object.entries(command.options).map(([key, { type, short, multiple = false }]) => [
        key,
        short === undefined ? { type, multiple } : { type, multiple, short },
      ]),
    ),
    allowPositionals: true,
    tokens: true,
  } satisfies ParseArgsConfig;
  const { tokens } = parseArgs({ ...config, strict: false });
  for (const token of tokens) {
    if (token.kind !== "option" || Object.hasOwn(command.options, token.name)) continue;
    const known = Object.keys(command.options).map((key) => `--${key}`);
    throw new UsageError(`${name}: no option ${closest(token.rawName, known)}`);
  }
  let parsed: { values: Arguments["options"]; positionals: readonly string[] };
  try {
    parsed = parseArgs(config) as typeof parsed;
  } catch (error) {
    throw new UsageError(`${name}: ${(error as Error).message}`);
  }
  const { values, positionals: words } = parsed;
  for (const [key, { required }] of Object.entries(command.options)) {
    if (required && values[key] === undefined) throw new UsageError(`${name}: --${key} is missing`);
  }
  if (words.length !== command.words) {
    const problem =
      words.length < command.words ? "too few arguments" : `${JSON.stringify(words[command.words])} is one too many`;
    throw new UsageError(`${name}: ${problem}; usage: packed-lstm ${name} ${command.usage}`);
  }
  return { options: values, words };
}

/** An option's value that is a whole number from 1. @throws UsageError for any other */
export function readWhole(command: string, name: string, value: string, max: number): number {
  const number = Number(value);
  if (/^\d+$/.test(value) && number >= 1 && number <= max) return number;
  const expected = `a whole number from 1 to ${max}`;
  throw new UsageError(`${command}: --${name}: expected ${expected}, but got ${JSON.stringify(value)}`);
}

/** An option's value that is one of these words. @throws UsageError for any other */
export function readWord<W extends string>(
  command: string,
  name: string,
  value: string | undefined,
  words: readonly [...W[], W],
): W | undefined {
  if (value === undefined || words.some((word) => word === value)) return value as W | undefined;
  const expected = `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
  throw new UsageError(`${command}: --${name}: expected ${expected}, but got ${JSON.stringify(value)}`);
}

/** The help of one command. */
export function commandHelp(name: string, summary: string, command: Command): string {
  const rows = Object.entries(command.options).map(([key, { short, value, help }]) => {
    return [`${short ? `-${short}, ` : "    "}--${key}${value ? ` ${value}` : ""}`, help] as const;
  });
  const options = [...rows, ["-h, --help", "this text"] as const];
  const width = Math.max(...options.map(([left]) => left.length));
  const indent = " ".repeat(width + 4);
  return [
    `packed-lstm ${name}: ${summary}`,
    "",
    `Usage: packed-lstm ${name} ${command.usage}`,
    "",
    "Options:",
    ...options.map(([left, help]) => `  ${left.padEnd(width)}  ${help.replaceAll("\n", `\n${indent}`)}`),
    ...command.details.flatMap((paragraph) => ["", paragraph]),
  ].join("\n");
}
