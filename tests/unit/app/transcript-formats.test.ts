import { describe, expect, it } from 'vitest';
import { transcriptFormats } from '../../../src-main/app/commands/transcript-formats.ts';
import type { Transcript } from '../../../src-main/contract/index.ts';

const transcript: Transcript = {
  text: 'Good morning. How are you?',
  language: 'en',
  seconds: 3725.5,
  provider: 'cpu',
  timings: { featuresMs: 1, encodeMs: 1, decodeMs: 1, realTimeFactor: 0.1 },
  segments: [
    { start: 0, end: 1.234, text: ' Good morning.' },
    { start: 3661.9996, end: 3725.5, text: ' How\n\nare --> you?' },
  ],
};
const named = { file: 'talk.wav', transcript };
const empty = { file: 'empty.wav', transcript: { ...transcript, text: '', segments: [] } };

describe('a transcript', () => {
  it('is text, a segment a line', () => {
    expect(transcriptFormats.txt(named).split('\n').slice(0, 2)).toEqual(['Good morning.', 'How']);
    expect(transcriptFormats.txt(empty)).toBe('\n');
  });

  it('is SubRip: numbered cues, commas before the milliseconds, no line that would end a cue', () => {
    expect(transcriptFormats.srt(named)).toBe(
      '1\n00:00:00,000 --> 00:00:01,234\nGood morning.\n\n2\n01:01:02,000 --> 01:02:05,500\nHow\nare → you?\n',
    );
  });

  it('is WebVTT: its header, points before the milliseconds', () => {
    expect(transcriptFormats.vtt(named)).toMatch(
      /^WEBVTT\n\n00:00:00\.000 --> 00:00:01\.234\nGood morning\.\n\n01:01/,
    );
    expect(transcriptFormats.vtt(empty)).toBe('WEBVTT\n\n');
  });

  it('is Markdown with times', () => {
    expect(transcriptFormats.md(named)).toMatch(/^# talk\.wav\n\n\*\*00:00:00\*\* Good morning\./);
  });

  it('is JSON with everything that is known', () => {
    expect(JSON.parse(transcriptFormats.json(named))).toEqual({ file: 'talk.wav', ...transcript });
  });
});
