// A long packed job in a process of its own, which says how far its memory rose above what it had and what the data takes.
// Started by growth.ts with the length of the longest sequence; the number of rows is the same for all lengths.

import { readFileSync, writeFileSync } from "node:fs";
import { LSTM, packSequence, randn } from "packed-lstm";
import type { MemoryUse } from "./record.js";
import { spreadLengths } from "./shapes.js";

const rowsWanted = 200_000;
const [inputSize, hiddenSize] = [32, 64];

/** Linux lets a process forget its peak so far; elsewhere what was made before may hide what the pass takes. */
function forgetPeak(): void {
  try {
    writeFileSync("/proc/self/clear_refs", "5");
  } catch {
    // not Linux, or not allowed
  }
}

function peak(): number {
  try {
    const kib = /^VmHWM:\s*(\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    if (kib) return 1024 * Number(kib);
  } catch {
    // not Linux
  }
  return 1024 * process.resourceUsage().maxRSS;
}

const longest = Number(process.argv[2]);
const count = Math.max(2, Math.round((3 * rowsWanted) / longest));
const lengths = spreadLengths(count, 1, longest, 2);
const rows = lengths.reduce((sum, length) => sum + length, 0);

using lstm = new LSTM(inputSize, hiddenSize);
lstm.forward(packSequence([randn([10, inputSize])])); // so that what is paid once is paid
const packed = packSequence(
  lengths.map((length) => randn([length, inputSize])),
  { enforceSorted: false },
);
forgetPeak();
const before = process.memoryUsage.rss();
const [output] = lstm.forward(packed);
const data = 4 * (output.data.size + 2 * count * hiddenSize);
const use: MemoryUse = { sequences: count, rows, longest, data, peakOver: Math.max(0, peak() - before) };
console.log(JSON.stringify(use));
