// Runs cases of one target in a child process, and another when it has crashed or hung: such a case is a finding too.

import { fork } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Order, Outcome, Report, Target } from "./target.js";

export interface Finding {
  readonly case: number;
  readonly what: string;
}

/** What came of some cases. */
export interface Tally {
  readonly kinds: Map<string, number>;
  /** Of cases that have bits to compare. */
  readonly bits: Map<number, string>;
  readonly findings: Finding[];
  cases: number;
}

/** Which cases, for how long, and what to do while a finding's evidence still lies in the folder. */
export interface Run {
  readonly root: string;
  readonly seed: number;
  readonly first: number;
  readonly last: number;
  readonly milliseconds: number;
  readonly env: Readonly<Record<string, string>>;
  readonly keep: (finding: Finding, folder: string) => void;
}

/** After so many findings a target has shown what it has to show. */
const enough = 5;

export async function runTarget(target: Target, run: Run): Promise<Tally> {
  const tally: Tally = { kinds: new Map(), bits: new Map(), findings: [], cases: 0 };
  const folder = mkdtempSync(join(tmpdir(), "packed-lstm-fuzz-"));
  const until = performance.now() + run.milliseconds;
  try {
    let first = run.first;
    while (first <= run.last && performance.now() < until && tally.findings.length < enough) {
      const order: Order = {
        target: target.name,
        ...{ seed: run.seed, first, last: run.last, milliseconds: until - performance.now() },
        place: { root: run.root, folder },
      };
      const reached = await runChild(target, order, run, tally);
      if (reached === undefined) break;
      first = reached + 1;
      rmSync(folder, { recursive: true });
      mkdirSync(folder);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return tally;
}

/** Gives the case in which the child came to its end, or undefined when it ended by itself. */
function runChild(target: Target, order: Order, run: Run, tally: Tally): Promise<number | undefined> {
  const child = fork(fileURLToPath(new URL("child.mjs", import.meta.url)), [JSON.stringify(order)], {
    execArgv: ["--enable-source-maps", "--max-old-space-size=1024"],
    env: { ...process.env, ...run.env },
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let now: number | undefined;
  let said = "";
  let hung = false;
  const found = (number: number, what: string): void => {
    const finding = { case: number, what };
    tally.findings.push(finding);
    run.keep(finding, order.place.folder);
    if (tally.findings.length >= enough) child.kill("SIGKILL");
  };
  const patience = target.patience ?? 10;
  const lose = (): void => {
    hung = true;
    child.kill("SIGKILL");
  };
  let watchdog = setTimeout(lose, (patience + 20) * 1000); // a child takes its time to start
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-16384);
  });
  child.on("message", (report: Report) => {
    clearTimeout(watchdog);
    watchdog = setTimeout(lose, patience * 1000);
    if ("began" in report) {
      now = report.began;
      return;
    }
    now = undefined;
    tally.cases++;
    if ("found" in report) found(report.over, report.found);
    else count(tally, report.over, report.outcome);
  });
  return new Promise((resolve) => {
    child.once("close", (code, signal) => {
      clearTimeout(watchdog);
      if (tally.findings.length >= enough || (code === 0 && now === undefined)) return resolve(undefined);
      const last = now ?? order.first;
      const how = hung ? `no answer within ${patience} s` : `the process ended by ${signal ?? `exit ${code}`}`;
      tally.cases++;
      found(last, `${how}\n${said}`);
      resolve(last);
    });
  });
}

function count({ kinds, bits }: Tally, number: number, outcome: Outcome): void {
  kinds.set(outcome.kind, (kinds.get(outcome.kind) ?? 0) + 1);
  if (outcome.bits !== undefined) bits.set(number, outcome.bits);
}
