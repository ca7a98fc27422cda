import { ModelError } from '../errors.ts';
import { PowerSpectrum } from './fourier.ts';

export interface FrameSettings {
  readonly fftSize: number;
  readonly frames: number;
  /** Writes the frame as it is to be transformed, windowed, `fftSize` values; what it leaves is zero at first and then old. */
  cut(frame: number, into: Float64Array): void;
}

/** Power spectra frame after frame; `spectrum` holds fftSize / 2 + 1 values until the next call. */
export function forEachSpectrum(
  { fftSize, frames, cut }: FrameSettings,
  use: (spectrum: Float64Array, frame: number) => void,
): void {
  const spectrum = new PowerSpectrum(fftSize);
  const [first, second] = [new Float64Array(fftSize), new Float64Array(fftSize)];
  const [firstPower, secondPower] = [new Float64Array(spectrum.bins), new Float64Array(spectrum.bins)];
  // One complex transform carries two real frames; the last of an odd number travels beside itself.
  for (let frame = 0; frame < frames; frame += 2) {
    cut(frame, first);
    cut(Math.min(frame + 1, frames - 1), second);
    spectrum.pair(first, second, firstPower, secondPower);
    use(firstPower, frame);
    if (frame + 1 < frames) use(secondPower, frame + 1);
  }
}

/** Writes `window.length` windowed samples from `start` on; before the first and after the last the clip is mirrored about them. */
export function cutMirrored(
  samples: Float32Array,
  start: number,
  window: Float64Array,
  into: Float64Array,
): void {
  const size = window.length;
  const inside = start >= 0 && start + size <= samples.length;
  for (let i = 0; i < size; i++) {
    const index = inside ? start + i : mirrored(start + i, samples.length);
    into[i] = (samples[index] ?? 0) * (window[i] ?? 0);
  }
}

function mirrored(index: number, length: number): number {
  const period = Math.max(1, 2 * (length - 1));
  const wrapped = ((index % period) + period) % period;
  return wrapped < length ? wrapped : period - wrapped;
}

/** Throws `shape-mismatch` when a clip makes no frame at all. */
export function requireFrames(samples: Float32Array, frames: number, needed: number): void {
  if (frames >= 1) return;
  throw new ModelError(
    'shape-mismatch',
    `A clip of ${samples.length} samples is shorter than one frame of ${needed}.`,
    'Record at least a tenth of a second.',
  );
}
