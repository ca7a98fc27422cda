import type { Value, Weight } from '../graph/definition.ts';
import { bytesPerElement } from '../graph/element-types.ts';
import type { Graph } from '../graph/graph.ts';
import type { Floats, Form, Levels } from './forms/form.ts';
import { type BlockRows, floatRows, storedRows } from './row-chunks.ts';
import { bytesOf, streamedWeight } from './streamed-weight.ts';

/** Rows of one form below one another. */
export interface StoredMatrix {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly form: Form;
  /** By the names of the form's pieces. */
  readonly pieces: ReadonlyMap<string, Weight>;
  /** Those of the pieces' rows that the matrix is made of; null is all of them. */
  readonly picked: { readonly name: string; readonly numbers: Weight } | null;
}

export function storedMatrix(name: string, parts: readonly BlockRows[], form: Form): StoredMatrix {
  const rows = parts.reduce((sum, { tensor }) => sum + (tensor.shape[0] ?? 0), 0);
  const columns = parts[0]?.tensor.shape[1] ?? 0;
  const pieces = new PieceStreams(parts, form, rows);
  return { name, rows, columns, form, pieces: pieces.weights(), picked: null };
}

/** Some rows of a matrix as one of its own. They are taken out when the graph is loaded: in the file they stand once. */
export function pickedMatrix(matrix: StoredMatrix, name: string, rows: readonly number[]): StoredMatrix {
  const numbers = {
    type: 'int64',
    shape: [rows.length],
    read: () => bytesOf(BigInt64Array.from(rows, BigInt)),
  } as const;
  return { ...matrix, rows: rows.length, picked: { name, numbers } };
}

/** The whole matrix, as a product takes it. */
export function wholeMatrix(g: Graph, matrix: StoredMatrix): Levels | Floats {
  return matrix.form.unpack(g, (name) => pieceValue(g, matrix, name));
}

/** Some of its rows: `numbers` i64 [S]. What other rows hold is not touched. */
export function someRows(g: Graph, matrix: StoredMatrix, numbers: Value): Levels | Floats {
  return matrix.form.unpack(g, (name) => g.gather(pieceValue(g, matrix, name), numbers, 0));
}

function pieceValue(g: Graph, matrix: StoredMatrix, name: string): Value {
  const weight = matrix.pieces.get(name);
  if (weight === undefined) throw new Error(`${matrix.name} has no piece ${name}`);
  const all = g.weight(`${matrix.name}.${name}`, weight);
  const { picked } = matrix;
  if (picked === null) return all;
  return g.shared(`${picked.name}.${name}`, () => g.gather(all, g.weight(picked.name, picked.numbers), 0));
}

/**
 * The pieces of one matrix as weights. Large ones are made anew from the rows, chunk by chunk; small ones are gathered while the
 * first large one passes, and forgotten once they are written.
 */
class PieceStreams {
  readonly #parts: readonly BlockRows[];
  readonly #form: Form;
  readonly #rows: number;
  readonly #gathered = new Map<string, Uint8Array[]>();

  constructor(parts: readonly BlockRows[], form: Form, rows: number) {
    this.#parts = parts;
    this.#form = form;
    this.#rows = rows;
  }

  weights(): Map<string, Weight> {
    return new Map(
      this.#form.pieces.map(({ name, type, row }) => [
        name,
        streamedWeight(type, [this.#rows, ...row], () => this.#chunks(name)),
      ]),
    );
  }

  *#chunks(name: string): Generator<Uint8Array> {
    const ready = this.#gathered.get(name);
    if (ready !== undefined) {
      this.#gathered.delete(name);
      yield* ready;
      return;
    }
    const { pieces, takes, convert } = this.#form;
    const leads = pieces[0]?.name === name;
    const aside = leads ? pieces.filter((piece) => piece.small).map((piece) => piece.name) : [];
    const wanted = new Set([name, ...aside]);
    const taken = new Map<string, Uint8Array[]>(aside.map((other) => [other, []]));
    const source = takes === 'stored' ? storedRows : floatRows;
    for (const rows of source(this.#parts)) {
      const bytes = new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength);
      const converted = convert(bytes, wanted);
      for (const [other, chunks] of taken) chunks.push(pieceOf(converted, other));
      yield pieceOf(converted, name);
    }
    for (const [other, chunks] of taken) this.#gathered.set(other, chunks);
  }
}

function pieceOf(converted: Readonly<Record<string, Uint8Array>>, name: string): Uint8Array {
  const piece = converted[name];
  if (piece === undefined) throw new Error(`a form made no ${name}`);
  return piece;
}

/** Bytes that the matrix takes in a data file. */
export function storedBytes(matrix: StoredMatrix): number {
  return [...matrix.pieces.values()].reduce(
    (sum, { type, shape }) => sum + shape.reduce((product, size) => product * size, bytesPerElement(type)),
    0,
  );
}
