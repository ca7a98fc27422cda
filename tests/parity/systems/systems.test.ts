import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { swapLlm } from '../../../native-models/bundles/swap-llm.ts';
import { EngineKit, greedy, typed } from '../../fixtures/engine/engine-kit.ts';
import {
  ctcVocabulary,
  writeAligner,
  writeAudioChatLlama,
  writeSim,
} from '../../fixtures/systems/checkpoints.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import {
  answerSchema,
  askAloud,
  buildSystem,
  clip,
  expectProbe,
  golden,
  keptHeader,
  writeDown,
} from './system-kit.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'parlance-systems-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const newTokens = 12;

describe('SiM: Whisper, an MLP and a Llama 3', () => {
  const prompt =
    '<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n{audio}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n';

  it('gives the numbers of transformers at every border, and answers with the same tokens', async () => {
    await writeSim(folder);
    await buildSystem('sim', folder);
    await expectProbe(join(folder, 'sim'), { clips: [clip(27_001)], prompt }, 'sim');
    const { result, pieces, tokens } = await askAloud(join(folder, 'sim'), clip(27_001), newTokens);
    const { facts, ids } = golden('sim');
    expect(tokens).toEqual(facts.answer);
    expect(result.text).toBe(facts.text);
    expect(pieces.join('')).toBe(result.text);
    expect(result.usage).toMatchObject({ promptTokens: ids.length, audioTokens: 1500 });
  });

  it('refuses before any encoding what cannot fit: each half minute takes 1500 positions', async () => {
    await expect(askAloud(join(folder, 'sim'), clip(31 * 16_000), newTokens)).rejects.toMatchObject({
      code: 'audio-too-long',
      message: expect.stringContaining('31 s long; 30 s are sure to fit'),
    });
  });
});

describe('the transferable aligner: Whisper, one matrix and a Yi', () => {
  const prompt = '<|Human|><|startofaudio|>{audio}<|endofaudio|><|qa|> 回答音频问题\n<|Assistant|>';
  beforeAll(async () => {
    await writeAligner(folder);
    await buildSystem('aligner', folder);
  });

  it('gives the numbers of transformers at every border, and answers with the same tokens', async () => {
    await expectProbe(join(folder, 'aligner'), { clips: [clip(18_300)], prompt }, 'aligner');
    const { result, tokens } = await askAloud(join(folder, 'aligner'), clip(18_300), newTokens);
    expect(tokens).toEqual(golden('aligner').facts.answer);
    expect(result.usage.promptTokens).toBe(golden('aligner').ids.length);
  });

  it('speaks to the chat LLM that takes the place of its own, without training', async () => {
    const out = join(folder, 'aligner-chat');
    await swapLlm({
      bundle: join(folder, 'aligner'),
      llm: join(folder, 'weights', 'Yi-6B-Chat'),
      ...{ architecture: null, quantize: 'none', id: null, name: null, keepLora: null, out },
    });
    await expectProbe(out, { clips: [clip(18_300)], prompt }, 'aligner', { logits: 'chatLogits' });
    const { tokens } = await askAloud(out, clip(18_300), newTokens);
    const { chat } = z.object({ chat: answerSchema }).parse(golden('aligner').facts);
    expect(tokens).toEqual(chat.answer);
  });

  it('reads a typed question in the form that it was trained with', async () => {
    const cacheFolder = temporaryFolder();
    const kit = new EngineKit(cacheFolder, { bundle: join(folder, 'aligner'), engine: 'speech-llm' });
    const { result } = await kit.ask([typed('the words')], { sampling: { ...greedy, maxTokens: 1 } });
    await kit.engine.close();
    const { typed: ids } = z.object({ typed: z.array(z.number()) }).parse(golden('aligner').facts);
    expect(result.usage.promptTokens).toBe(ids.length);
    expect((await keptHeader(cacheFolder)).units).toEqual(ids);
  });
});

describe('AudioChatLlama: a Conformer whose frames stand in the place of the words', () => {
  it('gives the numbers of torchaudio and transformers, searches with ten beams, and its CTC head can be read', async () => {
    await writeAudioChatLlama(folder);
    await buildSystem('audiochatllama', folder);
    const bundle = join(folder, 'audiochatllama');
    const prompt = '<s>[INST] <<SYS>>\n\n<</SYS>>\n\n{audio} [/INST]';
    await expectProbe(bundle, { clips: [clip(27_001)], prompt }, 'audiochatllama');
    const { result, pieces, tokens } = await askAloud(bundle, clip(27_001), newTokens);
    const { facts, ids } = golden('audiochatllama');
    expect(tokens).toEqual(facts.answer);
    expect(pieces.join('')).toBe(result.text);
    expect(result.usage.promptTokens).toBe(ids.length);
    const { ctcLabels } = z.object({ ctcLabels: z.array(z.number()) }).parse(facts);
    expect(result.heardAs).toBe(readLabels(ctcLabels));
    expect(await writeDown(bundle, clip(27_001))).toBe(result.heardAs);
  });

  function readLabels(labels: readonly number[]): string {
    const names = Object.keys(ctcVocabulary).map((name) => (name === '<blank>' ? '' : name));
    return labels
      .map((label) => names[label])
      .join('')
      .replaceAll('▁', ' ')
      .trim();
  }
});
