// Buffers that go wrong: one that was transferred away, and one that can shrink under its view.

/** Six floats whose buffer is gone. */
export function detached(): Float32Array {
  const data = new Float32Array(6);
  structuredClone(data.buffer, { transfer: [data.buffer] });
  return data;
}

interface Resizable extends ArrayBuffer {
  resize(bytes: number): void;
}

/** A view of 6 floats over a buffer that can shrink. */
export function resizable(): { buffer: Resizable; data: Float32Array } {
  const make = ArrayBuffer as unknown as new (bytes: number, options: { maxByteLength: number }) => Resizable;
  const buffer = new make(24, { maxByteLength: 48 });
  return { buffer, data: new Float32Array(buffer) };
}
