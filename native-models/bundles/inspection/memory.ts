import type { BundleManifest } from '../manifest.ts';

type Llm = NonNullable<BundleManifest['llm']>;

/** Bytes for a conversation of so many positions. */
export interface MemoryAt {
  readonly positions: number;
  /** Keys and values of every layer. */
  readonly cache: number;
  /** With the weights of all parts. */
  readonly total: number;
}

const bytesOfElement = { float32: 4, int8: 1 } as const;
const shortest = 512;

/** What a conversation takes at 512 positions, 1024, … up to the LLM's whole context. */
export function memoryByContext(llm: Llm, weights: number): MemoryAt[] {
  const lengths: number[] = [];
  for (let positions = shortest; positions < llm.contextLength; positions *= 2) lengths.push(positions);
  return [...lengths, llm.contextLength].map((positions) => {
    const cache = cacheBytes(llm, positions);
    return { positions, cache, total: weights + cache };
  });
}

/** Layers that look back through a window need no more than that. */
function cacheBytes(llm: Llm, positions: number): number {
  const { layers, kvHeads, headSize, rowsType, slidingWindow } = llm;
  const row = 2 * kvHeads * headSize * bytesOfElement[rowsType];
  const windowed = slidingWindow?.layers ?? 0;
  const near = Math.min(positions, slidingWindow?.positions ?? positions);
  return row * ((layers - windowed) * positions + windowed * near);
}
