import { rename, writeFile } from 'node:fs/promises';

/** Values to be written, outermost dimension first; their element type is that of the array. */
export interface OutputTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}

/**
 * Writes a safetensors file, in one piece or not at all. Tensors follow one another in the order given (those of 8 bytes an
 * element should come first, to stay aligned). Throws when a shape does not fit its data.
 */
export async function writeSafetensors(
  path: string,
  tensors: Readonly<Record<string, OutputTensor>>,
): Promise<void> {
  const header: Record<string, { dtype: string; shape: readonly number[]; data_offsets: [number, number] }> =
    {};
  const parts: Uint8Array[] = [];
  let end = 0;
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    if (shape.reduce((product, size) => product * size, 1) !== data.length)
      throw new RangeError(`${name} [${shape.join(', ')}] does not hold ${data.length} values`);
    const start = end;
    end += data.byteLength;
    const dtype = data instanceof Float32Array ? 'F32' : 'I64';
    header[name] = { dtype, shape, data_offsets: [start, end] };
    parts.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  // Readers map the file: spaces after the JSON bring the data to a multiple of 8.
  const padded = new Uint8Array(Math.ceil(text.length / 8) * 8).fill(0x20);
  padded.set(text);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(padded.length), true);
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, Buffer.concat([length, padded, ...parts]));
  await rename(draft, path);
}
