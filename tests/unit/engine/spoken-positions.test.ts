import { describe, expect, it } from 'vitest';
import { encoderInput, secondEncoderInput } from '../../../native-models/features/encoder-input.ts';
import { audioWindows, windowSamples } from '../../../src-main/engine/sound/audio-windows.ts';
import { asAdapted } from '../../../src-main/engine/sound/spoken-positions.ts';

const rate = 16_000;
const whisper = { maxPositions: 1500, framesPerSecond: 50, unitSamples: 320 };
const conformer = { maxPositions: null, framesPerSecond: 12.5, unitSamples: 1280 };
const beats = { maxPositions: null, framesPerSecond: 50, unitSamples: 1 };
const none = { kind: 'none', tailSeconds: 0, unitSamples: 320 } as const;
const clip = (seconds: number) => new Float32Array(Math.round(seconds * rate)).fill(0.5);

describe('what an encoder is fed of a clip', () => {
  it('is a whole window where it was trained so: 30 s, or as much as it reads at once', () => {
    expect(encoderInput(clip(2), { kind: '30s' }, whisper)).toHaveLength(30 * rate);
    expect(encoderInput(clip(2), { kind: '30s' }, { ...whisper, maxPositions: 50 })).toHaveLength(rate);
    expect(encoderInput(clip(40), { kind: '30s' }, whisper)).toHaveLength(30 * rate);
  });

  it('is longer than 30 s where the encoder has no limit', () => {
    expect(encoderInput(clip(31.01), { kind: '30s' }, conformer).length).toBe(388 * 1280);
    expect(encoderInput(clip(31.01), { ...none, unitSamples: 1280 }, conformer).length).toBe(388 * 1280);
  });

  it('of a second encoder is the clip by itself, a second at least, and no more than the first hears', () => {
    const heard = secondEncoderInput(clip(1.5), whisper, beats);
    expect(heard).toHaveLength(1.5 * rate);
    expect(heard.every((value) => value === 0.5)).toBe(true);
    expect(secondEncoderInput(clip(0.3), whisper, beats)).toHaveLength(rate);
    expect(secondEncoderInput(clip(40), whisper, beats)).toHaveLength(30 * rate);
  });
});

describe('windows of a long clip', () => {
  it('are as long as every encoder of the bundle reads', () => {
    expect(windowSamples([whisper])).toBe(30 * rate);
    expect(windowSamples([conformer])).toBe(120 * rate);
    expect(windowSamples([{ ...whisper, maxPositions: 50 }, beats])).toBe(rate);
  });

  it('end in a pause, however short they are', () => {
    const windows = audioWindows(clip(3.3), rate);
    expect(windows.reduce((sum, { length }) => sum + length, 0)).toBe(clip(3.3).length);
    for (const { length } of windows.slice(0, -1)) expect(length).toBeGreaterThan(0.8 * rate);
    for (const { length } of windows) expect(length).toBeLessThanOrEqual(rate);
  });
});

describe('the positions that speech takes', () => {
  const adaptor = { stack: 1, selection: 'all' as const, padding: { kind: '30s' as const } };
  const window = 30 * rate;

  it('are those of whole windows where clips are filled to them', () => {
    const positions = asAdapted({ ...adaptor, tokens: { perSecond: 50 } }, 50, window);
    expect(positions.usual(2)).toBe(1500);
    expect(positions.usual(31)).toBe(3000);
    expect(positions.fit(1499)).toBe(0);
    expect(positions.fit(1500)).toBe(30);
    // The first of two windows may end at a pause, five seconds early.
    expect(positions.fit(3000)).toBe(55);
  });

  it('are as many for each window where the adaptor gives a fixed number', () => {
    const positions = asAdapted({ ...adaptor, padding: none, tokens: { fixed: 80 } }, 50, window);
    expect(positions.usual(1)).toBe(80);
    expect(positions.usual(61)).toBe(240);
    expect(positions.fit(79)).toBe(0);
  });

  it('grow with the clip where it is not filled', () => {
    const padding = { kind: 'none' as const, tailSeconds: 0.5, unitSamples: 1280 };
    const positions = asAdapted({ ...adaptor, padding, tokens: { perSecond: 12.5 } }, 12.5, 120 * rate);
    expect(positions.usual(10)).toBe(133);
    expect(positions.fit(133)).toBeCloseTo(10.06);
    expect(positions.fit(0)).toBe(0);
    // A bundle of an older builder says only how many frames are stacked.
    expect(asAdapted({ ...adaptor, padding, stack: 5 }, 50, window).usual(10)).toBe(106);
  });

  it('are about the words where only new sounds are kept', () => {
    const compressed = { ...adaptor, padding: none, selection: 'ctc-compress' as const };
    const positions = asAdapted({ ...compressed, tokens: { perSecond: 12.5 } }, 50, window);
    expect(positions.usual(10)).toBe(40);
    expect(positions.fit(125)).toBe(10);
  });
});
