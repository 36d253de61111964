// A handful of SVG elements as strings, and the one palette and type scale that every panel of the chart draws with.
// Knows nothing of words or models.

export const color = {
  paper: "#fbfaf6",
  ink: "#20262c",
  soft: "#66707a",
  line: "#dcd8cd",
  zero: "#f1eee5",
  ours: "#0e6e7c",
  minus: "#a8476a",
  rules: "#a9a69d",
} as const;

/** Font sizes: the title, a panel's title, what is read, what is glanced at, and what may be overlooked. */
export const size = { title: 27, panel: 17, text: 13, tick: 11.5, note: 9.5 } as const;

export interface TextStyle {
  readonly size?: number;
  readonly fill?: string;
  readonly anchor?: "start" | "middle" | "end";
  readonly bold?: boolean;
  /** Digits and letters of one width. */
  readonly mono?: boolean;
}

function escapeText(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

/** A number without needless digits. */
export function short(value: number): string {
  return String(Math.round(value * 100) / 100);
}

export function text(x: number, y: number, content: string, style: TextStyle = {}): string {
  const { size: fontSize = size.text, fill = color.ink, anchor = "start", bold = false, mono = false } = style;
  const weight = bold ? ' font-weight="600"' : "";
  const family = mono ? ' class="mono"' : "";
  const place = `x="${short(x)}" y="${short(y)}" font-size="${fontSize}" fill="${fill}" text-anchor="${anchor}"`;
  return `<text ${place}${weight}${family}>${escapeText(content)}</text>`;
}

/** Lines of text one under another. */
export function paragraph(x: number, y: number, lines: readonly string[], style: TextStyle = {}): string[] {
  const leading = (style.size ?? size.text) * 1.45;
  return lines.map((content, i) => text(x, y + i * leading, content, style));
}

export function rect(x: number, y: number, width: number, height: number, fill: string, radius = 0): string {
  const corner = radius > 0 ? ` rx="${radius}"` : "";
  const box = `x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}"`;
  return `<rect ${box} fill="${fill}"${corner}/>`;
}

export function line(x1: number, y1: number, x2: number, y2: number, stroke: string = color.line, width = 1): string {
  const ends = `x1="${short(x1)}" y1="${short(y1)}" x2="${short(x2)}" y2="${short(y2)}"`;
  return `<line ${ends} stroke="${stroke}" stroke-width="${width}"/>`;
}

export function circle(x: number, y: number, radius: number, fill: string): string {
  return `<circle cx="${short(x)}" cy="${short(y)}" r="${radius}" fill="${fill}" stroke="${color.paper}" stroke-width="1.5"/>`;
}

/** An open path through points. */
export function path(points: readonly (readonly [x: number, y: number])[], stroke: string, width: number): string {
  const d = points.map(([x, y], i) => `${i === 0 ? "M" : "L"}${short(x)} ${short(y)}`).join("");
  return `<path d="${d}" fill="none" stroke="${stroke}" stroke-width="${width}" stroke-linejoin="round"/>`;
}

/** A colour between two, `share` of the way from the first. */
export function blend(from: string, to: string, share: number): string {
  const channel = (hex: string, i: number): number => Number.parseInt(hex.slice(1 + 2 * i, 3 + 2 * i), 16);
  const mixed = [0, 1, 2].map((i) => Math.round(channel(from, i) + (channel(to, i) - channel(from, i)) * share));
  return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

export function svg(
  width: number,
  height: number,
  title: string,
  description: string,
  parts: readonly string[],
): string {
  const sans = "Inter, 'Helvetica Neue', Helvetica, Arial, 'DejaVu Sans', sans-serif";
  const mono = "'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace";
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escapeText(title)}</title>`,
    `<desc>${escapeText(description)}</desc>`,
    `<style>text { font-family: ${sans} } .mono { font-family: ${mono} }</style>`,
    rect(0, 0, width, height, color.paper, 14),
    ...parts,
    "</svg>",
    "",
  ].join("\n");
}
