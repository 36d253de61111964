// GRU and RNN in the benchmark's record: apart from the LSTM's outcomes, a table and two targets of their own, and nothing
// of either where they were not run.

import { describe, expect, it } from "vitest";
import { cellLine, chosenCellShapes } from "../bench/src/cells.js";
import { floorMs } from "../bench/src/floor.js";
import { measuredSection } from "../bench/src/readme.js";
import { type CellOutcome, lstmShare, type RunRecord } from "../bench/src/record.js";
import { cellRows, reportOf } from "../bench/src/report.js";
import { verdicts } from "../bench/src/targets.js";
import { outcome, record } from "./support/bench-record.js";

const timing = (median: number) => ({ median, fastest: median, samples: 9, manner: "made up" });

/** 10 rows of 64 sequences, 256 → 256: an LSTM's arithmetic is 4/3 of a GRU's. */
function cellOutcome(cell: "gru" | "rnn", threads: number, own: number, lstm: number, peer: number): CellOutcome {
  return { ...outcome(threads, own, { torch: peer }, { cell }), beside: { own: timing(own), lstm: timing(lstm) } };
}

const withCells = (...cells: CellOutcome[]): RunRecord => ({ ...record, cells });

describe("cells in a record", () => {
  it("keep the LSTM's rate when they take the share of time that their gates have", () => {
    expect(lstmShare(cellOutcome("gru", 1, 3, 4, 9))).toBeCloseTo(1, 12);
    expect(lstmShare(cellOutcome("gru", 1, 4, 4, 9))).toBeCloseTo(0.75, 12);
    expect(lstmShare(cellOutcome("rnn", 1, 2, 4, 9))).toBeCloseTo(0.5, 12);
  });

  it("stand in a table of their own, and the line of each says what counts", () => {
    const cells = [cellOutcome("gru", 1, 3, 4, 6), cellOutcome("gru", 2, 2, 2, 1)];
    expect(cellRows(withCells(...cells))).toEqual({
      peers: ["torch"],
      rows: [["GRU", "10,64,256,256,1,1", "made up", "3.00 / 2.00", "2.00 / 0.50", "100% / 75%"]],
    });
    expect(cellLine(cells[0] as CellOutcome)).toBe(
      "gru 10,64,256,256,1,1, 1 thread  torch 2.00×, 100% of the LSTM's GFLOP/s",
    );
    expect(reportOf(withCells(...cells))).toContain("GRU and RNN\n");
    expect(measuredSection(withCells(...cells))).toContain(
      "\n| GRU 10, 64, 256, 256, 1, 1 (made up) | 3.00 / 2.00 | 2.00 / 0.50 | 100% / 75% |\n",
    );
    const lost =
      "A peer was the faster one in 1 of 2 comparisons: gru 10,64,256,256,1,1 on 2 threads (PyTorch, 0.50×).";
    expect(reportOf(withCells(...cells))).toContain(lost);
    expect(measuredSection(withCells(...cells))).toContain(lost);
    expect(measuredSection(record)).not.toContain("GRU");
    expect(reportOf(record)).not.toContain("GRU");
  });

  it("can be reported alone", () => {
    const alone = reportOf({ ...withCells(cellOutcome("gru", 1, 3, 4, 6)), outcomes: [] });
    expect(alone).toContain("GRU and RNN\n");
    expect(alone).not.toMatch(/NaN|undefined|of floor/);
  });

  it("have a floor of their own gates and activations", () => {
    const rows = 10 * 64;
    const ms = (gates: number, cell: number) =>
      (1000 * (rows * 2 * gates * 256 * 256 + rows * 256 * (2 * gates * 256 + cell))) / 1e11;
    expect(floorMs(record, cellOutcome("gru", 1, 3, 4, 6))).toBeCloseTo(ms(3, 102), 9);
    expect(floorMs(record, cellOutcome("rnn", 1, 3, 4, 6))).toBeCloseTo(ms(1, 34), 9);
  });

  it("are judged against peers and against our LSTM", () => {
    const [peers, rate] = verdicts(withCells(cellOutcome("gru", 1, 3, 4, 6), cellOutcome("rnn", 2, 2, 4, 1))).slice(-2);
    expect(peers).toMatchObject({ met: false, figure: "1 of 2; lowest 0.50×" });
    expect(peers?.short).toEqual([
      "rnn 10,64,256,256,1,1 (made up), 2 threads: 0.50×, at most 1.15× by the machine's limits",
    ]);
    expect(rate).toMatchObject({ met: true, figure: "1 of 1; lowest 100%" });
    const slow = verdicts(withCells(cellOutcome("gru", 1, 4, 4, 6))).at(-1);
    expect(slow).toMatchObject({ met: false, short: ["gru 10,64,256,256,1,1 (made up), 1 thread: 75%"] });
    expect(verdicts(record).some(({ target }) => target.includes("GRU"))).toBe(false);
  });

  it("are chosen by cell, text and haste", () => {
    const names = (...args: Parameters<typeof chosenCellShapes>) => chosenCellShapes(...args).map(({ cell }) => cell);
    expect(names(["lstm"], false, "")).toEqual([]);
    expect(new Set(names(["lstm", "gru", "rnn"], false, ""))).toEqual(new Set(["gru", "rnn"]));
    expect(names(["gru"], true, "").length).toBeLessThan(names(["gru"], false, "").length);
    expect(chosenCellShapes(["gru", "rnn"], false, "gru 50,64,256").length).toBe(1);
  });
});
