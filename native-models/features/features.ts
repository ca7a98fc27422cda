/** What an encoder reads of a clip: [mels, frames], row after row, all frames of the lowest band first. */
export interface Features {
  readonly data: Float32Array;
  readonly mels: number;
  readonly frames: number;
}
