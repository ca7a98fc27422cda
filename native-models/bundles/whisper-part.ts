import { existsSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { whisperCrossAttention, whisperDecoder } from '../architectures/encoders/whisper-decoder.ts';
import { HuggingFaceWhisper } from '../architectures/encoders/whisper-hugging-face.ts';
import { whisperSizes } from '../architectures/encoders/whisper-sizes.ts';
import { whisperSource } from '../architectures/encoders/whisper-source.ts';
import { CountedWeights } from '../formats/counted-weights.ts';
import { withDataFile, writeModel } from '../formats/onnx-writer.ts';
import type { TensorSource } from '../formats/tensor-source.ts';
import { whisperTokens } from '../tokenizers/whisper-tokens.ts';
import type { BundleManifest } from './manifest.ts';
import { encoderSettings, modelFolder } from './settings.ts';
import { type RecipeSources, readJson } from './sources.ts';

/**
 * Writes Whisper's decoder, from weights of any publisher. Null without tokenizer.json beside the weights, or
 * without a decoder in them: such an encoder serves an LLM, but nothing writes down words.
 */
export async function buildWhisperDecoder(
  given: TensorSource,
  from: string,
  folder: string,
): Promise<BundleManifest['whisper']> {
  const sourceFolder = modelFolder(from);
  const tokenizerPath = join(sourceFolder, 'tokenizer.json');
  if (!existsSync(tokenizerPath)) return null;
  const weights = new CountedWeights(given);
  const { tensors, config } = whisperTensors(given, weights, from);
  if (!tensors.has('decoder/embeddings/weight')) return null;
  const sizes = whisperSizes(tensors);
  const tokenizer = 'whisper-tokenizer.json';
  const tokens = whisperTokens(readJson(tokenizerPath), config);
  await copyFile(tokenizerPath, join(folder, tokenizer));
  const graph = 'whisper-decoder.onnx';
  const crossGraph = 'whisper-cross.onnx';
  await withDataFile(join(folder, 'whisper-decoder.data'), async (data) => {
    await writeModel(whisperCrossAttention(tensors).finish(), join(folder, crossGraph), data);
    await writeModel(whisperDecoder(tensors).finish(), join(folder, graph), data);
  });
  const { decoderLayers, hidden, heads, vocabulary, maxTokens } = sizes;
  return {
    learnt: { parameters: weights.parameters, kept: ['8-bit blocks', 'F32'] },
    crossGraph,
    graph,
    tokenizer,
    layers: decoderLayers,
    hidden,
    heads,
    vocabulary,
    maxTokens,
    tokens,
  };
}

/** The whole Whisper that a recipe's encoder is a part of, under CTranslate2's names; null where it is none, or has no decoder. */
export function wholeWhisper(
  { architecture, from }: { readonly architecture: string; readonly from: string },
  sources: RecipeSources,
): TensorSource | null {
  if (architecture !== 'whisper') return null;
  const weights = sources.weights(from);
  const { tensors } = whisperTensors(weights, weights, sources.path(from));
  return tensors.has('decoder/embeddings/weight') ? tensors : null;
}

/** The weights under one set of names, with the configuration in CTranslate2's fields. */
function whisperTensors(
  given: TensorSource,
  weights: TensorSource,
  path: string,
): { tensors: TensorSource; config: object } {
  const generation = join(modelFolder(path), 'generation_config.json');
  const beside = existsSync(generation) ? objectSchema.parse(readJson(generation)) : {};
  const settings = { ...encoderSettings(path, given), ...beside };
  const tensors = whisperSource(weights, settings);
  return { tensors, config: tensors instanceof HuggingFaceWhisper ? tensors.config : settings };
}

const objectSchema = z.looseObject({});
