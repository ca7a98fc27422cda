import type { NothingHeard } from '../../contract/index.ts';
import type { ActivityFrame } from './frame.ts';

/** Louder frames than this make a stretch more than silence: a quarter of a second of them. */
const audibleFrames = 8;

/** Mean tonality of notes; speech and hiss stay under it. */
const tonal = 0.55;
/** Notes come and go, so their loudness varies; a fan's or a mains hum stays the same. Standard deviation, dB. */
const varying = 1;

/** Gathers what was heard while nobody spoke. */
export class SoundKind {
  #audible = 0;
  #tonality = 0;
  #sum = 0;
  #squares = 0;

  /** `quietestDb`: what is quieter counts as silence. */
  push({ loudnessDb, tonality }: ActivityFrame, quietestDb: number): void {
    if (loudnessDb < quietestDb) return;
    this.#audible += 1;
    this.#tonality += tonality;
    this.#sum += loudnessDb;
    this.#squares += loudnessDb ** 2;
  }

  /** What it was, and forgets it. */
  take(): Exclude<NothingHeard, 'too-short'> {
    const count = this.#audible;
    const mean = this.#sum / count;
    const deviation = Math.sqrt(Math.max(0, this.#squares / count - mean ** 2));
    const isTonal = this.#tonality / count >= tonal;
    [this.#audible, this.#tonality, this.#sum, this.#squares] = [0, 0, 0, 0];
    if (count < audibleFrames) return 'silence';
    return isTonal && deviation >= varying ? 'music' : 'noise';
  }
}
