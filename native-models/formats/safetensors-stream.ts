import { type FileHandle, open } from 'node:fs/promises';
import { plainTypeBits } from './plain-types.ts';

const mostBytesAWrite = 2 ** 30;

/** A tensor whose bytes, row after row and little-endian, are made while they are written. */
export interface StreamedTensor {
  readonly name: string;
  readonly type: 'F32' | 'F16' | 'BF16' | 'I64';
  /** Outermost dimension first. */
  readonly shape: readonly number[];
  chunks(): Iterable<Uint8Array>;
}

/**
 * Writes a safetensors file, a chunk of a tensor at a time, so that memory holds no more of it whatever its size. Tensors follow
 * one another in the order given (those of 8 bytes an element should come first, to stay aligned). Throws `RangeError`, naming
 * the tensor, when one gives more or fewer bytes than its shape takes or a name is given twice.
 */
export async function streamSafetensors(
  path: string,
  tensors: readonly StreamedTensor[],
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const file = await open(path, 'w');
  try {
    await append(file, headerOf(tensors, metadata));
    for (const tensor of tensors) await appendTensor(file, tensor);
  } finally {
    await file.close();
  }
}

function headerOf(
  tensors: readonly StreamedTensor[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const entries = new Map<string, object>();
  if (Object.keys(metadata).length > 0) entries.set('__metadata__', metadata);
  let end = 0;
  for (const tensor of tensors) {
    const { name, type, shape } = tensor;
    if (entries.has(name)) throw new RangeError(`${name} is given twice`);
    const start = end;
    end += bytesOfTensor(tensor);
    entries.set(name, { dtype: type, shape, data_offsets: [start, end] });
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  // Readers map the file: spaces after the JSON bring the data to a multiple of 8.
  const padded = Math.ceil(text.length / 8) * 8;
  const header = new Uint8Array(8 + padded).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(padded), true);
  header.set(text, 8);
  return header;
}

async function appendTensor(file: FileHandle, tensor: StreamedTensor): Promise<void> {
  const bytes = bytesOfTensor(tensor);
  let given = 0;
  for (const chunk of tensor.chunks()) {
    given += chunk.length;
    if (given > bytes) break;
    await append(file, chunk);
  }
  if (given !== bytes)
    throw new RangeError(
      `${tensor.name} [${tensor.shape.join(', ')}] takes ${bytes} bytes, and ${given} or more came`,
    );
}

function bytesOfTensor({ type, shape }: StreamedTensor): number {
  return shape.reduce((product, size) => product * size, plainTypeBits[type] / 8);
}

/** A write may take less than it is given: at most 2 GiB at a time, or what a nearly full disk has left. */
async function append(file: FileHandle, bytes: Uint8Array): Promise<void> {
  let rest = bytes;
  while (rest.length > 0) {
    const { bytesWritten } = await file.write(rest, 0, Math.min(rest.length, mostBytesAWrite));
    rest = rest.subarray(bytesWritten);
  }
}
