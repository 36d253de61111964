// What a prebuilt binary must be, so that it loads on every machine of its target: pure judgement of a file's bytes.

import { createRequire } from "node:module";
import { isElf, readElf } from "./elf.mjs";
import { isMachO, readMachO } from "./macho.mjs";
import { isPe, readPe } from "./pe.mjs";

/** @typedef {import("../targets.mjs").Target} Target */
/** @typedef {import("./bytes.mjs").Binary} Binary */

const maxBytes = 1_500_000;
const maxGlibc = "2.28";
const maxMacos = "11.0";

const { js_native_api_symbols, node_api_symbols } = createRequire(import.meta.url)("node-api-headers").symbols.v8;
/** @type {ReadonlySet<string>} */
export const nodeApi = new Set([...js_native_api_symbols, ...node_api_symbols]);
const entryPoints = ["napi_register_module_v1", "node_api_module_get_api_version_v1"];

/** Names that a linker for macOS puts into every file, not code. */
const machHeaders = ["_mh_dylib_header", "_mh_bundle_header", "__dso_handle"];
/** operator new and delete, which zig's linker for macOS cannot hide; they come down to the system's malloc and free. */
const allocators = /^_Z(n[wa]|d[la])/;

/** Libraries that every system of the target has. @type {Readonly<Record<string, RegExp>>} */
const libraries = {
  glibc: /^(lib(c|m|pthread|dl|rt)\.so\.\d|ld-linux-(x86-64|aarch64)\.so\.\d)$/,
  musl: /^(libc\.so|libc\.musl-\w+\.so\.1)$/,
  darwin: /^\/usr\/lib\/(libSystem\.B|libc\+\+\.1)\.dylib$/,
  win32: /^(kernel32|ntdll|api-ms-win-[\w-]+)\.dll$/i,
};

/** Names that only the host program, its engine, or a C++ runtime could provide. */
const foreign = /^(uv_|node_|v8|_Z|__cxa_(?!finalize|atexit|thread_atexit)|__gxx|_Unwind)/;

/** @param {Uint8Array} bytes @returns {Binary} */
export function readBinary(bytes) {
  if (isElf(bytes)) return readElf(bytes);
  if (isMachO(bytes)) return readMachO(bytes);
  if (isPe(bytes)) return readPe(bytes);
  throw new Error("neither an ELF, a Mach-O nor a Windows file");
}

/**
 * Everything that is wrong with a target's binary, one sentence each. A binary that is to run on one machine alone may
 * need that machine's glibc.
 * @param {Target} target @param {Uint8Array} bytes @param {string} [glibc] @returns {string[]}
 */
export function complaints(target, bytes, glibc = maxGlibc) {
  const size = bytes.length > maxBytes ? [`has ${bytes.length} bytes; ${maxBytes} at most`] : [];
  try {
    const binary = readBinary(bytes);
    if (binary.platform !== target.platform || binary.arch !== target.arch) {
      return [`is for ${binary.platform}-${binary.arch}, not ${target.platform}-${target.arch}`, ...size];
    }
    return [...size, ...wrongFile(binary), ...wrongNeeds(target, binary, glibc), ...wrongImports(target, binary)];
  } catch (error) {
    return [`cannot be read: ${error instanceof Error ? error.message : String(error)}`, ...size];
  }
}

/** @param {Binary} binary */
function wrongFile({ platform, arch, stripped, signed, minimumOs, exports }) {
  const found = [];
  if (!stripped) found.push("is not stripped");
  if (!exports.includes("napi_register_module_v1")) found.push("is no Node-API addon: exports no entry point");
  const allowed = platform === "darwin" ? [...entryPoints, ...machHeaders] : entryPoints;
  const more = exports.filter((name) => !allowed.includes(name) && !(platform === "darwin" && allocators.test(name)));
  if (more.length > 0) found.push(`exports more than its entry points: ${shortly(more)}`);
  if (platform !== "darwin") return found;
  if (arch === "arm64" && !signed) found.push("is not signed, which macOS on arm64 demands");
  if (newer(minimumOs ?? "99.0", maxMacos)) found.push(`needs macOS ${minimumOs}; ${maxMacos} at most`);
  return found;
}

/** @param {Target} target @param {Binary} binary @param {string} glibc */
function wrongNeeds(target, { needed, imports }, glibc) {
  const known = libraries[target.libc ?? target.platform];
  const found = needed.filter((name) => !known?.test(name)).map((name) => `needs ${name}`);
  if (target.libc !== "glibc") return found;
  const versions = imports.map(({ from }) => from.replace("GLIBC_", "")).filter((from) => /^[\d.]+$/.test(from));
  const worst = [...new Set(versions)].filter((version) => newer(version, glibc));
  if (worst.length > 0) found.push(`needs glibc ${worst.join(" and ")}; ${glibc} at most`);
  return found;
}

/** @param {Target} target @param {Binary} binary */
function wrongImports(target, { platform, imports }) {
  const wrong = imports.filter(({ name, from, weak }) => {
    if (/^(napi|node_api)_/.test(name)) return platform === "win32" || !nodeApi.has(name);
    // macOS has a C++ runtime of its own, and binds each name to the library that has it.
    if (foreign.test(name) && !weak && !(platform === "darwin" && from !== "")) return true;
    // Whatever is left must be bound to a library of `libraries`; musl's symbols carry no version to tell by.
    return from === "" && !weak && target.libc !== "musl";
  });
  const names = wrong.map(({ name }) => name).sort();
  return wrong.length === 0 ? [] : [`imports ${shortly(names.reverse())}`]; // C's names before mangled ones
}

/** @param {string} version @param {string} limit */
function newer(version, limit) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [maxMajor = 0, maxMinor = 0] = limit.split(".").map(Number);
  return major > maxMajor || (major === maxMajor && minor > maxMinor);
}

/** @param {string[]} names */
function shortly(names) {
  return names.slice(0, 5).join(", ") + (names.length > 5 ? ` and ${names.length - 5} more` : "");
}
