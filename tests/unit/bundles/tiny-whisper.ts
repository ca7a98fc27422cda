import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type OutputTensor, writeSafetensors } from '../../../native-models/formats/safetensors-writer.ts';
import type { TensorSource } from '../../../native-models/formats/tensor-source.ts';

/** Sizes of the tiny Whisper below. */
export const tiny = {
  mels: 80,
  hidden: 32,
  heads: 2,
  layers: 2,
  positions: 100,
  vocabulary: 120,
  maxTokens: 16,
};

/** Writes a CTranslate2 folder of a Whisper with random weights: small enough to build in a blink, whole enough to run. */
export function writeTinyWhisper(folder: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'model.bin'), modelBytes());
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer()));
  writeFileSync(
    join(folder, 'config.json'),
    JSON.stringify({ suppress_ids: [1, 2], suppress_ids_begin: [3] }),
  );
}

function tokenizer() {
  const names = [
    'endoftext',
    'startoftranscript',
    'en',
    'de',
    'translate',
    'transcribe',
    'startoflm',
    'startofprev',
  ];
  const all = [...names, 'nocaptions', 'notimestamps'];
  return { added_tokens: all.map((name, i) => ({ id: 100 + i, content: `<|${name}|>`, special: true })) };
}

function modelBytes(): Buffer {
  const { mels, hidden, heads, layers, positions, vocabulary, maxTokens } = tiny;
  const shapes = new Map<string, number[]>();
  const linear = (name: string, outputs: number, inputs: number) => {
    shapes.set(`${name}/weight`, [outputs, inputs]);
    shapes.set(`${name}/bias`, [outputs]);
  };
  const norm = (name: string) => {
    shapes.set(`${name}/gamma`, [hidden]);
    shapes.set(`${name}/beta`, [hidden]);
  };
  for (const side of ['encoder', 'decoder'])
    for (let layer = 0; layer < layers; layer++) {
      const at = `${side}/layer_${layer}`;
      norm(`${at}/self_attention/layer_norm`);
      linear(`${at}/self_attention/linear_0`, 3 * hidden, hidden);
      linear(`${at}/self_attention/linear_1`, hidden, hidden);
      norm(`${at}/ffn/layer_norm`);
      linear(`${at}/ffn/linear_0`, 4 * hidden, hidden);
      linear(`${at}/ffn/linear_1`, hidden, 4 * hidden);
      if (side === 'encoder') continue;
      norm(`${at}/attention/layer_norm`);
      linear(`${at}/attention/linear_0`, hidden, hidden);
      linear(`${at}/attention/linear_1`, 2 * hidden, hidden);
      linear(`${at}/attention/linear_2`, hidden, hidden);
    }
  norm('encoder/layer_norm');
  norm('decoder/layer_norm');
  shapes.set('encoder/conv1/weight', [hidden, mels, 3]).set('encoder/conv1/bias', [hidden]);
  shapes.set('encoder/conv2/weight', [hidden, hidden, 3]).set('encoder/conv2/bias', [hidden]);
  shapes.set('encoder/position_encodings/encodings', [positions, hidden]);
  shapes.set('decoder/position_encodings/encodings', [maxTokens, hidden]);
  shapes.set('decoder/embeddings/weight', [vocabulary, hidden]);
  const random = randomNumbers(7);
  const variables = [...shapes].map(([name, shape]) => floatVariable(name, shape, random));
  const headCount = Buffer.concat([text('encoder/num_heads'), u8(0), u8(2), u32(2), Buffer.from([heads, 0])]);
  return Buffer.concat([
    ...[u32(6), text('WhisperSpec'), u32(3), u32(variables.length + 1), ...variables, headCount],
    ...[u32(1), text('decoder/projection/weight'), text('decoder/embeddings/weight')],
  ]);
}

function floatVariable(name: string, shape: number[], random: () => number): Buffer {
  const size = shape.reduce((product, dimension) => product * dimension, 1);
  const norm = name.endsWith('gamma') ? 1 : 0;
  const values = Float32Array.from({ length: size }, () => norm + random() * 0.3);
  // Whisper's keys have no bias: CTranslate2 writes zeros in their place.
  if (name.endsWith('self_attention/linear_0/bias')) values.fill(0, tiny.hidden, 2 * tiny.hidden);
  if (name.endsWith('/attention/linear_1/bias')) values.fill(0, 0, tiny.hidden);
  return Buffer.concat([
    ...[text(name), u8(shape.length), ...shape.map(u32), u8(0), u32(4 * size)],
    Buffer.from(values.buffer),
  ]);
}

/** The same numbers between −1 and 1 every time (Park and Miller). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return (2 * state) / 2_147_483_647 - 1;
  };
}

const u8 = (value: number) => Buffer.from([value]);
const u16 = (value: number) => Buffer.from(Uint16Array.of(value).buffer);
const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer);
const text = (value: string) => Buffer.concat([u16(value.length + 1), Buffer.from(`${value}\0`)]);

/** Writes the same Whisper as transformers saves it, in the names of its own state dictionary. */
export async function writeTinyTransformersWhisper(folder: string, same: TensorSource): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const { hidden, heads, layers } = tiny;
  const saved: Record<string, OutputTensor> = {};
  const copy = (target: string, source: string, rows?: readonly [number, number]) => {
    const { shape } = same.tensor(source);
    const values = same.tensor(source).float32();
    const width = values.length / (shape[0] ?? 1);
    const [first, end] = rows ?? [0, shape[0] ?? 1];
    const data = values.slice(first * width, end * width);
    saved[`model.${target}`] = { shape: [end - first, ...shape.slice(1)], data };
  };
  const both = (target: string, source: string, rows?: readonly [number, number]) => {
    copy(`${target}.weight`, `${source}/weight`, rows);
    copy(`${target}.bias`, `${source}/bias`, rows);
  };
  const norm = (target: string, source: string) => {
    copy(`${target}.weight`, `${source}/gamma`);
    copy(`${target}.bias`, `${source}/beta`);
  };
  for (const side of ['encoder', 'decoder']) {
    for (let layer = 0; layer < layers; layer++) {
      const [to, from] = [`${side}.layers.${layer}`, `${side}/layer_${layer}`];
      ['q_proj', 'k_proj', 'v_proj'].forEach((name, i) => {
        both(`${to}.self_attn.${name}`, `${from}/self_attention/linear_0`, [i * hidden, (i + 1) * hidden]);
      });
      both(`${to}.self_attn.out_proj`, `${from}/self_attention/linear_1`);
      norm(`${to}.self_attn_layer_norm`, `${from}/self_attention/layer_norm`);
      norm(`${to}.final_layer_norm`, `${from}/ffn/layer_norm`);
      both(`${to}.fc1`, `${from}/ffn/linear_0`);
      both(`${to}.fc2`, `${from}/ffn/linear_1`);
      if (side === 'encoder') continue;
      norm(`${to}.encoder_attn_layer_norm`, `${from}/attention/layer_norm`);
      both(`${to}.encoder_attn.q_proj`, `${from}/attention/linear_0`);
      both(`${to}.encoder_attn.k_proj`, `${from}/attention/linear_1`, [0, hidden]);
      both(`${to}.encoder_attn.v_proj`, `${from}/attention/linear_1`, [hidden, 2 * hidden]);
      both(`${to}.encoder_attn.out_proj`, `${from}/attention/linear_2`);
    }
    norm(`${side}.layer_norm`, `${side}/layer_norm`);
    copy(`${side}.embed_positions.weight`, `${side}/position_encodings/encodings`);
  }
  both('encoder.conv1', 'encoder/conv1');
  both('encoder.conv2', 'encoder/conv2');
  copy('decoder.embed_tokens.weight', 'decoder/embeddings/weight');
  for (const name of Object.keys(saved)) if (name.endsWith('k_proj.bias')) delete saved[name];
  await writeSafetensors(join(folder, 'model.safetensors'), saved);
  const config = { encoder_attention_heads: heads, decoder_attention_heads: heads };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  const generation = { suppress_tokens: [1, 2], begin_suppress_tokens: [3] };
  writeFileSync(join(folder, 'generation_config.json'), JSON.stringify(generation));
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer()));
}
