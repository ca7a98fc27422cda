/** What a frame must have to count as speech. */
export interface Thresholds {
  /** Probability that begins speech, and that keeps it going. */
  readonly begin: number;
  readonly keep: number;
  /** Decibels over the noise floor, likewise. */
  readonly beginOverFloorDb: number;
  readonly keepOverFloorDb: number;
  /** Quieter than this is silence whatever the model says, dB of full scale. */
  readonly quietestDb: number;
}

/** `sensitivity` is 0..1. A whisper has no pitch, which lowers the model's probability, and is 20 dB quieter than speech. */
export function thresholds(sensitivity: number): Thresholds {
  const begin = 0.75 - 0.5 * sensitivity;
  const beginOverFloorDb = 5 - 4 * sensitivity;
  return {
    begin,
    keep: begin - 0.15,
    beginOverFloorDb,
    keepOverFloorDb: beginOverFloorDb - 3,
    quietestDb: -50 - 20 * sensitivity,
  };
}
