// The numbers and texts of pickles: as bytes, and as the lines of protocol 0. Each costs no more than its length.

import type { Cursor } from "./cursor.js";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Digits and bytes past which an integer stays opaque: making a bigint of it would take more than linear time. */
const longest = 1000;

/** @throws RangeError ERR_FILE for bytes that are not UTF-8 */
export function decodeText(from: Cursor, bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    // Python writes lone surrogates too, as "surrogatepass" does.
    if (isSurrogate(bytes)) return new TextDecoder().decode(bytes);
    throw from.fail("text in UTF-8", "other bytes");
  }
}

function isSurrogate(bytes: Uint8Array): boolean {
  const lossy = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  const without = lossy.replace(/\xed[\xa0-\xbf][\x80-\xbf]/g, "");
  if (without.length === lossy.length) return false;
  try {
    utf8.decode(Buffer.from(without, "latin1"));
    return true;
  } catch {
    return false;
  }
}

function plain(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** A two's complement integer, a bigint only where a number would round; undefined for one that is absurdly long. */
export function readLong(bytes: Uint8Array): number | bigint | undefined {
  if (bytes.length > longest) return undefined;
  let value = 0n;
  for (const byte of bytes.toReversed()) value = (value << 8n) | BigInt(byte);
  return plain(BigInt.asIntN(bytes.length * 8, value));
}

/** The decimal number of a line, "01" and "00" being the booleans; undefined for an integer that is absurdly long. */
export function decodeLine(from: Cursor, bytes: Uint8Array): number | bigint | boolean | undefined {
  if (bytes.length > longest) return undefined;
  const text = decodeText(from, bytes).trim();
  if (text === "00" || text === "01") return text === "01";
  if (/^[+-]?\d+L?$/.test(text)) return plain(BigInt(text.replace(/L$/, "").replace(/^\+/, "")));
  const words: Record<string, number> = { inf: Number.POSITIVE_INFINITY, "-inf": Number.NEGATIVE_INFINITY };
  const value = words[text] ?? Number(text);
  if (text === "" || (Number.isNaN(value) && text !== "nan")) throw from.fail("a number", "other text");
  return value;
}

const escapes: Readonly<Record<string, string>> = {
  ...{ "\\": "\\", "'": "'", '"': '"', a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" },
};

/** A string as Python 2's repr writes it, one character a byte. */
export function unquote(from: Cursor, bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1").trimEnd();
  const quote = text[0];
  if (text.length < 2 || (quote !== "'" && quote !== '"') || text.at(-1) !== quote) {
    throw from.fail("a quoted string", "other text");
  }
  return text.slice(1, -1).replace(/\\(?:x([0-9a-fA-F]{2})|([\s\S]))/g, (whole, hex?: string, mark?: string) => {
    return hex === undefined ? (escapes[mark ?? ""] ?? whole) : String.fromCharCode(Number.parseInt(hex, 16));
  });
}

/** Text as protocol 0 has it: one character a byte, those beyond as \\u and four digits or \\U and eight. */
export function decodeEscaped(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  return text.replace(/\\u([0-9a-fA-F]{4})|\\U(00[01][0-9a-fA-F]{5})/g, (_, short?: string, long?: string) => {
    const point = Number.parseInt(short ?? long ?? "", 16);
    return point > 0x10ffff ? "\ufffd" : String.fromCodePoint(point);
  });
}
