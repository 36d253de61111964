// Reading binaries: little-endian numbers and zero-terminated names at given offsets. A read beyond the end throws.

/** @typedef {ReturnType<typeof reader>} Reader */

/** @param {Uint8Array} bytes */
export function reader(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    length: bytes.length,
    u8: (/** @type {number} */ at) => view.getUint8(at),
    u16: (/** @type {number} */ at) => view.getUint16(at, true),
    u32: (/** @type {number} */ at) => view.getUint32(at, true),
    u64: (/** @type {number} */ at) => Number(view.getBigUint64(at, true)),
    /** @param {number} at */
    name(at) {
      const end = bytes.indexOf(0, at);
      if (at < 0 || end < 0) throw new RangeError(`no name at ${at}`);
      return new TextDecoder().decode(bytes.subarray(at, end));
    },
  };
}

/**
 * What every format boils down to.
 * @typedef {object} Binary
 * @property {"linux" | "darwin" | "win32"} platform
 * @property {string} arch as process.arch, or the number the header gives
 * @property {string[]} needed libraries that it asks for by name
 * @property {Import[]} imports symbols that others must provide
 * @property {string[]} exports
 * @property {boolean} stripped no symbols but those the loader needs, no debugging information
 * @property {boolean} signed carries a code signature (macOS)
 * @property {string | undefined} minimumOs (macOS)
 *
 * @typedef {object} Import
 * @property {string} name
 * @property {string} from the version or library it is bound to, "" when any will do
 * @property {boolean} weak may be missing
 */
