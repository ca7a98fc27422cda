import type { ActivityFrame } from './frame.ts';

/** Of the way to a frame's level that the floor goes in one frame: down at once, up in a second. */
const fallRate = 0.25;
const riseRate = 0.04;
/** While the model hears speech: a voice must not become its own background within a turn. */
const riseRateInSpeech = 0.002;
/** Under a stream's first frame, dB, where somebody speaks in it already. */
const underFirstSpeechDb = 20;

/** A frame that sounds like speech. */
const speechLike = 0.4;

/** How loud it is where nobody speaks, followed frame by frame: down at once, up slowly. */
export class NoiseFloor {
  #levelDb: number | null = null;

  /** dB of full scale; -96 before the first frame. */
  get levelDb(): number {
    return this.#levelDb ?? -96;
  }

  push({ loudnessDb, probability }: ActivityFrame): void {
    const isSpeech = probability >= speechLike;
    if (this.#levelDb === null) {
      this.#levelDb = isSpeech ? loudnessDb - underFirstSpeechDb : loudnessDb;
      return;
    }
    const rate = loudnessDb < this.#levelDb ? fallRate : isSpeech ? riseRateInSpeech : riseRate;
    this.#levelDb += rate * (loudnessDb - this.#levelDb);
  }
}
