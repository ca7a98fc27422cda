import type { Padding } from '../../native-models/features/encoder-input.ts';
import type { Segment } from '../contract/engine.ts';
import type { Encoder } from './encoder.ts';
import { audioWindows } from './sound/audio-windows.ts';
import { sampleRate } from './sound/wav.ts';
import type { Stopwatch } from './stopwatch.ts';

/**
 * What an encoder's CTC head reads, window by window of at most `longest` samples. Throws engine-failed, or the signal's reason
 * within one window.
 */
export async function transcribeByCtc(
  encoder: Encoder,
  samples: Float32Array,
  { padding, longest }: { padding: Padding; longest: number },
  on: { segment?(segment: Segment): void },
  watch: Stopwatch,
  signal: AbortSignal,
): Promise<Segment[]> {
  const segments: Segment[] = [];
  let start = 0;
  for (const window of audioWindows(samples, longest)) {
    signal.throwIfAborted();
    const end = start + window.length / sampleRate;
    const { text } = await encoder.encode(window, padding, watch);
    if (text !== '') {
      segments.push({ start, end, text });
      on.segment?.({ start, end, text });
    }
    start = end;
  }
  return segments;
}
