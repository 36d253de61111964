// The shapes of the exactness suite, as data: at least one for every way the core may choose to share out the work.

import type { Cell } from "./cells.js";

export interface Shape {
  /** What the shape is there to provoke. */
  name: string;
  inputSize: number;
  hiddenSize: number;
  /** One entry per sequence. */
  lengths: number[];
  numLayers?: number;
  bidirectional?: boolean;
  projSize?: number;
  bias?: boolean;
  /** Inputs are uniform in [-scale, scale). */
  scale?: number;
}

const equal = (count: number, steps: number): number[] => Array.from({ length: count }, () => steps);
/** Unequal lengths from 1 to `longest` in no order, with ties. */
const mixed = (count: number, longest: number): number[] =>
  Array.from({ length: count }, (_, k) => 1 + ((k * k * 7 + k * 3) % longest));

export const SHAPES: readonly Shape[] = [
  { name: "one input, one unit", inputSize: 1, hiddenSize: 1, lengths: [7, 5, 5, 2, 1] },
  { name: "many rows, dense", inputSize: 3, hiddenSize: 64, lengths: equal(16, 25) },
  {
    name: "many layers both ways, dense",
    inputSize: 3,
    hiddenSize: 64,
    lengths: equal(16, 6),
    numLayers: 2,
    bidirectional: true,
  },
  { name: "whole vectors and panels", inputSize: 16, hiddenSize: 128, lengths: mixed(12, 6) },
  { name: "neither units nor inputs fill a vector", inputSize: 13, hiddenSize: 37, lengths: mixed(19, 9) },
  { name: "more rows than slots, unequal", inputSize: 5, hiddenSize: 12, lengths: mixed(200, 23) },
  {
    name: "more rows than slots, both ways",
    inputSize: 5,
    hiddenSize: 12,
    lengths: mixed(90, 17),
    bidirectional: true,
  },
  { name: "more rows than slots, equal", inputSize: 9, hiddenSize: 20, lengths: equal(131, 5) },
  { name: "one long among many short", inputSize: 4, hiddenSize: 17, lengths: [90, ...equal(70, 2)], numLayers: 2 },
  { name: "one sequence, long", inputSize: 6, hiddenSize: 10, lengths: [700] },
  { name: "one sequence, both ways", inputSize: 24, hiddenSize: 70, lengths: [40], bidirectional: true },
  { name: "one sequence, three layers", inputSize: 20, hiddenSize: 50, lengths: [75], numLayers: 3 },
  {
    name: "one sequence, three layers both ways",
    inputSize: 20,
    hiddenSize: 33,
    lengths: [30],
    numLayers: 3,
    bidirectional: true,
  },
  { name: "one sequence, many units", inputSize: 40, hiddenSize: 521, lengths: [5] },
  { name: "two sequences, many units", inputSize: 40, hiddenSize: 521, lengths: [2, 3], bidirectional: true },
  { name: "one sequence, 1024 units", inputSize: 8, hiddenSize: 1024, lengths: [2] },
  // Tiles taller than the registers hold take a panel slice by slice, and cut the chains of their own accord.
  { name: "tall tiles, chains cut within x and h", inputSize: 100, hiddenSize: 150, lengths: equal(40, 3) },
  { name: "many inputs, few units", inputSize: 1100, hiddenSize: 5, lengths: [9, 9, 4] },
  { name: "no bias", inputSize: 7, hiddenSize: 18, lengths: mixed(10, 8), numLayers: 2, bias: false },
  { name: "projection", inputSize: 17, hiddenSize: 40, projSize: 11, lengths: mixed(9, 12), numLayers: 2 },
  {
    name: "projection both ways",
    inputSize: 17,
    hiddenSize: 35,
    projSize: 34,
    lengths: mixed(75, 7),
    numLayers: 2,
    bidirectional: true,
  },
  { name: "projection, one sequence, many units", inputSize: 10, hiddenSize: 300, projSize: 70, lengths: [6] },
  { name: "projection to one", inputSize: 3, hiddenSize: 16, projSize: 1, lengths: equal(7, 9), bidirectional: true },
  { name: "saturated gates", inputSize: 60, hiddenSize: 24, lengths: mixed(15, 10), scale: 64, numLayers: 2 },
  { name: "one step each", inputSize: 30, hiddenSize: 48, lengths: equal(40, 1) },
];

/** Those that a cell can have: only an LSTM has projections. */
export function shapesOf(cell: Cell): Shape[] {
  return SHAPES.filter(({ projSize }) => projSize === undefined || cell.kind === "lstm");
}

/** Multiply-adds of one pass over the shape. */
export function cost(shape: Shape): number {
  const directions = shape.bidirectional ? 2 : 1;
  const width = shape.projSize || shape.hiddenSize;
  let perStep = 0;
  for (let layer = 0; layer < (shape.numLayers ?? 1); layer++) {
    const inputs = layer === 0 ? shape.inputSize : directions * width;
    perStep += directions * (4 * shape.hiddenSize * (inputs + width) + (shape.projSize ? shape.hiddenSize * width : 0));
  }
  return perStep * shape.lengths.reduce((a, b) => a + b, 0);
}
