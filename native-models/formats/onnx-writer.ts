import { type FileHandle, open, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Attribute, GraphDefinition, NamedWeight, NodeDefinition, Value } from '../graph/definition.ts';
import { bytesPerElement, onnxTypeCode } from '../graph/element-types.ts';
import { ProtobufWriter } from './protobuf-writer.ts';

/** Field and type numbers below are those of onnx.proto3 (IR version 10). */
const irVersion = 10;
const opsets = [
  { domain: '', version: 21 },
  { domain: 'com.microsoft', version: 1 },
];
/** Weights smaller than this many bytes stand in the graph's own file. */
const inlineLimit = 1024;
const mostBytesAWrite = 2 ** 30;
/** Cache lines; ONNX Runtime maps the file and rounds to pages itself. */
const alignment = 64;

interface Placed {
  readonly offset: number;
  readonly length: number;
}

/**
 * The weights of one or more graphs of a folder, written one after another while they are made: memory holds one at a time, and of
 * those that come in pieces no more than a piece. A weight that several graphs name is written once.
 */
export class DataFile {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #placed = new Map<string, Placed>();
  #end = 0;

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.#handle = handle;
  }

  /** Empties the file if it is there. */
  static async create(path: string): Promise<DataFile> {
    return new DataFile(path, await open(path, 'w'));
  }

  /** Writes a weight unless one of its name is there. `bytes` must be what its type and shape take. */
  async put(weight: NamedWeight, bytes: number): Promise<Placed> {
    const there = this.#placed.get(weight.name);
    if (there !== undefined) {
      if (there.length !== bytes)
        throw new Error(
          `weight ${weight.name} has ${there.length} bytes in one graph and ${bytes} in another`,
        );
      return there;
    }
    const pieces = weight.chunks?.() ?? [await weight.read()];
    let given = 0;
    for (const piece of pieces) {
      given += piece.length;
      if (given > bytes) break;
      await this.#append(piece);
    }
    if (given !== bytes)
      throw new Error(
        `weight ${weight.name} gave ${given}${given > bytes ? ' or more' : ''} bytes where its shape takes ${bytes}`,
      );
    const placed = { offset: this.#end, length: bytes };
    const padding = (alignment - (bytes % alignment)) % alignment;
    await this.#append(new Uint8Array(padding));
    this.#end += bytes + padding;
    this.#placed.set(weight.name, placed);
    return placed;
  }

  /** A write may take less than it is given: at most 2 GiB at a time, or what a nearly full disk has left. */
  async #append(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (rest.length > 0) {
      const { bytesWritten } = await this.#handle.write(rest, 0, Math.min(rest.length, mostBytesAWrite));
      rest = rest.subarray(bytesWritten);
    }
  }

  /** Waits until everything is on the disk. */
  async close(): Promise<void> {
    await this.#handle.sync();
    await this.#handle.close();
  }
}

/** Creates a data file, lets `body` write graphs that use it, and closes it. */
export async function withDataFile<T>(path: string, body: (data: DataFile) => Promise<T>): Promise<T> {
  const data = await DataFile.create(path);
  try {
    return await body(data);
  } finally {
    await data.close();
  }
}

/** Writes a graph to `path` and its larger weights to `data`, a file in the same folder (ONNX Runtime allows no other). */
export async function writeModel(graph: GraphDefinition, path: string, data: DataFile): Promise<void> {
  if (dirname(path) !== dirname(data.path)) throw new Error(`${path} and ${data.path} must share a folder`);
  const weights: ProtobufWriter[] = [];
  for (const weight of graph.weights) weights.push(await tensor(weight, data));
  const model = new ProtobufWriter().integer(1, irVersion).string(2, 'parlance');
  model.message(7, graphMessage(graph, weights));
  for (const { domain, version } of opsets)
    model.message(8, new ProtobufWriter().string(1, domain).integer(2, version));
  await writeFile(path, model.finish());
}

async function tensor(weight: NamedWeight, data: DataFile): Promise<ProtobufWriter> {
  const message = new ProtobufWriter();
  for (const size of weight.shape) message.integer(1, size);
  message.integer(2, onnxTypeCode(weight.type)).string(8, weight.name);
  const bytes = weight.shape.reduce((product, size) => product * size, bytesPerElement(weight.type));
  if (bytes < inlineLimit) return message.bytes(9, await weight.read());
  const { offset, length } = await data.put(weight, bytes);
  const entries = { location: basename(data.path), offset: String(offset), length: String(length) };
  for (const [key, value] of Object.entries(entries))
    message.message(13, new ProtobufWriter().string(1, key).string(2, value));
  return message.integer(14, 1);
}

function graphMessage(graph: GraphDefinition, weights: readonly ProtobufWriter[]): ProtobufWriter {
  const message = new ProtobufWriter();
  for (const node of graph.nodes) message.message(1, nodeMessage(node));
  message.string(2, graph.name);
  for (const weight of weights) message.message(5, weight);
  for (const input of graph.inputs) message.message(11, valueMessage(input));
  for (const output of graph.outputs) message.message(12, valueMessage(output));
  return message;
}

function valueMessage(value: Value): ProtobufWriter {
  const shape = new ProtobufWriter();
  for (const size of value.shape) {
    const dimension = new ProtobufWriter();
    shape.message(1, typeof size === 'number' ? dimension.integer(1, size) : dimension.string(2, size));
  }
  const tensorType = new ProtobufWriter().integer(1, onnxTypeCode(value.type)).message(2, shape);
  return new ProtobufWriter().string(1, value.name).message(2, new ProtobufWriter().message(1, tensorType));
}

function nodeMessage(node: NodeDefinition): ProtobufWriter {
  const message = new ProtobufWriter();
  for (const input of node.inputs) message.string(1, input);
  for (const output of node.outputs) message.string(2, output);
  message.string(3, node.name).string(4, node.type);
  for (const [name, attribute] of Object.entries(node.attributes))
    message.message(5, attributeMessage(name, attribute));
  return message.string(7, node.domain);
}

function attributeMessage(name: string, attribute: Attribute): ProtobufWriter {
  const message = new ProtobufWriter().string(1, name);
  switch (attribute.kind) {
    case 'float':
      return message.float(2, attribute.value).integer(20, 1);
    case 'int':
      return message.integer(3, attribute.value).integer(20, 2);
    case 'string':
      return message.string(4, attribute.value).integer(20, 3);
    case 'graph':
      return message.message(6, graphMessage(attribute.value, [])).integer(20, 5);
    case 'ints':
      for (const value of attribute.value) message.integer(8, value);
      return message.integer(20, 7);
  }
}
