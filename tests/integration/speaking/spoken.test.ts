import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { readVoicePack } from '../../../native-models/bundles/voice-pack.ts';
import { type SoundPiece, type SpeakRequest, speechSampleRate } from '../../../src-main/contract/speech.ts';
import { forkEngine } from '../../../src-main/engine/process/forked-engine.ts';
import { EngineSupervisor } from '../../../src-main/engine/process/supervisor.ts';
import { resample } from '../../../src-main/voice/resample.ts';
import { writeWav } from '../../../src-main/voice/wav-file.ts';
import { wordErrorRate } from '../../fixtures/engine/word-error-rate.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

const entry = fileURLToPath(new URL('../../../src-main/app/engine-process.ts', import.meta.url));
const voices = process.env.PARLANCE_TEST_VOICES ?? '';
const bundle = process.env.PARLANCE_TEST_BUNDLE ?? '';
if (voices === '')
  console.warn(
    'Speaking is not tested: PARLANCE_TEST_VOICES names no folder that `parlance models pull kokoro` filled.',
  );
else if (bundle === '')
  console.warn('What is spoken is not heard again: PARLANCE_TEST_BUNDLE names no bundle.');
const never = new AbortController().signal;
const patience = 1_200_000;

function startEngine(): EngineSupervisor {
  const cache = temporaryFolder();
  const engine = new EngineSupervisor({
    start: () => forkEngine(entry, [cache]),
    chooseProvider: async () => 'cpu',
  });
  onTestFinished(() => engine.shutdown());
  return engine;
}

function request(text: string, change: Partial<SpeakRequest> = {}): SpeakRequest {
  return { voices, voice: 'af_heart', speed: 1, language: 'auto', text, ...change };
}

test.skipIf(voices === '' || bundle === '')(
  'what is spoken is heard again by Whisper, and each piece says which part of the text it is',
  async () => {
    const engine = startEngine();
    const text = 'The old train leaves for the city in the morning. It costs **three dollars**.';
    const pieces: SoundPiece[] = [];
    const spoken = await engine.speak(request(text), { sound: (piece) => pieces.push(piece) }, never);
    expect(pieces.map(({ start, end }) => text.slice(start, end))).toEqual([
      'The old train leaves for the city in the morning.',
      'It costs **three dollars**.',
    ]);
    expect(spoken).toMatchObject({ pieces: 2 });
    expect(spoken.seconds).toBeGreaterThan(3);
    expect(spoken.seconds).toBeLessThan(9);
    for (const { samples } of pieces) {
      expect(Math.abs(samples[0] ?? 1)).toBe(0);
      expect(Math.abs(samples.at(-1) ?? 1)).toBe(0);
      expect(samples.every((sample) => Math.abs(sample) <= 1)).toBe(true);
    }
    const whole = Float32Array.from(pieces.flatMap(({ samples }) => [...samples]));
    const path = join(temporaryFolder(), 'spoken.wav');
    await writeWav(path, [await resample(whole, speechSampleRate)], 16_000);
    const heard = await engine.transcribe(
      { bundle, device: 'cpu', path, engine: 'whisper', language: 'en', task: 'transcribe' },
      {},
      never,
    );
    expect(wordErrorRate(text, heard.text.replace('$3', 'three dollars'))).toBeLessThan(0.15);
  },
  patience,
);

test.skipIf(voices === '')(
  'every voice speaks',
  async () => {
    const engine = startEngine();
    for (const voice of readVoicePack(voices).voices) {
      const pieces: SoundPiece[] = [];
      const change = { voice: voice.id, language: 'en' };
      const spoken = await engine.speak(
        request('Yes.', change),
        { sound: (piece) => pieces.push(piece) },
        never,
      );
      expect(spoken.seconds, voice.id).toBeGreaterThan(0.3);
      expect(Math.max(...(pieces[0]?.samples ?? [])), voice.id).toBeGreaterThan(0.02);
    }
  },
  patience * 2,
);

test.skipIf(voices === '')(
  'stopped within a sentence it ends at once, gives no piece more, and speaks again',
  async () => {
    const engine = startEngine();
    await engine.speak(request(''), { sound: () => undefined }, never);
    const stop = new AbortController();
    const pieces: SoundPiece[] = [];
    const speaking = engine.speak(
      request('One two three four. Five six.'),
      { sound: (piece) => pieces.push(piece) },
      stop.signal,
    );
    setImmediate(() => stop.abort());
    await expect(speaking).rejects.toMatchObject({ code: 'cancelled' });
    const spoken = await engine.speak(request('Yes.'), { sound: () => undefined }, never);
    expect(spoken.pieces).toBe(1);
    expect(pieces).toEqual([]);
  },
  patience,
);

test.skipIf(voices === '')(
  'a crash of the engine fails the speech and the next one is spoken',
  async () => {
    const engine = startEngine();
    await engine.speak(request(''), { sound: () => undefined }, never);
    const speaking = engine.speak(request('One two three.'), { sound: () => undefined }, never);
    if (engine.pid !== null) process.kill(engine.pid, 'SIGKILL');
    await expect(speaking).rejects.toMatchObject({ code: 'engine-stopped' });
    await engine.speak(request('Yes.'), { sound: () => undefined }, never);
    expect(engine.status()).toMatchObject({ state: 'ready', restarts: 1 });
  },
  patience,
);

test(
  'voices that are not there, or not known, are told with what to do',
  async () => {
    const engine = startEngine();
    const missing = engine.speak(
      request('Hello.', { voices: temporaryFolder() }),
      { sound: () => undefined },
      never,
    );
    await expect(missing).rejects.toMatchObject({
      code: 'voices-missing',
      hint: expect.stringContaining('models pull'),
    });
  },
  patience,
);

test.skipIf(voices === '')(
  'a language that a voice does not have is refused',
  async () => {
    const engine = startEngine();
    const japanese = engine.speak(
      request('こんにちは', { voice: 'jf_alpha' }),
      { sound: () => undefined },
      never,
    );
    await expect(japanese).rejects.toMatchObject({ code: 'not-supported' });
    const unknown = engine.speak(request('Hi.', { voice: 'nobody' }), { sound: () => undefined }, never);
    await expect(unknown).rejects.toMatchObject({ code: 'voices-missing' });
  },
  patience,
);
