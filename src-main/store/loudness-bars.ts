/** Samples of 160 ms at 16 kHz: one bar of a waveform. */
const samplesPerBar = 2560;

/** Quieter than this, in decibels under full scale, is drawn as nothing. */
const floorDecibels = -60;

/**
 * Loudness of each 160 ms as 0..1: root mean square on a decibel scale, which is nearer to what is heard than the
 * amplitude is. In steps of 1/255, as the database keeps them.
 */
export function loudnessBars(samples: Float32Array): number[] {
  const bars: number[] = [];
  for (let start = 0; start < samples.length; start += samplesPerBar) {
    const piece = samples.subarray(start, start + samplesPerBar);
    const meanSquare = piece.reduce((sum, sample) => sum + sample * sample, 0) / piece.length;
    const decibels = meanSquare > 0 ? 10 * Math.log10(meanSquare) : floorDecibels;
    const loudness = Math.min(1, Math.max(0, 1 - decibels / floorDecibels));
    bars.push(Math.round(loudness * 255) / 255);
  }
  return bars;
}
