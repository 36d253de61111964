// SVG elements as strings, in colours that a style sheet turns over where the reader's screen is dark. Knows nothing of
// benchmarks.

/** Marks for series, and inks: text, softer text, lines. Each is a class of the style sheet, light and dark. */
const palette = {
  ours: ["#0e6e7c", "#45c4d6"],
  onnxruntime: ["#b4531f", "#f0935a"],
  torch: ["#8a3a6c", "#e08bc0"],
  tfjs: ["#7c7420", "#cfc25a"],
  openvino: ["#3d5fa8", "#86a5ea"],
  openvinoBf16: ["#4d7d3a", "#90c67c"],
  ink: ["#20262c", "#e6edf3"],
  soft: ["#66707a", "#9aa4af"],
  line: ["#dcd8cd", "#313840"],
  paper: ["#fbfaf6", "#12171d"],
} as const;

export type Color = keyof typeof palette;

export const size = { title: 24, panel: 15, text: 12.5, tick: 11 } as const;

interface TextStyle {
  readonly size?: number;
  readonly fill?: Color;
  readonly anchor?: "start" | "middle" | "end";
  readonly bold?: boolean;
  /** Degrees, clockwise, around the place where the text is. */
  readonly turn?: number;
}

function escapeText(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

function short(value: number): string {
  return String(Math.round(value * 10) / 10);
}

export function text(x: number, y: number, content: string, style: TextStyle = {}): string {
  const { size: fontSize = size.text, fill = "ink", anchor = "start", bold = false, turn = 0 } = style;
  const weight = bold ? ' font-weight="600"' : "";
  const place = `x="${short(x)}" y="${short(y)}" font-size="${fontSize}" text-anchor="${anchor}"`;
  const turned = turn === 0 ? "" : ` transform="rotate(${short(turn)} ${short(x)} ${short(y)})"`;
  return `<text ${place} class="${fill}"${weight}${turned}>${escapeText(content)}</text>`;
}

export function line(x1: number, y1: number, x2: number, y2: number, color: Color = "line", width = 1): string {
  const ends = `x1="${short(x1)}" y1="${short(y1)}" x2="${short(x2)}" y2="${short(y2)}"`;
  return `<line ${ends} class="s-${color}" stroke-width="${width}"/>`;
}

/** A dot, or with `open` a ring. */
export function dot(x: number, y: number, radius: number, color: Color, open = false): string {
  const place = `cx="${short(x)}" cy="${short(y)}" r="${radius}"`;
  return open
    ? `<circle ${place} class="paper s-${color}" stroke-width="1.6"/>`
    : `<circle ${place} class="${color} s-paper" stroke-width="1"/>`;
}

export function path(
  points: readonly (readonly [x: number, y: number])[],
  color: Color,
  width: number,
  dashed = false,
): string {
  const d = points.map(([x, y], i) => `${i === 0 ? "M" : "L"}${short(x)} ${short(y)}`).join("");
  const dash = dashed ? ' stroke-dasharray="5 4"' : "";
  return `<path d="${d}" fill="none" class="s-${color}" stroke-width="${width}" stroke-linejoin="round"${dash}/>`;
}

/** Where a value lies on a logarithmic axis from `low` at `start` to `high` at `end`. */
export function logScale(low: number, high: number, start: number, end: number): (value: number) => number {
  return (value) => start + ((end - start) * Math.log(value / low)) / Math.log(high / low);
}

export function svg(
  width: number,
  height: number,
  title: string,
  description: string,
  parts: readonly string[],
): string {
  const all = parts.join("\n");
  const rules = (shade: 0 | 1): string =>
    Object.entries(palette)
      .filter(([name]) => !name.startsWith("openvino") || all.includes(`"${name} `) || all.includes(`s-${name}"`))
      .map(([name, shades]) => `.${name}{fill:${shades[shade]}}.s-${name}{stroke:${shades[shade]}}`)
      .join("");
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escapeText(title)}</title>`,
    `<desc>${escapeText(description)}</desc>`,
    "<style>text{font-family:Inter,'Helvetica Neue',Helvetica,Arial,'DejaVu Sans',sans-serif}",
    `${rules(0)}@media(prefers-color-scheme:dark){${rules(1)}}</style>`,
    `<rect width="${width}" height="${height}" rx="14" class="paper"/>`,
    all,
    "</svg>",
    "",
  ].join("\n");
}
