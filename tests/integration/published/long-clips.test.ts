import { expect, it } from 'vitest';
import { gemma3nHearing } from '../../../native-models/published/hearing/gemma3n.ts';
import { configSchema } from '../../../native-models/published/schemas.ts';
import { AudioEmbeddingsCache } from '../../../src-main/engine/caches/audio-embeddings.ts';
import { PublishedSpeech } from '../../../src-main/engine/published/published-speech.ts';
import { EngineKit, greedy, spoken, writeClip } from '../../fixtures/engine/engine-kit.ts';
import type { FixtureFamily } from '../../fixtures/published/family-files.ts';
import { clip, writePublished } from '../../fixtures/published/published-kit.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

/** No whole number of Granite Speech's blocks, which its tiny graph was exported for. */
const seconds = 40.1;
const config = { model_type: 'gemma3n' };
const sampling = { ...greedy, maxTokens: 2 };

/** Positions of sound; windows end at a pause near their 30 s, so that where they part is not known to the sample. */
const positions: ReadonlyArray<[FixtureFamily, number, number]> = [
  ['ultravox', 6.25 * seconds, 6.25 * seconds + 4],
  ['voxtral', 750, 750],
  ['granite_speech', 10 * seconds, 10 * seconds + 3],
];

it.each(positions)('%s hears all of a clip that is longer than its window', async (family, least, most) => {
  const folder = temporaryFolder();
  const bundle = await writePublished(folder, family);
  const kit = new EngineKit(temporaryFolder(), { bundle, engine: 'speech-llm', sampling });
  const question = spoken(writeClip(folder, 'long.wav', clip('long', Math.round(seconds * 16_000))));
  const { result } = await kit.ask([question]);
  expect(result.usage.audioTokens).toBeGreaterThanOrEqual(least);
  expect(result.usage.audioTokens).toBeLessThanOrEqual(most);
  await kit.engine.close();
});

it('gemma3n hears each window between tokens of its own', () => {
  const bundle = {
    config: { audio_soft_tokens_per_image: 12 },
    preprocessor: {},
    processor: {},
    tokenizer: {},
  };
  const hearing = gemma3nHearing({ ...bundle, config: configSchema.parse({ ...config, ...bundle.config }) });
  const speech = new PublishedSpeech({
    hearing,
    hidden: 32,
    encoder: () => Promise.reject(new Error('nothing is heard here')),
    embeddings: new AudioEmbeddingsCache({ cacheFolder: '', bundle: '', log: () => undefined }, 32),
  });
  expect(speech.content('clip', 24, '')).toEqual([
    { template: '\n\n<start_of_audio>' },
    { audio: 'clip', positions: 12 },
    { template: '<end_of_audio>\n\n' },
    { template: '\n\n<start_of_audio>' },
    { audio: 'clip+12', positions: 12 },
    { template: '<end_of_audio>\n\n' },
    { template: '' },
  ]);
});

it('writes down what it hears where its family was trained to, and says so where not', async () => {
  const folder = temporaryFolder();
  const path = writeClip(folder, 'clip.wav', clip('granite', 20_803));
  const request = {
    path,
    engine: 'speech-llm',
    language: 'auto',
    task: 'transcribe',
    device: 'cpu',
  } as const;
  const kit = new EngineKit(temporaryFolder(), { bundle: '' });
  const signal = new AbortController().signal;
  const granite = await writePublished(temporaryFolder(), 'granite_speech');
  const { segments, text } = await kit.engine.transcribe({ ...request, bundle: granite }, {}, signal);
  expect(segments).toHaveLength(1);
  expect(text).not.toBe('');
  const ultravox = await writePublished(temporaryFolder(), 'ultravox');
  await expect(kit.engine.transcribe({ ...request, bundle: ultravox }, {}, signal)).rejects.toMatchObject({
    code: 'not-supported',
  });
  await kit.engine.close();
});
