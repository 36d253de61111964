// The streaming example with small numbers: its sources deliver what they should, and every frame is answered.

import { expect, it } from "vitest";
import { type Frame, Microphones } from "../examples/stream/microphones.js";
import { percentile, serve } from "../examples/stream/server.js";

it("sources deliver a frame every 10 ms, each at a phase of its own, and come and go", () => {
  const microphones = new Microphones(20, 10);
  const frames: Frame[] = [];
  for (let now = 0; now < 1000; now++) microphones.take(now, (frame) => frames.push({ ...frame }));
  expect(frames.length).toBeGreaterThan(1600);
  expect(frames.length).toBeLessThanOrEqual(2000);
  expect(new Set(frames.map(({ due }) => due % 10)).size).toBeGreaterThan(15);
  const joined = frames.filter(({ first }) => first).length - 20;
  expect(joined).toBeLessThanOrEqual(microphones.left); // who follows the last to leave may still be on the way
  expect(joined).toBeGreaterThan(microphones.left - 20);
  expect(microphones.left).toBeGreaterThan(50);
  for (const row of [0, 7, 19]) {
    const times = frames.filter((frame) => frame.row === row);
    for (const [i, frame] of times.entries()) {
      if (i > 0) expect(frame.due - times[i - 1]!.due).toBeCloseTo(frame.first ? 20 : 10, 9);
    }
  }
});

it("every frame is answered, some rows at a time", async () => {
  const report = await serve({ streams: 30, seconds: 0.4, meanFrames: 8 });
  expect(report.frames).toBeGreaterThan(200);
  expect(report.latencies.length).toBe(report.frames);
  expect(report.work.length).toBe(report.steps);
  expect(report.steps).toBeGreaterThan(10);
  expect(report.left).toBeGreaterThan(20);
  expect(report.latencies[0]).toBeGreaterThan(0);
  expect(percentile(report.latencies, 0.5)).toBeLessThan(200);
  expect(percentile(report.latencies, 1)).toBe(report.latencies.at(-1));
});
