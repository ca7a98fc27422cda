import { rename } from 'node:fs/promises';
import { streamSafetensors } from './safetensors-stream.ts';

/** Values to be written, outermost dimension first; their element type is that of the array. */
export interface OutputTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}

/**
 * Writes a safetensors file, in one piece or not at all. Tensors follow one another in the order given (those of 8 bytes an
 * element should come first, to stay aligned). Throws `RangeError` when a shape does not fit its data.
 */
export async function writeSafetensors(
  path: string,
  tensors: Readonly<Record<string, OutputTensor>>,
): Promise<void> {
  const draft = `${path}.${process.pid}`;
  const streamed = Object.entries(tensors).map(([name, { shape, data }]) => {
    if (shape.reduce((product, size) => product * size, 1) !== data.length)
      throw new RangeError(`${name} [${shape.join(', ')}] does not hold ${data.length} values`);
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const type = data instanceof Float32Array ? ('F32' as const) : ('I64' as const);
    return { name, type, shape, chunks: () => [bytes] };
  });
  await streamSafetensors(draft, streamed);
  await rename(draft, path);
}
