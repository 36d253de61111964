// The little of protobuf's wire format that writing an ONNX model needs: varint fields and length-prefixed ones.
// It writes only, knows no schema, and takes whole numbers from 0 up.
// https://protobuf.dev/programming-guides/encoding/

export type Bytes = Uint8Array;

function varint(value: number): number[] {
  const bytes: number[] = [];
  while (value >= 128) {
    bytes.push((value % 128) + 128);
    value = Math.floor(value / 128);
  }
  bytes.push(value);
  return bytes;
}

/** A whole-number field. */
export function int(field: number, value: number): Bytes {
  return Uint8Array.from([...varint(field * 8), ...varint(value)]);
}

/** A field that holds bytes, text, or a message made of fields. */
export function bytes(field: number, value: Bytes | string | readonly Bytes[]): Bytes {
  const content =
    typeof value === "string" ? Buffer.from(value) : value instanceof Uint8Array ? value : Buffer.concat(value);
  return Buffer.concat([Uint8Array.from([...varint(field * 8 + 2), ...varint(content.length)]), content]);
}
