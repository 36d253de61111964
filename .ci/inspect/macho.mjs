// Reads a thin 64-bit Mach-O bundle or library through its load commands: what it needs, imports and exports.
// Format: Apple's <mach-o/loader.h> and <mach-o/nlist.h>.

import { reader } from "./bytes.mjs";

/** @type {Readonly<Record<number, string>>} */
const cpus = { 16777223: "x64", 16777228: "arm64" };
const command = { symtab: 0x2, dysymtab: 0xb, loadDylib: 0xc, signature: 0x1d, minMacos: 0x24, buildVersion: 0x32 };
const required = 0x80000000; // the bit that marks commands a loader must understand
const loads = [command.loadDylib, 0x18, 0x1f]; // plain, weak, re-exported
const lookup = { self: 0, dynamic: 0xfe, executable: 0xff };

/** @param {Uint8Array} bytes */
export function isMachO(bytes) {
  return bytes.length > 32 && reader(bytes).u32(0) === 0xfeedfacf;
}

/** @param {Uint8Array} bytes @returns {import("./bytes.mjs").Binary} */
export function readMachO(bytes) {
  const file = reader(bytes);
  const cpu = file.u32(4);
  const commands = readCommands(file);
  const needed = commands
    .filter(({ kind }) => loads.includes(kind & ~required))
    .map(({ at }) => file.name(at + file.u32(at + 8)));
  const symbols = readSymbols(file, commands, needed);
  const minimum = commands.find(({ kind }) => kind === command.buildVersion || kind === command.minMacos);
  return {
    platform: "darwin",
    arch: cpus[cpu] ?? String(cpu),
    needed,
    imports: symbols.filter(({ kind }) => kind === "import").map(({ name, from, weak }) => ({ name, from, weak })),
    exports: symbols.filter(({ kind }) => kind === "export").map(({ name }) => name),
    stripped: !symbols.some(({ kind }) => kind === "debug"),
    signed: commands.some(({ kind }) => kind === command.signature),
    minimumOs: minimum && version(file.u32(minimum.at + (minimum.kind === command.buildVersion ? 12 : 8))),
  };
}

/** @param {number} packed */
function version(packed) {
  return `${packed >>> 16}.${(packed >>> 8) & 255}`;
}

/** @param {import("./bytes.mjs").Reader} file */
function readCommands(file) {
  const commands = [];
  for (let at = 32, n = file.u32(16); n > 0; n--, at += file.u32(at + 4)) commands.push({ kind: file.u32(at), at });
  return commands;
}

/**
 * @param {import("./bytes.mjs").Reader} file
 * @param {{ kind: number, at: number }[]} commands
 * @param {string[]} libraries
 */
function readSymbols(file, commands, libraries) {
  const table = commands.find(({ kind }) => kind === command.symtab)?.at;
  if (table === undefined) throw new Error("no symbol table");
  const [symbols, count, names] = [file.u32(table + 8), file.u32(table + 12), file.u32(table + 16)];
  const found = [];
  for (let at = symbols; at < symbols + count * 16; at += 16) {
    const [flags, description] = [file.u8(at + 4), file.u16(at + 6)];
    const external = (flags & 0x01) !== 0 && (flags & 0x10) === 0;
    const defined = (flags & 0x0e) !== 0;
    const kind = flags & 0xe0 ? "debug" : !external ? "local" : defined ? "export" : "import";
    // C names carry one underscore more than in the source.
    const name = file.name(names + file.u32(at)).replace(/^_/, "");
    found.push({ kind, name, from: kind === "import" ? source(description >> 8, libraries) : "", weak: false });
  }
  return found;
}

/** @param {number} ordinal @param {string[]} libraries */
function source(ordinal, libraries) {
  if (ordinal === lookup.dynamic) return "";
  if (ordinal === lookup.executable) return "the executable";
  return libraries[ordinal - 1] ?? `library ${ordinal}`;
}
