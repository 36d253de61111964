// One writer at a time: a lock beside the output, which a run holds from its first look at the .partial to its end.
//
// A lock is a file made under its name only when nothing is there, so that of several runs one gets it. It names its
// holder: host, boot, process space, process and when that began. On the holder's own machine a look at its process tells
// whether it lives; from anywhere else only its heartbeat does, by the file system's own clock. Whoever finds a dead
// holder makes its lock again under a name that follows from the dead one's token: of several that find it one gets that
// name, and is the holder if the chain from the first lock still leads to it; then its lock takes the first place.
//
// Why not a library: proper-lockfile (4.1.2) knows a lock's age alone, so a killed run would block the next
// one for as long as a heartbeat may fail, and it removes a stale lock by name, be it by then another's fresh one.

import { randomUUID } from "node:crypto";
import {
  closeSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { type ProcessIdentity, sameMachine, stillRuns, thisProcess } from "./run-process.js";

interface LockText extends ProcessIdentity {
  readonly token: string;
  readonly since: string;
}

/** The lock at the end of the chain; what it says is undefined for a damaged one. */
interface Holder {
  readonly path: string;
  readonly text: LockText | undefined;
  /** When it was written last, in ms by the clock that stamps files. */
  readonly beaten: number;
}

/** How long a holder whose process cannot be seen may be silent, in ms. */
export const staleAfter = 60_000;
const beatEvery = 5_000;
const attempts = 20;

/** A lock that is held. */
export class Lock {
  /** The holder before was on another machine and silent: should it wake, it still has its files open. */
  readonly tookOver: boolean;
  readonly #first: string;
  readonly #path: string;
  readonly #text: LockText;
  readonly #fd: number;
  readonly #timer: NodeJS.Timeout;
  #beaten = Date.now();

  /** @throws Error when another run holds it, or may */
  static acquire(output: string): Lock {
    const first = `${output}.lock`;
    const text: LockText = { ...thisProcess(), token: randomUUID(), since: new Date().toISOString() };
    for (let attempt = 0; attempt < attempts; attempt++) {
      const holder = findHolder(first);
      const age = holder === undefined ? 0 : fileClock(output) - holder.beaten;
      if (holder !== undefined && lives(holder, age)) throw held(output, holder, age);
      const path = holder === undefined ? first : follower(first, holder);
      if (!create(path, text)) continue; // another was faster: look again
      if (holder !== undefined && findHolder(first)?.text?.token !== text.token) {
        rmSync(path, { force: true }); // the chain has gone on without us
        continue;
      }
      return new Lock(first, path, text, holder !== undefined && !(holder.text && sameMachine(holder.text)));
    }
    throw new Error(`${output}: other runs begin and end on it all the time; nothing was done`);
  }

  private constructor(first: string, path: string, text: LockText, tookOver: boolean) {
    this.tookOver = tookOver;
    this.#first = first;
    this.#text = text;
    this.#path = path === first || !moved(path, first) ? path : first;
    for (const other of followers(first)) if (other !== this.#path) rmSync(other, { force: true });
    this.#fd = openSync(this.#path, "r+");
    this.#timer = setInterval(() => this.beat(), beatEvery);
    this.#timer.unref();
  }

  /** Says that this process lives; to be called, too, by work that keeps the event loop from turning. */
  beat(): void {
    if (Date.now() - this.#beaten < beatEvery / 2) return;
    this.#beaten = Date.now();
    writeSync(this.#fd, serialize(this.#text), 0);
  }

  /** @throws Error when another run, from another machine, has taken over since: what is written now would be written twice */
  check(): void {
    this.beat();
    if (findHolder(this.#first)?.text?.token === this.#text.token) return;
    throw new Error(`${this.#path} has gone to another run, which took this one for dead; nothing more is written`);
  }

  release(): void {
    clearInterval(this.#timer);
    closeSync(this.#fd);
    if (readLock(this.#path)?.token === this.#text.token) rmSync(this.#path, { force: true });
  }
}

function serialize(text: LockText): string {
  return `${JSON.stringify({ ...text, beat: new Date().toISOString() })}\n`;
}

/**
 * Makes a lock with all that it says, or nothing: a hard link of a written file; where the file system has none, a file
 * that is written when it is there.
 * @returns false when there is a file of that name already
 */
function create(path: string, text: LockText): boolean {
  const draft = `${path}.${text.token}.draft`;
  try {
    writeFileSync(draft, serialize(text), { flag: "wx" });
    try {
      linkSync(draft, path);
    } catch (error) {
      if (codeOf(error) === "EEXIST") throw error;
      writeFileSync(path, serialize(text), { flag: "wx" });
    }
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** @throws the file system's error when there is a file and it cannot be read */
function readLock(path: string): LockText | undefined {
  try {
    const text = JSON.parse(readFileSync(path, "utf8")) as Partial<LockText> | null;
    return typeof text?.token === "string" && /^[\w-]+$/.test(text.token) ? (text as LockText) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

function findHolder(first: string): Holder | undefined {
  let found: Holder | undefined;
  for (let path = first; ; ) {
    const beaten = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (beaten === undefined) return found;
    found = { path, text: readLock(path), beaten };
    path = follower(first, found);
  }
}

/** The name under which the one that follows on a dead holder makes its lock. */
function follower(first: string, { text, path }: Holder): string {
  return text === undefined ? `${path}.unreadable` : `${first}.${text.token}`;
}

/** Locks of the dead, and drafts: whatever lies beside the first lock under its name. */
function followers(first: string): string[] {
  const names = readdirSync(dirname(first)).filter((name) => name.startsWith(`${basename(first)}.`));
  return names.map((name) => join(dirname(first), name));
}

/** The time by the clock that stamps the files of this folder, which may be a server's. */
function fileClock(output: string): number {
  const probe = `${output}.${randomUUID()}.clock`;
  closeSync(openSync(probe, "wx"));
  try {
    return statSync(probe).mtimeMs;
  } finally {
    rmSync(probe, { force: true });
  }
}

/** False when its process is known to be gone, or could not be seen and was silent for long. */
function lives({ text }: Holder, age: number): boolean {
  if (text !== undefined && sameMachine(text)) return stillRuns(text);
  return age < staleAfter;
}

function held(output: string, { text }: Holder, age: number): Error {
  const who = text === undefined ? "another run" : `process ${text.pid} on ${text.host}, since ${text.since}`;
  const wait =
    text !== undefined && sameMachine(text)
      ? "wait for it to end"
      : `last heard of ${Math.max(0, Math.round(age / 1000))} s ago; taken for dead after ${staleAfter / 1000} s of silence`;
  return new Error(`${output} is being written by ${who}; ${wait}`);
}

/** Puts a lock in the first place. Where that fails, as Windows may while another reads it, the chain still leads to it. */
function moved(path: string, first: string): boolean {
  try {
    renameSync(path, first);
    return true;
  } catch {
    return false;
  }
}
