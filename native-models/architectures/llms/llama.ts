import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { BundleManifest } from '../../bundles/manifest.ts';
import type { Gguf } from '../../formats/gguf.ts';
import { withDataFile, writeModel } from '../../formats/onnx-writer.ts';
import type { LazyTensor, TensorSource } from '../../formats/tensor-source.ts';
import { markerTokens, tokenizerOf } from '../../tokenizers/gguf-tokenizer.ts';
import { llamaDecoderGraph, llamaEmbedGraph } from './llama-graphs.ts';
import { readLlamaSettings } from './llama-settings.ts';

export interface LlamaRequest {
  readonly gguf: Gguf;
  /** Tensors `lora.model.layers.N.self_attn.{q,k,v,o}_proj.{A,B}`, and with which rank and alpha they were trained. */
  readonly lora: { readonly tensors: TensorSource; readonly rank: number; readonly alpha: number } | null;
  /** Where the files go; it must exist. */
  readonly folder: string;
}

export interface BuiltLlama {
  readonly llm: NonNullable<BundleManifest['llm']>;
  /** Jinja, from the file; empty when it has none. */
  readonly chatTemplate: string;
  /** The token table [vocabulary, hidden]. */
  readonly embeddings: LazyTensor;
  /** Files written, relative to the folder. */
  readonly files: readonly string[];
}

const files = {
  embedGraph: 'embed.onnx',
  rowsGraph: 'decoder.rows.onnx',
  deviceGraph: 'decoder.device.onnx',
  weights: 'llm.onnx.data',
  tokenizer: 'tokenizer.json',
} as const;

/**
 * Builds a LLaMA-like language model from a GGUF file: the embedding graph, the decoder in both its forms over the same weights,
 * and the tokenizer. Throws `ModelError`, naming the tensor or the metadata entry that does not fit.
 */
export async function buildLlama({ gguf, lora, folder }: LlamaRequest): Promise<BuiltLlama> {
  const settings = readLlamaSettings(gguf);
  const parts = {
    gguf,
    settings,
    lora: lora && { tensors: lora.tensors, prefix: 'lora.', rank: lora.rank },
  };
  await withDataFile(join(folder, files.weights), async (data) => {
    await writeModel(llamaEmbedGraph(parts), join(folder, files.embedGraph), data);
    await writeModel(llamaDecoderGraph(parts, 'rows'), join(folder, files.rowsGraph), data);
    await writeModel(llamaDecoderGraph(parts, 'device'), join(folder, files.deviceGraph), data);
  });
  await writeFile(join(folder, files.tokenizer), JSON.stringify(tokenizerOf(gguf)));
  const { layers, hidden, heads, kvHeads, headSize, vocabulary, contextLength } = settings;
  return {
    llm: {
      architecture: 'llama',
      embedGraph: files.embedGraph,
      rowsGraph: files.rowsGraph,
      // int8 caches with a scale for each channel were a third faster at 1024 positions, and took the cosine of single
      // positions' logits down to 0.992.
      rowsType: 'float32',
      deviceGraph: files.deviceGraph,
      ...{ layers, hidden, heads, kvHeads, headSize, vocabulary, contextLength },
      tokenizer: files.tokenizer,
      ...markerTokens(gguf),
      slidingWindow: null,
      lora: lora && { rank: lora.rank, scale: lora.alpha / lora.rank },
    },
    chatTemplate: gguf.metadata('tokenizer.chat_template', z.string().default('')),
    embeddings: gguf.tensor('token_embd.weight'),
    files: Object.values(files),
  };
}
