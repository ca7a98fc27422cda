import type { z } from 'zod';
import type { paddingSchema } from '../bundles/manifest.ts';
import { ModelError } from '../errors.ts';
import type { WhisperLogMelSettings } from './feature-settings.ts';
import { PowerSpectrum } from './fourier.ts';
export type Padding = z.infer<typeof paddingSchema>;

/** [mels, frames], row after row: all frames of the lowest band first. */
export interface LogMel {
  readonly data: Float32Array;
  readonly mels: number;
  readonly frames: number;
}

/** Samples of a Whisper window: 30 s at 16 kHz. */
const whisperWindowSamples = 480_000;

/**
 * Whisper's log-mel features (seed: Whisper, section 2.2): a Hann window of 400, hop 160, reflected edges, power, Slaney mel
 * bands, log10 no lower than 8 below the clip's own maximum, then (x + 4) / 4.
 * Gives floor(samples / 160) frames of 10 ms. Throws `shape-mismatch` on a clip shorter than one hop.
 */
export function logMel(samples: Float32Array, settings: WhisperLogMelSettings): LogMel {
  const { fftSize, hop, mels, sampleRate } = settings;
  const frames = Math.floor(samples.length / hop);
  if (frames === 0)
    throw new ModelError(
      'shape-mismatch',
      `A clip of ${samples.length} samples is shorter than one frame of ${hop}.`,
      'Record at least a tenth of a second.',
    );
  const window = hannWindow(fftSize);
  const bands = melBands(fftSize, mels, sampleRate);
  const spectrum = new PowerSpectrum(fftSize);
  const data = new Float32Array(mels * frames);
  const [frameA, frameB] = [new Float64Array(fftSize), new Float64Array(fftSize)];
  const [powerA, powerB] = [new Float64Array(spectrum.bins), new Float64Array(spectrum.bins)];
  let loudest = -Infinity;
  for (let frame = 0; frame < frames; frame += 2) {
    cutFrame(samples, frame * hop - fftSize / 2, window, frameA);
    cutFrame(samples, (frame + 1) * hop - fftSize / 2, window, frameB);
    spectrum.pair(frameA, frameB, powerA, powerB);
    loudest = Math.max(loudest, writeColumn(data, frames, frame, powerA, bands));
    if (frame + 1 < frames) loudest = Math.max(loudest, writeColumn(data, frames, frame + 1, powerB, bands));
  }
  const floor = loudest - 8;
  for (let i = 0; i < data.length; i++) data[i] = (Math.max(data[i] ?? 0, floor) + 4) / 4;
  return { data, mels, frames };
}

/**
 * Cuts or fills a clip to what the encoder is fed: Whisper's 30 s, or a short tail of silence and a round length, so that a
 * short clip costs a short encoding. The longest clip is 30 s either way.
 */
export function padForEncoder(samples: Float32Array, padding: Padding): Float32Array {
  const wanted =
    padding.kind === '30s'
      ? whisperWindowSamples
      : Math.min(
          whisperWindowSamples,
          Math.ceil((samples.length + Math.trunc(padding.tailSeconds * 16_000)) / padding.unitSamples) *
            padding.unitSamples,
        );
  const padded = new Float32Array(wanted);
  padded.set(samples.subarray(0, wanted));
  return padded;
}

function hannWindow(size: number): Float64Array {
  return Float64Array.from({ length: size }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size));
}

/** Copies a windowed frame; positions before the first and after the last sample are mirrored about it. */
function cutFrame(samples: Float32Array, start: number, window: Float64Array, frame: Float64Array): void {
  const size = frame.length;
  if (start >= 0 && start + size <= samples.length) {
    for (let i = 0; i < size; i++) frame[i] = (samples[start + i] ?? 0) * (window[i] ?? 0);
    return;
  }
  for (let i = 0; i < size; i++)
    frame[i] = (samples[mirrored(start + i, samples.length)] ?? 0) * (window[i] ?? 0);
}

function mirrored(index: number, length: number): number {
  const period = Math.max(1, 2 * (length - 1));
  const wrapped = ((index % period) + period) % period;
  return wrapped < length ? wrapped : period - wrapped;
}

/** Writes log10 of the mel energies of one frame and returns the loudest. */
function writeColumn(
  data: Float32Array,
  frames: number,
  frame: number,
  power: Float64Array,
  bands: readonly MelBand[],
): number {
  let loudest = -Infinity;
  for (let mel = 0; mel < bands.length; mel++) {
    const band = bands[mel];
    if (band === undefined) continue;
    let energy = 0;
    const { firstBin, weights } = band;
    for (let i = 0; i < weights.length; i++) energy += (weights[i] ?? 0) * (power[firstBin + i] ?? 0);
    const level = Math.log10(Math.max(energy, 1e-10));
    data[mel * frames + frame] = level;
    if (level > loudest) loudest = level;
  }
  return loudest;
}

interface MelBand {
  readonly firstBin: number;
  readonly weights: Float64Array;
}

/** Triangular bands, equally wide on Slaney's mel scale and scaled to equal area, as librosa and Whisper have them. */
function melBands(fftSize: number, mels: number, sampleRate: number): MelBand[] {
  const highestMel = hertzToMel(sampleRate / 2);
  const edges = Array.from({ length: mels + 2 }, (_, i) => melToHertz((highestMel * i) / (mels + 1)));
  const bins = fftSize / 2 + 1;
  const hertzPerBin = sampleRate / fftSize;
  return Array.from({ length: mels }, (_, mel) => {
    const [low = 0, centre = 0, high = 0] = edges.slice(mel, mel + 3);
    const area = 2 / (high - low);
    const firstBin = Math.max(0, Math.floor(low / hertzPerBin));
    const lastBin = Math.min(bins - 1, Math.ceil(high / hertzPerBin));
    const weights = new Float64Array(lastBin - firstBin + 1);
    for (let bin = firstBin; bin <= lastBin; bin++) {
      const hertz = bin * hertzPerBin;
      const rising = (hertz - low) / (centre - low);
      const falling = (high - hertz) / (high - centre);
      weights[bin - firstBin] = Math.max(0, Math.min(rising, falling)) * area;
    }
    return { firstBin, weights };
  });
}

/** Slaney: linear up to 1000 Hz (15 mel), then 27 mel for each factor of 6.4. */
function hertzToMel(hertz: number): number {
  return hertz < 1000 ? (3 * hertz) / 200 : 15 + (27 * Math.log(hertz / 1000)) / Math.log(6.4);
}

function melToHertz(mel: number): number {
  return mel < 15 ? (200 * mel) / 3 : 1000 * Math.exp(((mel - 15) * Math.log(6.4)) / 27);
}
