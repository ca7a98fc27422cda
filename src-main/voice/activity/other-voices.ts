import type { ActivityFrame } from './frame.ts';

/** Of the way to a frame's level that the smoothed level goes in one frame: four frames, a syllable. */
const smoothing = 0.3;
/** Frames over which the quietest is looked for: 2.5 s, in which everybody who speaks stops between words. */
const windowFrames = 80;
/** A frame so little over the quietest is background, dB. */
const nearDb = 5;
/** A frame that sounds like speech. */
const speechLike = 0.4;
/** Of the way that the share goes in one frame: a second. */
const rate = 0.03;
/** Frames of a stream in which the share is learned whatever is heard: at first nothing is known. */
const unknownFrames = 48;
/** Frames without a pause after which a turn may be a television: ten seconds. */
const breathlessFrames = 312;
/** A smaller share is chance. */
const smallestShare = 0.5;
/** How far over a background of voices alone one must speak to be meant, dB. */
const overDb = 10;

/**
 * Voices in the background, a television or other people: the model hears speech in them as well, and only loudness tells
 * them apart. The background's level is the minimum of the smoothed one (Martin 2001, "Noise power spectral density estimation
 * based on optimal smoothing and minimum statistics").
 */
export class OtherVoices {
  readonly #levels: number[] = [];
  #smoothedDb: number | null = null;
  /** Of the background's frames those that sound like speech, 0..1. */
  #share = 0;
  #heard = 0;

  /** What a frame needs to stand out from them, dB of full scale; -96 where there are none. */
  get neededDb(): number {
    return this.#share < smallestShare ? -96 : Math.min(...this.#levels) + this.#share * overDb;
  }

  /** `turnFrames`: how long the turn at hand goes on without a pause, 0 outside. What is quiet in a turn is mostly its own words. */
  push({ loudnessDb, probability }: ActivityFrame, turnFrames: number): void {
    this.#heard += 1;
    const before = this.#smoothedDb ?? loudnessDb;
    this.#smoothedDb = before + smoothing * (loudnessDb - before);
    this.#levels.push(this.#smoothedDb);
    if (this.#levels.length > windowFrames) this.#levels.shift();
    const isLearning = turnFrames === 0 || turnFrames > breathlessFrames || this.#heard <= unknownFrames;
    if (!isLearning || loudnessDb > Math.min(...this.#levels) + nearDb) return;
    const isVoice = probability >= speechLike ? 1 : 0;
    this.#share += rate * (isVoice - this.#share);
  }
}
