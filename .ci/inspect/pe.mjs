// Reads a 64-bit Windows DLL: what it imports (at load and delayed) and exports.
// Format: https://learn.microsoft.com/windows/win32/debug/pe-format

import { reader } from "./bytes.mjs";

/** @type {Readonly<Record<number, string>>} */
const machines = { 34404: "x64", 43620: "arm64" };
const directory = { exports: 0, imports: 1, delayed: 13 };

/** @param {Uint8Array} bytes */
export function isPe(bytes) {
  return bytes[0] === 0x4d && bytes[1] === 0x5a;
}

/** @param {Uint8Array} bytes @returns {import("./bytes.mjs").Binary} */
export function readPe(bytes) {
  const file = reader(bytes);
  const header = file.u32(0x3c);
  const optional = header + 24;
  if (file.u32(header) !== 0x4550 || file.u16(optional) !== 0x20b) throw new Error("not a 64-bit Windows DLL");
  const image = readImage(file, header, optional);
  const imports = [...tables(image, directory.imports, 20, 12, 0), ...tables(image, directory.delayed, 32, 4, 16)];
  const machine = file.u16(header + 4);
  return {
    platform: "win32",
    arch: machines[machine] ?? String(machine),
    needed: imports.map(({ library }) => library),
    imports: imports.flatMap(({ library, names }) => names.map((name) => ({ name, from: library, weak: false }))),
    exports: readExports(image),
    stripped: file.u32(header + 16) === 0 && !image.sections.some(({ name }) => /^(\.debug|\/\d)/.test(name)),
    signed: false,
    minimumOs: undefined,
  };
}

/** @typedef {ReturnType<typeof readImage>} Image */

/** @param {import("./bytes.mjs").Reader} file @param {number} header @param {number} optional */
function readImage(file, header, optional) {
  const start = optional + file.u16(header + 20);
  const sections = Array.from({ length: file.u16(header + 6) }, (_, index) => {
    const at = start + index * 40;
    const long = String.fromCharCode(...Array.from({ length: 8 }, (__, k) => file.u8(at + k)));
    return {
      name: long.replace(/\0.*$/s, ""),
      from: file.u32(at + 12),
      size: file.u32(at + 8),
      offset: file.u32(at + 20),
    };
  });
  /** An address in memory → where its bytes lie in the file. @param {number} address */
  const offset = (address) => {
    const home = sections.find(({ from, size }) => address >= from && address < from + size);
    if (!home) throw new Error(`address ${address} lies in no section`);
    return address - home.from + home.offset;
  };
  /** @param {number} index */
  const entry = (index) => (index < file.u32(optional + 108) ? file.u32(optional + 112 + index * 8) : 0);
  return { file, sections, offset, entry };
}

/**
 * The libraries of an import table, each with the names taken from it.
 * @param {Image} image
 * @param {number} index which directory
 * @param {number} stride of one library's record
 * @param {number} nameAt where in the record the library's name is
 * @param {number} lookupAt where in the record its list of names is
 */
function tables({ file, offset, entry }, index, stride, nameAt, lookupAt) {
  const found = [];
  if (entry(index) === 0) return [];
  for (let at = offset(entry(index)); file.u32(at + nameAt) !== 0; at += stride) {
    const names = [];
    for (let thunk = offset(file.u32(at + lookupAt)); file.u64(thunk) !== 0; thunk += 8) {
      const byNumber = file.u32(thunk + 4) >= 0x80000000;
      names.push(byNumber ? `#${file.u16(thunk)}` : file.name(offset(file.u32(thunk)) + 2));
    }
    found.push({ library: file.name(offset(file.u32(at + nameAt))), names });
  }
  return found;
}

/** @param {Image} image */
function readExports({ file, offset, entry }) {
  if (entry(directory.exports) === 0) return [];
  const at = offset(entry(directory.exports));
  const names = offset(file.u32(at + 32));
  return Array.from({ length: file.u32(at + 24) }, (_, index) => file.name(offset(file.u32(names + index * 4))));
}
