import {
  type ModelSource,
  sourceOfFolder,
  sourceOfGguf,
} from '../../architectures/llms/decoder/model-source.ts';
import {
  folderTensorNames,
  type LinearName,
  type NormRole,
} from '../../architectures/llms/decoder/tensor-names.ts';
import { halvesFromPairs } from '../../architectures/llms/decoder/weights.ts';
import { Gguf } from '../../formats/gguf.ts';
import type { StreamedTensor } from '../../formats/safetensors-stream.ts';
import type { LazyTensor, TensorSource } from '../../formats/tensor-source.ts';
import { expectShape } from '../../layers/expect-shape.ts';
import { loraParts } from '../../layers/lora.ts';
import { mergedTensor } from '../../layers/lora-merge.ts';
import { type LoraPairs, loraPairs } from '../../layers/lora-pairs.ts';
import { folderText } from '../../tokenizers/folder-text.ts';
import { ggufText } from '../../tokenizers/gguf-text.ts';
import type { ModelText } from '../../tokenizers/model-text.ts';
import { withinVocabulary } from '../../tokenizers/within-vocabulary.ts';
import type { Recipe } from '../recipe.ts';
import { modelFolder } from '../settings.ts';
import type { RecipeSources } from '../sources.ts';
import { exportedTensor } from './exported-tensor.ts';
import { configOfFolder, configOfGguf } from './text-config.ts';

export interface TextModel {
  /** `text_config`. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly vocabulary: number;
  readonly text: ModelText;
  readonly tensors: readonly StreamedTensor[];
}

interface Reader {
  readonly tensors: TensorSource;
  readonly source: ModelSource;
  readonly lora: { readonly pairs: LoraPairs; readonly scale: number } | null;
}

/**
 * The recipe's language model under transformers' names and `language_model.`, its LoRA added to the weights as strongly as it was
 * trained. Throws what `refused` makes of one that transformers cannot load, and `ModelError` where the weights do not fit.
 */
export function textModel(
  { llm, lora }: Pick<Recipe, 'lora'> & { readonly llm: NonNullable<Recipe['llm']> },
  sources: RecipeSources,
  refused: (fault: string) => Error,
): TextModel {
  const tensors = sources.weights(llm.from);
  const folder = modelFolder(sources.path(llm.from));
  const architecture = llm.architecture ?? null;
  const source =
    tensors instanceof Gguf
      ? sourceOfGguf(tensors, architecture)
      : sourceOfFolder(tensors, folder, architecture);
  const reader = {
    tensors,
    source,
    lora: lora
      ? { pairs: loraPairs(sources.weights(lora.from), lora.rank), scale: lora.alpha / lora.rank }
      : null,
  };
  const table = tensors.tensor(`${source.names.table}.weight`);
  const [vocabulary = 0] = table.shape;
  const tied = source.settings.tied ?? !tensors.has(`${source.names.output}.weight`);
  const middle = middleWidth(reader);
  const biased = tensors.has(`${source.names.linear(0, 'q_proj')}.bias`);
  const config =
    tensors instanceof Gguf
      ? configOfGguf(source, { middle, biased }, refused)
      : configOfFolder(folder, architecture, refused);
  const text = tensors instanceof Gguf ? ggufText(tensors) : folderText(folder);
  return {
    config: { ...config, vocab_size: vocabulary, tie_word_embeddings: tied },
    vocabulary,
    text: withinVocabulary(text, vocabulary),
    tensors: [
      outer(reader, 'table', vocabulary),
      ...Array.from({ length: source.settings.layers }, (_, layer) =>
        layerTensors(reader, layer, middle),
      ).flat(),
      outer(reader, 'finalNorm'),
      ...(tied ? [] : [outer(reader, 'output', vocabulary)]),
    ],
  };
}

/** A tensor outside of layers; matrices have as many rows as the vocabulary. */
function outer(
  { tensors, source }: Reader,
  place: 'table' | 'output' | 'finalNorm',
  vocabulary?: number,
): StreamedTensor {
  const { hidden } = source.settings;
  const tensor = tensors.tensor(`${source.names[place]}.weight`);
  const shape = vocabulary === undefined ? [hidden] : [vocabulary, hidden];
  return exportedTensor(`${writtenNames(source)[place]}.weight`, expectShape(tensor, shape));
}

/** As transformers names them, whatever the source does. */
function writtenNames({ family }: ModelSource) {
  return folderTensorNames('language_model.model.', 'language_model.lm_head', family.folderNames);
}

function middleWidth({ tensors, source }: Reader): number {
  const { names, family } = source;
  const name = names.linear(0, family.packed ? 'gate_up_proj' : 'gate_proj');
  const [rows = 0] = tensors.tensor(`${name}.weight`).shape;
  return family.packed ? Math.floor(rows / 2) : rows;
}

function layerTensors(reader: Reader, layer: number, middle: number): StreamedTensor[] {
  const { tensors, source } = reader;
  const { hidden, heads, kvHeads, headSize, headNorms, sandwichNorms } = source.settings;
  const norm = (role: NormRole) => {
    const width = role === 'query' || role === 'key' ? headSize : hidden;
    const tensor = expectShape(tensors.tensor(`${source.names.norm(layer, role)}.weight`), [width]);
    return exportedTensor(`${writtenNames(source).norm(layer, role)}.weight`, tensor);
  };
  const linears = (group: Group) => linearTensors(reader, layer, group);
  const [queries, keys] = [heads * headSize, kvHeads * headSize];
  return [
    norm('attention'),
    ...linears({
      packed: 'qkv_proj',
      parts: [part('q_proj', queries, true), part('k_proj', keys, true), part('v_proj', keys)],
      inputs: hidden,
    }),
    ...(headNorms ? [norm('query'), norm('key')] : []),
    ...linears({ packed: null, parts: [part('o_proj', hidden)], inputs: queries }),
    ...(sandwichNorms ? [norm('afterAttention')] : []),
    norm('feedForward'),
    ...linears({
      packed: 'gate_up_proj',
      parts: [part('gate_proj', middle), part('up_proj', middle)],
      inputs: hidden,
    }),
    ...linears({ packed: null, parts: [part('down_proj', hidden)], inputs: middle }),
    ...(sandwichNorms ? [norm('afterFeedForward')] : []),
  ];
}

interface Part {
  readonly name: LinearName;
  readonly outputs: number;
  readonly rotated: boolean;
}

const part = (name: LinearName, outputs: number, rotated = false): Part => ({ name, outputs, rotated });

/** Linear layers that read the same: in tensors of their own, or one below another in the one of the name `packed`. */
interface Group {
  readonly packed: LinearName | null;
  readonly parts: readonly Part[];
  readonly inputs: number;
}

function linearTensors(reader: Reader, layer: number, { packed, parts, inputs }: Group): StreamedTensor[] {
  const { tensors, source, lora } = reader;
  const outputs = parts.reduce((sum, one) => sum + one.outputs, 0);
  const placed = parts.map((one, i) => ({
    ...one,
    first: parts.slice(0, i).reduce((sum, before) => sum + before.outputs, 0),
  }));
  const whole = packed === null ? [] : [{ ...part(packed, outputs), first: 0 }];
  const changes = lora === null ? [] : loraParts(lora.pairs, layer, [...placed, ...whole], inputs);
  const stored = source.family.packed && whole.length > 0 ? whole : placed;
  return stored.flatMap(({ name, outputs: rows, rotated, first }) => {
    const from = source.names.linear(layer, name);
    const to = writtenNames(source).linear(layer, name);
    const order = rotated && source.pairs ? halvesFromPairs(source.settings.headSize) : null;
    const own = changes.filter(
      (change) => change.first < first + rows && change.first + change.outputs > first,
    );
    const weight = expectShape(tensors.tensor(`${from}.weight`), [rows, inputs]);
    const output = placesOf(rows, order, first);
    const merged = mergedTensor({ tensor: weight, output }, own, lora?.scale ?? 0);
    const bias: LazyTensor[] = tensors.has(`${from}.bias`)
      ? [expectShape(tensors.tensor(`${from}.bias`), [rows])]
      : [];
    return [
      exportedTensor(`${to}.weight`, merged, order),
      ...bias.map((tensor) => exportedTensor(`${to}.bias`, tensor, order)),
    ];
  });
}

/** The output, among those of its group, that a row of the source stands for. */
function placesOf(
  rows: number,
  order: ((row: number) => number) | null,
  first: number,
): (row: number) => number {
  if (order === null) return (row) => first + row;
  const places = new Int32Array(rows);
  for (let row = 0; row < rows; row++) places[order(row)] = first + row;
  return (row) => places[row] ?? 0;
}
