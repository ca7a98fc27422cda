import { speechSampleRate } from '../../contract/speech.ts';

/** 46 dB below full scale: the model's own noise is below, the quietest consonants above. */
const audible = 0.005;
const keptSeconds = 0.06;
const fadeSeconds = 0.005;

/**
 * Takes the silence off both ends but for a short pause, and fades them to zero, so that pieces follow one another without a click.
 *
 * @param pauseSeconds silence that is put behind: what a reader makes at the end of a sentence or clause
 */
export function withCleanEdges(samples: Float32Array, pauseSeconds: number): Float32Array<ArrayBuffer> {
  const kept = Math.round(keptSeconds * speechSampleRate);
  const first = samples.findIndex((sample) => Math.abs(sample) > audible);
  if (first < 0) return new Float32Array(0);
  const last = samples.findLastIndex((sample) => Math.abs(sample) > audible);
  const sound = samples.slice(Math.max(0, first - kept), Math.min(samples.length, last + 1 + kept));
  const fade = Math.min(Math.round(fadeSeconds * speechSampleRate), Math.floor(sound.length / 2));
  for (let at = 0; at < fade; at += 1) {
    sound[at] = (sound[at] ?? 0) * (at / fade);
    sound[sound.length - 1 - at] = (sound[sound.length - 1 - at] ?? 0) * (at / fade);
  }
  const result = new Float32Array(sound.length + Math.round(pauseSeconds * speechSampleRate));
  result.set(sound);
  return result;
}
