import { BinaryFile, invalidFile } from '../formats/binary-file.ts';
import type { FileAccess } from '../formats/file-access.ts';
import { FileCursor } from '../formats/file-cursor.ts';
import { type ProtobufField, ProtobufReader } from '../formats/protobuf-reader.ts';

/** What a piece is; the numbers are SentencePiece's, and llama.cpp's. */
export const pieceKind = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

export interface Piece {
  readonly text: string;
  readonly score: number;
  /** One of `pieceKind`. */
  readonly kind: number;
}

/** A trained SentencePiece model (Kudo and Richardson 2018). */
export interface SentencePieceModel {
  readonly algorithm: 'bpe' | 'unigram' | 'other';
  /** By id. */
  readonly pieces: readonly Piece[];
  /** Characters without a piece become the bytes of their UTF-8. */
  readonly byteFallback: boolean;
  readonly unknownId: number;
  /** A table that maps characters before anything else; empty where text stays as it is. */
  readonly characterMap: Uint8Array;
  readonly addPrefix: boolean;
  readonly removeExtraSpaces: boolean;
}

const mostPieces = 1 << 20;
const longestPiece = 4096;
const longestMap = 1 << 24;

/** Reads tokenizer.model, a protobuf `ModelProto`. Throws `file-missing`, `file-truncated` or `file-invalid`. */
export function readSentencePiece(path: string, access?: FileAccess): SentencePieceModel {
  const file = new BinaryFile(path, access);
  try {
    return modelIn(file);
  } finally {
    file.close();
  }
}

function modelIn(file: BinaryFile): SentencePieceModel {
  const cursor = new FileCursor(file);
  const reader = new ProtobufReader(cursor);
  const pieces: Piece[] = [];
  let trainer: Fields = new Map();
  let normalizer: Fields = new Map();
  for (const field of reader.fields(0, file.size, 'the model')) {
    if (field.field === 1) pieces.push(pieceOf(reader, cursor, field, pieces.length));
    else if (field.field === 2) trainer = fieldsOf(reader, field, "the trainer's settings");
    else if (field.field === 3) normalizer = fieldsOf(reader, field, "the normalizer's settings");
    if (pieces.length > mostPieces) throw invalidFile(file.path, `it has more than ${mostPieces} pieces`);
  }
  if (pieces.length === 0) throw invalidFile(file.path, 'it is no SentencePiece model: it has no pieces');
  const algorithm = number(trainer, 3, 1);
  return {
    algorithm: algorithm === 1 ? 'unigram' : algorithm === 2 ? 'bpe' : 'other',
    pieces,
    byteFallback: number(trainer, 35, 0) !== 0,
    unknownId: number(trainer, 40, 0),
    characterMap: characterMap(file, normalizer.get(2)),
    addPrefix: number(normalizer, 3, 1) !== 0,
    removeExtraSpaces: number(normalizer, 4, 1) !== 0,
  };
}

type Fields = ReadonlyMap<number, ProtobufField>;

/** The last of each number, as protobuf wants it for single fields. */
function fieldsOf(reader: ProtobufReader, { start, end }: ProtobufField, what: string): Fields {
  return new Map([...reader.fields(start, end, what)].map((field) => [field.field, field]));
}

function number(fields: Fields, key: number, usual: number): number {
  return Number(fields.get(key)?.integer ?? usual);
}

function characterMap(file: BinaryFile, field: ProtobufField | undefined): Uint8Array {
  if (field === undefined) return new Uint8Array();
  const length = field.end - field.start;
  if (length > longestMap) throw invalidFile(file.path, `a table of characters of ${length} bytes`);
  return file.read(field.start, length, 'the table of characters');
}

function pieceOf(reader: ProtobufReader, cursor: FileCursor, message: ProtobufField, id: number): Piece {
  const what = `piece ${id}`;
  const fields = fieldsOf(reader, message, what);
  const [text, score] = [fields.get(1), fields.get(2)];
  if (text === undefined || text.integer !== null || text.end - text.start > longestPiece)
    throw invalidFile(cursor.file.path, `${what} has no text of a believable length`);
  return {
    text: reader.text(text, what),
    score: score === undefined ? 0 : floatAt(cursor, score, what),
    kind: number(fields, 3, pieceKind.normal),
  };
}

function floatAt(cursor: FileCursor, { integer, start, end }: ProtobufField, what: string): number {
  if (integer !== null || end - start !== 4) throw invalidFile(cursor.file.path, `${what} has no score`);
  cursor.moveTo(start, what);
  const [view, at] = cursor.next(4, what);
  return view.getFloat32(at, true);
}
