import { existsSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { whisperCrossAttention, whisperDecoder } from '../architectures/encoders/whisper-decoder.ts';
import { HuggingFaceWhisper, isHuggingFaceWhisper } from '../architectures/encoders/whisper-hugging-face.ts';
import { whisperSizes } from '../architectures/encoders/whisper-sizes.ts';
import { withDataFile, writeModel } from '../formats/onnx-writer.ts';
import type { TensorSource } from '../formats/tensor-source.ts';
import { whisperTokens } from '../tokenizers/whisper-tokens.ts';
import type { BundleManifest } from './manifest.ts';
import { modelFolder } from './settings.ts';
import { readJson } from './sources.ts';

/**
 * Writes Whisper's decoder, from weights of CTranslate2 or transformers. Null without tokenizer.json beside the weights, or
 * without a decoder in them: such an encoder serves an LLM, but nothing writes down words.
 */
export async function buildWhisperDecoder(
  weights: TensorSource,
  from: string,
  folder: string,
): Promise<BundleManifest['whisper']> {
  const sourceFolder = modelFolder(from);
  const tokenizerPath = join(sourceFolder, 'tokenizer.json');
  if (!existsSync(tokenizerPath)) return null;
  const { tensors, config } = whisperTensors(weights, sourceFolder);
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

/** The weights under one set of names, with the configuration in CTranslate2's fields. */
function whisperTensors(weights: TensorSource, folder: string): { tensors: TensorSource; config: object } {
  const read = (name: string) =>
    existsSync(join(folder, name)) ? objectSchema.parse(readJson(join(folder, name))) : {};
  if (!isHuggingFaceWhisper(weights)) return { tensors: weights, config: read('config.json') };
  const tensors = new HuggingFaceWhisper(weights, {
    ...read('config.json'),
    ...read('generation_config.json'),
  });
  return { tensors, config: tensors.config };
}

const objectSchema = z.looseObject({});
