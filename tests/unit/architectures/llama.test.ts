import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { buildLlm } from '../../../native-models/architectures/llms/build-llm.ts';
import type { BuiltLlm } from '../../../native-models/architectures/llms/llm.ts';
import type { ModelErrorCode } from '../../../native-models/errors.ts';
import { derivedTensor } from '../../../native-models/formats/derived-tensor.ts';
import { Gguf } from '../../../native-models/formats/gguf.ts';
import type { TensorSource } from '../../../native-models/formats/tensor-source.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import { floats, someNumbers, valuesOf } from '../graph/run-graph.ts';
import { type Metadata, tiny, tinyMetadata, tinyShapes, writeTinyLlama } from './tiny-llama.ts';

async function build(
  change: { metadata?: Metadata; shapes?: Record<string, number[]>; without?: string } = {},
  lora: { tensors: TensorSource; rank: number; alpha: number } | null = null,
): Promise<BuiltLlm & { folder: string }> {
  const metadata = { ...tinyMetadata(), ...change.metadata };
  const shapes = { ...tinyShapes(), ...change.shapes };
  if (change.without !== undefined) {
    delete metadata[change.without];
    delete shapes[change.without];
  }
  using gguf = new Gguf(writeTinyLlama(metadata, shapes));
  const folder = temporaryFolder();
  const built = await buildLlm({
    ...{ weights: gguf, sourceFolder: folder, architecture: null, quantize: 'keep', target: 'cpu', folder },
    lora: lora && { ...lora, merged: false },
  });
  return { ...built, folder };
}

/** LoRA tensors of a rank for the tiny model; `shapes` may say otherwise for some. */
function loraTensors(rank: number, shapes: Record<string, number[]> = {}): TensorSource {
  const shapeOf = (name: string): number[] => {
    const outputs = { q: 64, k: 32, v: 32, o: 64 }[/([qkvo])_proj/.exec(name)?.[1] ?? ''] ?? 0;
    return shapes[name] ?? (name.endsWith('.A') ? [rank, 64] : [outputs, rank]);
  };
  const tensor = (name: string) => {
    const shape = shapeOf(name);
    const values = someNumbers(
      shape.reduce((product, size) => product * size, 1),
      name.length,
    );
    return derivedTensor(name, shape, () => values);
  };
  const sides = ['q', 'k', 'v', 'o'].flatMap((name) => [`${name}_proj.A`, `${name}_proj.B`]);
  const names = [0, 1].flatMap((layer) =>
    sides.map((side) => `lora.model.layers.${layer}.self_attn.${side}`),
  );
  return { names: () => names, has: (name) => names.includes(name), tensor };
}

async function lastLogits(
  folder: string,
  graph: string,
  past: number[],
  scale: number | null,
): Promise<number[]> {
  const session = await InferenceSession.create(join(folder, graph));
  const positions = 3;
  const caches = session.inputNames
    .filter((name) => name.startsWith('past_'))
    .map((name) => [name, floats(new Float32Array(past.reduce((a, b) => a * b)), past)]);
  const { logits } = await session.run({
    ...Object.fromEntries(caches),
    inputs_embeds: floats(someNumbers(positions * tiny.hidden), [1, positions, tiny.hidden]),
    seqlens_k: new Tensor('int32', [positions - 1], [1]),
    total_sequence_length: new Tensor('int32', [positions], []),
    ...(scale === null ? {} : { lora_scale: floats([scale], []) }),
  });
  await session.release();
  return valuesOf(logits);
}

describe('a language model from a GGUF file', () => {
  it('gives graphs that answer alike in both forms, and a manifest of what they are', async () => {
    const { folder, llm, chatTemplate } = await build();
    expect(llm).toMatchObject({
      layers: 2,
      vocabulary: 8,
      contextLength: 64,
      bosToken: null,
      eosTokens: [0],
      lora: null,
    });
    expect(chatTemplate).toBe('');
    expect(readdirSync(folder).toSorted()).toEqual([
      'decoder.device.onnx',
      'decoder.rows.onnx',
      'embed.onnx',
      'llm.onnx.data',
      'tokenizer.json',
    ]);
    const rows = await lastLogits(folder, llm.rowsGraph, [1, 1, 16, 32], null);
    const device = await lastLogits(folder, llm.deviceGraph, [1, 1, 0, 32], null);
    expect(rows).toHaveLength(tiny.vocabulary);
    const largest = Math.max(...rows.map(Math.abs));
    device.forEach((value, i) => {
      expect(Math.abs(value - (rows[i] ?? Number.NaN))).toBeLessThan(0.02 * largest);
    });
  });

  it('turns the LoRA up and down while it runs', async () => {
    const { folder, llm } = await build({}, { tensors: loraTensors(4), rank: 4, alpha: 8 });
    expect(llm.lora).toEqual({ rank: 4, scale: 2 });
    const plain = await build();
    const without = await lastLogits(plain.folder, plain.llm.rowsGraph, [1, 1, 16, 32], null);
    const off = await lastLogits(folder, llm.rowsGraph, [1, 1, 16, 32], 0);
    const on = await lastLogits(folder, llm.rowsGraph, [1, 1, 16, 32], 2);
    off.forEach((value, i) => {
      expect(value).toBeCloseTo(without[i] ?? Number.NaN, 3);
    });
    expect(on.some((value, i) => Math.abs(value - (off[i] ?? 0)) > 0.01)).toBe(true);
  });

  it('writes its tokenizer: merges, special tokens, numbers one by one', async () => {
    const { folder, llm } = await build();
    const json: object = JSON.parse(readFileSync(join(folder, String(llm.tokenizer)), 'utf8'));
    const tokenizer = new Tokenizer(json, {});
    expect(tokenizer.encode('abcab11<|user|>', { add_special_tokens: false }).ids).toEqual([7, 6, 5, 5, 1]);
  });

  it('uses the embedding table as output matrix where the file has no other', async () => {
    const { folder, llm } = await build({ without: 'output.weight' });
    expect(await lastLogits(folder, llm.rowsGraph, [1, 1, 16, 32], null)).toHaveLength(tiny.vocabulary);
  });
});

describe('a file that does not fit is refused by name', () => {
  const refused: [string, Parameters<typeof build>[0], ModelErrorCode, RegExp][] = [
    ['another architecture', { metadata: { 'general.architecture': 'mamba' } }, 'not-supported', /mamba/],
    ['no settings', { without: 'llama.embedding_length' }, 'file-invalid', /embedding_length is missing/],
    ['absurd settings', { metadata: { 'llama.block_count': 4_000_000 } }, 'file-invalid', /block_count/],
    [
      'heads that do not divide',
      { metadata: { 'llama.attention.head_count_kv': 3 } },
      'not-supported',
      /2 heads over 3/,
    ],
    ['unknown positions', { metadata: { 'llama.rope.scaling.type': 'ntk' } }, 'not-supported', /ntk/],
    ['a missing tensor', { without: 'blk.1.ffn_up.weight' }, 'tensor-missing', /blk\.1\.ffn_up\.weight/],
    ['a missing layer', { metadata: { 'llama.block_count': 3 } }, 'tensor-missing', /blk\.2\./],
    [
      'too few key rows',
      { shapes: { 'blk.0.attn_k.weight': [16, 64] } },
      'shape-mismatch',
      /attn_k.*\[16, 64\], not \[32, 64\]/,
    ],
    ['gates of another width', { shapes: { 'blk.0.ffn_up.weight': [64, 64] } }, 'shape-mismatch', /ffn_up/],
    ['a norm of another width', { shapes: { 'output_norm.weight': [32] } }, 'shape-mismatch', /\[32\]/],
    [
      'a table of another width',
      { shapes: { 'token_embd.weight': [8, 32] } },
      'shape-mismatch',
      /token_embd/,
    ],
    ['an unknown tokenizer', { metadata: { 'tokenizer.ggml.model': 'bert' } }, 'not-supported', /kind bert/],
    ['an unknown cut', { metadata: { 'tokenizer.ggml.pre': 'bloom' } }, 'not-supported', /gpt2, bloom/],
    [
      'a token twice',
      { metadata: { 'tokenizer.ggml.tokens': ['a', 'a'] } },
      'file-invalid',
      /0 and 1 are the same/,
    ],
    [
      'a broken merge',
      { metadata: { 'tokenizer.ggml.merges': ['abc'] } },
      'file-invalid',
      /"abc" is not two/,
    ],
  ];
  for (const [name, change, code, message] of refused)
    it(name, async () => {
      await expect(build(change)).rejects.toThrow(
        expect.objectContaining({ code, message: expect.stringMatching(message) }),
      );
    });

  it('a LoRA of another rank or for another model', async () => {
    const built = (tensors: TensorSource) => build({}, { tensors, rank: 4, alpha: 8 });
    await expect(built(loraTensors(8))).rejects.toThrow(/q_proj\.A is \[8, 64\], not \[4, 64\]/);
    const other = loraTensors(4, { 'lora.model.layers.1.self_attn.o_proj.B': [128, 4] });
    await expect(built(other)).rejects.toThrow(/layers\.1.*o_proj\.B is \[128, 4\], not \[64, 4\]/);
  });
});
