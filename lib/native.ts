// Loads the native addon, and nothing else: the only file that knows where a .node lies. Everything above it sees the
// typed `native`. In order: the file that PACKED_LSTM_BINARY names, a build made in this package's own folder
// (`npm ci` in a clone, or `npx packed-lstm build`), the prebuilt binary of this platform.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Binding } from "../binding.js";

/** The version of this package; a test holds it equal to package.json, which a bundle does not carry. */
export const version = "0.1.0";

/**
 * Written out in full, each as `new URL(literal, import.meta.url)`, since that is what bundlers look for, and in no arrow
 * function, since there tracers of deployed files do not look.
 */
function prebuilds(): Readonly<Record<string, URL>> {
  return {
    "linux-x64-glibc": new URL("../prebuilds/linux-x64/packed-lstm.glibc.node", import.meta.url),
    "linux-x64-musl": new URL("../prebuilds/linux-x64/packed-lstm.musl.node", import.meta.url),
    "linux-arm64-glibc": new URL("../prebuilds/linux-arm64/packed-lstm.glibc.node", import.meta.url),
    "linux-arm64-musl": new URL("../prebuilds/linux-arm64/packed-lstm.musl.node", import.meta.url),
    "darwin-x64": new URL("../prebuilds/darwin-x64/packed-lstm.node", import.meta.url),
    "darwin-arm64": new URL("../prebuilds/darwin-arm64/packed-lstm.node", import.meta.url),
    "win32-x64": new URL("../prebuilds/win32-x64/packed-lstm.node", import.meta.url),
    "win32-arm64": new URL("../prebuilds/win32-arm64/packed-lstm.node", import.meta.url),
  };
}

function nativeError(message: string, cause?: unknown): Error {
  return Object.assign(new Error(`packed-lstm: ${message}`, { cause }), { code: "ERR_NATIVE" as const });
}

/** Which C library this very process runs on: what is mapped into it tells, whatever files the machine has lying about. */
function libcOfProcess(): "glibc" | "musl" | "unknown" {
  try {
    const maps = readFileSync("/proc/self/maps", "utf8");
    if (/\/ld-musl-|\/libc\.musl-/.test(maps)) return "musl";
    if (/\/libc\.so\.6|\/libc-2\.\d+\.so|\/ld-linux-/.test(maps)) return "glibc";
  } catch {
    // /proc is not always mounted or readable; the diagnostic report below asks the loader instead.
  }
  const report = reportOfProcess();
  if (report?.header?.glibcVersionRuntime) return "glibc";
  return report?.sharedObjects?.some((path) => /ld-musl-|libc\.musl-/.test(path)) ? "musl" : "unknown";
}

interface ProcessReport {
  header?: { glibcVersionRuntime?: string };
  sharedObjects?: string[];
}

/** Node's diagnostic report without its network part, which may wait on name servers; absent or refused in some runtimes. */
function reportOfProcess(): ProcessReport | undefined {
  const report = process.report as (NodeJS.ProcessReport & { excludeNetwork?: boolean }) | undefined;
  if (typeof report?.getReport !== "function") return undefined;
  const before = report.excludeNetwork;
  report.excludeNetwork = true;
  try {
    return report.getReport() as ProcessReport;
  } catch {
    return undefined;
  } finally {
    if (before !== undefined) report.excludeNetwork = before;
  }
}

/** Names of the prebuilt binaries worth trying, the likeliest first. */
function targets(): string[] {
  const platform = `${process.platform}-${process.arch}`;
  if (process.platform !== "linux") return [platform];
  const libc = libcOfProcess();
  return libc === "unknown" ? [`${platform}-glibc`, `${platform}-musl`] : [`${platform}-${libc}`];
}

/** This file, or the bundle it became: bundles in CommonJS have no import.meta.url. */
function thisFile(): string {
  return import.meta.url ? fileURLToPath(import.meta.url) : __filename;
}

/** Paths that exist in a bundle's folder only when someone copied prebuilds/ there, as esbuild and rollup do not. */
function besideBundle(target: string): string {
  const [platform, arch, libc] = target.split("-") as [string, string, string?];
  return join(dirname(thisFile()), "prebuilds", `${platform}-${arch}`, `packed-lstm${libc ? `.${libc}` : ""}.node`);
}

function candidates(named: string | undefined, wanted: readonly string[]): string[] {
  if (named) return [resolve(named)];
  const built = join(dirname(thisFile()), "..", "build", "Release", "packed_lstm.node");
  const shipped = import.meta.url ? prebuilds() : {};
  const urls = wanted.flatMap((target) => shipped[target] ?? []);
  return [built, ...urls.map((url) => fileURLToPath(url)), ...wanted.map(besideBundle)];
}

/** Not `require`, which bundlers would want to resolve. */
function open(path: string): Binding {
  const module = { exports: {} as Binding };
  process.dlopen(module, path);
  return module.exports;
}

/** Node's permission model throws for a file that may not be read; that one may still be loaded. */
function mayExist(path: string): boolean {
  try {
    return existsSync(path);
  } catch {
    return true;
  }
}

/** What to do about it. A build is of no use where Node was told to load no addon at all. */
function remedyFor(causes: readonly unknown[]): string {
  if (causes.some((cause) => (cause as NodeJS.ErrnoException).code === "ERR_DLOPEN_DISABLED")) {
    return "permission" in process
      ? "Under Node's permission model packed-lstm needs --allow-addons."
      : "Node was started with --no-addons; packed-lstm is one and needs it left out.";
  }
  return (
    "`npx packed-lstm build` compiles one, given cmake and a C++ compiler; in a bundle, keep packed-lstm external or " +
    "copy its prebuilds/ (guide: Platforms and bundlers)."
  );
}

function load(): Binding {
  const wanted = targets();
  const paths = candidates(process.env.PACKED_LSTM_BINARY, wanted);
  const refused: string[] = [];
  const causes: unknown[] = [];
  for (const path of paths.filter(mayExist)) {
    try {
      return open(path);
    } catch (error) {
      refused.push(`${path} does not load: ${error instanceof Error ? error.message : String(error)}`);
      causes.push(error);
    }
  }
  const platform = wanted.join(" or ");
  const remedy = remedyFor(causes);
  if (refused.length > 0)
    throw nativeError(`no working addon for ${platform}: ${refused.join("; ")}. ${remedy}`, causes[0]);
  throw nativeError(`no addon for ${platform}: looked for ${paths.join(" and ")}. ${remedy}`);
}

/** The addon, typed by binding.d.ts. @throws Error ERR_NATIVE while importing, naming platform, libc and what was looked for */
export const native: Binding = load();
