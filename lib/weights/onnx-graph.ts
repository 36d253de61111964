// The messages of an ONNX file that lead to its LSTM nodes, taken off the wire as plain objects: model, functions, graph,
// node, attribute. Tensors and subgraphs stay bytes until someone asks for them. It judges form only, never meaning.
// The schema: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto

import { describe, rangeError } from "../check.js";
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
  readonly attributes: ReadonlyMap<string, Attribute>;
}

/** A graph, or the body of a function, which has no initializers. */
export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly inputs: readonly string[];
  /** Serialized tensors by name. */
  readonly initializers: ReadonlyMap<string, Uint8Array>;
}

/** A function of the model, which nodes call by its domain and name. */
export interface GraphFunction extends Graph {
  /** Its bytes in the file: what walking through it once costs. */
  readonly cost: number;
  readonly defaults: ReadonlyMap<string, Attribute>;
}

export interface Model {
  readonly graph: Graph;
  readonly functions: ReadonlyMap<string, GraphFunction>;
}

/** What a node calls and a function is called by. The domain may be left out for ONNX's own. */
export function operatorId(domain: string, opType: string, overload: string): string {
  return JSON.stringify([domain === "ai.onnx" ? "" : domain, opType, overload]);
}

/** @throws RangeError ERR_FILE when the bytes are no ONNX model */
export function readModel(label: string, bytes: Uint8Array): Model {
  let graph: Graph | undefined;
  const functions = new Map<string, GraphFunction>();
  for (const field of readFields(label, bytes)) {
    if (field.number === 7) {
      if (graph !== undefined) throw rangeError("ERR_FILE", label, "a model with one graph", "two");
      graph = readGraph(label, field.bytes());
    } else if (field.number === 25) {
      const { id, body } = readFunction(label, field.bytes());
      functions.set(id, body);
    }
  }
  if (graph === undefined) throw rangeError("ERR_FILE", label, "an ONNX model", "bytes without a graph");
  return { graph, functions };
}

export function readGraph(label: string, bytes: Uint8Array): Graph {
  const nodes: GraphNode[] = [];
  const inputs: string[] = [];
  const initializers = new Map<string, Uint8Array>();
  for (const field of readFields(label, bytes)) {
    if (field.number === 1) nodes.push(readNode(label, field.bytes()));
    else if (field.number === 5) {
      const name = readName(label, field.bytes(), 8);
      if (initializers.has(name)) {
        throw rangeError("ERR_FILE", label, "initializers of different names", `${describe(name)} twice`);
      }
      initializers.set(name, field.bytes());
    } else if (field.number === 11) inputs.push(readName(label, field.bytes(), 1));
  }
  return { nodes, inputs, initializers };
}

function readName(label: string, bytes: Uint8Array, number: number): string {
  let name = "";
  for (const field of readFields(label, bytes)) if (field.number === number) name = field.text();
  return name;
}

function readFunction(label: string, bytes: Uint8Array): { id: string; body: GraphFunction } {
  let name = "";
  let domain = "";
  let overload = "";
  const inputs: string[] = [];
  const nodes: GraphNode[] = [];
  const defaults = new Map<string, Attribute>();
  for (const field of readFields(label, bytes)) {
    if (field.number === 1) name = field.text();
    else if (field.number === 4) inputs.push(field.text());
    else if (field.number === 7) nodes.push(readNode(label, field.bytes()));
    else if (field.number === 10) domain = field.text();
    else if (field.number === 13) overload = field.text();
    else if (field.number === 11) {
      const attribute = readAttribute(label, field.bytes());
      defaults.set(attribute.name, attribute);
    }
  }
  return {
    id: operatorId(domain, name, overload),
    body: { nodes, inputs, initializers: new Map(), defaults, cost: bytes.length },
  };
}

function readNode(label: string, bytes: Uint8Array): GraphNode {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, Attribute>();
  const texts = { name: "", domain: "", opType: "", overload: "" };
  for (const field of readFields(label, bytes)) {
    if (field.number === 1) inputs.push(field.text());
    else if (field.number === 2) outputs.push(field.text());
    else if (field.number === 3) texts.name = field.text();
    else if (field.number === 4) texts.opType = field.text();
    else if (field.number === 7) texts.domain = field.text();
    else if (field.number === 8) texts.overload = field.text();
    else if (field.number === 5) {
      const attribute = readAttribute(label, field.bytes());
      attributes.set(attribute.name, attribute);
    }
  }
  return { ...texts, inputs, outputs, attributes };
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
