/** A pitch scale: linear in what the ear tells apart. */
export interface MelScale {
  toMel(hertz: number): number;
  toHertz(mel: number): number;
}

/** Slaney's, as librosa and Whisper have it: linear up to 1000 Hz (15 mel), then 27 mel for each factor of 6.4. */
export const slaneyScale: MelScale = {
  toMel: (hertz) => (hertz < 1000 ? (3 * hertz) / 200 : 15 + (27 * Math.log(hertz / 1000)) / Math.log(6.4)),
  toHertz: (mel) => (mel < 15 ? (200 * mel) / 3 : 1000 * Math.exp(((mel - 15) * Math.log(6.4)) / 27)),
};

/** HTK's, the default of torchaudio's MelSpectrogram. */
export const htkScale: MelScale = {
  toMel: (hertz) => 2595 * Math.log10(1 + hertz / 700),
  toHertz: (mel) => 700 * (10 ** (mel / 2595) - 1),
};

/** Kaldi's: HTK's curve with its factor rounded another way. */
export const kaldiScale: MelScale = {
  toMel: (hertz) => 1127 * Math.log(1 + hertz / 700),
  toHertz: (mel) => 700 * (Math.exp(mel / 1127) - 1),
};
