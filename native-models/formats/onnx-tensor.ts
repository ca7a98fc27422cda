import { ModelError } from '../errors.ts';
import { invalidFile } from './binary-file.ts';
import { elementDecoder } from './element-decoders.ts';
import { isFileName } from './file-name.ts';
import { onnxTypes } from './onnx-types.ts';
import type { ProtobufField, ProtobufReader } from './protobuf-reader.ts';
import type { StoredType } from './tensor-source.ts';

const rankLimit = 16;
/** Whoever lists more numbers packs them into one field. */
const listFieldLimit = 100_000;
const placeEntryLimit = 16;

/** Where an initializer's data are: bytes of the file, bytes of another one beside it, or a list of numbers. */
export type OnnxData =
  | { readonly kind: 'raw'; readonly offset: number }
  | { readonly kind: 'external'; readonly file: string; readonly offset: number }
  | { readonly kind: 'list'; readonly fields: readonly ProtobufField[] };

/** A TensorProto, its data not read. */
export interface OnnxTensor {
  readonly name: string;
  readonly type: StoredType;
  readonly shape: readonly number[];
  /** Bytes of the data. */
  readonly length: number;
  readonly data: OnnxData;
}

/** One whose numbers are listed. */
export type ListedOnnxTensor = OnnxTensor & { readonly data: { readonly kind: 'list' } };

/** Fields of TensorProto that list numbers, for the types that each stands for. */
const listFields = new Set([4, 5, 7, 10, 11]);

interface Draft {
  name: string;
  type: number;
  readonly shape: number[];
  raw: ProtobufField | null;
  readonly lists: ProtobufField[];
  readonly external: Map<string, string>;
  isExternal: boolean;
}

/** Reads what a TensorProto says about its data. Throws `file-invalid` or `not-supported`, naming the tensor. */
export function readOnnxTensor(path: string, reader: ProtobufReader, range: ProtobufField): OnnxTensor {
  const draft = readDraft(path, reader, range);
  const { name, shape } = draft;
  const type = onnxTypes.get(draft.type);
  if (type === undefined || type.stored === null)
    throw new ModelError(
      'not-supported',
      `${path}: the initializer ${name} is of ${type === undefined ? `the unknown type ${draft.type}` : `type ${type.name}`}, which is not read.`,
      'Export the model without it.',
    );
  const count = shape.reduce((product, size) => product * size, 1);
  const length = Math.ceil((count * type.bits) / 8);
  if (!Number.isSafeInteger(length))
    throw invalidFile(path, `the initializer ${name} [${shape.join(', ')}] is not believable`);
  return { name, type: type.stored, shape, length, data: dataOf(path, draft, length) };
}

function readDraft(path: string, reader: ProtobufReader, range: ProtobufField): Draft {
  const draft: Draft = {
    name: '',
    type: 0,
    shape: [],
    raw: null,
    lists: [],
    external: new Map(),
    isExternal: false,
  };
  for (const field of reader.fields(range.start, range.end, 'an initializer')) {
    if (draft.lists.length > listFieldLimit || draft.external.size > placeEntryLimit)
      throw invalidFile(path, 'an initializer has more fields than any model has');
    if (listFields.has(field.field)) draft.lists.push(field);
    else if (field.field === 1) addDimensions(path, reader, field, draft.shape);
    else if (field.field === 2) draft.type = Number(field.integer);
    else if (field.field === 3) throw invalidFile(path, 'an initializer is stored in segments');
    else if (field.field === 8) draft.name = reader.text(field, 'the name of an initializer');
    else if (field.field === 9) draft.raw = field;
    else if (field.field === 13)
      draft.external.set(...readPair(reader, field, 'the place of an initializer'));
    else if (field.field === 14) draft.isExternal = Number(field.integer) === 1;
  }
  return draft;
}

function addDimensions(path: string, reader: ProtobufReader, field: ProtobufField, shape: number[]): void {
  for (const size of reader.integers(field, 'the shape of an initializer')) {
    if (typeof size !== 'number' || shape.length === rankLimit)
      throw invalidFile(path, 'the shape of an initializer is not believable');
    shape.push(size);
  }
}

function dataOf(path: string, { name, raw, lists, external, isExternal }: Draft, length: number): OnnxData {
  if (isExternal) return { kind: 'external', ...externalPlace(path, name, external, length) };
  if (raw === null) return { kind: 'list', fields: lists };
  if (raw.integer !== null || raw.end - raw.start !== length)
    throw invalidFile(path, `the initializer ${name} has ${raw.end - raw.start} bytes, not ${length}`);
  return { kind: 'raw', offset: raw.start };
}

/** External data lie beside the model: nothing but a plain name is followed. */
function externalPlace(
  path: string,
  name: string,
  entries: ReadonlyMap<string, string>,
  length: number,
): { file: string; offset: number } {
  const file = entries.get('location')?.replace(/^\.\//, '');
  if (!isFileName(file))
    throw invalidFile(path, `the initializer ${name} lies in something that is no file beside it`);
  const offset = wholeNumber(entries.get('offset') ?? '0');
  if (offset === null || wholeNumber(entries.get('length') ?? String(length)) !== length)
    throw invalidFile(path, `the place of the initializer ${name} in ${file} is not believable`);
  return { file, offset };
}

function wholeNumber(text: string): number | null {
  const value = Number(text);
  return /^\d{1,16}$/.test(text) && Number.isSafeInteger(value) ? value : null;
}

/** A StringStringEntryProto. */
export function readPair(reader: ProtobufReader, range: ProtobufField, what: string): [string, string] {
  let [key, value] = ['', ''];
  for (const field of reader.fields(range.start, range.end, what)) {
    if (field.field === 1) key = reader.text(field, what);
    else if (field.field === 2) value = reader.text(field, what);
  }
  return [key, value];
}

/**
 * The bytes of an initializer whose numbers are listed one by one, as they would be stored. Throws `file-invalid` unless there are
 * as many as its shape says.
 */
export function listedBytes(
  path: string,
  reader: ProtobufReader,
  read: (offset: number, length: number) => Uint8Array,
  tensor: ListedOnnxTensor,
): Uint8Array<ArrayBuffer> {
  const fault = () =>
    invalidFile(path, `the initializer ${tensor.name} does not list as many numbers as its shape says`);
  const { bytes: width } = elementDecoder(path, tensor);
  const { fields } = tensor.data;
  const listed = fields.reduce(
    (sum, { start, end, integer }) => sum + (integer === null ? end - start : 1),
    0,
  );
  if (tensor.length > 8 * listed) throw fault();
  const bytes = new Uint8Array(tensor.length);
  let at = 0;
  for (const field of fields) {
    if (isFixed(field.field)) {
      const part = read(field.start, field.end - field.start);
      if (at + part.length > bytes.length) throw fault();
      bytes.set(part, at);
      at += part.length;
      continue;
    }
    for (const value of reader.integers(field, tensor.name)) {
      if (at + width > bytes.length) throw fault();
      writeInteger(bytes, at, width, value);
      at += width;
    }
  }
  if (at !== bytes.length) throw fault();
  return bytes;
}

/** float_data and double_data are fixed numbers, whatever else is listed are varints. */
function isFixed(field: number): boolean {
  return field === 4 || field === 10;
}

function writeInteger(bytes: Uint8Array, at: number, width: number, value: number | bigint): void {
  let rest = BigInt.asUintN(64, BigInt(value));
  for (let i = 0; i < width; i++) {
    bytes[at + i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
}
