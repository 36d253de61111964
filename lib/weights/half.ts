// Widens 16-bit floats to float32, exactly: every float16 and bfloat16 value, the subnormal ones, infinities and NaN
// payloads included, is a float32. It narrows nothing.

/** IEEE binary16 bits to float32. */
export function widenFloat16(bits: Uint16Array): Float32Array {
  const values = new Float32Array(bits.length);
  const words = new Uint32Array(values.buffer);
  for (let i = 0; i < bits.length; i++) {
    const half = bits[i] ?? 0;
    const sign = (half & 0x8000) << 16;
    const magnitude = half & 0x7fff;
    if (magnitude >= 0x7c00) words[i] = sign | 0x7f800000 | ((magnitude & 0x3ff) << 13);
    else if (magnitude >= 0x400) words[i] = sign | ((magnitude << 13) + (112 << 23));
    else values[i] = (sign === 0 ? 1 : -1) * magnitude * 2 ** -24;
  }
  return values;
}

/** bfloat16 bits (the upper half of a float32) to float32. */
export function widenBfloat16(bits: Uint16Array): Float32Array {
  const words = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) words[i] = (bits[i] ?? 0) << 16;
  return new Float32Array(words.buffer);
}
