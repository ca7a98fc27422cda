import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { cosineSimilarity } from '../../../native-models/cosine-similarity.ts';
import { deviceReader, likeliest, rowsReader } from '../llms/open-model.ts';
import { BuiltModel } from './built-model.ts';

const golden = z
  .object({
    cases: z.array(
      z.object({
        name: z.string(),
        ids: z.array(z.number()),
        loraScale: z.number(),
        logits: z.array(
          z.object({ position: z.number(), ids: z.array(z.number()), values: z.array(z.number()) }),
        ),
        continuation: z.array(z.number()),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL('../../fixtures/llama/golden.json', import.meta.url), 'utf8')));

let model: BuiltModel;
beforeAll(async () => {
  model = await BuiltModel.build(true);
});
afterAll(() => model.remove());

describe('the decoder built from the published file', () => {
  for (const { name, ids, loraScale, logits, continuation } of golden.cases) {
    it(`gives the original's logits at every position and its continuation: ${name}`, async () => {
      const reader = await rowsReader(model, loraScale);
      const given: Float32Array[] = [];
      for (const id of ids) given.push(await reader.read([id]));
      for (const { position, ids: kept, values } of logits) {
        const ours = kept.map((id) => given[position]?.[id] ?? Number.NaN);
        expect(cosineSimilarity(ours, values), `position ${position}`).toBeGreaterThan(0.9999);
      }
      const continued: number[] = [];
      let next = likeliest(given.at(-1) ?? new Float32Array());
      while (continued.length < continuation.length) {
        continued.push(next);
        next = likeliest(await reader.read([next]));
      }
      expect(continued).toEqual(continuation);
    });
  }

  it('gives the same whether a prompt is read at once, in pieces or token by token, in either form', async () => {
    const ids = golden.cases[0]?.ids ?? [];
    const whole = await (await rowsReader(model, 0)).read(ids);
    const [first, second, third] = [ids.slice(0, 7), ids.slice(7, 30), ids.slice(30)];
    const singly = ids.map((id) => [id]);
    // The device form rounds the last product's inputs on a CPU; the devices it is for do not.
    const readers = [
      { reader: await rowsReader(model, 0, ids.length), pieces: [first, second, third], least: 0.999999 },
      { reader: await rowsReader(model, 0, 300), pieces: singly, least: 0.999999 },
      { reader: await deviceReader(model, 0), pieces: [ids], least: 0.9995 },
      { reader: await deviceReader(model, 0), pieces: [first, ...singly.slice(7)], least: 0.9995 },
    ];
    for (const { reader, pieces, least } of readers) {
      let last = new Float32Array();
      for (const piece of pieces) last = new Float32Array(await reader.read(piece));
      expect(cosineSimilarity(last, whole)).toBeGreaterThan(least);
    }
  });

  it('with the LoRA turned to zero is the model without it', async () => {
    const plain = await BuiltModel.build(false);
    try {
      const ids = golden.cases[0]?.ids ?? [];
      const without = await (await rowsReader(plain, 0)).read(ids);
      const zero = await (await rowsReader(model, 0)).read(ids);
      const full = await (await rowsReader(model, 2)).read(ids);
      expect(plain.built.llm.lora).toBeNull();
      expect(cosineSimilarity(zero, without)).toBeGreaterThan(0.99999);
      expect(cosineSimilarity(full, without)).toBeLessThan(0.999);
    } finally {
      await plain.remove();
    }
  });

  it('says in the manifest what it is', () => {
    expect(model.built.llm).toMatchObject({
      architecture: 'llama',
      ...{ layers: 30, hidden: 576, heads: 9, kvHeads: 3, headSize: 64, vocabulary: 49152 },
      ...{ contextLength: 8192, bosToken: 1, eosTokens: [2], lora: { rank: 8, scale: 2 } },
    });
    expect(model.built.chatTemplate).toContain('<|im_start|>');
  });
});
