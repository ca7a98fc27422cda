import { BinaryFile } from '../../formats/binary-file.ts';
import { FileCursor } from '../../formats/file-cursor.ts';
import { type ProtobufField, ProtobufReader } from '../../formats/protobuf-reader.ts';

/** A step of a graph, as far as it tells what its weights are. */
export interface GraphNode {
  /** `MatMul`, `com.microsoft.MatMulNBits`. */
  readonly operator: string;
  /** Names of values; empty where an optional one is left out. */
  readonly inputs: readonly string[];
  /** Whole numbers among its attributes. */
  readonly integers: ReadonlyMap<string, number>;
}

/** Field numbers below are those of onnx.proto3. */
const modelGraph = 7;
const graphNode = 1;

/** The nodes of an ONNX file's graph, without those of branches inside. Throws what the reader of the file throws. */
export function graphNodes(path: string): GraphNode[] {
  const file = new BinaryFile(path);
  try {
    const reader = new ProtobufReader(new FileCursor(file));
    const nodes: GraphNode[] = [];
    for (const model of reader.fields(0, file.size, 'the model')) {
      if (model.field !== modelGraph) continue;
      for (const field of reader.fields(model.start, model.end, 'the graph'))
        if (field.field === graphNode) nodes.push(readNode(reader, field));
    }
    return nodes;
  } finally {
    file.close();
  }
}

function readNode(reader: ProtobufReader, range: ProtobufField): GraphNode {
  const inputs: string[] = [];
  const integers = new Map<string, number>();
  let [type, domain] = ['', ''];
  for (const field of reader.fields(range.start, range.end, 'a node')) {
    if (field.field === 1) inputs.push(reader.text(field, 'an input of a node'));
    else if (field.field === 4) type = reader.text(field, 'the type of a node');
    else if (field.field === 7) domain = reader.text(field, 'the domain of a node');
    else if (field.field === 5) readInteger(reader, field, integers);
  }
  return { operator: domain === '' ? type : `${domain}.${type}`, inputs, integers };
}

function readInteger(reader: ProtobufReader, range: ProtobufField, integers: Map<string, number>): void {
  let name = '';
  let value: number | null = null;
  for (const field of reader.fields(range.start, range.end, 'an attribute')) {
    if (field.field === 1) name = reader.text(field, 'the name of an attribute');
    else if (field.field === 3 && typeof field.integer === 'number') value = field.integer;
  }
  if (value !== null) integers.set(name, value);
}
