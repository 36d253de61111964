// Columns that `run --keep` carries through beside the results: ids, labels. A value travels as JSON text, so that an int64
// or a number's very digits pass unchanged; here is what types there are and what each output can hold of them.

import { describe, rangeError } from "../check.js";

type Bits = 8 | 16 | 32 | 64;

/** What a column holds; "json" where each line of the input may hold anything. Any of them may hold nulls. */
export type KeptType = "json" | "bool" | "string" | "float32" | "float64" | `int${Bits}` | `uint${Bits}`;

/** A kept column: its name in the input and in the output. */
export interface KeptColumn {
  readonly name: string;
  readonly type: KeptType;
}

/** A value's JSON text. What JSON has no number for stands as a string, which a column of numbers cannot mean otherwise. */
export function keptText(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (typeof value === "bigint" || typeof value === "boolean") return String(value);
  if (typeof value !== "number") return JSON.stringify(String(value));
  if (!Number.isFinite(value)) return `"${value}"`;
  return Object.is(value, -0) ? "-0" : String(value);
}

/** The text as a JSON line may hold it: a NaN or infinity in a column of numbers becomes null, as pandas writes it. */
export function jsonOf(type: KeptType, text: string): string {
  return /^float/.test(type) && text.startsWith('"') ? "null" : text;
}

/** The value that a text stands for in a column of a settled type. */
export function keptValue(type: KeptType, text: string): unknown {
  if (text === "null") return null;
  if (type === "bool") return text === "true";
  if (type === "int64" || type === "uint64") return BigInt(text);
  if (type === "string" || type === "json") return JSON.parse(text);
  return Number(text.startsWith('"') ? JSON.parse(text) : text);
}

type Kind = "null" | "bool" | "string" | "integer" | "number" | "object";

function kindOf(text: string): Kind {
  if (text === "null") return "null";
  if (text === "true" || text === "false") return "bool";
  if (text.startsWith('"')) return "string";
  if (/^[[{]/.test(text)) return "object";
  return /^-?\d+$/.test(text) ? "integer" : "number";
}

const formatNames = { ".parquet": "Parquet", ".npz": "an .npz" } as const;

/** Watches the values of one column, and says at the end of which type they are. Each output wants one type a column. */
export class KeptWatch {
  readonly #column: KeptColumn;
  readonly #format: keyof typeof formatNames | undefined;
  readonly #kinds = new Set<Kind>();
  #least = 0n;
  #most = 0n;

  /** @param format what the output is; JSON lines hold anything */
  constructor(column: KeptColumn, format: string) {
    this.#column = column;
    this.#format = Object.hasOwn(formatNames, format) ? (format as keyof typeof formatNames) : undefined;
  }

  /** @throws RangeError ERR_FILE for a value that the output cannot hold, alone or with those before it */
  see(where: string, text: string): void {
    const format = this.#format;
    if (format === undefined) return;
    const { name, type } = this.#column;
    const refuse = (what: string): Error => {
      return rangeError("ERR_FILE", `${where}: ${name}`, `a value that ${formatNames[format]} holds`, what);
    };
    if (format === ".npz" && text === "null") throw refuse("null, which a NumPy array has no place for");
    if (type !== "json") return;
    const kind = kindOf(text);
    if (kind === "object") throw refuse("a list or object; .jsonl carries it");
    if (kind === "null") return;
    this.#kinds.add(kind);
    if (this.#kinds.size > 1 && !(this.#kinds.size === 2 && this.#kinds.has("integer") && this.#kinds.has("number"))) {
      throw refuse(`${[...this.#kinds].join(" and ")} values in one column; .jsonl carries them`);
    }
    if (kind !== "integer") return;
    const value = BigInt(text);
    if (value < this.#least) this.#least = value;
    if (value > this.#most) this.#most = value;
    if (this.#kinds.has("number")) return;
    if (this.#least < -(2n ** 63n) || this.#most >= (this.#least < 0n ? 2n ** 63n : 2n ** 64n)) {
      throw refuse(`${describe(value)}, beyond 64 bits; .jsonl carries it`);
    }
  }

  /** The type of everything seen. */
  get type(): KeptType {
    if (this.#column.type !== "json" || this.#format === undefined) return this.#column.type;
    if (this.#kinds.has("number")) return "float64";
    if (this.#kinds.has("integer")) return this.#most >= 2n ** 63n ? "uint64" : "int64";
    return this.#kinds.has("bool") ? "bool" : "string";
  }
}
