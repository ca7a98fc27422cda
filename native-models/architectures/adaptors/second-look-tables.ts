import { pickedRows } from '../../formats/picked-rows.ts';
import type { LazyTensor, TensorSource } from '../../formats/tensor-source.ts';
import type { Weight } from '../../graph/definition.ts';
import { expectShape } from '../../layers/expect-shape.ts';
import type { LinearKind } from '../../layers/linear.ts';
import { bytesOf } from '../../layers/streamed-weight.ts';
import { tableOf, type WeightMatrix, weightMatrix } from '../../layers/weight-product.ts';
import type { SecondLookParts } from './second-look-settings.ts';

/** Token embeddings that the graph keeps: those of the classes, and no others. */
export interface SecondLookTables {
  /** Of Whisper [rows, d]: the classes in their order, then capitals and the prefix, each token once. */
  readonly words: WeightMatrix;
  /** Rows of `words`: one for each class. */
  readonly capitals: readonly number[];
  readonly prefix: readonly number[];
  /** The draft's classes, out of `words`. */
  readonly drafted: WeightMatrix;
  /** Of the LLM [classes, dl]. */
  readonly llm: WeightMatrix;
  /** τ over the length of each class's embedding, f32 [classes]: a product with the embedding becomes a cosine · τ. */
  readonly scales: Weight;
  /** The same for the draft, f32 [drafted]. */
  readonly draftScales: Weight;
}

/** `adaptor` holds the temperatures τ. Throws `shape-mismatch`. */
export function secondLookTables(
  { settings, whisper, llm }: SecondLookParts,
  adaptor: TensorSource,
  kind: LinearKind,
): SecondLookTables {
  const { drafted, prefix, whisper: tokens, whisper_capital: capitals } = settings.adaptor;
  const kept = [...tokens];
  const rows = new Map(tokens.map((token, row) => [token, row]));
  for (const token of [...capitals, ...prefix]) if (!rows.has(token)) rows.set(token, kept.push(token) - 1);
  const rowOf = (token: number) => rows.get(token) ?? 0;
  const embeddings = whisper.tensor('decoder/embeddings/weight');
  const words = table('whisper.words', embeddings, kept, kind);
  const classes = pickedRows(embeddings, 'whisper.classes', tokens);
  const draftClasses = pickedRows(classes, 'whisper.draftClasses', drafted);
  return {
    words,
    capitals: capitals.map(rowOf),
    prefix: prefix.map(rowOf),
    drafted: tableOf('whisper.drafted', words, drafted),
    llm: table('llm.words', llm.embeddings, settings.vocab, kind),
    scales: cosineScales(expectShape(adaptor.tensor('adaptor.tau'), []), classes),
    draftScales: cosineScales(expectShape(adaptor.tensor('draft.tau'), []), draftClasses),
  };
}

/** Blocks stay the file's own; numbers are kept as they are, or in 8-bit blocks where the adaptor is to be rounded. */
function table(
  name: string,
  embeddings: LazyTensor,
  tokens: readonly number[],
  kind: LinearKind,
): WeightMatrix {
  const inBlocks = embeddings.type.startsWith('Q');
  const format = inBlocks ? 'keep' : kind === 'float' ? 'none' : 'q8';
  return weightMatrix(name, [{ tensor: pickedRows(embeddings, name, tokens), order: null }], format);
}

/** The temperature over the length of each row, f32 [rows]. */
function cosineScales(tau: LazyTensor, rows: LazyTensor): Weight {
  const [count = 1, width = 1] = rows.shape;
  return {
    type: 'float32',
    shape: [count],
    read: () => {
      const values = rows.float32();
      const [scale = 1] = tau.float32();
      const length = (row: number) => Math.hypot(...values.subarray(row * width, (row + 1) * width));
      return bytesOf(Float32Array.from({ length: count }, (_, row) => scale / Math.max(1e-12, length(row))));
    },
  };
}
