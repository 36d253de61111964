// Argument checks and the one place that builds errors. TypeError is for the kind of a value, RangeError for the
// value itself; every error carries a fixed `code`, which is what a program should read, never the message.
// This file knows no tensors: what it says of a value it finds by looking at it.

/** Every fixed `code` there is. */
export const errorCodes = [
  "ERR_ARG_TYPE",
  "ERR_ARG_VALUE",
  "ERR_SHAPE",
  "ERR_DTYPE",
  "ERR_LENGTHS",
  "ERR_OPTION",
  "ERR_STATE_DICT",
  "ERR_FILE",
  "ERR_ITEM",
  "ERR_DISPOSED",
  "ERR_NATIVE",
] as const;

/** The fixed `code` that every error of this package carries. */
export type ErrorCode = (typeof errorCodes)[number];

type Coded<E extends Error> = E & { code: ErrorCode };

function coded<E extends Error>(error: E, code: ErrorCode, hide: (...args: never[]) => unknown): Coded<E> {
  Error.captureStackTrace(error, hide);
  return Object.assign(error, { code });
}

/** Builds (does not throw) the error for a value of the wrong kind. */
export function typeError(code: ErrorCode, name: string, expected: string, received: string): Coded<TypeError> {
  return coded(new TypeError(`${name}: expected ${expected}, but got ${received}`), code, typeError);
}

/** Builds (does not throw) the error for a value of the right kind that cannot be used. */
export function rangeError(code: ErrorCode, name: string, expected: string, received: string): Coded<RangeError> {
  return coded(new RangeError(`${name}: expected ${expected}, but got ${received}`), code, rangeError);
}

/** Builds (does not throw) the error for a module that was disposed of. */
export function disposedError(name: string): Coded<Error> {
  return coded(new Error(`${name}: used after dispose()`), "ERR_DISPOSED", disposedError);
}

/** Whether an error carries one of the codes, as all of ours do. */
export function isCoded(error: unknown): boolean {
  return error instanceof Error && (errorCodes as readonly unknown[]).includes((error as { code?: unknown }).code);
}

/**
 * Runs what reads a caller's object. Its getters and proxies may throw anything at all: that becomes the `cause` of an error
 * that has a code and says which argument it was. Errors with a code go through as they are.
 * @throws TypeError ERR_ARG_TYPE
 */
export function reading<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (isCoded(error)) throw error;
    const told = error instanceof Error ? `: ${error.message.slice(0, 200)}` : "";
    const wrapped = typeError("ERR_ARG_TYPE", name, "a value that can be read", `an error while reading it${told}`);
    throw Object.assign(wrapped, { cause: error });
  }
}

/** A shape as torch's users write it: `(2, 3)`, `(4,)`, `()`. */
export function formatShape(shape: ArrayLike<number>): string {
  const dims = Array.from(shape);
  return dims.length === 1
    ? `(${dims[0]},)`
    : `(${dims.length > 16 ? `${dims.slice(0, 16).join(", ")}, …` : dims.join(", ")})`;
}

const viewTag = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)?.get;

/** "Float32Array" and so on, read off the internal slot: right across realms, and it cannot be forged. */
export function typedArrayKind(value: unknown): string | undefined {
  const kind: unknown = viewTag?.call(value);
  return typeof kind === "string" ? kind : undefined;
}

/** As Array.isArray, which throws at a proxy that was revoked. */
export function isArray(value: unknown): value is unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

function describeObject(value: object): string {
  const kind = typedArrayKind(value);
  if (kind !== undefined) return `a ${kind} of length ${(value as Uint8Array).length}`;
  if (Array.isArray(value)) return `an array of length ${value.length}`;
  const { shape, dtype } = value as { shape?: unknown; dtype?: unknown };
  if (Array.isArray(shape) && typeof dtype === "string" && shape.every(Number.isInteger)) {
    return `a ${dtype.slice(0, 20)} tensor of shape ${formatShape(shape)}`;
  }
  const owner: unknown = value.constructor?.name;
  return typeof owner === "string" && owner !== "" && owner !== "Object"
    ? `an object (${owner.slice(0, 40)})`
    : "an object";
}

/** A short human description of any value, for messages. Never throws, whatever the value's getters do. */
export function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (typeof value === "bigint") return value > -1e30 && value < 1e30 ? `${value}n` : "a very large bigint";
  if (typeof value === "function") return "a function";
  if (typeof value === "symbol") return "a symbol";
  if (typeof value !== "object" || value === null) return String(value);
  try {
    return describeObject(value);
  } catch {
    return "an object";
  }
}

function describeLimits(noun: string, min: number, max: number): string {
  if (min > Number.MIN_SAFE_INTEGER && max < Number.MAX_SAFE_INTEGER) return `${noun} from ${min} to ${max}`;
  if (min > Number.MIN_SAFE_INTEGER) return `${noun} of at least ${min}`;
  return max < Number.MAX_SAFE_INTEGER ? `${noun} of at most ${max}` : noun;
}

/**
 * An integer within limits, returned as it came.
 * @throws TypeError ERR_ARG_TYPE when it is no number; RangeError ERR_ARG_VALUE for NaN, a fraction or a value outside.
 */
export function checkInt(name: string, value: unknown, limits: { min?: number; max?: number } = {}): number {
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = limits;
  const expected = describeLimits("an integer", min, max);
  if (typeof value !== "number") throw typeError("ERR_ARG_TYPE", name, expected, describe(value));
  if (!Number.isInteger(value) || value < min || value > max) {
    throw rangeError("ERR_ARG_VALUE", name, expected, describe(value));
  }
  return value;
}

/**
 * A number within limits, never NaN; the infinities are refused unless `finite` is false.
 * @throws TypeError ERR_ARG_TYPE when it is no number; RangeError ERR_ARG_VALUE for a value outside.
 */
export function checkNumber(
  name: string,
  value: unknown,
  limits: { min?: number; max?: number; finite?: boolean } = {},
): number {
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, finite = true } = limits;
  const expected = describeLimits(finite ? "a finite number" : "a number", min, max);
  if (typeof value !== "number") throw typeError("ERR_ARG_TYPE", name, expected, describe(value));
  if (!(value >= min && value <= max) || (finite && !Number.isFinite(value))) {
    throw rangeError("ERR_ARG_VALUE", name, expected, describe(value));
  }
  return value;
}

/** True or false, nothing that merely counts as one. @throws TypeError ERR_ARG_TYPE */
export function checkBool(name: string, value: unknown): boolean {
  if (typeof value !== "boolean") throw typeError("ERR_ARG_TYPE", name, "true or false", describe(value));
  return value;
}

/**
 * Judges an options object by its keys; the values are judged by whoever uses them.
 * @param name what takes the options, for the message
 * @returns the options as they are now: a copy, each read once, since a getter could answer differently the next time
 * @throws TypeError ERR_ARG_TYPE when it is no plain object; TypeError ERR_OPTION for a key that does not exist,
 *   naming the nearest that does
 */
export function checkOptions<O extends object>(
  name: string,
  options: O | undefined,
  allowedKeys: readonly string[],
): Partial<O> {
  if (options === undefined) return {};
  if (typeof options !== "object" || options === null || isArray(options) || ArrayBuffer.isView(options)) {
    throw typeError("ERR_ARG_TYPE", `${name} options`, "an options object", describe(options));
  }
  return reading(`${name} options`, () => {
    checkKeys(name, Object.keys(options), allowedKeys);
    const given: Record<string, unknown> = {};
    for (const key of allowedKeys) {
      const value = (options as Record<string, unknown>)[key];
      if (value !== undefined) given[key] = value;
    }
    return given as Partial<O>;
  });
}

function checkKeys(name: string, keys: readonly string[], allowedKeys: readonly string[]): void {
  for (const key of keys) {
    if (allowedKeys.includes(key)) continue;
    const near = nearest(key, allowedKeys);
    const hint = near === undefined ? "" : ` (did you mean ${JSON.stringify(near)}?)`;
    const expected = allowedKeys.length === 0 ? "no options" : `only the options ${allowedKeys.join(", ")}`;
    throw typeError("ERR_OPTION", `${name} options`, expected, `${describe(key)}${hint}`);
  }
}

function editDistance(a: string, b: string, limit: number): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  let beforeThat: number[] = [];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, (beforeThat[j - 2] ?? 0) + 1);
      }
      row.push(best);
    }
    if (Math.min(...row) > limit) return limit + 1;
    beforeThat = previous;
    previous = row;
  }
  return previous[b.length] ?? 0;
}

/**
 * The candidate a mistyped word most likely meant: the same but for case and underscores, else fewest edits (a swap of
 * neighbours is one), else the one it is a part of. Undefined when none is near.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const plain = (text: string): string => text.replaceAll(/[_\-\s]/g, "").toLowerCase();
  if (word.length > 200) return undefined;
  const wanted = plain(word);
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  let containing: string | undefined;
  for (const candidate of candidates) {
    const given = plain(candidate);
    const limit = Math.min(bestDistance - 1, Math.max(1, Math.floor(Math.max(wanted.length, given.length) / 3)));
    if (wanted.length >= 3 && given.includes(wanted)) containing ??= candidate;
    if (given.length > 200 || Math.abs(given.length - wanted.length) > limit) continue;
    const distance = editDistance(wanted, given, limit);
    if (distance > limit) continue;
    best = candidate;
    bestDistance = distance;
  }
  return best ?? containing;
}
