import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

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
