import { describe, expect, test } from 'vitest';
import type { ParlanceError } from '../../../src-main/contract/index.ts';
import { readSound } from '../../../src-main/voice/read-sound.ts';
import { readWav } from '../../../src-main/voice/wav.ts';
import { rms, tone } from '../../fixtures/voice/tones.ts';
import { type WavKind, writeWav } from '../../fixtures/voice/wav-writer.ts';

const encodings: Array<{ name: string; kind: WavKind; step: number }> = [
  { name: '8-bit', kind: { bits: 8 }, step: 2 ** -7 },
  { name: '16-bit', kind: { bits: 16 }, step: 2 ** -15 },
  { name: '24-bit', kind: { bits: 24 }, step: 2 ** -23 },
  { name: '32-bit', kind: { bits: 32 }, step: 2 ** -22 },
  { name: '32-bit float', kind: { bits: 32, float: true }, step: 2 ** -24 },
  { name: '64-bit float', kind: { bits: 64, float: true }, step: 2 ** -24 },
];
const rates = [8000, 11025, 16000, 22050, 32000, 44100, 48000, 96000];

/** The failure that reading ends with. */
async function refusal(bytes: Uint8Array, name = 'sound.wav'): Promise<ParlanceError> {
  return readSound(bytes, name).then(
    () => Promise.reject(new Error('it was read')),
    (error: ParlanceError) => error,
  );
}

describe('samples of every common encoding', () => {
  for (const { name, kind, step } of encodings) {
    for (const extensible of [false, true]) {
      test(`${name}${extensible ? ', extensible header' : ''}, come back as they were`, () => {
        const sound = tone(440, 0.05);
        const { samples, sampleRate } = readWav(writeWav([sound], { ...kind, extensible }), 'tone.wav');
        expect(sampleRate).toBe(16000);
        expect(samples.length).toBe(sound.length);
        const error = Math.max(...samples.map((sample, place) => Math.abs(sample - (sound[place] ?? 0))));
        expect(error).toBeLessThanOrEqual(step);
      });
    }
  }

  test('full scale of both signs stays in -1..1', () => {
    for (const { kind } of encodings) {
      const { samples } = readWav(writeWav([Float32Array.of(-1, 1, -1, 1)], kind), 'loud.wav');
      expect(Math.max(...samples)).toBeLessThanOrEqual(1);
      expect(Math.max(...samples)).toBeGreaterThan(0.98);
      expect(Math.min(...samples)).toBeGreaterThanOrEqual(-1);
      expect(Math.min(...samples)).toBeLessThan(-0.98);
    }
  });
});

describe('16 kHz mono is made of every common rate and number of channels', () => {
  for (const sampleRate of rates) {
    test(`${sampleRate} samples a second`, async () => {
      const bytes = writeWav([tone(1000, 1, sampleRate)], { sampleRate });
      const { samples, seconds } = await readSound(bytes, 'tone.wav');
      expect(samples.length).toBe(16000);
      expect(seconds).toBe(1);
      expect(rms(samples.subarray(400, 15600))).toBeCloseTo(0.3536, 3);
    });
  }

  for (const channels of [1, 2, 6]) {
    test(`${channels} channels, the same in each, sound like one`, async () => {
      const one = tone(300, 0.1);
      const { samples } = await readSound(writeWav(Array.from({ length: channels }, () => one)), 'many.wav');
      expect(rms(samples)).toBeCloseTo(rms(one), 4);
    });
  }

  test('loud channels are averaged, so their mix is not clipped', () => {
    const loud = Float32Array.from({ length: 800 }, (_, place) => (place % 2 === 0 ? 0.9 : -0.9));
    const { samples } = readWav(writeWav([loud, loud]), 'loud.wav');
    expect(Math.max(...samples)).toBeCloseTo(0.9, 3);
  });

  test('a float file over full scale is turned down as a whole', async () => {
    const loud = tone(440, 0.2).map((sample) => sample * 8);
    const { samples } = await readSound(writeWav([loud], { bits: 32, float: true }), 'hot.wav');
    expect(Math.max(...samples)).toBeLessThanOrEqual(1);
    expect(rms(samples)).toBeCloseTo(Math.SQRT1_2, 2);
  });

  test('not-a-number in a float file is silence', async () => {
    const bytes = writeWav([Float32Array.of(0.1, Number.NaN, Number.POSITIVE_INFINITY, 0.2)], {
      bits: 32,
      float: true,
    });
    const { samples } = await readSound(bytes, 'nan.wav');
    expect([...samples].map((sample) => Number(sample.toFixed(1)))).toEqual([0.1, 0, 0, 0.2]);
  });
});

describe('headers as they are met', () => {
  const sound = tone(440, 0.1);
  const odd = { id: 'LIST', bytes: Buffer.from('INFOISFT\x05\x00\x00\x00Lavf\x00', 'latin1') };

  test('chunks of odd size before and after the sound are stepped over', () => {
    const bytes = writeWav([sound], {
      before: [odd, { id: 'junk', bytes: new Uint8Array(3) }],
      after: [odd],
    });
    expect(readWav(bytes, 'chunks.wav').samples.length).toBe(sound.length);
  });

  for (const [what, kind] of [
    ['0 in both fields', { dataSize: 0, riffSize: 0 }],
    ['0 with a header that ends before the sound', { dataSize: 0, riffSize: 36 }],
    ['4 294 967 295', { dataSize: 0xffff_ffff, riffSize: 0xffff_ffff }],
    ['2 147 483 647', { dataSize: 0x7fff_ffff, riffSize: 0x7fff_ffff }],
  ] as const) {
    test(`a size of ${what}, left by a writer to a pipe, means to the end`, () => {
      expect(readWav(writeWav([sound], kind), 'pipe.wav').samples.length).toBe(sound.length);
    });
  }

  test('a file that holds no samples says so, whatever follows', async () => {
    expect((await refusal(writeWav([new Float32Array(0)]))).code).toBe('audio-empty');
    expect((await refusal(writeWav([new Float32Array(0)], { after: [odd] }))).code).toBe('audio-empty');
  });

  test('bytes at an offset in a larger buffer are read from there', () => {
    const bytes = writeWav([sound]);
    const larger = new Uint8Array(bytes.length + 7);
    larger.set(bytes, 7);
    expect(readWav(larger.subarray(7), 'view.wav').samples).toEqual(readWav(bytes, 'own.wav').samples);
  });
});

describe('what cannot be used is refused with a reason', () => {
  test('an empty file', async () => {
    expect((await refusal(new Uint8Array(0))).toFailure()).toMatchObject({
      code: 'audio-empty',
      message: 'sound.wav is empty.',
    });
  });

  test('a truncated file says how much is there and how much was promised', async () => {
    const whole = writeWav([tone(440, 4)]);
    const error = await refusal(whole.subarray(0, 44 + 32000), 'talk.wav');
    expect(error.code).toBe('audio-truncated');
    expect(error.message).toBe('talk.wav is cut off: 1.0 of 4.0 seconds are there.');
    expect(error.hint).not.toBe('');
  });

  test('every shorter piece of a file is refused, none is read past its end', async () => {
    const whole = writeWav([tone(440, 0.01)], {
      extensible: true,
      before: [{ id: 'fact', bytes: new Uint8Array(4) }],
    });
    for (let length = 0; length < whole.length - 1; length += 1) {
      expect((await refusal(whole.slice(0, length))).code).toMatch(/^audio-(empty|format|truncated)$/);
    }
  });

  test('other files by the name of .wav are told by what they are', async () => {
    const begins = (text: string) => Buffer.from(text.padEnd(64, ' '), 'latin1');
    expect((await refusal(begins('Dear diary, today'), 'diary.wav')).message).toBe(
      'diary.wav is a text file, not WAV.',
    );
    expect((await refusal(begins('ID3\x04'))).message).toContain('MP3');
    expect((await refusal(begins('OggS'))).message).toContain('Ogg');
    expect((await refusal(begins('fLaC'))).message).toContain('FLAC');
    expect((await refusal(begins('\0\0\0\x20ftypM4A '))).message).toContain('M4A');
    expect((await refusal(Buffer.alloc(64, 0))).code).toBe('audio-format');
  });

  test('a codec is named', async () => {
    const error = await refusal(writeWav([tone(440, 0.1)], { bits: 8, formatTag: 7 }));
    expect(error).toMatchObject({
      code: 'audio-format',
      message: 'sound.wav is compressed (µ-law), which cannot be read.',
    });
  });

  test('impossible formats', async () => {
    expect((await refusal(writeWav([tone(440, 0.1)], { sampleRate: 1 }))).code).toBe('audio-format');
    expect((await refusal(writeWav([tone(440, 0.1)], { bits: 16, formatTag: 3 }))).code).toBe('audio-format');
  });

  test('a name is shown without its path and without control characters', async () => {
    expect((await refusal(new Uint8Array(0), '../../etc/\u001b[31mpasswd')).message).toBe(
      '[31mpasswd is empty.',
    );
  });

  test('a header with any byte changed is read or refused, never a crash', async () => {
    const whole = writeWav([tone(440, 0.01)], { extensible: true });
    for (let place = 0; place < 68; place += 1) {
      for (const value of [0, 1, 0x7f, 0x80, 0xff]) {
        const changed = Uint8Array.from(whole);
        changed[place] = value;
        const code = await readSound(changed, 'changed.wav').then(
          () => 'read',
          (error: ParlanceError) => error.code,
        );
        expect(code).toMatch(/^(read|audio-(empty|format|truncated))$/);
      }
    }
  });
});
