import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CountedWeights } from '../../formats/counted-weights.ts';
import { derivedTensor } from '../../formats/derived-tensor.ts';
import { Gguf } from '../../formats/gguf.ts';
import { withDataFile, writeModel } from '../../formats/onnx-writer.ts';
import type { LazyTensor } from '../../formats/tensor-source.ts';
import { loraPairs } from '../../layers/lora-pairs.ts';
import { folderText } from '../../tokenizers/folder-text.ts';
import { ggufText } from '../../tokenizers/gguf-text.ts';
import type { ModelText } from '../../tokenizers/model-text.ts';
import { withinVocabulary } from '../../tokenizers/within-vocabulary.ts';
import { decoderGraph, embedGraph } from './decoder/graphs.ts';
import { sourceOfFolder, sourceOfGguf } from './decoder/model-source.ts';
import type { DecoderSettings } from './decoder/settings.ts';
import { DecoderWeights } from './decoder/weights.ts';
import type { BuiltLlm, LlmRequest } from './llm.ts';

const files = {
  embedGraph: 'embed.onnx',
  rowsGraph: 'decoder.rows.onnx',
  deviceGraph: 'decoder.device.onnx',
  weights: 'llm.onnx.data',
  tokenizer: 'tokenizer.json',
} as const;

/** A language model whose settings were read; nothing of it is written yet. */
export interface PlannedLlm {
  readonly hidden: number;
  readonly embeddings: BuiltLlm['embeddings'];
  /** Writes it. Throws like `buildLlm`. */
  write(): Promise<BuiltLlm>;
}

/**
 * Builds a language model: the embedding graph, the decoder in both its forms over the same weights, and the tokenizer where the
 * source brings one. The rows form is for the CPU, the device form for the request's target. Throws `ModelError`, naming the
 * tensor, the metadata entry or the field of config.json that does not fit.
 */
export async function buildLlm(request: LlmRequest): Promise<BuiltLlm> {
  return planLlm(request).write();
}

/** Reads what a language model is, so that what it is put beside can be held against it first. Throws like `buildLlm`. */
export function planLlm(request: LlmRequest): PlannedLlm {
  const { weights: tensors, sourceFolder, architecture, lora } = request;
  const source =
    tensors instanceof Gguf
      ? sourceOfGguf(tensors, architecture)
      : sourceOfFolder(tensors, sourceFolder, architecture);
  const { settings, family } = source;
  const scale = lora === null ? 0 : lora.alpha / lora.rank;
  const counted = new CountedWeights(tensors);
  const weights = new DecoderWeights(settings, {
    ...source,
    tensors: counted,
    packed: family.packed,
    format: request.quantize,
    lora: lora && {
      pairs: loraPairs(lora.tensors, lora.rank),
      mergedScale: lora.merged ? scale : null,
    },
  });
  const text = withinVocabulary(
    tensors instanceof Gguf ? ggufText(tensors) : folderText(sourceFolder),
    weights.vocabulary,
  );
  return {
    hidden: settings.hidden,
    embeddings: scaledTensor(weights.table, settings.tokenScale),
    write: () => writeLlm(request, family.name, settings, weights, counted, text),
  };
}

async function writeLlm(
  { lora, target, folder, quantize }: LlmRequest,
  architecture: string,
  settings: DecoderSettings,
  weights: DecoderWeights,
  counted: CountedWeights,
  text: ModelText,
): Promise<BuiltLlm> {
  const dial = lora !== null && !lora.merged;
  await withDataFile(join(folder, files.weights), async (data) => {
    await writeModel(embedGraph(weights, target), join(folder, files.embedGraph), data);
    await writeModel(decoderGraph(weights, 'rows', 'cpu', dial), join(folder, files.rowsGraph), data);
    await writeModel(decoderGraph(weights, 'device', target, dial), join(folder, files.deviceGraph), data);
  });
  if (text.tokenizer !== null) await writeFile(join(folder, files.tokenizer), JSON.stringify(text.tokenizer));
  const { layers, hidden, heads, kvHeads, headSize, contextLength } = settings;
  return {
    llm: {
      architecture,
      learnt: { parameters: counted.parameters, kept: keptAs(quantize, counted.types) },
      embedGraph: files.embedGraph,
      rowsGraph: files.rowsGraph,
      // int8 caches with a scale for each channel were a third faster at 1024 positions, and took the cosine of single
      // positions' logits down to 0.992.
      rowsType: 'float32',
      deviceGraph: files.deviceGraph,
      ...{ layers, hidden, heads, kvHeads, headSize, vocabulary: weights.vocabulary, contextLength },
      tokenizer: text.tokenizer === null ? null : files.tokenizer,
      bosToken: text.bosToken,
      eosTokens: [...text.eosTokens],
      slidingWindow: slidingWindow(settings),
      lora: dial ? { rank: lora.rank, scale: lora.alpha / lora.rank } : null,
    },
    chatTemplate: text.chatTemplate,
    embeddings: scaledTensor(weights.table, settings.tokenScale),
  };
}

/** For people: the types of the file, or what its matrices were rounded to. */
function keptAs(quantize: LlmRequest['quantize'], types: readonly string[]): string[] {
  if (quantize === 'keep') return [...types];
  return quantize === 'none' ? ['F32'] : [quantize === 'q4' ? '4-bit blocks' : '8-bit blocks', 'F32'];
}

/** For the memory that caches take: the layers that look back through a window, and how far. */
function slidingWindow({ attention }: DecoderSettings): BuiltLlm['llm']['slidingWindow'] {
  const windows = attention.flatMap(({ window }) => window ?? []);
  return windows.length === 0 ? null : { positions: Math.max(...windows), layers: windows.length };
}

/** Every value times a factor, row by row as they are asked for. */
function scaledTensor(tensor: LazyTensor, factor: number): LazyTensor {
  if (factor === 1) return tensor;
  const values = () => tensor.float32().map((value) => factor * value);
  return {
    ...derivedTensor(tensor.name, tensor.shape, values),
    rows: (first, count) => scaledTensor(tensor.rows(first, count), factor),
  };
}
