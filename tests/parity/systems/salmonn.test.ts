import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeSalmonn } from '../../fixtures/systems/checkpoints.ts';
import { askAloud, buildSystem, clip, expectProbe, golden, writeDown } from './system-kit.ts';

const prompt = 'USER: <Speech>{audio}</Speech> Listen to the question and answer it in detail.\nASSISTANT:';
const clips = [clip(27_001)];

let folder: string;
let bundle: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parlance-salmonn-'));
  bundle = join(folder, 'salmonn');
  await writeSalmonn(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

// Against its own repository: see tests/fixtures/systems/README.md.
describe('SALMONN: Whisper and BEATs, a windowed Q-Former, a Vicuna with LoRA', () => {
  it('is built from its published layouts', async () => {
    const { llm, secondEncoder, generation } = await buildSystem('salmonn', folder);
    expect(llm?.lora).toEqual({ rank: 8, scale: 4 });
    expect(secondEncoder?.architecture).toBe('beats');
    expect(generation).toMatchObject({ beams: 4, maxTokens: 200, repetitionPenalty: 1 });
  });

  it('gives the numbers of its repository at every border', async () => {
    await expectProbe(bundle, { clips, prompt, bos: true }, 'salmonn');
  });

  it('follows the discount of its LoRA at test time: half, and none at all', async () => {
    for (const [loraScale, logits] of [
      [2, 'logits.half'],
      [0, 'logits.none'],
    ] as const)
      await expectProbe(bundle, { clips, prompt, bos: true, loraScale }, 'salmonn', { logits });
  });

  it('answers with the same tokens, searched with four beams, and streams exactly its text', async () => {
    const { result, pieces, tokens } = await askAloud(bundle, clip(27_001), 12);
    expect(tokens).toEqual(golden('salmonn').facts.answer);
    expect(pieces.join('')).toBe(result.text);
    expect(result.usage).toMatchObject({ promptTokens: golden('salmonn').ids.length, audioTokens: 88 });
    expect(result.heardAs).toBe('');
  });

  it('hears more than 30 s in windows of both encoders, and writes speech down as it was trained to', async () => {
    const { result } = await askAloud(bundle, clip(33 * 16_000), 3);
    expect(result.usage.audioTokens).toBe(2 * 88);
    expect(await writeDown(bundle, clip(16_000))).not.toBe('');
  });
});
