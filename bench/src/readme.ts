// The measured section of bench/README.md as Markdown made from a record, and its place there: between two comments, so
// that the rest of the file is nobody's business here and a test can see that text and record agree.

import { int8Caption, int8Means, int8Rows } from "./int8-report.js";
import { type Outcome, peakShare, peerTitles, type RunRecord, ratioTo } from "./record.js";
import { byShape, cellRows, digits, float16Rows, lostLines, peerNames } from "./report.js";
import { tolerance } from "./rounded.js";
import { sizesOf } from "./shapes.js";
import { denseMean } from "./targets.js";

const open = "<!-- measured: written by `npm run bench -- --readme`, do not edit -->";
const close = "<!-- /measured -->";

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function table(record: RunRecord): string[] {
  const peers = peerNames(record.outcomes);
  const sets = ["workloads", "packed", "streaming"];
  const groups = byShape(record.outcomes.filter(({ shape }) => sets.includes(shape.set)));
  const titles = peers.map((peer) => {
    const version = record.versions[peer];
    return `${peerTitles[peer] ?? peer}${version ? ` ${version.replace(/^(\d+\.\d+).*/, "$1")}` : ""}, × our time`;
  });
  const head = ["T, B, I, H, layers, directions", "ours, ms", "of the FMA peak", ...titles];
  const lines = groups.flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    const cell = (what: (outcome: Outcome) => string): string => group.map(what).join(" / ");
    return row([
      `${sizesOf(first.shape).replaceAll(",", ", ")} (${first.shape.workload})`,
      cell(({ ours }) => digits(ours.median)),
      cell((outcome) => `${(100 * peakShare(record, outcome)).toFixed(0)}%`),
      ...peers.map((peer) => cell((outcome) => digits(ratioTo(outcome, peer)))),
    ]);
  });
  return [row(head), row(head.map(() => "---")), ...lines];
}

/** Our own weights in float16, apart from what peers are compared with. */
function float16(record: RunRecord): string[] {
  const rows = float16Rows(record);
  if (rows.length === 0) return [];
  const head = ['`weightDtype: "float16"`: T, B, I, H, layers, directions', "float32, ms", "float16, ms", "× as fast"];
  const lines = rows.map(([sizes = "", workload = "", ...figures]) => {
    return row([`${sizes.replaceAll(",", ", ")} (${workload})`, ...figures]);
  });
  return ["", row(head), row(head.map(() => "---")), ...lines, ""];
}

/** int8 weights beside the peers' int8, where they were run. */
function int8(record: RunRecord): string[] {
  const [head, ...rows] = int8Rows(record);
  if (!head || !record.int8) return [];
  const { date, versions, missing } = record.int8;
  const titled = Object.entries(versions).map(([name, version]) => `${peerTitles[name] ?? name} ${version}`);
  const absent = Object.keys(missing).map((name) => peerTitles[name] ?? name);
  const line = ([sizes = "", workload = "", ...figures]: readonly string[]): string =>
    row([`${sizes} (${workload})`, ...figures]);
  return [
    "",
    `\`weightDtype: "int8"\`, 1 thread / 2 threads, ${date.slice(0, 10)}, beside ${titled.join(", ")}: onnxruntime's`,
    "`DynamicQuantizeLSTM` (weights per channel), torch.ao's `quantize_dynamic`, OpenVINO in float32 and bf16, our own float32.",
    `Here ${int8Caption(record)}. Results are compared first: no element`,
    `${tolerance.element} apart, ${tolerance.rms} in rms, for each rounds in its own way.${absent.length > 0 ? ` Not present: ${absent.join(", ")}.` : ""}`,
    "",
    "![A peer's time over our int8's, by shape](../.github/bench-int8.svg)",
    "",
    line(head).replace(" (workload)", ""),
    row(head.slice(1).map(() => "---")),
    ...rows.map(line),
    "",
    `Geometric means without streams: ${int8Means(record).join("; ")}.`,
    "",
  ];
}

/** GRU and RNN, where they were run. */
function otherCells(record: RunRecord): string[] {
  const { peers, rows } = cellRows(record);
  if (rows.length === 0) return [];
  const ratios = peers.map((peer) => `${peerTitles[peer] ?? peer} ${record.versions[peer] ?? ""}, × our time`);
  const head = ["GRU and RNN: T, B, I, H, layers, directions", "ours, ms", ...ratios, "of our LSTM's GFLOP/s"];
  const lines = rows.map(([cell = "", sizes = "", workload = "", ...figures]) => {
    return row([`${cell} ${sizes.replaceAll(",", ", ")} (${workload})`, ...figures]);
  });
  return ["", row(head), row(head.map(() => "---")), ...lines, "", ...lostLines(record.cells ?? []), ""];
}

/** The section's text, without the comments around it. */
export function measuredSection(record: RunRecord): string {
  const { machine, isa, versions, date } = record;
  const means = [1, 2].flatMap((threads) => {
    const { mean, shapes } = denseMean(record, threads);
    return shapes === 0
      ? []
      : `${mean.toFixed(2)}× on ${threads} ${threads === 1 ? "thread" : "threads"} (${shapes} shapes)`;
  });
  const missing = Object.entries(record.missing).map(([name]) => peerTitles[name] ?? name);
  return [
    `float32, 1 thread / 2 threads, medians of one run of \`npm run bench\` on ${machine.cores} cores of ${machine.model}, ${isa}`,
    `(Node ${versions.node}, ${date.slice(0, 10)}). Above 1 we are the faster. Results are compared before any time counts, PyTorch runs`,
    "under `inference_mode`, onnxruntime-node with its threads spinning and not, whichever suits it; padded batches are packed inside the timed call.",
    "",
    "![A peer's time over ours, by shape](../.github/bench-ratios.svg)",
    "",
    ...table(record),
    "",
    ...(means.length > 0
      ? [`The fastest peer of each dense shape takes ${means.join(" and ")} of our time, as geometric means.`]
      : []),
    ...lostLines(record.outcomes),
    ...(missing.length > 0 ? [`Not present in this run: ${missing.join(", ")}.`] : []),
    ...float16(record),
    ...int8(record),
    ...otherCells(record),
    "Absolute times do not travel between machines; ratios do, roughly.",
    "",
    "![Roofline: GFLOP/s under the measured limits of the machine](../.github/bench-roofline.svg)",
    ...(record.growth ? ["", "![Time against T, B, H, layers and length spread](../.github/bench-growth.svg)"] : []),
  ].join("\n");
}

/** bench/README.md with its section replaced. @throws Error when the comments that mark the place are not there */
export function withMeasured(readme: string, record: RunRecord): string {
  const [start, end] = [readme.indexOf(open), readme.indexOf(close)];
  if (start < 0 || end < start) throw new Error(`bench/README.md has no "${open}" with a "${close}" after it`);
  return `${readme.slice(0, start)}${open}\n\n${measuredSection(record)}\n\n${readme.slice(end)}`;
}
