// A folder for one test's files, gone when the test ends, however it ends.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Runs `use` with the path of an empty folder. */
export function withFolder<T>(use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "packed-lstm-"));
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
