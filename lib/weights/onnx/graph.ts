// The messages of an ONNX file that lead to its recurrent nodes, taken off the wire as plain objects: model, functions,
// graph, node, attribute. Tensors, subgraphs, attributes and declared shapes stay bytes until someone asks for them, so that
// what is held of a file grows with its size and no faster. It judges form only, never meaning.
// The schema: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto

import { describe, rangeError } from "../../check.js";
import { readFields } from "./protobuf.js";

/** An attribute; only the part that its kind fills is there. */
export interface Attribute {
  readonly name: string;
  readonly int?: number;
  readonly float?: number;
  readonly text?: string;
  readonly ints: readonly number[];
  readonly floats: readonly number[];
  readonly texts: readonly string[];
  readonly tensor?: Uint8Array;
  readonly graphs: readonly Uint8Array[];
  /** Inside a function: the attribute of the calling node that this one stands for. */
  readonly reference?: string;
}

/** One operation. */
export interface GraphNode {
  readonly name: string;
  readonly domain: string;
  readonly opType: string;
  readonly overload: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Its own bytes, for `readAttributes`, and how many of those there are. */
  readonly bytes: Uint8Array;
  readonly attributeCount: number;
  /** Whether one of them holds a graph. */
  readonly hasGraphs: boolean;
}

/** A graph, or the body of a function, which has no initializers. */
export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Serialized tensors by name. */
  readonly initializers: ReadonlyMap<string, Uint8Array>;
  /** Its own bytes, for `readShapes`. */
  readonly bytes: Uint8Array;
}

/** A function of the model, which nodes call by its domain and name. */
export interface GraphFunction extends Graph {
  readonly defaults: ReadonlyMap<string, Attribute>;
  /** The version of ONNX's operators that its body means. */
  readonly opset: number;
}

export interface Model {
  readonly graph: Graph;
  readonly functions: ReadonlyMap<string, GraphFunction>;
  /** The version of ONNX's operators that its graphs mean; endless where the file does not say. */
  readonly opset: number;
}

const maxNodes = 1_000_000; // of one graph

/** A whole number by name; a writer may leave out a value of 0. */
export function readInt(attributes: ReadonlyMap<string, Attribute>, name: string): number | undefined {
  const attribute = attributes.get(name);
  return attribute === undefined ? undefined : (attribute.int ?? 0);
}

/** What a node calls and a function is called by. The domain may be left out for ONNX's own. */
export function operatorId(domain: string, opType: string, overload: string): string {
  return JSON.stringify([domain === "ai.onnx" ? "" : domain, opType, overload]);
}

/** @throws RangeError ERR_FILE when the bytes are no ONNX model */
export function readModel(label: string, bytes: Uint8Array): Model {
  let graph: Graph | undefined;
  let opset = Number.POSITIVE_INFINITY;
  const functions = new Map<string, GraphFunction>();
  for (const field of readFields(label, bytes)) {
    if (field.number === 7) {
      if (graph !== undefined) throw rangeError("ERR_FILE", label, "a model with one graph", "two");
      graph = readGraph(label, field.bytes());
    } else if (field.number === 8) {
      opset = readOpset(label, field.bytes()) ?? opset;
    } else if (field.number === 25) {
      const { id, body } = readFunction(label, field.bytes());
      functions.set(id, body);
    }
  }
  if (graph === undefined) throw rangeError("ERR_FILE", label, "an ONNX model", "bytes without a graph");
  return { graph, functions, opset };
}

/** The version of ONNX's own operators, when it is theirs that the message tells. */
function readOpset(label: string, bytes: Uint8Array): number | undefined {
  let domain = "";
  let version = 0;
  for (const field of readFields(label, bytes)) {
    if (field.number === 1) domain = field.text();
    else if (field.number === 2) version = field.int();
  }
  return domain === "" || domain === "ai.onnx" ? version : undefined;
}

export function readGraph(label: string, bytes: Uint8Array): Graph {
  const nodes: GraphNode[] = [];
  const inputs: string[] = [];
  const outputs: string[] = [];
  const initializers = new Map<string, Uint8Array>();
  for (const field of readFields(label, bytes)) {
    if (field.number === 1) addNode(label, nodes, field.bytes());
    else if (field.number === 5) {
      const name = readName(label, field.bytes(), 8);
      if (initializers.has(name)) {
        throw rangeError("ERR_FILE", label, "initializers of different names", `${describe(name)} twice`);
      }
      initializers.set(name, field.bytes());
    } else if (field.number === 11) inputs.push(readName(label, field.bytes(), 1));
    else if (field.number === 12) outputs.push(readName(label, field.bytes(), 1));
  }
  return { nodes, inputs, outputs, initializers, bytes };
}

function addNode(label: string, nodes: GraphNode[], bytes: Uint8Array): void {
  if (nodes.length === maxNodes) throw rangeError("ERR_FILE", label, `at most ${maxNodes} nodes`, "more");
  nodes.push(readNode(label, bytes));
}

function readName(label: string, bytes: Uint8Array, number: number): string {
  let name = "";
  for (const field of readFields(label, bytes)) if (field.number === number) name = field.text();
  return name;
}

/**
 * The dims that a graph declares for its inputs, outputs and values between, by name; NaN for one that it leaves open.
 * A value without a declared shape is not in it.
 */
export function readShapes(label: string, { bytes }: Graph): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  for (const value of readFields(label, bytes)) {
    if (value.number < 11 || value.number > 13) continue; // input, output, value_info
    let name = "";
    let dims: number[] | undefined;
    for (const field of readFields(label, value.bytes())) {
      if (field.number === 1) name = field.text();
      else if (field.number === 2) dims = readTypeDims(label, field.bytes());
    }
    if (dims !== undefined) shapes.set(name, dims);
  }
  return shapes;
}

function readTypeDims(label: string, type: Uint8Array): number[] | undefined {
  let dims: number[] | undefined;
  for (const kind of readFields(label, type)) {
    if (kind.number !== 1) continue; // tensor_type
    for (const part of readFields(label, kind.bytes())) {
      if (part.number !== 2) continue; // shape
      dims = [];
      for (const dim of readFields(label, part.bytes())) if (dim.number === 1) dims.push(readDim(label, dim.bytes()));
    }
  }
  return dims;
}

function readDim(label: string, bytes: Uint8Array): number {
  for (const field of readFields(label, bytes)) if (field.number === 1 && field.int() > 0) return field.int();
  return Number.NaN;
}

function readFunction(label: string, bytes: Uint8Array): { id: string; body: GraphFunction } {
  let name = "";
  let domain = "";
  let overload = "";
  let opset = Number.POSITIVE_INFINITY;
  const inputs: string[] = [];
  const outputs: string[] = [];
  const nodes: GraphNode[] = [];
  const defaults = new Map<string, Attribute>();
  for (const field of readFields(label, bytes)) {
    if (field.number === 1) name = field.text();
    else if (field.number === 4) inputs.push(field.text());
    else if (field.number === 5) outputs.push(field.text());
    else if (field.number === 7) addNode(label, nodes, field.bytes());
    else if (field.number === 9) opset = readOpset(label, field.bytes()) ?? opset;
    else if (field.number === 10) domain = field.text();
    else if (field.number === 13) overload = field.text();
    else if (field.number === 11) {
      const attribute = readAttribute(label, field.bytes());
      defaults.set(attribute.name, attribute);
    }
  }
  return {
    id: operatorId(domain, name, overload),
    body: { nodes, inputs, outputs, initializers: new Map(), defaults, opset, bytes },
  };
}

function readNode(label: string, bytes: Uint8Array): GraphNode {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const texts = { name: "", domain: "", opType: "", overload: "" };
  let attributeCount = 0;
  let hasGraphs = false;
  for (const field of readFields(label, bytes)) {
    if (field.number === 1) inputs.push(field.text());
    else if (field.number === 2) outputs.push(field.text());
    else if (field.number === 3) texts.name = field.text();
    else if (field.number === 4) texts.opType = field.text();
    else if (field.number === 7) texts.domain = field.text();
    else if (field.number === 8) texts.overload = field.text();
    else if (field.number === 5) {
      attributeCount++;
      for (const part of readFields(label, field.bytes())) hasGraphs ||= part.number === 6 || part.number === 11;
    }
  }
  return { ...texts, inputs, outputs, bytes, attributeCount, hasGraphs };
}

/** A node's attributes, with those of the call that it is in (`actual`) in place of references to them. */
export function readAttributes(
  label: string,
  { bytes }: GraphNode,
  actual: ReadonlyMap<string, Attribute>,
): ReadonlyMap<string, Attribute> {
  const attributes = new Map<string, Attribute>();
  for (const field of readFields(label, bytes)) {
    if (field.number !== 5) continue;
    const own = readAttribute(label, field.bytes());
    const value = own.reference === undefined ? own : actual.get(own.reference);
    if (value !== undefined) attributes.set(own.name, value);
  }
  return attributes;
}

function readAttribute(label: string, bytes: Uint8Array): Attribute {
  const ints: number[] = [];
  const floats: number[] = [];
  const texts: string[] = [];
  const graphs: Uint8Array[] = [];
  const single: { name: string; int?: number; float?: number; text?: string; tensor?: Uint8Array; reference?: string } =
    {
      name: "",
    };
  for (const field of readFields(label, bytes)) {
    if (field.number === 1) single.name = field.text();
    else if (field.number === 2) single.float = field.float();
    else if (field.number === 3) single.int = field.int();
    else if (field.number === 4) single.text = latin1(field.bytes());
    else if (field.number === 5) single.tensor = field.bytes();
    else if (field.number === 6 || field.number === 11) graphs.push(field.bytes());
    else if (field.number === 7) appendFloats(floats, field.floatBytes(4));
    else if (field.number === 8) for (const int of field.ints()) ints.push(int);
    else if (field.number === 9) texts.push(latin1(field.bytes()));
    else if (field.number === 21) single.reference = field.text();
  }
  return { ...single, ints, floats, texts, graphs };
}

/** A `bytes` field that holds a word of the standard, or something else that need not be text at all. */
function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 200)).toString("latin1");
}

function appendFloats(floats: number[], bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 4 <= bytes.length; at += 4) floats.push(view.getFloat32(at, true));
}
