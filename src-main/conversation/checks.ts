import { type AudioClip, ParlanceError } from '../contract/index.ts';

const sampleRate = 16000;
const shortestSeconds = 0.2;
const longestSeconds = 30 * 60;
const longestText = 200_000;

/** Throws text-empty or text-too-long: far more than any context holds, before it becomes a row. */
export function requireText(text: string): string {
  const trimmed = text.trim();
  if (trimmed === '') {
    throw new ParlanceError('text-empty', 'There is nothing to answer.', 'Type or speak a question.');
  }
  if (trimmed.length > longestText) {
    throw new ParlanceError(
      'text-too-long',
      `The text has ${trimmed.length} characters; at most ${longestText} can be asked at once.`,
      'Ask about a part of it.',
    );
  }
  return trimmed;
}

/** Throws audio-empty, audio-too-short or audio-too-long. Samples at 16 kHz. */
export function requireSound(samples: Float32Array): void {
  const seconds = samples.length / sampleRate;
  if (samples.length === 0) {
    throw new ParlanceError('audio-empty', 'The recording holds no sound.', 'Record again.');
  }
  if (seconds < shortestSeconds) {
    throw new ParlanceError(
      'audio-too-short',
      `The recording lasts ${seconds.toFixed(2)} seconds; less than ${shortestSeconds} holds no word.`,
      'Hold the button while you speak.',
    );
  }
  if (seconds > longestSeconds) {
    throw new ParlanceError(
      'audio-too-long',
      `The recording lasts ${Math.round(seconds / 60)} minutes; a question may last ${longestSeconds / 60}.`,
      'Ask with a part of it, or use `parlance transcribe` for the whole.',
    );
  }
}

/** Throws audio-silent when no 160 ms of a clip are louder than 60 decibels under full scale. */
export function requireAudible(clip: AudioClip): void {
  if (clip.bars.some((bar) => bar > 0)) return;
  throw new ParlanceError(
    'audio-silent',
    'Nothing was heard: the recording is silent.',
    'Check that the right microphone is chosen and not muted, then speak again.',
  );
}
