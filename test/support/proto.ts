// Writes protobuf messages, and the ONNX messages around an LSTM node, well-formed or not: what no exporter would write,
// but a stranger might. It reads nothing and imports nothing of the library.
// The schema: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto

type Part = Buffer;

export function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Buffer.from(bytes);
}

/** A field of wire type 2: bytes, text or a message. */
export function field(number: number, value: Uint8Array | string): Part {
  const bytes = typeof value === "string" ? Buffer.from(value) : value;
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

/** A field of wire type 0. */
export function intField(number: number, value: number | bigint): Part {
  return Buffer.concat([varint(number * 8), varint(value)]);
}

/** A TensorProto of floats, or whatever the other fields make of it. */
export function tensorProto(
  name: string,
  dims: readonly (number | bigint)[],
  raw: Uint8Array | null,
  type = 1,
  ...more: Part[]
): Buffer {
  const fields = [...dims.map((dim) => intField(1, dim)), intField(2, type), field(8, name), ...more];
  return Buffer.concat(raw === null ? fields : [...fields, field(9, raw)]);
}

/** Zeros of a float tensor. */
export function zeros(name: string, ...dims: number[]): Buffer {
  return tensorProto(name, dims, Buffer.alloc(4 * dims.reduce((a, b) => a * b, 1)));
}

export const intAttribute = (name: string, value: number | bigint): Part =>
  field(5, Buffer.concat([field(1, name), intField(3, value), intField(20, 2)]));

export const textAttribute = (name: string, value: string | Uint8Array): Part =>
  field(5, Buffer.concat([field(1, name), field(4, value), intField(20, 3)]));

export const graphAttribute = (name: string, graph: Uint8Array): Part =>
  field(5, Buffer.concat([field(1, name), field(6, graph), intField(20, 5)]));

export const intsAttribute = (name: string, ...values: (number | bigint)[]): Part =>
  field(5, Buffer.concat([field(1, name), ...values.map((value) => intField(8, value)), intField(20, 7)]));

export const tensorAttribute = (name: string, tensor: Uint8Array): Part =>
  field(5, Buffer.concat([field(1, name), field(5, tensor), intField(20, 4)]));

/** A node as field 1 of a graph, or with another number field 7 of a function. */
export function node(
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  parts: readonly Part[] = [],
  as = 1,
): Part {
  const fields = [
    ...inputs.map((name) => field(1, name)),
    ...outputs.map((name) => field(2, name)),
    field(4, opType),
    ...parts,
  ];
  return field(as, Buffer.concat(fields));
}

export const initializer = (tensor: Uint8Array): Part => field(5, tensor);

/** A model of one graph of these parts, and functions. */
export function model(parts: readonly Part[], functions: readonly Part[] = []): Buffer {
  return Buffer.concat([intField(1, 9), field(7, Buffer.concat(parts)), ...functions.map((body) => field(25, body))]);
}

/** The initializers of an LSTM of input size 3 and hidden size 2, all zero. */
export const weights: readonly Part[] = [zeros("W", 1, 8, 3), zeros("R", 1, 8, 2), zeros("B", 1, 16)].map(initializer);

export const lstm = (...parts: Part[]): Part => node("LSTM", ["x", "W", "R", "B"], ["y"], parts);
