import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import { GgufWriter } from '../formats/gguf-writer.ts';
import { someNumbers } from '../graph/run-graph.ts';

const [f32, u32, text, array, i32] = [6, 4, 8, 9, 5];

/** Sizes of the tiny model. */
export const tiny = {
  layers: 2,
  hidden: 64,
  heads: 2,
  kvHeads: 1,
  headSize: 32,
  feedForward: 96,
  vocabulary: 8,
};

export type Metadata = Record<string, string | number | { float: number } | string[] | number[]>;

/** What a published file says about itself, for the tiny model: byte-level BPE of six letters and two special tokens. */
export function tinyMetadata(): Metadata {
  return {
    'general.architecture': 'llama',
    'llama.block_count': tiny.layers,
    'llama.context_length': 64,
    'llama.embedding_length': tiny.hidden,
    'llama.attention.head_count': tiny.heads,
    'llama.attention.head_count_kv': tiny.kvHeads,
    'llama.attention.layer_norm_rms_epsilon': { float: 1e-5 },
    'tokenizer.ggml.model': 'gpt2',
    'tokenizer.ggml.pre': 'smollm',
    'tokenizer.ggml.tokens': ['<|end|>', '<|user|>', 'a', 'b', 'c', '1', 'ab', 'abc'],
    'tokenizer.ggml.token_type': [3, 4, 1, 1, 1, 1, 1, 1],
    'tokenizer.ggml.merges': ['a b', 'ab c'],
    'tokenizer.ggml.eos_token_id': 0,
  };
}

/** Shapes by name, outermost first. */
export function tinyShapes(): Record<string, number[]> {
  const { hidden, heads, kvHeads, headSize, feedForward, vocabulary } = tiny;
  const layer = (n: number) => ({
    [`blk.${n}.attn_norm.weight`]: [hidden],
    [`blk.${n}.attn_q.weight`]: [heads * headSize, hidden],
    [`blk.${n}.attn_k.weight`]: [kvHeads * headSize, hidden],
    [`blk.${n}.attn_v.weight`]: [kvHeads * headSize, hidden],
    [`blk.${n}.attn_output.weight`]: [hidden, heads * headSize],
    [`blk.${n}.ffn_norm.weight`]: [hidden],
    [`blk.${n}.ffn_gate.weight`]: [feedForward, hidden],
    [`blk.${n}.ffn_up.weight`]: [feedForward, hidden],
    [`blk.${n}.ffn_down.weight`]: [hidden, feedForward],
  });
  return {
    'token_embd.weight': [vocabulary, hidden],
    'output_norm.weight': [hidden],
    'output.weight': [vocabulary, hidden],
    ...layer(0),
    ...layer(1),
  };
}

/** Writes a GGUF file of f32 tensors with random values, and gives its path. */
export function writeTinyLlama(metadata: Metadata, shapes: Record<string, number[]>): string {
  const writer = new GgufWriter().head(Object.keys(shapes).length, Object.keys(metadata).length);
  for (const [key, value] of Object.entries(metadata)) {
    writer.text(key);
    if (typeof value === 'string') writer.uint32(text).text(value);
    else if (typeof value === 'number') writer.uint32(u32).uint32(value);
    else if (!Array.isArray(value)) writer.uint32(f32).float32(value.float);
    else {
      const ofText = typeof value[0] === 'string';
      writer
        .uint32(array)
        .uint32(ofText ? text : i32)
        .uint64(value.length);
      for (const element of value)
        if (typeof element === 'string') writer.text(element);
        else writer.uint32(element);
    }
  }
  let offset = 0;
  const size = (shape: readonly number[]) => shape.reduce((product, dimension) => product * dimension, 4);
  for (const [name, shape] of Object.entries(shapes)) {
    writer.tensor(name, shape.toReversed(), 0, offset);
    offset += Math.ceil(size(shape) / 32) * 32;
  }
  writer.align();
  Object.values(shapes).forEach((shape, i) => {
    writer.raw(new Uint8Array(someNumbers(size(shape) / 4, i + 1).buffer)).align();
  });
  const path = join(temporaryFolder(), 'tiny.gguf');
  writeFileSync(path, writer.bytes());
  return path;
}
