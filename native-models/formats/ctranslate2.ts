import { ModelError } from '../errors.ts';
import { type BinaryFile, invalidFile } from './binary-file.ts';
import type { FileAccess } from './file-access.ts';
import { FileCursor } from './file-cursor.ts';
import { PlainTensor, rowsOfPlace, type TensorPlace } from './plain-tensor.ts';
import { TensorFile } from './tensor-file.ts';
import type { LazyTensor } from './tensor-source.ts';

/** More than this means that the bytes are something else. */
const variableLimit = 100_000;
const rankLimit = 8;
const nameLimit = 1024;

const elementTypes = ['F32', 'I8', 'I16', 'I32', 'F16', 'BF16'] as const;
const elementBytes = [4, 1, 2, 4, 2, 2] as const;

/**
 * A CTranslate2 model (`model.bin`, version 6): u32 version, name, u32 revision, u32 count, then each variable with its header,
 * then u32 count of aliases and the aliases. An alias stands among the names. A matrix quantised to int8 gives its real values
 * from `float32()`: q / scale, one scale a row in `<name>_scale`.
 */
export class CTranslate2Model extends TensorFile {
  /** Throws `file-missing`, `file-truncated`, `file-invalid` or, for another version, `not-supported`. */
  constructor(path: string, access?: FileAccess) {
    super(path, (file) => tensorsOf(file, readIndex(file)), access);
  }
}

/** A matrix of int8 with a scale for each row (or one for all). */
class ScaledTensor extends PlainTensor {
  readonly #scale: PlainTensor;
  readonly #part: (first: number, count: number) => LazyTensor;

  constructor(file: BinaryFile, place: TensorPlace, scale: TensorPlace) {
    super(file, place);
    const rows = place.shape[0] ?? 1;
    const scales = scale.shape.reduce((product, size) => product * size, 1);
    if (scales !== rows && scales !== 1)
      throw invalidFile(file.path, `${scale.name} has ${scales} scales for ${rows} rows of ${place.name}`);
    this.#scale = new PlainTensor(file, scale);
    this.#part = (first, count) =>
      new ScaledTensor(
        file,
        rowsOfPlace(place, first, count),
        scales === 1 ? scale : rowsOfPlace({ ...scale, shape: [scales] }, first, count),
      );
  }

  override rows(first: number, count: number): LazyTensor {
    return this.#part(first, count);
  }

  override float32(): Float32Array<ArrayBuffer> {
    const values = super.float32();
    const scales = this.#scale.float32();
    const perScale = values.length / scales.length;
    for (let i = 0; i < values.length; i++)
      values[i] = (values[i] ?? 0) / (scales[Math.floor(i / perScale)] ?? 1);
    return values;
  }
}

function tensorsOf(file: BinaryFile, index: ReadonlyMap<string, TensorPlace>): Map<string, LazyTensor> {
  const tensors = new Map<string, LazyTensor>();
  for (const [name, place] of index) {
    const scale = place.type === 'I8' ? index.get(`${place.name}_scale`) : undefined;
    tensors.set(
      name,
      scale === undefined ? new PlainTensor(file, place) : new ScaledTensor(file, place, scale),
    );
  }
  return tensors;
}

/** Walks the variables and the aliases after them. An alias has the place, and the scales, of what it stands for. */
function readIndex(file: BinaryFile): Map<string, TensorPlace> {
  const cursor = new Cursor(file);
  const version = cursor.uint32('the version');
  if (version !== 6)
    throw new ModelError(
      'not-supported',
      `${file.path} is no CTranslate2 model of version 6 (it says ${version}).`,
      'Convert the model with a current CTranslate2 converter.',
    );
  cursor.text('the name of the model');
  cursor.uint32('the revision');
  const index = new Map<string, TensorPlace>();
  for (let left = cursor.count('variables'); left > 0; left--) {
    const place = readVariable(file, cursor);
    if (index.has(place.name)) throw invalidFile(file.path, `${place.name} is there twice`);
    index.set(place.name, place);
  }
  for (let left = cursor.count('aliases'); left > 0; left--) {
    const alias = cursor.text('an alias');
    const name = cursor.text(`the target of ${alias}`);
    const target = index.get(name);
    if (target === undefined) throw invalidFile(file.path, `${alias} stands for ${name}, which is not there`);
    if (!index.has(alias)) index.set(alias, target);
  }
  if (cursor.remaining > 0) throw invalidFile(file.path, `${cursor.remaining} bytes follow the last alias`);
  return index;
}

function readVariable(file: BinaryFile, cursor: Cursor): TensorPlace {
  const name = cursor.text('the name of a variable');
  const rank = cursor.byte(`the rank of ${name}`);
  if (rank > rankLimit) throw invalidFile(file.path, `${name} has ${rank} dimensions`);
  const shape = Array.from({ length: rank }, () => cursor.uint32(`the shape of ${name}`));
  const code = cursor.byte(`the type of ${name}`);
  const type = elementTypes[code];
  const size = elementBytes[code];
  if (type === undefined || size === undefined)
    throw invalidFile(file.path, `${name} has the unknown type ${code}`);
  const length = cursor.uint32(`the size of ${name}`);
  if (shape.reduce((product, dimension) => product * dimension, size) !== length)
    throw invalidFile(file.path, `${name}: ${type} [${shape.join(', ')}] does not fill ${length} bytes`);
  const place = { name, type, shape, offset: cursor.position, length };
  cursor.moveTo(place.offset + length, name);
  return place;
}

/** Steps through the index; a tensor's data are stepped over, not read. */
class Cursor extends FileCursor {
  count(what: string): number {
    const count = this.uint32(`the number of ${what}`);
    if (count > variableLimit)
      throw invalidFile(this.file.path, `${count} ${what} are more than any model has`);
    return count;
  }

  /** u16 length with the closing NUL, then the characters. */
  text(what: string): string {
    const length = this.uint16(what);
    if (length > nameLimit) throw invalidFile(this.file.path, `${what} has ${length} characters`);
    const text = this.utf8(length, what);
    if (!text.endsWith('\0')) throw invalidFile(this.file.path, `${what} does not end with a NUL`);
    return text.slice(0, -1);
  }
}
