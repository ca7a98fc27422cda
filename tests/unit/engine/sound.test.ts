import { describe, expect, it } from 'vitest';
import { selectFrames } from '../../../src-main/engine/adaptor.ts';
import { seededRandom } from '../../../src-main/engine/random.ts';
import { audioWindows } from '../../../src-main/engine/sound/audio-windows.ts';
import { checkAudible, mayBeNoise, nothingHeard } from '../../../src-main/engine/sound/hearing-checks.ts';
import { loudness } from '../../../src-main/engine/sound/loudness.ts';
import { clipSamples } from '../../../src-main/engine/sound/wav.ts';

const rate = 16_000;
const tone = (seconds: number, level: number) =>
  Float32Array.from({ length: seconds * rate }, (_, i) => level * Math.sin(i / 10));
const noise = (seconds: number, level: number) => {
  const random = seededRandom(3);
  return Float32Array.from({ length: seconds * rate }, () => level * (2 * random() - 1));
};

describe('sound that no model need look at', () => {
  it('is refused by what is wrong with it', () => {
    const code = (samples: Float32Array) => {
      try {
        checkAudible(samples);
        return null;
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(code(new Float32Array(0))).toBe('audio-empty');
    expect(code(tone(0.1, 0.5))).toBe('audio-too-short');
    expect(code(new Float32Array(6 * rate))).toBe('audio-silent');
    expect(code(tone(6, 0.0005))).toBe('audio-silent');
    expect(code(tone(0.3, 0.01))).toBeNull();
  });

  it('is described by its length and its loudest moment', () => {
    const error = nothingHeard(noise(6, 0.01), { loudestDb: -48.4, backgroundDb: -50 });
    expect(error.message).toBe(
      'No speech in these 6.0 seconds. The loudest moment was −48 dB. Nothing was sent to the model, so nothing was made up.',
    );
  });

  it('may be noise when it is quiet or always as loud', () => {
    expect(mayBeNoise(loudness(noise(3, 0.3)))).toBe(true);
    const spoken = noise(3, 0.001);
    spoken.set(tone(1, 0.3), rate);
    expect(mayBeNoise(loudness(spoken))).toBe(false);
  });
});

describe('long sound', () => {
  it('is cut in the pauses, into windows of at most 30 s that leave nothing out', () => {
    const samples = tone(70, 0.3);
    samples.fill(0, 28 * rate, 28.2 * rate);
    samples.fill(0, 55 * rate, 55.2 * rate);
    const windows = audioWindows(samples, 30 * rate);
    expect(windows.reduce((sum, { length }) => sum + length, 0)).toBe(samples.length);
    const ends = windows.slice(0, 2).map(({ length }) => length / rate);
    expect(ends[0]).toBeGreaterThanOrEqual(28);
    expect(ends[0]).toBeLessThanOrEqual(28.2);
    expect(Math.max(...windows.map(({ length }) => length))).toBeLessThanOrEqual(30 * rate);
  });

  it('of exactly 30 s is one window', () => {
    expect(audioWindows(tone(30, 0.3), 30 * rate)).toHaveLength(1);
  });
});

describe('frames that the language model reads', () => {
  const vectors = Float32Array.from({ length: 12 }, (_, i) => i);
  const labels = [0, 2, 2, 0, 2, 3];
  const part = { hidden: 2, ctcTokens: [70, 80, 90] };

  it('are those where something new is heard', () => {
    const { vectors: kept, tokens } = selectFrames(vectors, labels, { ...part, selection: 'ctc-compress' });
    expect([...kept]).toEqual([2, 3, 8, 9, 10, 11]);
    expect(tokens).toEqual([80, 80, 90]);
  });

  it('are all, where the adaptor was trained so', () => {
    expect(selectFrames(vectors, labels, { ...part, selection: 'all' }).vectors).toBe(vectors);
  });
});

describe('a stored clip', () => {
  const wav = (change: (bytes: Buffer) => void = () => undefined) => {
    const bytes = Buffer.alloc(44 + 8);
    bytes.write('RIFF');
    bytes.writeUInt32LE(44, 4);
    bytes.write('WAVEfmt ', 8);
    bytes.writeUInt32LE(16, 16);
    bytes.writeUInt16LE(1, 20);
    bytes.writeUInt16LE(1, 22);
    bytes.writeUInt32LE(rate, 24);
    bytes.writeUInt16LE(16, 34);
    bytes.write('data', 36);
    bytes.writeUInt32LE(8, 40);
    bytes.writeInt16LE(-32_768, 44);
    bytes.writeInt16LE(16_384, 46);
    change(bytes);
    return bytes;
  };

  it('is read as floats', () => {
    expect([...clipSamples(wav(), 'a.wav')]).toEqual([-1, 0.5, 0, 0]);
  });

  it('is refused when it is something else or ends early', () => {
    expect(() => clipSamples(Buffer.from('hello, I am text'), 'a.wav')).toThrow('not a WAV');
    expect(() =>
      clipSamples(
        wav((bytes) => bytes.writeUInt16LE(2, 22)),
        'a.wav',
      ),
    ).toThrow('2 channels');
    expect(() =>
      clipSamples(
        wav((bytes) => bytes.writeUInt32LE(9000, 40)),
        'a.wav',
      ),
    ).toThrow('8 of 9000');
    expect(() =>
      clipSamples(
        wav((bytes) => bytes.write('junk', 36)),
        'a.wav',
      ),
    ).toThrow('no data');
  });
});
