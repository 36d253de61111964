// Floats of 8 bits, and how they become float32: exactly, every one of them. There are only 256 values of a kind, so a
// table says it all. The kinds are those that safetensors and torch name.
// https://onnx.ai/onnx/technical/float8.html and, for E8M0, the OCP Microscaling Formats specification, section 5.4.1

/** The kinds of 8-bit floats, by their exponent and mantissa bits. FN: no infinities. UZ: one zero, and NaN in place of −0. */
export type Float8Kind = "E4M3FN" | "E5M2" | "E4M3FNUZ" | "E5M2FNUZ" | "E8M0FNU";

const tables = new Map<Float8Kind, Float32Array>();

function float8Value(kind: Float8Kind, byte: number): number {
  if (kind === "E8M0FNU") return byte === 0xff ? Number.NaN : 2 ** (byte - 127); // a scale: no sign, no mantissa
  const mantissaBits = kind.startsWith("E4M3") ? 3 : 2;
  const unsignedZero = kind.endsWith("UZ");
  const bias = (mantissaBits === 3 ? 7 : 15) + (unsignedZero ? 1 : 0);
  const mantissa = byte & ((1 << mantissaBits) - 1);
  const exponent = (byte & 0x7f) >> mantissaBits;
  const sign = byte >> 7 === 0 ? 1 : -1;
  if (unsignedZero && byte === 0x80) return Number.NaN;
  if (kind === "E4M3FN" && (byte & 0x7f) === 0x7f) return Number.NaN;
  if (kind === "E5M2" && exponent === 31) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * mantissa * 2 ** (1 - bias - mantissaBits);
  return sign * (1 + mantissa / 2 ** mantissaBits) * 2 ** (exponent - bias);
}

/** 8-bit floats to float32. */
export function widenFloat8(kind: Float8Kind, bytes: Uint8Array): Float32Array {
  let table = tables.get(kind);
  if (table === undefined) {
    table = Float32Array.from({ length: 256 }, (_, byte) => float8Value(kind, byte));
    tables.set(kind, table);
  }
  const values = new Float32Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) values[i] = table[bytes[i] as number] as number;
  return values;
}
