// Draws which node of an ONNX graph feeds which, the bodies of If, Loop, Scan and functions each for itself.

import type { Wire } from "../weights/onnx/flow.js";

const most = 200; // lines

/** Lines of text, the first one empty; none where there is nothing to draw. */
export function drawWires(wires: readonly Wire[]): string[] {
  const paths = new Map<string, Wire[]>();
  for (const wire of wires) paths.set(wire.path, [...(paths.get(wire.path) ?? []), wire]);
  // A body is met before what stands behind it; the model's own graph is told first all the same.
  const sorted = [...paths].sort(([a], [b]) => Number(a !== "") - Number(b !== ""));
  const lines = sorted.flatMap(([path, inside]) => [
    "",
    path === "" ? "which node feeds which" : `inside ${JSON.stringify(path.slice(0, -1))}`,
    ...inside.map(({ from, via, to }) => `  ${[from, ...(via.length === 0 ? [] : [via.join(", ")]), to].join(" ─▶ ")}`),
  ]);
  return lines.length <= most ? lines : [...lines.slice(0, most), `  and ${lines.length - most} more lines`];
}
