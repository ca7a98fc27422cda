import type { MelScale } from './mel-scale.ts';

/** A band of a filter bank: weights of the spectrum's bins from the first on. */
export interface MelBand {
  readonly firstBin: number;
  readonly weights: Float64Array;
}

export interface MelBandSettings {
  readonly fftSize: number;
  readonly sampleRate: number;
  readonly mels: number;
  readonly scale: MelScale;
  /** 0 by default. */
  readonly lowHertz?: number;
  /** Half the sample rate by default. */
  readonly highHertz?: number;
  /** Along which axis the triangles' sides are straight: Kaldi draws them in mel, everybody else in hertz. */
  readonly slopes: 'hertz' | 'mel';
  /** Whether triangles are scaled to equal area (Slaney) or all reach 1. */
  readonly height: 'equal-area' | 'one';
}

/** Triangular bands over the bins of a power spectrum, equally wide on the mel scale. */
export function melBands(settings: MelBandSettings): MelBand[] {
  const { fftSize, sampleRate, mels, scale, slopes, height } = settings;
  const lowest = scale.toMel(settings.lowHertz ?? 0);
  const highest = scale.toMel(settings.highHertz ?? sampleRate / 2);
  const edges = Array.from({ length: mels + 2 }, (_, i) => lowest + ((highest - lowest) * i) / (mels + 1));
  const onSlope = slopes === 'mel' ? scale.toMel : (hertz: number) => hertz;
  const corners = slopes === 'mel' ? edges : edges.map(scale.toHertz);
  const bins = fftSize / 2 + 1;
  const hertzPerBin = sampleRate / fftSize;
  return Array.from({ length: mels }, (_, mel) => {
    const [low = 0, centre = 0, high = 0] = corners.slice(mel, mel + 3);
    const [lowHertz = 0, , highHertz = 0] = edges.slice(mel, mel + 3).map(scale.toHertz);
    const peak = height === 'equal-area' ? 2 / (highHertz - lowHertz) : 1;
    const firstBin = Math.max(0, Math.floor(lowHertz / hertzPerBin));
    const lastBin = Math.min(bins - 1, Math.ceil(highHertz / hertzPerBin));
    const weights = new Float64Array(lastBin - firstBin + 1);
    for (let bin = firstBin; bin <= lastBin; bin++) {
      const at = onSlope(bin * hertzPerBin);
      const rising = (at - low) / (centre - low);
      const falling = (high - at) / (high - centre);
      weights[bin - firstBin] = Math.max(0, Math.min(rising, falling)) * peak;
    }
    return { firstBin, weights };
  });
}

/** What a band hears of a spectrum. */
export function bandEnergy({ firstBin, weights }: MelBand, spectrum: Float64Array): number {
  let energy = 0;
  for (let i = 0; i < weights.length; i++) energy += (weights[i] ?? 0) * (spectrum[firstBin + i] ?? 0);
  return energy;
}
