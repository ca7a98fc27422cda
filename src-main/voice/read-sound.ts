import { engineSampleRate, resample } from './resample.ts';
import { readWav } from './wav.ts';

/** The last part of a path, fit for one line of a message. Names are shown, never opened. */
function shownName(name: string): string {
  const last = name.split(/[/\\]/).at(-1) ?? '';
  const shown = last.replace(/\p{C}/gu, '').slice(0, 80);
  return shown === '' ? 'The file' : shown;
}

/**
 * Bytes of a sound file → f32 samples in -1..1 at 16 kHz, mono. Throws ParlanceError audio-empty, audio-format or
 * audio-truncated.
 */
export async function readSound(
  bytes: Uint8Array,
  name: string,
): Promise<{ samples: Float32Array; seconds: number }> {
  const sound = readWav(bytes, shownName(name));
  const samples = await resample(sound.samples, sound.sampleRate);
  const peak = samples.reduce((loudest, sample) => Math.max(loudest, Math.abs(sample)), 0);
  // Float files may go over full scale, and the filter's ripple may: turned down as a whole, nothing is cut off.
  const fitting = peak > 1 ? samples.map((sample) => sample / peak) : samples;
  return { samples: fitting, seconds: fitting.length / engineSampleRate };
}
