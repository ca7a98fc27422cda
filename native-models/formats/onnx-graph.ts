import { invalidFile } from './binary-file.ts';
import { type OnnxTensor, readOnnxTensor, readPair } from './onnx-tensor.ts';
import { onnxTypes } from './onnx-types.ts';
import type { ProtobufField, ProtobufReader } from './protobuf-reader.ts';

const depthLimit = 16;
const rankLimit = 64;
/** Of initializers, inputs, outputs and kinds of operators together. */
const countLimit = 200_000;

/** What goes into a graph or comes out of it. */
export interface OnnxPort {
  readonly name: string;
  /** By the names of ONNX Runtime: `float32`, `int64`, …; null for what is no tensor. */
  readonly type: string | null;
  /** A number, the name of a dimension that is known later, or null; null altogether when nothing is said. */
  readonly shape: readonly (number | string | null)[] | null;
}

/** What an ONNX file says about itself, apart from weights' values. */
export interface OnnxDescription {
  readonly irVersion: number;
  readonly producer: string;
  /** Versions of operator sets by domain; the standard's is the empty text. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly metadata: ReadonlyMap<string, string>;
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
  /** How often each operator is used, inner graphs included: `MatMul`, `com.microsoft.MatMulNBits`. */
  readonly operators: ReadonlyMap<string, number>;
}

export interface OnnxContents extends OnnxDescription {
  /** The graph's initializers. */
  readonly tensors: ReadonlyMap<string, OnnxTensor>;
}

interface Collected {
  irVersion: number;
  producer: string;
  graphs: number;
  readonly opsets: Map<string, number>;
  readonly metadata: Map<string, string>;
  readonly inputs: OnnxPort[];
  readonly outputs: OnnxPort[];
  readonly operators: Map<string, number>;
  readonly tensors: Map<string, OnnxTensor>;
}

/** Reads a ModelProto but for its weights' data. Throws `file-truncated`, `file-invalid` or `not-supported`. */
export function readOnnxContents(path: string, reader: ProtobufReader, size: number): OnnxContents {
  const model: Collected = {
    ...{ irVersion: 0, producer: '', graphs: 0, inputs: [], outputs: [] },
    ...{ opsets: new Map(), metadata: new Map(), operators: new Map(), tensors: new Map() },
  };
  for (const field of reader.fields(0, size, 'the model')) {
    if (field.field === 1) model.irVersion = Number(field.integer);
    else if (field.field === 2) model.producer = reader.text(field, 'the name of the producer');
    else if (field.field === 7) {
      model.graphs += 1;
      readGraph(path, reader, field, model);
    } else if (field.field === 8) addOpset(reader, field, model.opsets);
    else if (field.field === 14) model.metadata.set(...readPair(reader, field, 'the metadata'));
  }
  if (model.irVersion < 1 || model.graphs !== 1)
    throw invalidFile(path, `it is no ONNX model: it has ${model.graphs} graphs`);
  const { graphs: _, ...contents } = model;
  return { ...contents, inputs: model.inputs.filter(({ name }) => !model.tensors.has(name)) };
}

function addOpset(reader: ProtobufReader, range: ProtobufField, opsets: Map<string, number>): void {
  let [domain, version] = ['', 0];
  for (const field of reader.fields(range.start, range.end, 'an operator set')) {
    if (field.field === 1) domain = reader.text(field, 'the domain of an operator set');
    else if (field.field === 2) version = Number(field.integer);
  }
  opsets.set(domain, version);
}

function readGraph(path: string, reader: ProtobufReader, range: ProtobufField, model: Collected): void {
  const { tensors, inputs, outputs, operators } = model;
  for (const field of reader.fields(range.start, range.end, 'the graph')) {
    if (tensors.size + inputs.length + outputs.length + operators.size > countLimit)
      throw invalidFile(path, `its graph has more than ${countLimit} parts`);
    if (field.field === 1) countNode(path, reader, field, operators, 0);
    else if (field.field === 5) {
      const tensor = readOnnxTensor(path, reader, field);
      if (tensors.has(tensor.name)) throw invalidFile(path, `two initializers are called ${tensor.name}`);
      tensors.set(tensor.name, tensor);
    } else if (field.field === 11) inputs.push(readPort(path, reader, field));
    else if (field.field === 12) outputs.push(readPort(path, reader, field));
  }
}

/** Counts a node and those of the graphs that it holds, such as the branches of an If. */
function countNode(
  path: string,
  reader: ProtobufReader,
  range: ProtobufField,
  operators: Map<string, number>,
  depth: number,
): void {
  if (depth > depthLimit) throw invalidFile(path, 'its graphs are nested too deeply');
  let [type, domain] = ['', ''];
  for (const field of reader.fields(range.start, range.end, 'a node')) {
    if (field.field === 4) type = reader.text(field, 'the type of a node');
    else if (field.field === 7) domain = reader.text(field, 'the domain of a node');
    else if (field.field === 5)
      for (const part of reader.fields(field.start, field.end, 'an attribute'))
        if (part.field === 6 || part.field === 11)
          for (const node of reader.fields(part.start, part.end, 'an inner graph'))
            if (node.field === 1) countNode(path, reader, node, operators, depth + 1);
  }
  const name = domain === '' || domain === 'ai.onnx' ? type : `${domain}.${type}`;
  operators.set(name, (operators.get(name) ?? 0) + 1);
}

/** A ValueInfoProto. */
function readPort(path: string, reader: ProtobufReader, range: ProtobufField): OnnxPort {
  let name = '';
  let type: string | null = null;
  let shape: OnnxPort['shape'] = null;
  for (const field of reader.fields(range.start, range.end, 'an input or output')) {
    if (field.field === 1) name = reader.text(field, 'the name of an input or output');
    if (field.field !== 2) continue;
    for (const kind of reader.fields(field.start, field.end, 'a type')) {
      if (kind.field !== 1) continue;
      for (const part of reader.fields(kind.start, kind.end, 'a type')) {
        if (part.field === 1) type = onnxTypes.get(Number(part.integer))?.name ?? null;
        else if (part.field === 2) shape = readShape(path, reader, part);
      }
    }
  }
  return { name, type, shape };
}

function readShape(path: string, reader: ProtobufReader, range: ProtobufField): (number | string | null)[] {
  const shape: (number | string | null)[] = [];
  for (const field of reader.fields(range.start, range.end, 'a shape')) {
    if (field.field !== 1) continue;
    if (shape.length === rankLimit) throw invalidFile(path, 'a shape has too many dimensions');
    let dimension: number | string | null = null;
    for (const part of reader.fields(field.start, field.end, 'a dimension')) {
      if (part.field === 1) dimension = typeof part.integer === 'number' ? part.integer : null;
      else if (part.field === 2) dimension = reader.text(part, 'the name of a dimension');
    }
    shape.push(dimension);
  }
  return shape;
}
