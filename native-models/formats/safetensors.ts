import { z } from 'zod';
import { type BinaryFile, invalidFile } from './binary-file.ts';
import type { FileAccess } from './file-access.ts';
import { PlainTensor, type TensorPlace } from './plain-tensor.ts';
import { type PlainType, plainTypeBits } from './plain-types.ts';
import { TensorFile } from './tensor-file.ts';

/** Room for seventy thousand tensors: what hostile JSON of this length takes in memory is some twenty-five times as much. */
const headerLimit = 8 * 2 ** 20;

const entrySchema = z.strictObject({
  dtype: z.custom<PlainType>((value) => typeof value === 'string' && Object.hasOwn(plainTypeBits, value)),
  shape: z.array(z.number().int().nonnegative()).max(16),
  data_offsets: z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]),
});

/**
 * A safetensors file: u64 length of the header, a JSON header of `{name: {dtype, shape, data_offsets}}`, the data. As the
 * reference reader does, it refuses data that overlap, leave holes or do not reach the end of the file: nothing can hide in
 * such a file, and a name given twice leaves a hole.
 */
export class Safetensors extends TensorFile {
  /** Throws `file-missing`, `file-truncated` or `file-invalid`, naming the tensor at fault. */
  constructor(path: string, access?: FileAccess) {
    super(
      path,
      (file) => new Map(readHeader(file).map((place) => [place.name, new PlainTensor(file, place)])),
      access,
    );
  }
}

function readHeader(file: BinaryFile): TensorPlace[] {
  const { buffer } = file.read(0, 8, 'the length of the header');
  const headerLength = new DataView(buffer).getBigUint64(0, true);
  if (headerLength > BigInt(headerLimit))
    throw invalidFile(file.path, `a header of ${headerLength} bytes is more than any model has`);
  const dataStart = 8 + Number(headerLength);
  const header = parseHeader(file, file.read(8, Number(headerLength), 'the header'));
  const places = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => place(file, name, entry, dataStart))
    .sort((a, b) => a.offset - b.offset || a.length - b.length);
  let end = dataStart;
  for (const { name, offset, length } of places) {
    if (offset !== end)
      throw invalidFile(file.path, `the data of ${name} overlap others or leave a hole before them`);
    end += length;
    file.requireSize(end, name);
  }
  if (end < file.size) throw invalidFile(file.path, `${file.size - end} bytes belong to no tensor`);
  return places;
}

function parseHeader(file: BinaryFile, bytes: Uint8Array): object {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw invalidFile(
      file.path,
      `its header is not JSON (${cause instanceof Error ? cause.message : cause})`,
    );
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw invalidFile(file.path, 'its header is not a JSON object');
  return header;
}

function place(file: BinaryFile, name: string, entry: unknown, dataStart: number): TensorPlace {
  const parsed = entrySchema.safeParse(entry);
  if (!parsed.success)
    throw invalidFile(
      file.path,
      `the entry of ${name} is wrong at ${parsed.error.issues[0]?.path.join('.') || 'its top'}`,
    );
  const { dtype, shape, data_offsets } = parsed.data;
  const [start, end] = data_offsets;
  const length = shape.reduce((product, size) => product * size, plainTypeBits[dtype]) / 8;
  if (length !== end - start)
    throw invalidFile(
      file.path,
      `${name}: ${dtype} [${shape.join(', ')}] does not fill ${end - start} bytes`,
    );
  return { name, type: dtype, shape, offset: dataStart + start, length };
}
