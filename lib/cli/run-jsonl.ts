// JSON lines as `run` reads them, a line a sequence, from a file or from standard input: rows of numbers, or all their
// numbers in one list, bare or under a key. Kept values are carried as the very text that stands in the line.

import { createReadStream } from "node:fs";
import { describe, rangeError } from "../check.js";
import { Tensor } from "../index.js";
import { standard } from "./run-files.js";
import { type Input, type InputOptions, type Item, notRows } from "./run-items.js";
import { judgeLength } from "./run-lengths.js";

const maxLine = 2 ** 29 - 2 ** 16; // characters, a little less than V8's longest string

interface Line {
  /** From 1, blank ones included. */
  readonly number: number;
  readonly text: string;
}

/** The lines that are not blank. @throws RangeError ERR_FILE for one longer than a string can be */
async function* readLines(path: string): AsyncGenerator<Line> {
  const stream = path === standard ? process.stdin : createReadStream(path);
  stream.setEncoding("utf8");
  let number = 0;
  let pieces: string[] = [];
  let length = 0;
  const line = (last: string): Line | undefined => {
    number++;
    const text = pieces.length === 0 ? last : pieces.join("") + last;
    pieces = [];
    length = 0;
    return text.trim() === "" ? undefined : { number, text };
  };
  for await (const chunk of stream as AsyncIterable<string>) {
    let from = 0;
    for (let to = chunk.indexOf("\n"); to >= 0; to = chunk.indexOf("\n", from)) {
      const whole = line(chunk.slice(from, to));
      from = to + 1;
      if (whole !== undefined) yield whole;
    }
    length += chunk.length - from;
    if (length > maxLine)
      throw rangeError("ERR_FILE", `${path}: line ${number + 1}`, `at most ${maxLine} characters`, "more");
    if (from < chunk.length) pieces.push(chunk.slice(from));
  }
  const whole = line("");
  if (whole !== undefined) yield whole;
}

/** @throws RangeError ERR_FILE when the file cannot be read as lines */
export async function jsonlInput(path: string, options: InputOptions): Promise<Input> {
  let count: number | undefined;
  if (path !== standard) {
    count = 0;
    for await (const _ of readLines(path)) count++;
  }
  return {
    count,
    kept: options.keep.map(() => "json" as const),
    async *sequences(from, to) {
      let number = 0;
      for await (const { number: line, text } of readLines(path)) {
        if (number >= to) return;
        if (number++ < from) continue;
        yield readLine(`${path === standard ? "stdin" : path}: sequence ${number - 1}: line ${line}`, text, options);
      }
    },
  };
}

function readLine(where: string, text: string, options: InputOptions): Item {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw rangeError("ERR_FILE", where, "a line of JSON", (error as Error).message);
  }
  const { column, lengths, keep } = options;
  const bare = Array.isArray(value);
  const record = bare ? undefined : (value as Record<string, unknown> | null);
  if (!bare && (typeof record !== "object" || record === null)) {
    throw rangeError(
      "ERR_FILE",
      where,
      `rows of numbers, or an object with them under ${describe(column)}`,
      describe(value),
    );
  }
  const own = (key: string): unknown => (record && Object.hasOwn(record, key) ? record[key] : undefined);
  const sequence = toSequence(where, bare ? value : own(column), options);
  const rows = sequence.shape[0] as number;
  const length = lengths === undefined || bare ? rows : judgeLength(`${where}: ${lengths}`, own(lengths), rows);
  return {
    sequence: length === rows ? sequence : sequence.slice(0, 0, length),
    kept: keep.length === 0 ? [] : kept(where, text, bare, keep),
  };
}

function kept(where: string, text: string, bare: boolean, names: readonly string[]): string[] {
  if (bare) throw rangeError("ERR_FILE", where, `an object with ${names.join(", ")} to keep`, "a list");
  const texts = memberTexts(text);
  return names.map((name) => {
    const found = texts.get(name);
    if (found === undefined) throw rangeError("ERR_FILE", where, `${describe(name)}, to be kept`, "none");
    return found;
  });
}

/** Where the string that opens at `at` ends, one past its quote. */
function stringEnd(text: string, at: number): number {
  for (let i = at + 1; ; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === '"') return i + 1;
  }
}

/** The texts of an object's members, by key; of a key that comes twice the last, as JSON.parse does. The text must be JSON. */
function memberTexts(text: string): Map<string, string> {
  const members = new Map<string, string>();
  let at = text.indexOf("{") + 1;
  for (;;) {
    at = text.indexOf('"', at);
    if (at < 0) return members;
    const keyEnd = stringEnd(text, at);
    const key = JSON.parse(text.slice(at, keyEnd)) as string;
    const from = text.indexOf(":", keyEnd) + 1;
    let depth = 0;
    for (at = from; ; at++) {
      const mark = text[at];
      if (mark === '"') at = stringEnd(text, at) - 1;
      else if (mark === "[" || mark === "{") depth++;
      else if ((mark === "," || mark === "}") && depth === 0) break;
      else if (mark === "]" || mark === "}") depth--;
    }
    members.set(key, text.slice(from, at).trim());
    if (text[at] === "}") return members;
  }
}

/** @throws RangeError ERR_FILE for anything but rows of numbers, or all their numbers in one list */
function toSequence(where: string, value: unknown, { dtype, inputSize }: InputOptions): Tensor {
  if (!Array.isArray(value) || value.length === 0) throw notRows(where, inputSize, value);
  const nested = Array.isArray(value[0]);
  const steps = nested ? value.length : value.length / inputSize;
  if (!Number.isInteger(steps)) throw notRows(where, inputSize, value);
  const data = dtype === "float32" ? new Float32Array(steps * inputSize) : new Float64Array(steps * inputSize);
  let at = 0;
  const put = (numbers: readonly unknown[]): void => {
    for (const number of numbers) {
      if (typeof number !== "number") throw notRows(`${where}: step ${Math.floor(at / inputSize)}`, inputSize, number);
      data[at++] = number;
    }
  };
  if (!nested) put(value);
  else {
    for (const [step, row] of (value as unknown[]).entries()) {
      if (!Array.isArray(row) || row.length !== inputSize) throw notRows(`${where}: step ${step}`, inputSize, row);
      put(row);
    }
  }
  return new Tensor(data, [steps, inputSize]);
}
