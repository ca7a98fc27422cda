import { dirname, join } from 'node:path';
import { BinaryFile } from './binary-file.ts';
import { elementDecoder } from './element-decoders.ts';
import { diskAccess, type FileAccess } from './file-access.ts';
import { FileCursor } from './file-cursor.ts';
import { type OnnxDescription, type OnnxPort, readOnnxContents } from './onnx-graph.ts';
import { type ListedOnnxTensor, listedBytes, type OnnxTensor } from './onnx-tensor.ts';
import { PlainTensor, requireRows } from './plain-tensor.ts';
import { ProtobufReader } from './protobuf-reader.ts';
import { TensorFile } from './tensor-file.ts';
import type { LazyTensor } from './tensor-source.ts';

export type { OnnxDescription, OnnxPort };

/**
 * An ONNX model: the graph's initializers as tensors, and what the file says about itself in `description`. Nothing of a weight is
 * read until it is asked for; external data are opened then, beside the model and nowhere else. Initializers of inner graphs
 * are not among the tensors.
 */
export class OnnxModel extends TensorFile {
  readonly description: OnnxDescription;
  readonly #beside: FilesBeside;

  /** Throws `file-missing`, `file-truncated`, `file-invalid` or `not-supported`. */
  constructor(path: string, access: FileAccess = diskAccess) {
    const beside = new FilesBeside(path, access);
    let description: OnnxDescription | null = null;
    super(
      path,
      (file) => {
        const { tensors, ...rest } = readOnnxContents(
          path,
          new ProtobufReader(new FileCursor(file)),
          file.size,
        );
        description = rest;
        return new Map(Array.from(tensors, ([name, tensor]) => [name, tensorAt(file, beside, tensor)]));
      },
      access,
    );
    if (description === null) throw new Error(`${path} was not read`);
    this.description = description;
    this.#beside = beside;
  }

  override close(): void {
    this.#beside.close();
    super.close();
  }
}

/** Files with external data, open from their first use on. */
class FilesBeside {
  readonly #model: string;
  readonly #access: FileAccess;
  readonly #open = new Map<string, BinaryFile>();

  constructor(model: string, access: FileAccess) {
    this.#model = model;
    this.#access = access;
  }

  file(name: string): BinaryFile {
    const known = this.#open.get(name);
    if (known !== undefined) return known;
    const file = new BinaryFile(join(dirname(this.#model), name), this.#access);
    this.#open.set(name, file);
    return file;
  }

  close(): void {
    for (const file of this.#open.values()) file.close();
    this.#open.clear();
  }
}

function tensorAt(file: BinaryFile, beside: FilesBeside, tensor: OnnxTensor): LazyTensor {
  const { data, ...place } = tensor;
  switch (data.kind) {
    case 'raw':
      return new PlainTensor(file, { ...place, offset: data.offset });
    case 'external':
      return new ExternalTensor(
        tensor,
        () => new PlainTensor(beside.file(data.file), { ...place, offset: data.offset }),
      );
    case 'list':
      return new ListedTensor(file, { ...tensor, data });
  }
}

/** A tensor in another file, which is opened when its data are asked for. */
class ExternalTensor implements LazyTensor {
  readonly name: string;
  readonly type: LazyTensor['type'];
  readonly shape: readonly number[];
  readonly #inFile: () => LazyTensor;

  constructor({ name, type, shape }: OnnxTensor, inFile: () => LazyTensor) {
    this.name = name;
    this.type = type;
    this.shape = shape;
    this.#inFile = inFile;
  }

  read(): Uint8Array<ArrayBuffer> {
    return this.#inFile().read();
  }

  float32(): Float32Array<ArrayBuffer> {
    return this.#inFile().float32();
  }

  rows(first: number, count: number): LazyTensor {
    return this.#inFile().rows(first, count);
  }
}

interface Rows {
  readonly first: number;
  readonly count: number;
}

/** A tensor whose numbers are listed one by one in the model: small ones alone are written so. */
class ListedTensor implements LazyTensor {
  readonly name: string;
  readonly type: LazyTensor['type'];
  readonly shape: readonly number[];
  readonly #file: BinaryFile;
  readonly #tensor: ListedOnnxTensor;
  readonly #part: Rows | null;

  constructor(file: BinaryFile, tensor: ListedOnnxTensor, part: Rows | null = null) {
    this.name = tensor.name;
    this.type = tensor.type;
    this.shape = part === null ? tensor.shape : [part.count, ...tensor.shape.slice(1)];
    this.#file = file;
    this.#tensor = tensor;
    this.#part = part;
  }

  rows(first: number, count: number): LazyTensor {
    requireRows(this, first, count);
    return new ListedTensor(this.#file, this.#tensor, { first: (this.#part?.first ?? 0) + first, count });
  }

  read(): Uint8Array<ArrayBuffer> {
    const reader = new ProtobufReader(new FileCursor(this.#file));
    const read = (offset: number, length: number) => this.#file.read(offset, length, this.name);
    const bytes = listedBytes(this.#file.path, reader, read, this.#tensor);
    if (this.#part === null) return bytes;
    const rowBytes = bytes.length / (this.#tensor.shape[0] ?? 1);
    return bytes.slice(this.#part.first * rowBytes, (this.#part.first + this.#part.count) * rowBytes);
  }

  float32(): Float32Array<ArrayBuffer> {
    const decoder = elementDecoder(this.#file.path, this);
    const bytes = this.read();
    const values = new Float32Array(bytes.length / decoder.bytes);
    decoder.decode(bytes, values);
    return values;
  }
}
