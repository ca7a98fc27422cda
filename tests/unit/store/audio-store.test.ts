import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openAudioStore } from '../../../src-main/store/audio-store.ts';
import { openStore } from '../../../src-main/store/open-store.ts';
import { readWav } from '../../../src-main/voice/wav.ts';
import { spokenQuestion } from '../../fixtures/store/turns.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import { tone } from '../../fixtures/voice/tones.ts';

async function openBoth(folder = temporaryFolder()) {
  const store = await openStore({ folder });
  return { folder, store, audio: await openAudioStore({ folder, clips: store }) };
}

const wavFiles = (folder: string) =>
  readdirSync(join(folder, 'audio'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.wav'),
  );

test('sound comes back as a 16 kHz mono 16-bit WAV, under the hash of its file', async () => {
  const { folder, store, audio } = await openBoth();
  const sound = tone(440, 1);
  const clip = await audio.put(sound);
  expect(await audio.path(clip.sha256)).toBe(
    join(folder, 'audio', clip.sha256.slice(0, 2), `${clip.sha256}.wav`),
  );
  const { samples, sampleRate } = readWav(await audio.read(clip.sha256), 'clip.wav');
  expect(sampleRate).toBe(16000);
  expect(Math.max(...samples.map((sample, place) => Math.abs(sample - (sound[place] ?? 0))))).toBeLessThan(
    1e-4,
  );
  expect(clip.seconds).toBe(1);
  await store.close();
});

test('one bar for every 160 ms: silence is 0, louder is higher, full scale is near 1', async () => {
  const { store, audio } = await openBoth();
  const quiet = tone(440, 0.16).map((sample) => sample / 50);
  const loud = Float32Array.from({ length: 2560 }, (_, place) => (place % 40 < 20 ? 1 : -1));
  const { bars } = await audio.put(
    Float32Array.of(...new Float32Array(2560), ...quiet, ...tone(440, 0.16), ...loud),
  );
  expect(bars.length).toBe(4);
  expect(bars[0]).toBe(0);
  expect(bars[3]).toBe(1);
  expect([...bars]).toEqual([...bars].sort((one, other) => one - other));
  await store.close();
});

test('the same sound is one file; it goes when the last turn that names it goes', async () => {
  const { folder, store, audio } = await openBoth();
  const [one, two] = [await store.createConversation('one'), await store.createConversation('two')];
  const clip = await audio.put(tone(440, 0.5));
  await store.addTurn(spokenQuestion(one.id, clip));
  await store.addTurn(spokenQuestion(two.id, await audio.put(tone(440, 0.5))));
  expect(wavFiles(folder).length).toBe(1);
  expect((await store.turns(one.id))[0]?.audio).toEqual(clip);
  expect((await store.conversation(one.id)).spoken).toBe(true);

  await store.deleteConversation(one.id);
  await audio.remove(clip.sha256);
  expect(existsSync(await audio.path(clip.sha256))).toBe(true);
  await store.deleteConversation(two.id);
  expect(wavFiles(folder)).toEqual([]);
  await expect(audio.path(clip.sha256)).rejects.toMatchObject({ code: 'file-missing' });
  await store.close();
});

test('sound that no turn names yet survives a sweep; what was left long ago does not', async () => {
  const { folder, store, audio } = await openBoth();
  const fresh = await audio.put(tone(440, 0.5));
  const left = 'a'.repeat(64);
  mkdirSync(join(folder, 'audio', 'aa'));
  const old = [join(folder, 'audio', 'aa', `${left}.wav`), join(folder, 'audio', 'aa', 'torn.partial')];
  const other = join(folder, 'audio', 'aa', 'notes.txt');
  for (const path of [...old, other]) {
    writeFileSync(path, 'x');
    utimesSync(path, 1e9, 1e9);
  }
  writeFileSync(join(folder, 'audio', 'aa', 'new.partial'), 'x');
  await openAudioStore({ folder, clips: store });
  expect(old.filter((path) => existsSync(path))).toEqual([]);
  expect(existsSync(other)).toBe(true);
  expect(existsSync(join(folder, 'audio', 'aa', 'new.partial'))).toBe(true);
  expect(existsSync(await audio.path(fresh.sha256))).toBe(true);
  await store.close();
});

test('a file that was cut short on disk is written whole again', async () => {
  const { store, audio } = await openBoth();
  const clip = await audio.put(tone(440, 0.5));
  const path = await audio.path(clip.sha256);
  const whole = readFileSync(path);
  writeFileSync(path, whole.subarray(0, 100));
  await audio.put(tone(440, 0.5));
  expect(readFileSync(path)).toEqual(whole);
  await store.close();
});

test('only a hash names sound: a path does not', async () => {
  const { store, audio } = await openBoth();
  for (const name of ['../parlance.db', '', 'A'.repeat(64), `${'a'.repeat(63)}/`]) {
    await expect(audio.read(name)).rejects.toMatchObject({ code: 'file-missing' });
  }
  await store.close();
});
