// Typed arrays whose buffer is no longer what it was when they were made: detached, resized, grown. Resizable buffers are
// in every Node this package runs on, but not in the typings of ES2023.

type Bytes = number;
type Resizable = ArrayBuffer & { resize(bytes: Bytes): void };
type Growable = SharedArrayBuffer & { grow(bytes: Bytes): void };
type Maker<B> = new (bytes: Bytes, options: { maxByteLength: Bytes }) => B;

const ResizableBuffer = ArrayBuffer as unknown as Maker<Resizable>;
const GrowableBuffer = SharedArrayBuffer as unknown as Maker<Growable>;

/** Transfers the buffer of an array away; gives the array back, with nothing left in it. */
export function detach<T extends Float32Array | Float64Array | Int32Array>(array: T): T {
  structuredClone(array, { transfer: [array.buffer as ArrayBuffer] });
  return array;
}

/** An array of `length` elements that follows the length of its buffer, and the means to resize that. */
export function resizable(length: number): [array: Float32Array, resize: (bytes: Bytes) => void] {
  const buffer = new ResizableBuffer(4 * length, { maxByteLength: 8 * length });
  return [new Float32Array(buffer), (bytes) => buffer.resize(bytes)];
}

/** The same over shared memory, which can only grow. */
export function growable(length: number): [array: Float32Array, grow: (bytes: Bytes) => void] {
  const buffer = new GrowableBuffer(4 * length, { maxByteLength: 8 * length });
  return [new Float32Array(buffer), (bytes) => buffer.grow(bytes)];
}

/** An array of fixed length whose buffer has shrunk below it. */
export function shrunk(length: number): Float32Array {
  const buffer = new ResizableBuffer(4 * length, { maxByteLength: 4 * length });
  const array = new Float32Array(buffer, 0, length);
  buffer.resize(4);
  return array;
}
