import { ParlanceError } from '../../contract/errors.ts';
import { type Loudness, loudness } from './loudness.ts';
import { sampleRate } from './wav.ts';

/** Shorter than the shortest word. */
const shortestSeconds = 0.2;
/** Nothing that a microphone hears as speech, whispering included, stays under this. */
const silentDb = -60;
/** Below this, or with so little between background and loudest moment, it may be noise: a second opinion is asked for. */
const quietDb = -45;
const flatDb = 10;

/** Refuses sound that no model need look at. Throws audio-empty, audio-too-short or audio-silent. */
export function checkAudible(samples: Float32Array): Loudness {
  const seconds = samples.length / sampleRate;
  if (samples.length === 0)
    throw new ParlanceError(
      'audio-empty',
      'The recording holds no sound at all.',
      'Check the microphone and record again.',
    );
  if (seconds < shortestSeconds)
    throw new ParlanceError(
      'audio-too-short',
      `The recording is ${seconds.toFixed(2)} s long; no word is that short.`,
      'Hold the button while you speak, and record again.',
    );
  const level = loudness(samples);
  if (level.loudestDb < silentDb) throw nothingHeard(samples, level);
  return level;
}

/** Whether a clip could be background alone, by its levels. */
export function mayBeNoise({ loudestDb, backgroundDb }: Loudness): boolean {
  return loudestDb < quietDb || loudestDb - backgroundDb < flatDb;
}

/** Nobody speaks in this clip. */
export function nothingHeard(samples: Float32Array, { loudestDb }: Loudness): ParlanceError {
  const seconds = (samples.length / sampleRate).toFixed(1);
  return new ParlanceError(
    'audio-silent',
    `No speech in these ${seconds} seconds. The loudest moment was ${decibels(loudestDb)}. Nothing was sent to the model, so nothing was made up.`,
    'Check that the right microphone is chosen and not muted, and speak closer to it.',
  );
}

function decibels(level: number): string {
  return `${level < 0 ? '−' : ''}${Math.abs(Math.round(level))} dB`;
}
