// Reads a 64-bit ELF shared object through its section headers: what it needs, imports and exports.
// Format: https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html

import { reader } from "./bytes.mjs";

/** @type {Readonly<Record<number, string>>} */
const machines = { 62: "x64", 183: "arm64" };
const type = { symtab: 2, dynamic: 6, dynsym: 11, versions: 0x6fffffff, verneed: 0x6ffffffe };

/** @param {Uint8Array} bytes */
export function isElf(bytes) {
  return bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}

/** @param {Uint8Array} bytes @returns {import("./bytes.mjs").Binary} */
export function readElf(bytes) {
  const file = reader(bytes);
  if (file.u8(4) !== 2 || file.u8(5) !== 1) throw new Error("not a 64-bit little-endian ELF file");
  const sections = readSections(file);
  const versions = readVersions(file, sections);
  const symbols = readSymbols(file, sections, versions);
  const machine = file.u16(18);
  return {
    platform: "linux",
    arch: machines[machine] ?? String(machine),
    needed: readNeeded(file, sections),
    imports: symbols.filter(({ defined }) => !defined).map(({ name, from, weak }) => ({ name, from, weak })),
    exports: symbols.filter(({ defined }) => defined).map(({ name }) => name),
    stripped: !sections.some((section) => section.type === type.symtab || section.name.startsWith(".debug")),
    signed: false,
    minimumOs: undefined,
  };
}

/** @typedef {{ name: string, type: number, offset: number, size: number, link: number, entry: number, info: number }} Section */

/** @param {import("./bytes.mjs").Reader} file @returns {Section[]} */
function readSections(file) {
  const [start, entry, count] = [file.u64(40), file.u16(58), file.u16(60)];
  const at = (/** @type {number} */ index) => start + index * entry;
  const names = file.u64(at(file.u16(62)) + 24);
  return Array.from({ length: count }, (_, index) => ({
    name: file.name(names + file.u32(at(index))),
    type: file.u32(at(index) + 4),
    offset: file.u64(at(index) + 24),
    size: file.u64(at(index) + 32),
    link: file.u32(at(index) + 40),
    info: file.u32(at(index) + 44),
    entry: file.u64(at(index) + 56),
  }));
}

/** @param {import("./bytes.mjs").Reader} file @param {Section[]} sections */
function readNeeded(file, sections) {
  const needed = [];
  for (const { offset, size, link } of sections.filter((section) => section.type === type.dynamic)) {
    const names = sections[link]?.offset ?? 0;
    for (let at = offset; at < offset + size; at += 16) {
      if (file.u64(at) === 1) needed.push(file.name(names + file.u64(at + 8)));
    }
  }
  return needed;
}

/**
 * Version number → its name, as in 2 → "GLIBC_2.17".
 * @param {import("./bytes.mjs").Reader} file @param {Section[]} sections
 */
function readVersions(file, sections) {
  const versions = new Map();
  for (const { offset, info, link } of sections.filter((section) => section.type === type.verneed)) {
    const names = sections[link]?.offset ?? 0;
    for (let at = offset, n = 0; n < info; n++, at += file.u32(at + 12)) {
      for (let aux = at + file.u32(at + 8), m = 0; m < file.u16(at + 2); m++, aux += file.u32(aux + 12)) {
        versions.set(file.u16(aux + 6), file.name(names + file.u32(aux + 8)));
      }
    }
  }
  return versions;
}

/** @param {import("./bytes.mjs").Reader} file @param {Section[]} sections @param {Map<number, string>} versions */
function readSymbols(file, sections, versions) {
  const symbols = [];
  const numbers = sections.find((section) => section.type === type.versions);
  for (const { offset, size, entry, link } of sections.filter((section) => section.type === type.dynsym)) {
    const names = sections[link]?.offset ?? 0;
    for (let index = 1; index < size / entry; index++) {
      const at = offset + index * entry;
      const binding = file.u8(at + 4) >> 4;
      if (binding === 0) continue; // local
      const version = numbers ? file.u16(numbers.offset + index * 2) & 0x7fff : 0;
      symbols.push({
        name: file.name(names + file.u32(at)),
        from: versions.get(version) ?? "",
        weak: binding === 2,
        defined: file.u16(at + 6) !== 0,
      });
    }
  }
  return symbols;
}
