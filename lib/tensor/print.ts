// A tensor as text, as torch prints one: columns of one width, four digits, whole numbers with a point, large and small
// ones in powers of ten, the middle left out past a thousand elements; then always its shape and its dtype.
// https://docs.pytorch.org/docs/stable/generated/torch.set_printoptions.html (the default profile)

import { formatShape } from "../check.js";
import { bufferNote, type DType, product, type TensorData } from "./strided.js";

const digits = 4;
const mostElements = 1000;
const edge = 3; // elements shown at either end of a dim, when some are left out
const lineWidth = 80;
const opening = "tensor(";

/** What is printed of a tensor. */
export interface Printed {
  readonly data: TensorData;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** The text of a tensor; of one whose memory is gone it says that. Throws nothing. */
export function printTensor(tensor: Printed): string {
  const { data, shape, dtype } = tensor;
  const size = product(shape);
  let text = `${opening}${size === 0 ? "[]" : ""}`;
  if (data.length !== size) text += `<${bufferNote(data).replace(" whose buffer", "buffer")}>`;
  else if (size > 0) text += printElements(tensor, size > mostElements);
  for (const suffix of [`shape=${formatShape(shape)}`, `dtype=${dtype}`]) {
    const lastLine = text.length - text.lastIndexOf("\n") - 1;
    const fits = lastLine + suffix.length + 4 <= lineWidth;
    text += (fits ? ", " : `,\n${" ".repeat(opening.length)}`) + suffix;
  }
  return `${text})`;
}

/** A tensor where there is no room for its elements: deep within other objects. */
export function printBriefly({ shape, dtype }: Printed): string {
  return `${opening}..., shape=${formatShape(shape)}, dtype=${dtype})`;
}

/** The places along a dim that are shown; a gap, where some are not, is undefined. */
function shownPlaces(size: number, shorten: boolean): (number | undefined)[] {
  if (!shorten || size <= 2 * edge) return Array.from({ length: size }, (_, i) => i);
  const ends = Array.from({ length: edge }, (_, i) => i);
  return [...ends, undefined, ...ends.map((i) => size - edge + i)];
}

function printElements({ data, shape, dtype }: Printed, shorten: boolean): string {
  const places = shape.map((size) => shownPlaces(size, shorten));
  const starts = places.reduce<number[]>(
    (rows, shown, d) =>
      rows.flatMap((row) => shown.flatMap((place) => (place === undefined ? [] : row * (shape[d] as number) + place))),
    [0],
  );
  const write = writerFor(
    starts.map((at) => data[at] as number),
    dtype === "int32",
  );

  const nest = (d: number, row: number): string => {
    const shown = places[d];
    if (shown === undefined) return write.number(data[row] as number);
    const indent = " ".repeat(opening.length + d + 1);
    const inner = row * (shape[d] as number);
    if (d < shape.length - 1) {
      const parts = shown.map((place) => (place === undefined ? "..." : nest(d + 1, inner + place)));
      return `[${parts.join(`,${"\n".repeat(shape.length - 1 - d)}${indent}`)}]`;
    }
    const words = shown.map((place) => (place === undefined ? " ..." : write.number(data[inner + place] as number)));
    const perLine = Math.max(1, Math.floor((lineWidth - opening.length - d) / (write.width + 2)));
    const lines = Array.from({ length: Math.ceil(words.length / perLine) }, (_, i) =>
      words.slice(i * perLine, (i + 1) * perLine).join(", "),
    );
    return `[${lines.join(`,\n${indent}`)}]`;
  };
  return nest(0, 0);
}

interface Writer {
  readonly width: number;
  number(value: number): string;
}

/** Chooses one form for all numbers that are shown. Zeros and what is not finite have no say in it. */
function writerFor(values: readonly number[], integers: boolean): Writer {
  const telling = integers ? values : values.filter((value) => Number.isFinite(value) && value !== 0);
  const form = integers ? String : floatForm(telling);
  const width = telling.reduce((most, value) => Math.max(most, form(value).length), 1);
  return { width, number: (value) => form(value).padStart(width) };
}

function floatForm(values: readonly number[]): (value: number) => string {
  const sizes = values.map(Math.abs);
  const least = sizes.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const most = sizes.reduce((a, b) => Math.max(a, b), 0);
  const powers = values.length > 0 && (most / least > 1000 || most > 1e8 || least < 1e-4);
  const whole = values.every(Number.isInteger);
  return (value) => {
    if (Number.isNaN(value)) return "nan";
    const sign = value < 0 || Object.is(value, -0) ? "-" : "";
    const size = Math.abs(value);
    if (size === Number.POSITIVE_INFINITY) return `${sign}inf`;
    if (powers) return sign + exponential(size);
    return sign + (whole ? `${size}.` : fixed(size));
  };
}

// C and Python round a number that lies halfway between two to the one with the even last digit, JavaScript to the larger.

function fixed(size: number): string {
  const longer = size.toFixed(digits + 1);
  const halfway = longer.endsWith("5") && /^50*$/.test(size.toFixed(100).slice(longer.length - 1));
  return halfway && isEven(longer.at(-2)) ? longer.slice(0, -1) : size.toFixed(digits);
}

function exponential(size: number): string {
  const [longer = "", power = ""] = size.toExponential(digits + 1).split("e");
  const halfway = longer.endsWith("5") && /^50*e/.test(size.toExponential(100).slice(longer.length - 1));
  const text = halfway && isEven(longer.at(-2)) ? `${longer.slice(0, -1)}e${power}` : size.toExponential(digits);
  return text.replace(/e([+-])(\d)$/, "e$10$2");
}

function isEven(digit: string | undefined): boolean {
  return Number(digit) % 2 === 0;
}
