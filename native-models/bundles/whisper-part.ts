import { existsSync, statSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { whisperEncoder, whisperSizes } from '../architectures/encoders/whisper.ts';
import { whisperCrossAttention, whisperDecoder } from '../architectures/encoders/whisper-decoder.ts';
import { HuggingFaceWhisper, isHuggingFaceWhisper } from '../architectures/encoders/whisper-hugging-face.ts';
import { withDataFile, writeModel } from '../formats/onnx-writer.ts';
import type { TensorSource } from '../formats/tensor-source.ts';
import type { LinearKind } from '../layers/linear.ts';
import { whisperTokens } from '../tokenizers/whisper-tokens.ts';
import type { BundleManifest } from './manifest.ts';
import type { Recipe } from './recipe.ts';
import { readJson } from './sources.ts';

type Quantization = Recipe['quantize']['encoder'];
export type WhisperPart = Pick<BundleManifest, 'features' | 'encoder' | 'whisper'>;

/**
 * Writes Whisper's graphs, from weights of CTranslate2 or transformers. `q8` multiplies in int8, which only the CPU can, so that
 * other providers get the plain graph beside it. Without tokenizer.json beside the weights there is an encoder, but nothing that
 * writes down words.
 */
export async function buildWhisper(
  weights: TensorSource,
  from: string,
  quantize: Quantization,
  folder: string,
): Promise<WhisperPart> {
  const sourceFolder = statSync(from).isDirectory() ? from : dirname(from);
  const { tensors, config } = whisperSource(weights, sourceFolder);
  const sizes = whisperSizes(tensors);
  const encoder = await writeEncoder(tensors, quantize === 'q8' ? 'dynamic-int8' : 'float', folder);
  return {
    features: { kind: 'whisper-log-mel', sampleRate: 16000, fftSize: 400, hop: 160, mels: sizes.mels },
    encoder: {
      architecture: 'whisper',
      ...encoder,
      hidden: sizes.hidden,
      maxPositions: sizes.maxPositions,
      framesPerSecond: 50,
      unitSamples: 320,
      ctcLabels: null,
    },
    whisper: existsSync(join(sourceFolder, 'tokenizer.json'))
      ? await writeDecoder(tensors, config, sourceFolder, folder)
      : null,
  };
}

/** The weights under one set of names, with the configuration in CTranslate2's fields. */
function whisperSource(weights: TensorSource, folder: string): { tensors: TensorSource; config: object } {
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

async function writeEncoder(weights: TensorSource, kind: LinearKind, folder: string) {
  const graph = 'whisper-encoder.onnx';
  const deviceGraph = 'whisper-encoder.device.onnx';
  await withDataFile(join(folder, 'whisper-encoder.data'), async (data) => {
    await writeModel(whisperEncoder(weights, kind).finish(), join(folder, graph), data);
    if (kind !== 'float')
      await writeModel(whisperEncoder(weights, 'float').finish(), join(folder, deviceGraph), data);
  });
  return kind === 'float' ? { graph } : { graph, deviceGraph };
}

async function writeDecoder(
  weights: TensorSource,
  config: object,
  sourceFolder: string,
  folder: string,
): Promise<BundleManifest['whisper']> {
  const sizes = whisperSizes(weights);
  const tokenizer = 'whisper-tokenizer.json';
  const tokens = whisperTokens(readJson(join(sourceFolder, 'tokenizer.json')), config);
  await copyFile(join(sourceFolder, 'tokenizer.json'), join(folder, tokenizer));
  const graph = 'whisper-decoder.onnx';
  const crossGraph = 'whisper-cross.onnx';
  await withDataFile(join(folder, 'whisper-decoder.data'), async (data) => {
    await writeModel(whisperCrossAttention(weights).finish(), join(folder, crossGraph), data);
    await writeModel(whisperDecoder(weights).finish(), join(folder, graph), data);
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
