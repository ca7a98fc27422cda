/** Longer contexts are cut to this: rotary tables are made for every position. */
export const mostPositions = 16_384;

/** Shorter ones are not answered over, but can be looked at: a clip of 30 s alone may be 1500 positions long. */
const leastPositions = 2048;

/** Positions that an LLM's graphs can read, whatever context it was trained with. */
export function readablePositions(contextLength: number): number {
  return Math.min(mostPositions, Math.max(leastPositions, contextLength));
}
