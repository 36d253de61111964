// Which process this is among all of all machines, and whether another one of this machine still runs. A process number
// alone says little: it is used again, it means something else in another container, and after a boot.

import { execFileSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname, uptime } from "node:os";

export interface ProcessIdentity {
  readonly host: string;
  /** Differs from boot to boot. */
  readonly boot: string;
  /** Within which process numbers mean the same: a container's. */
  readonly space: string;
  readonly pid: number;
  /** When the process began, in the system's own terms. */
  readonly started: string;
}

function attempt(read: () => string): string | undefined {
  try {
    return read().trim();
  } catch {
    return undefined;
  }
}

/** Windows tells no boot's name; when it was is known to some seconds, of which the clock's corrections are a part. */
const bootMinutes = 10;

function bootId(): string {
  if (process.platform === "linux") return attempt(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8")) ?? "";
  if (process.platform === "darwin") {
    return attempt(() => execFileSync("/usr/sbin/sysctl", ["-n", "kern.bootsessionuuid"], { encoding: "utf8" })) ?? "";
  }
  return String(Math.round((Date.now() / 1000 - uptime()) / 60));
}

function sameBoot(a: string, b: string): boolean {
  return process.platform === "win32" ? Math.abs(Number(a) - Number(b)) <= bootMinutes : a === b && a !== "";
}

/** When a process began; undefined when there is none of that number, or the system does not say. */
function startOf(pid: number): string | undefined {
  if (process.platform === "linux") {
    // Past the command's name, which may hold anything: the state, and as 20th the start in clock ticks since the boot.
    return attempt(() => {
      const text = readFileSync(`/proc/${pid}/stat`, "utf8");
      const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
      return /[ZX]/.test(fields[0] ?? "") ? "ended, and its parent has not looked" : (fields[19] ?? "");
    });
  }
  if (process.platform === "win32") {
    const script = `(Get-Process -Id ${pid}).StartTime.ToFileTimeUtc()`;
    return attempt(() => execFileSync("powershell.exe", ["-NoProfile", "-Command", script], quiet));
  }
  return attempt(() => execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], quiet));
}

const quiet = { encoding: "utf8" as const, stdio: ["ignore", "pipe", "ignore"] as ["ignore", "pipe", "ignore"] };

/** This process. */
export function thisProcess(): ProcessIdentity {
  return {
    host: hostname(),
    boot: bootId(),
    space: attempt(() => readlinkSync("/proc/self/ns/pid")) ?? "",
    pid: process.pid,
    started: startOf(process.pid) ?? "",
  };
}

/** Whether its process number can be looked up here. When in doubt it cannot. */
export function sameMachine(other: ProcessIdentity): boolean {
  const { host, boot, space } = thisProcess();
  return other.host === host && other.space === space && sameBoot(other.boot, boot);
}

/** Whether a process of this machine still runs: its number is in use, by a process that began when it did. */
export function stillRuns({ pid, started }: ProcessIdentity): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false; // EPERM: another user's, but there
  }
  const now = startOf(pid);
  return now === undefined || now === "" || started === "" || now === started;
}
